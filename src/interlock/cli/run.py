"""`interlock run`: one message to an agent, or unfinished runs let go on."""

import asyncio
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from interlock.agents import Agent
from interlock.canonical import canonical
from interlock.cli import inbox, text, unpark
from interlock.cli.errors import INTERRUPTED, NO, WELL, UsageError
from interlock.cli.notes import Notes, logged
from interlock.cli.project import agent_named, agents, journal_path
from interlock.cli.reading import all_rows
from interlock.cli.runs import as_json, table
from interlock.cli.screen import Screen
from interlock.journal.journal import Journal
from interlock.journal.store import RunRow
from interlock.kernel.decide import ENDED
from interlock.runtime.handles import Run
from interlock.runtime.outcomes import Finished, Stopped, Waiting
from interlock.runtime.runtime import Runtime


class To(Struct, frozen=True):
    """To whom a message goes, for whom, and in which conversation."""

    agent: str
    user: str | None = None
    conversation: str | None = None


class _About(Struct, frozen=True):
    """How to tell of a run: of which journal as it was *given*, with what notes, and whether as JSON."""

    given: Path | None
    notes: Notes
    json: bool


def run_agent(given: Path | None, named: Sequence[str], to: To, words: str, *, json: bool) -> int:
    """Send *words* to an agent, print what it says as it says it, and what became of the run."""
    path, known = journal_path(given, must_exist=False), agents(named)
    thinking(known, to.agent)
    about = _About(given, Notes(path, json=json), json=json)
    try:
        with logged(noted=True):
            return asyncio.run(_run(path, list(known.values()), to, words, about))
    except KeyboardInterrupt:
        return stopped()


def resume(given: Path | None, named: Sequence[str], *, json: bool) -> int:
    """Let every unfinished run go on until nothing more can be done now, and print how they stand."""
    path, known = journal_path(given), agents(named)
    about = _About(given, Notes(path, json=json), json=json)
    try:
        with logged(noted=True):
            return asyncio.run(_resume(path, list(known.values()), about))
    except KeyboardInterrupt:
        return stopped()


def thinking(known: dict[str, Agent], name: str) -> Agent:
    """Return the agent of this name, after a look whether it can answer.

    Raises:
        UsageError: there is no such agent, or a loop of its author's drives it.
        DeclarationError: its model can't be had.
    """
    agent = agent_named(known, name)
    if agent.machine is None:
        raise UsageError(f"agent {name!r} has no model: its runs are driven by a loop of your own; give it model=…")
    _ = agent.model  # What is missing for it is told now, before anything is journaled.
    return agent


def stopped() -> int:
    """Say how to go on after ^C."""
    sys.stderr.write("interlock: stopped; `interlock run --resume` lets unfinished runs go on\n")
    return INTERRUPTED


async def _run(path: Path, known: list[Agent], to: To, words: str, about: _About) -> int:
    async with Runtime(path, *known) as rt:
        run = await rt.send(to.agent, words, user=to.user, conversation=to.conversation)
        with about.notes.of(run.id):
            said = await _heard(run, quiet=about.json)
            result = await run.result()
        screen = Screen()
        if about.json:
            screen.json(await _as_json(rt, run.id, said, result))
        else:
            await _print(rt, screen, run.id, result, said=bool(said), given=about.given)
        return WELL if isinstance(result, Finished) else NO


async def _heard(run: Run, *, quiet: bool) -> str:
    """Return what the agent says; print it, sentence by sentence, unless *quiet*."""
    said = ""
    async for sentence in run.text():
        said += sentence
        if not quiet:
            sys.stdout.write(text.visible(sentence, lines=True))
            sys.stdout.flush()
    if said and not quiet:
        sys.stdout.write("\n")
    return said


async def _print(
    rt: Runtime, screen: Screen, run: str, result: Finished | Waiting | Stopped, *, said: bool, given: Path | None
) -> None:
    match result:
        case Finished(output):
            if not said:
                screen.line(words_of(output))
            about = f"run {run}: done"
        case Waiting():
            for item in await waiting(rt, result):
                inbox.put(screen, item, time.time_ns() // 1000, given)
            about = f"run {run}: waiting for people; when they have answered, `interlock run --resume` lets it go on"
        case Stopped():
            about = text.visible(await stopped_because(rt.journal, run, result, given))
    sys.stderr.write(f"{about}\n")


async def stopped_because(journal: Journal, run: str, result: Stopped, given: Path | None) -> str:
    """Return why a run came to a stop, and what lets it go on where that can be."""
    about = f"run {run}: {result.status}: {result.reason}"
    parked = await unpark.parked_one(journal, run) if result.status == "parked" else None
    return about if parked is None else f"{about}; {unpark.let_go(parked, given)}"


def words_of(output: Any) -> str:
    """Return a run's output as words, or as JSON where it is data."""
    return text.visible(output, lines=True) if isinstance(output, str) else text.visible(canonical(output).decode())


async def waiting(rt: Runtime, result: Waiting) -> list[inbox.Item]:
    """Return the questions that a run waits for, with all that a person needs."""
    found: list[inbox.Item] = []
    for run in dict.fromkeys(one.run for one in result.questions):
        row = await rt.journal.store.row(run)
        assert row is not None
        found += await inbox.items(rt.journal, row)
    return found


async def _as_json(rt: Runtime, run: str, said: str, result: Finished | Waiting | Stopped) -> dict[str, Any]:
    document: dict[str, Any] = {"run": run, "status": "done", "said": said}
    match result:
        case Finished(output):
            document["output"] = msgspec.Raw(canonical(output))
        case Waiting():
            document["status"] = "waiting"
            document["questions"] = [inbox.as_json(one) for one in await waiting(rt, result)]
        case Stopped(status, reason):
            document |= {"status": status, "reason": reason}
    return document


async def _resume(path: Path, known: list[Agent], about: _About) -> int:
    async with Runtime(path, *known) as rt:
        store = rt.journal.store
        unfinished = [row.id for row in await all_rows(store) if row.status not in ENDED]
        with about.notes.of():
            await rt.settled()
        now = [row for row in await all_rows(store) if row.id in unfinished]
        became = {row.id: await rt.run(row.id).result() for row in now if row.status in (*ENDED, "parked")}
        screen = Screen()
        if about.json:
            screen.json([{**as_json(row), **_left(became.get(row.id))} for row in now])
        elif now:
            table(screen, now)
            for row in now:
                await _put_end(rt, screen, row, became.get(row.id), about.given)
        else:
            screen.line("no unfinished runs")
        return WELL


def _left(result: Finished | Waiting | Stopped | None) -> dict[str, Any]:
    """Return what a run came to, as it stands beside its row in JSON."""
    match result:
        case Finished(output):
            return {"output": msgspec.Raw(canonical(output))}
        case Stopped(reason=reason):
            return {"reason": reason}
        case _:
            return {}


async def _put_end(
    rt: Runtime, screen: Screen, row: RunRow, result: Finished | Waiting | Stopped | None, given: Path | None
) -> None:
    """Print in a line what a run has said in the end, or why it stopped."""
    match result:
        case Finished(output):
            screen.line(f"run {text.visible(row.id)}: {text.cut(text.visible(words_of(output)))}")
        case Stopped():
            screen.line(text.visible(await stopped_because(rt.journal, row.id, result, given)))
        case _:
            pass
