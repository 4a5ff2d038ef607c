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
from interlock.cli.undo import Undone, applied, check, planned, put, put_undone
from interlock.errors import DriverConflictError
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
    plan, doing = asyncio.run(planned(journal_path(settings.journal), run, {agent.name: agent}))
    screen = Screen()
    put(screen, plan)
    if not plan.targets:
        return WELL
    check(plan, doing)
    if not sys.stdin.isatty():
        raise UsageError("nobody can be asked here whether to take that back; say it in a terminal")
    if not typer.confirm(f"take back {text.counted(len(plan.targets), 'effect')}?", err=True):
        raise AnswerError("nothing was undone")
    undone = asyncio.run(_apply(settings, server, agent, plan))
    put_undone(screen, plan, undone)
    return NO if undone.failed or undone.asks else WELL


async def _apply(settings: Settings, server: Server, agent: Agent, plan: UndoPlan) -> Undone:
    """Apply a plan; where a proxy is at work on the journal, it is the one that does it."""
    try:
        async with Runtime(settings.journal, agent, redact=Redactor(secrets=settings.reach.secrets)):
            return await applied(settings.journal, plan, myself())
    except DriverConflictError:
        return await applied(settings.journal, plan, myself())
    finally:
        await server.close()
