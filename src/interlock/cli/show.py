"""`interlock show`: what happened in a run, and why."""

import asyncio
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct
from rich.text import Text

from interlock.cli import text, unpark
from interlock.cli.errors import WELL
from interlock.cli.project import journal_path
from interlock.cli.reading import Rulebook, opened, row_of
from interlock.cli.runs import COLOURS
from interlock.cli.screen import NARROW, Screen
from interlock.cli.timeline import Teller
from interlock.cli.told import Told
from interlock.journal.store import RunRow
from interlock.kernel import codec
from interlock.kernel import events as ev
from interlock.kernel.events import Event, Recorded


def show_run(path: Path | None, run: str, *, json: bool) -> int:
    """Print a run's timeline, or its events."""
    found = asyncio.run(_read(path, run))
    screen = Screen()
    if json:
        for one in found.history:
            screen.json(as_json(one))
        return WELL
    _heading(screen, found)
    teller = Teller()
    begin = found.history[0].at
    for one in found.history:
        put(screen, Text(f"{one.seq:>4} {text.since(one.at - begin):>9}  ", style="dim"), teller.tell(one))
    _legend(screen, teller.rules, found.rules)
    return WELL


class _Found(Struct, frozen=True):
    given: Path | None
    row: RunRow
    history: list[Recorded]
    rules: Rulebook


async def _read(given: Path | None, run: str) -> _Found:
    async with opened(journal_path(given)) as journal:
        row = await row_of(journal, run)
        history = await journal.history(row.id)
        rules = Rulebook(journal)
        await rules.read(_policies(history))
        return _Found(given, row, history, rules)


def _legend(screen: Screen, named: Iterable[tuple[str, str]], rules: Rulebook) -> None:
    """Print the rules that the timeline names, by policy."""
    of = ""
    for policy, number in sorted(named, key=_in_order):
        if policy != of:
            of = policy
            screen.line()
            screen.line((f"policy {policy[:12]}", "dim"))
        rule = rules.rule(policy, number) or "not in this journal, or of a newer version"
        screen.hang(Text(f"  {number:>3}  ", style="dim"), Text(text.visible(rule), style="dim"))


def _in_order(named: tuple[str, str]) -> tuple[str, int, int]:
    """Return where a rule stands: its policy, how far out it is (`outer r3`), its number."""
    policy, rule = named
    return policy, rule.count("outer "), int(rule.rpartition("r")[2])


def _policies(history: list[Recorded]) -> set[str]:
    """Return the hashes of the policies behind the decisions in *history*."""
    judgements: list[Any] = [getattr(one.event, "judgement", None) for one in history]
    return {one.policy for one in judgements if one is not None}


def _heading(screen: Screen, found: _Found) -> None:
    row = found.row
    status = (row.status, COLOURS.get(row.status, ""))
    whose = f" for {text.visible(row.user)}" if row.user else ""
    screen.line((f"run {text.visible(row.id)}", "bold"), f"  {text.visible(row.agent)}{whose}  ", status)
    first, last = found.history[0].at, found.history[-1].at
    lines = [f"began {text.moment(first)}, last event {text.took(last - first)} later"]
    if row.conversation:
        lines.append(f"conversation {text.visible(row.conversation)}")
    if row.tenant:
        lines.append(f"tenant {text.visible(row.tenant)}")
    screen.line(("; ".join(lines), "dim"))
    screen.line((counts(found.history), "dim"))
    if row.status == "parked":
        screen.line((f"parked; {unpark.let_go(row.id, found.given)}", "yellow"))
    screen.line()


def counts(history: list[Recorded]) -> str:
    """Return how often what happened, and what it cost."""
    turns = [one.event for one in history if isinstance(one.event, ev.TurnRecorded)]
    done = [one.event for one in history if isinstance(one.event, ev.Done) and not one.event.undoes]
    parts = [
        text.counted(sum(one.effect != "read" for one in done), "effect"),
        text.counted(sum(one.effect == "read" for one in done), "read"),
        f"{sum(isinstance(one.event, ev.Denied) for one in history)} denied",
    ]
    if turns:
        read = sum(one.is_reading for one in turns)
        parts.append(text.counted(len(turns) - read, "model turn"))
        parts += [f"{text.counted(read, 'text')} read in quarantine"] if read else []
    plans = [one.event for one in history if isinstance(one.event, ev.Planned) and one.event.model]
    if plans:
        parts.append(text.counted(len(plans), "plan"))
    if turns or plans:
        parts += [_tokens([*turns, *plans]), _cost([*turns, *plans])]
    return ", ".join(one for one in parts if one)


def _tokens(turns: Sequence[ev.TurnRecorded | ev.Planned]) -> str:
    into, out = sum(one.input_tokens for one in turns), sum(one.output_tokens for one in turns)
    return f"{into:,} + {out:,} tokens" if into or out else ""


def _cost(turns: Sequence[ev.TurnRecorded | ev.Planned]) -> str:
    unknown = sum(not one.cost for one in turns)
    if unknown == len(turns):
        return "cost not known"
    noun = "answer" if any(isinstance(one, ev.Planned) for one in turns) else "turn"
    without = f" and {text.counted(unknown, noun)} without a known price" if unknown else ""
    return f"{text.money(one.cost for one in turns)}{without}"


def put(screen: Screen, head: Text, told: Told) -> None:
    """Print one event: its word, what it is about, and the details beneath."""
    if screen.width < NARROW:
        screen.line((" ".join(head.plain.split()), "dim"), "  ", (told.word, told.colour))
        beside = Text("    ")
    else:
        beside = Text.assemble(head, (f"{told.word:<9}  ", told.colour))
    screen.hang(beside, Text(told.about))
    for detail in told.details:
        screen.hang(Text(" " * (beside.cell_len + 2)), Text(detail, style="dim"))


class _Envelope(Struct, frozen=True):
    position: int
    run: str
    seq: int
    at: int
    type: str
    event: msgspec.Raw


def as_json(one: Recorded) -> bytes:
    """Return an event as it is printed in JSON: its place, its type, its fields."""
    name, fields = _encoded(one.event)
    return msgspec.json.encode(_Envelope(one.position, one.run, one.seq, one.at, name, msgspec.Raw(fields)))


def _encoded(event: Event) -> tuple[str, bytes]:
    if isinstance(event, ev.Unrecognised):
        return event.type, bytes(event.payload)
    return codec.type_of(event)[0], codec.encode(event)
