"""`interlock labels suggest`: labels from what recorded runs show, and what they would have asked and denied."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from msgspec import Struct
from rich.text import Text

from interlock.agents import Agent
from interlock.cli import text
from interlock.cli.errors import WELL, AnswerError, UsageError
from interlock.cli.labels_written import written
from interlock.cli.policy_subject import agent_of
from interlock.cli.project import agents, journal_path
from interlock.cli.reading import opened
from interlock.cli.screen import Screen
from interlock.errors import InterlockError
from interlock.journal.journal import PAGE, Journal
from interlock.kernel.events import Recorded
from interlock.lab.labels import Suggestion, suggestions, with_suggested
from interlock.lab.observed import ActionSeen, Observer
from interlock.lab.retraced import READ, Cause, Reason, Retraced, Retracing
from interlock.provenance import Labels

MOST_REASONS = 10
"""How many reasons are shown; `--json` has them all."""


class _Looked(Struct):
    """What came of looking at an agent's runs."""

    agent: Agent
    runs: int
    seen: dict[str, ActionSeen]
    found: list[Suggestion]
    now: Retraced
    then: Retraced

    @property
    def python(self) -> str:
        return written(self.agent, self.runs, self.seen, self.found)


def suggest(journal: Path | None, agent: str | None, write: Path | None, *, json: bool) -> int:
    """Print or write labels for an agent, and what they would have asked and denied in its recorded runs."""
    path, chosen = journal_path(journal), agent_of(agent)
    looked = asyncio.run(_look(path, chosen, _everyone(chosen)))
    if not looked.runs:
        raise AnswerError(f"agent {chosen.name} has no run in {path}; suggestions come from recorded runs")
    if write is not None:
        _write(write, looked.python)
    screen = Screen()
    if json:
        screen.json(_as_json(looked, write))
        return WELL
    _print(screen, looked)
    screen.line()
    if write is None:
        screen.raw(looked.python.rstrip("\n"))
    else:
        screen.line(f"written to {text.visible(str(write))}: read it line by line, then give Agent(…, labels=labels)")
    return WELL


def _everyone(chosen: Agent) -> dict[str, Agent]:
    try:
        known = agents()
    except InterlockError:  # It was given as MODULE:NAME, and there is no project.
        known = {}
    return {one.name: one for each in (*known.values(), chosen) for one in each.everyone()}


def _write(path: Path, python: str) -> None:
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(python)
    except FileExistsError as error:
        raise UsageError(f"{path} exists; nothing was written, name another file with --write") from error
    except OSError as error:
        raise AnswerError(f"{path}: {error.strerror}") from error


async def _look(path: Path, agent: Agent, everyone: dict[str, Agent]) -> _Looked:
    labels = agent.labels if agent.labels is not None else Labels()
    async with opened(path) as journal:
        observer = Observer(agent)
        async for one in _events(journal):
            observer.add(one)
        found = suggestions(observer.actions, agent)
        now = Retracing(agent, labels, everyone)
        then = Retracing(agent, with_suggested(labels, found), everyone)
        async for one in _events(journal):
            now.add(one)
            then.add(one)
    return _Looked(agent, observer.runs, observer.actions, found, now.found, then.found)


async def _events(journal: Journal) -> AsyncIterator[Recorded]:
    after = 0
    while page := await journal.feed(after, PAGE, READ):
        for one in page:
            yield one
        after = page[-1].position


def _print(screen: Screen, looked: _Looked) -> None:
    off = " (it has none now)" if looked.agent.labels is None else ""
    proposals = text.counted(looked.now.proposals, "proposal")
    screen.line(
        (text.visible(looked.agent.name), "bold"),
        f": {text.counted(looked.runs, 'run')}, {proposals} traced again{off}",
    )
    screen.line()
    rows = [_row("by default" if off else "as they are", looked.now), _row("suggested", looked.then)]
    screen.table(("LABELS", "QUESTIONS", "A RUN", "RUNS ASKING", "ASKED ANYWAY", "DENIALS"), rows)
    reasons = _sorted(looked.then)
    if reasons:
        screen.line()
        screen.line(("why, under the suggested labels", "bold"))
    for cause, reason in reasons[:MOST_REASONS]:
        _put(screen, cause, reason)
    if len(reasons) > MOST_REASONS:
        screen.line((f"  and {len(reasons) - MOST_REASONS:,} more reasons; --json has them", "dim"))
    if looked.then.untold:
        screen.line(f"{text.counted(looked.then.untold, 'proposal')} can't be traced, and would be denied")


def _row(name: str, found: Retraced) -> tuple[str, ...]:
    questions = found.questions
    return (
        name,
        f"{questions:,}",
        f"{questions / found.runs:.2f}" if found.runs else "-",
        f"{found.asking:,}",
        f"{found.asked:,}",
        f"{found.denials:,}",
    )


def _sorted(found: Retraced) -> list[tuple[Cause, Reason]]:
    return sorted(found.reasons.items(), key=lambda item: (-item[1].denials - item[1].questions, item[0]))


def _put(screen: Screen, cause: Cause, reason: Reason) -> None:
    about, action, argument = cause
    where = f"{action}.{argument}" if argument else action
    counts = ", ".join(
        part
        for part in (
            text.counted(reason.questions, "question") if reason.questions else "",
            text.counted(reason.denials, "denial") if reason.denials else "",
        )
        if part
    )
    screen.hang(Text("  "), Text.assemble((about, "yellow"), f"  {text.visible(where)}  {counts}"))
    screen.hang(Text("    "), Text(f"{text.visible(text.cut(reason.says))}"))
    screen.hang(Text("    "), Text(f"run {text.visible(reason.run)} event {reason.seq}", style="dim"))


def _as_json(looked: _Looked, write: Path | None) -> dict[str, Any]:
    return {
        "agent": looked.agent.name,
        "runs": looked.runs,
        "suggestions": looked.found,
        "now": _counts(looked.now),
        "suggested": _counts(looked.then),
        "python": looked.python,
        "file": None if write is None else str(write.resolve()),
    }


def _counts(found: Retraced) -> dict[str, Any]:
    reasons = [
        {"about": about, "action": action, "argument": argument, **_plain(reason)}
        for (about, action, argument), reason in _sorted(found)
    ]
    return {
        "runs": found.runs,
        "proposals": found.proposals,
        "questions": found.questions,
        "runs_asking": found.asking,
        "asked_anyway": found.asked,
        "denials": found.denials,
        "untold": found.untold,
        "reasons": reasons,
    }


def _plain(reason: Reason) -> dict[str, Any]:
    return {name: getattr(reason, name) for name in reason.__struct_fields__}
