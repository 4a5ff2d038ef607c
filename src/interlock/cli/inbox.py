"""`interlock inbox`: what waits for a person, with all that the decision needs."""

import asyncio
import shlex
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, cast

import msgspec
from msgspec import Struct
from rich.text import Text

from interlock.actions.way import Change
from interlock.cli import changes, origins, text
from interlock.cli.errors import WELL
from interlock.cli.project import journal_path
from interlock.cli.reading import Rulebook, all_rows, opened
from interlock.cli.screen import Screen
from interlock.journal.journal import Journal
from interlock.journal.store import RunRow
from interlock.kernel import events as ev
from interlock.kernel.state import State
from interlock.runtime.questions import Decision

LATER = "the run takes it in when its runtime is up (`interlock run --resume`)"


class Item(Struct, frozen=True):
    """A question that waits, the run that asks, the rules behind it, and an answer on its way."""

    seq: int
    asked_at: int
    asked: ev.Asked
    row: RunRow
    rules: tuple[str, ...]
    answered: Decision | None = None

    @property
    def id(self) -> str:
        """The question's id."""
        return f"{self.row.id}:{self.seq}"


def show_inbox(given: Path | None, *, json: bool) -> int:
    """Print every question that waits for a person, the oldest first."""
    found = asyncio.run(_read(journal_path(given)))
    screen = Screen()
    if json:
        screen.json([as_json(one) for one in found])
        return WELL
    now = time.time_ns() // 1000
    screen.line(f"{text.counted(len(found), 'question')} for people" if found else "nothing waits for a person")
    for one in found:
        screen.line()
        put(screen, one, now, given)
    return WELL


async def _read(path: Path) -> list[Item]:
    async with opened(path) as journal:
        rows = await all_rows(journal.store, ("waiting", "undoing", "running", "parked"))
        found = [one for row in rows for one in await items(journal, row)]
        return sorted(found, key=lambda one: (one.asked_at, one.id))


async def items(journal: Journal, row: RunRow) -> list[Item]:
    """Return what a run asks people now."""
    state = await journal.state(row.id)
    seqs = open_questions(state)
    return [await item(journal, row, seq) for seq in seqs]


def open_questions(state: State) -> list[int]:
    """Return the seqs of the questions that nobody has answered."""
    return [ask.seq for call in state.calls.values() for ask in call.asks if not ask.decision]


async def item(journal: Journal, row: RunRow, seq: int) -> Item:
    """Return the question asked at *seq* of a run."""
    recorded = await journal.event(row.id, seq)
    asked = recorded.event
    assert isinstance(asked, ev.Asked)
    rulebook, judgement = Rulebook(journal), asked.judgement
    await rulebook.read({judgement.policy})
    rules = tuple(f"{number}: {rulebook.rule(judgement.policy, number)}".rstrip(": ") for number in judgement.rules)
    return Item(seq, recorded.at, asked, row, rules, await posted(journal, row.id, seq))


async def posted(journal: Journal, run: str, seq: int) -> Decision | None:
    """Return the answer to a question that lies in the run's inbox, not taken in yet."""
    for signal in await journal.store.signals(run=run):
        if signal.kind == "decision":
            decision = msgspec.json.decode(signal.payload, type=Decision)
            if decision.question == seq:
                return decision
    return None


def put(screen: Screen, item: Item, now: int, journal: Path | None, *, own: bool = False) -> None:
    """Print one question, and how to answer it on this *journal* (None: the project's).

    Where it is one's *own*, it is answered right here.
    """
    asked = item.asked
    screen.line((_title(item), "bold yellow"), f"  {text.visible(item.id)}")
    screen.hang(Text("  "), Text(_who(item, now), style="dim"))
    if asked.kind in ("unknown", "question", "undo"):
        screen.hang(Text("  "), Text(text.visible(asked.says)))
    if asked.kind == "undo":
        _trouble(screen, asked)
    elif asked.kind != "question":
        back = "take back " if asked.undoes else ""
        of = f" of event {asked.undoes}" if asked.undoes else ""
        screen.hang(Text("  "), Text.assemble(back, (text.visible(asked.action), "bold"), of))
        _arguments(screen, msgspec.json.decode(bytes(asked.args)))
    for line in _why(item):
        screen.hang(Text("  "), Text(line))
    if item.answered is not None:
        said = f"{item.answered.decision} by {text.visible(item.answered.by)} is posted; {LATER}"
        screen.hang(Text("  "), Text(said, style="green"))
        return
    for command in () if own else commands(asked.kind, item.id, journal):
        screen.hang(Text("  "), Text(command, style="cyan"))


