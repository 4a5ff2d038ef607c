"""`interlock proxy --undo`: taking back what a run behind a proxy has done, with the server's own tools."""

import asyncio
import sys

import typer

from interlock.adapters.mcp.pins import Pins
from interlock.adapters.mcp.server import Server
from interlock.adapters.mcp.serving import Settings, made
from interlock.agents import Agent
from interlock.cli import text
from interlock.cli.answers import myself
from interlock.cli.errors import NO, WELL, AnswerError, UsageError
from interlock.cli.project import journal_path
from interlock.cli.screen import Screen
from interlock.cli.undo import check_dependants
from interlock.cli.undo_apply import Undone, begun, check, driven, planned
from interlock.cli.undo_plan import put, put_undone
from interlock.cli.undo_scope import Target
from interlock.journal.redact import Redactor
from interlock.runtime.runtime import Runtime
from interlock.undo import UndoPlan


def take_back(settings: Settings, run: str) -> int:
    """Show what an undo of the run would do and, if a person says so, do it.

    Raises:
        UsageError: there is no such run, or nobody can be asked.
        AnswerError: the run is still at work, or the person said no.
    """
    pins = Pins.read(settings.name, settings.lock)
    if pins is None:
        raise UsageError(f"there is no {settings.lock}; {settings.name} has not been behind a proxy yet")
    server, agent, _ = made(settings, pins)
    path = journal_path(settings.journal)
    found = asyncio.run(planned(path, Target(run), {agent.name: agent}))
    plan, screen = found.made, Screen()
    put(screen, found)
    if not plan.batches:
        return WELL
    # What rests on it was shown: a yes is to leaving that.
    check_dependants(plan, "without")
    asyncio.run(check(path, plan))
    if not sys.stdin.isatty():
        raise UsageError("nobody can be asked here whether to take that back; say it in a terminal")
    if not typer.confirm(f"take back {text.counted(plan.able, 'effect')}?", err=True):
        raise AnswerError("nothing was undone")
    undone = asyncio.run(_apply(settings, server, agent, plan))
    put_undone(screen, plan, undone)
    return NO if undone.left or undone.asks else WELL


async def _apply(settings: Settings, server: Server, agent: Agent, plan: UndoPlan) -> Undone:
    """Apply a plan; where a proxy is at work on the journal, it is the one that does it."""

    def runtime() -> Runtime:
        return Runtime(settings.journal, agent, redact=Redactor(secrets=settings.reach.secrets))

    try:
        request = await begun(settings.journal, plan, myself(), "ask")
        return await driven(runtime, settings.journal, plan, request)
    finally:
        await server.close()
