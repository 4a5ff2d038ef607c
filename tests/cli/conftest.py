"""A project in a folder, its journal, and the command called as a user calls it."""

import asyncio
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

AGENT = '''
from decimal import Decimal

from interlock import Agent, Ctx, Policy, action, arg, fact, forbid, need, permit

PAID: dict[str, str] = {}


@action.read
async def find_booking(ctx: Ctx[None], ref: str) -> dict[str, str]:
    """A booking by its reference."""
    return {"ref": ref, "owner": "u42"}


@action.compensable(idempotent=True)
async def refund(ctx: Ctx[None], ref: str, amount: Decimal) -> str:
    """Refund part of a booking."""
    PAID[ctx.key] = ref
    return f"refunded {amount} for {ref}"


@refund.undo
async def _(ctx: Ctx[None], done: str, ref: str, amount: Decimal) -> None:
    PAID.pop(ctx.undoes, None)


@refund.fact
async def limit(ctx: Ctx[None], ref: str, amount: Decimal) -> Decimal:
    return Decimal("1000.50")


@action.irreversible
async def send_email(ctx: Ctx[None], to: str, body: str) -> None:
    """Send an e-mail."""


@action.irreversible
async def lose(ctx: Ctx[None]) -> None:
    """Ring up, and lose the line."""
    raise ConnectionError("line lost")


policy = Policy(
    permit([find_booking, send_email, lose]),
    permit(refund, when=(arg.amount > 0) & (arg.amount <= fact.limit)),
    need.approval("finance", refund, when=arg.amount > 100, because="over 100 EUR"),
    need.confirmation(send_email),
)
desk = Agent("desk", [find_booking, refund, send_email, lose], policy=policy)
'''


class Project:
    """A folder with `interlock.toml` and an agent."""

    name = "desk"

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.journal = folder / "desk.db"
        (folder / "agent.py").write_text(AGENT)
        (folder / "interlock.toml").write_text('journal = "desk.db"\nagents = ["agent:desk"]\n')

    def edit(self, *statements: str) -> None:
        """Do to the journal's file what its keeper could, past the store."""
        connection = sqlite3.connect(self.journal, isolation_level=None)
        for statement in statements:
            connection.execute(statement)
        connection.close()

    def agent(self, name="desk"):
        """Return the agent, imported from the folder as the command does it."""
        from interlock.cli import project

        return project.agents()[name]

    def play(self, work):
        """Run `await work(rt)` on a runtime on the journal, and return what it returns."""
        from interlock import Runtime

        async def go():
            async with Runtime(self.journal, self.agent(self.name), patience="10ms") as rt:
                return await work(rt)

        return asyncio.run(go())

    def propose(self, *proposals, run: str = "r1", finish: bool = False):
        """Make proposals (action, arguments) in a run of user u42 and return what came of each."""
        from interlock import Proposal

        async def work(rt):
            await rt.start(self.name, run=run, user="u42", conversation="c1")
            async with rt.session(run) as session:
                outcomes = [
                    await session.perform(Proposal(name, args, key=f"call-{number}"))
                    for number, (name, args) in enumerate(proposals, 1)
                ]
                if finish:
                    await session.finish("all done")
            return outcomes

        return self.play(work)


@pytest.fixture
def project(tmp_path, monkeypatch) -> Project:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", sys.path.copy())
    monkeypatch.setenv("COLUMNS", "80")
    before = set(sys.modules)
    yield Project(tmp_path)
    for name in set(sys.modules) - before:
        file = getattr(sys.modules[name], "__file__", None)
        if file and Path(file).is_relative_to(tmp_path):
            del sys.modules[name]


@pytest.fixture
def shop(project) -> Project:
    """The project of a shop, whose prices and notes lie in files."""
    (project.folder / "keeping.py").write_text(Path(__file__).with_name("undo_shop.py").read_text())
    (project.folder / "interlock.toml").write_text('journal = "desk.db"\nagents = ["keeping:keeper"]\n')
    project.name = "keeper"
    return project


@pytest.fixture
def interlock() -> Callable:
    """Call the command in this process."""
    from interlock.cli.app import app

    def call(*args: str, typed: str | None = None):
        result = CliRunner().invoke(app, [str(one) for one in args], input=typed, prog_name="interlock")
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return call


@pytest.fixture
def command() -> Callable:
    """Call the command as a process of its own."""

    def call(*args: str, **options):
        options.setdefault("timeout", 60)
        env = {**os.environ, "COLUMNS": "80", **options.pop("env", {})}
        return subprocess.run(
            [sys.executable, "-m", "interlock", *map(str, args)],
            capture_output=True,
            text=True,
            env=env,
            check=False,
            **options,
        )

    return call