def _title(item: Item) -> str:
    asked = item.asked
    return {
        "approval": f"approval by {text.visible(asked.level)}" if asked.level else "approval",
        "confirmation": "confirmation by the user",
        "unknown": "did it happen?",
        "question": "question to the user",
        "undo": "an undo can't go on",
    }.get(asked.kind, text.visible(asked.kind))


def _who(item: Item, now: int) -> str:
    row = item.row
    whose = f" for {text.visible(row.user)}" if row.user else ""
    parts = [f"{text.visible(row.agent)}{whose}", f"asked {text.ago(now - item.asked_at)}"]
    if item.asked.expires:
        left = item.asked.expires - now
        parts.append(f"expires in {text.span(left)}" if left > 0 else "its time is over")
    return ", ".join(parts)


class _Trouble(Struct, frozen=True):
    """What a question about an undo holds: the objects in the way, what is still to be taken back, what can't be."""

    changes: tuple[Change, ...] | None = None
    left: tuple[int, ...] = ()
    could_not_be: tuple[int, ...] = ()


def _trouble(screen: Screen, asked: ev.Asked) -> None:
    """Print the state of everything: what stands in the way, before, after and now; what is done and what is not."""
    told = msgspec.json.decode(bytes(asked.args), type=_Trouble)
    for line in changes.lines(told.changes or ()):
        screen.hang(Text("    "), Text(line.text, style=line.colour))
    for what, seqs in (("still to be taken back", told.left), ("left as they are", told.could_not_be)):
        if seqs:
            screen.hang(Text("  "), Text(f"{what}: events {', '.join(map(str, seqs))}"))


def _arguments(screen: Screen, args: Any) -> None:
    """Print every argument whole: a person approves all of it. A bar keeps a long one from looking like our words."""
    if not isinstance(args, dict):
        if args is not None:
            screen.hang(Text("    "), Text(text.whole(args)))
        return
    named = cast("dict[str, Any]", args)
    size = min(max((len(name) for name in named), default=0), 20)
    for name, value in named.items():
        shown = text.visible(value, lines=True) if isinstance(value, str) else text.whole(value)
        bar = "| " if len(shown) > screen.width - size - 6 or "\n" in shown else ""
        screen.hang(Text(f"    {text.visible(name):<{size}}  ", style="dim"), Text(shown or '""'), bar=bar)


def _why(item: Item) -> Iterable[str]:
    for reason in item.asked.reasons:
        yield f"because {text.visible(reason)}"
    for rule in item.rules if item.asked.kind != "question" else ():
        if rule != "provenance" and rule.partition(": ")[2] not in item.asked.reasons:
            yield text.visible(rule)
    facts: dict[str, Any] = msgspec.json.decode(bytes(item.asked.judgement.facts)) or {}
    for name, value in facts.items():
        yield f"fact {text.visible(name)} is {text.value(value, most=2000)}"
    yield from origins.lines(item.asked.judgement, item.asked.reasons)


def commands(kind: str, question: str, journal: Path | None) -> list[str]:
    """Return the commands that answer a question of this kind."""
    where = f" --journal {shlex.quote(str(journal))}" if journal is not None else ""
    name = shlex.quote(question)
    match kind:
        case "approval" | "confirmation":
            return [f"interlock approve {name}{where}", f"interlock deny {name} --note '…'{where}"]
        case "unknown":
            return [f"interlock answer {name} happened{where}", f"interlock answer {name} never{where}"]
        case "undo":
            return [f"interlock answer {name} {word}{where}" for word in ("again", "leave", "stop")]
        case _:
            return [f"interlock answer {name} '…'{where}"]


def as_json(item: Item) -> dict[str, Any]:
    """Return a question as it is printed in JSON; times in microseconds since the epoch."""
    asked = item.asked
    return {
        "question": item.id,
        "run": item.row.id,
        "agent": item.row.agent,
        "user": item.row.user,
        "tenant": item.row.tenant,
        "kind": asked.kind,
        "level": asked.level,
        "says": asked.says,
        "action": asked.action,
        "undoes": asked.undoes,
        "args": asked.args,
        "reasons": asked.reasons,
        "rules": item.rules,
        "facts": asked.judgement.facts,
        "origins": asked.judgement.origins,
        "strikes": asked.judgement.strikes,
        "asked_at": item.asked_at,
        "expires": asked.expires,
        "posted": None if item.answered is None else {"decision": item.answered.decision, "by": item.answered.by},
    }
