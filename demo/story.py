"""What the demo tells: each function prints one part of it from what was found."""

import sys
from collections import Counter
from pathlib import Path
from typing import Any

from demo import screen, seed
from demo.books import Comparison
from demo.conversations import INJECTED
from demo.crash import Crash
from demo.desk import Place
from demo.journaled import OpenEffect
from demo.policy import POLICY
from demo.screen import count, hang, say
from demo.script import Conversation, Kind
from demo.tally import Answer, Row, Told
from interlock.journal.verification import Report
from interlock.undo import Item


def opening(chosen: list[Conversation]) -> None:
    """Say what is real and what is scripted, and print the policy."""
    rows = {table: len(rows) for table, rows in seed.rows().items()}
    print("Interlock: an airline's support desk\n")
    say(
        f"Real: a SQLite database with {rows['customers']} customers, {rows['flights']} flights, {rows['bookings']} "
        "bookings, payments, vouchers, an inbox and an outbox; the runtime, its journal, the kill -9. Scripted: the "
        "model, which is no model at all here but the steps in demo/conversations.py, and misbehaves as real ones do; "
        f"{len(chosen)} customers; ana (finance) and ben (the lead), who approve. Chat with a real model: "
        "make demo ARGS='--model openai:gpt-5'."
    )
    print("\nThe policy (demo/policy.py), in its own words; what no rule permits is denied:\n")
    for line in str(POLICY).splitlines():
        head, _, rule = line.partition(": ")
        hang(f"  {head:>3}", rule)


def crashed(found: Crash, conversations: int) -> None:
    """Tell of the kill."""
    say(
        f"{_counted(conversations, 'conversation')} at once. kill -9 of their process when {found.over} of them were "
        f"over. Its journal held {_counted(found.events, 'event')}, {_counted(found.asking, 'question')} to people "
        f"without an answer, and {_counted(len(found.open), 'effect')} with an intent and no outcome. The airline's "
        "database, asked right then, says of these:"
    )
    count(len(found.arrived), "carried out, and nobody in Interlock knew it")
    count(len(found.open) - len(found.arrived), "not arrived, and never will")


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def resumed(fates: Counter[tuple[str, str]]) -> None:
    """Say what became of the effects that were under way."""
    print()
    became = " What became of them:" if fates else ""
    say(f"A new process opened the same journal, and every conversation went on where it was.{became}")
    for (stood, words), number in sorted(fates.items()):
        count(number, f"{stood}: {words}")


def one(shown: Conversation) -> None:
    """Say which conversation is shown."""
    say(f"{shown.id}: {shown.kind.title}.")
    if shown.kind == INJECTED:
        say(
            "The scripted model does what the letter says. The voucher is within what the desk may give, and this desk "
            "has no labels (docs/provenance.md), which tell where an order came from: it is let through. The e-mail "
            "goes to a stranger: ben is asked."
        )
    print()


def people(answers: list[Answer]) -> None:
    """Say who answered what."""
    say("Each yes was for exactly one action with exactly its arguments, and judged again before it was done.")
    said = {"approve": "approved", "deny": "turned down", "answer": "answered"}
    for words, number in sorted(Counter(_answer(one, said[one.decision]) for one in answers).items()):
        count(number, words)


def _answer(one: Answer, said: str) -> str:
    by = f"{one.by} ({one.level})" if one.level else "the customer"
    return f"{one.action} {said} by {by}{f': {one.note}' if one.note else ''}"


def plan(items: tuple[Item, ...]) -> None:
    """Print an undo plan: what becomes of each effect, with its rows before -> after; long arguments are cut short."""
    print()
    for item in items:
        why = f"  ({item.why})" if item.why else ""
        shown = screen.cut(f"{item.action}({_named(item.args)})", screen.width() - 14 - len(why))
        print(f"  {item.way:10}  {shown}{why}")
        for change in item.changes:
            before = _row(change.before, change.after, change.object)
            hang(" " * 12, f"{change.object}: {before} -> {_row(change.after, change.before, change.object)}")


def _row(row: dict[str, Any] | None, other: dict[str, Any] | None, named: str) -> str:
    """Return a row without what the other one has as well, and what its name has."""
    if row is None:
        return "not there"
    own = {name: value for name, value in row.items() if other is None or other[name] != value}
    return _named({name: value for name, value in own.items() if _named({name: value}) not in named})


def _named(values: dict[str, Any]) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in values.items())


def absent(kind: Kind) -> None:
    """Say that a part's conversation is not among those that were chosen."""
    say(f'Left out: a conversation of the kind "{kind.title}" is not among these. All of them: make demo.')


def table(told: Told) -> None:
    """Print the table of everything."""
    rows: list[list[object]] = []
    for kind, row in told.rows.items():
        rows.append(_cells(kind.title, row))
        if told.let_through[kind]:
            rows.append([f"let through: {kind.let_through.format(told.let_through[kind])}"])
    rows.append(_cells("all", told.total()))
    screen.table(["", "talks", "proposed", "denied", "asked", "done", "undone", "spent"], rows)
    print()
    say(
        "let through: no rule of this desk stops it. asked: a person was asked first. spent: refunds and vouchers in "
        "EUR, less what was taken back; the scripted model costs nothing. Failed, because the airline itself "
        f"refused: {told.total().failed}."
    )


def denials(said: list[str]) -> None:
    """Print what the model was told about what was denied."""
    print("\nDenied, and what the model was told:")
    for words, number in sorted(Counter(said).items()):
        count(number, words)


def _cells(title: str, row: Row) -> list[object]:
    spent = f"{row.spent:,.2f}"
    return [title, row.talks, row.proposed, row.denied, row.asked, row.done, row.undone, spent]


def compared(found: Comparison, still_open: list[OpenEffect]) -> None:
    """Say whether the database holds what the journal says."""
    held = ", ".join(f"{number} {table}" for table, number in found.rows.items())
    say(
        "The rows of the start plus what the journal calls done, computed without the code that did it, against the "
        f"database as it is: {held}. Interlock's own two tables there, interlock_effects and interlock_rows, are "
        "not compared."
    )
    _wrong(found)
    for effect in still_open:
        print(f"  WRONG, no outcome is known: {effect.action} {effect.key}")
    if not found.differences and not still_open:
        say("Every row is the same: nothing is missing, nothing was done twice, nothing is left open.")


def _wrong(found: Comparison) -> None:
    for one in found.differences:
        print(f"  WRONG, {one.where}: {one.table} {one.row}")


def verified(report: Report) -> None:
    """Say what a walk along the journal's hash chain found."""
    verdict, *_ = str(report).splitlines()
    print()
    say(f"The journal, held against the head of its chain that was exported right after the kill: {verdict}.")
    for fault in report.faults:
        hang("  WRONG:", str(fault))
    for sentence in report.proves:
        hang("  proves:", sentence)
    say("What it can't know, `interlock verify` says.")


def closing(place: Place, run: str, seconds: float) -> None:
    """Say where to look further."""
    command, journal = short(Path(sys.executable).with_name("interlock")), short(place.journal)
    print()
    say(f"All of this took {seconds:.0f} s. The airline's database is {short(place.airline)}. To look further:")
    for words in ("runs", f"show {run}", "verify"):
        print(f"  {command} {words} \\\n    --journal {journal}")


def short(path: str | Path) -> Path:
    """Return a path as seen from here, where it is below."""
    path = Path(path)
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def undone(looks: dict[str, list[object]]) -> None:
    """Print what the database held about the customer, before and after."""
    print()
    rows = [[when, *cells] for when, cells in looks.items()]
    screen.table(["", "booking", "left of the price", "vouchers", "e-mails sent"], rows)
    print()


def restored(*, kept: bool, failed: int) -> None:
    """Say whether the undo did what its plan said."""
    if kept:
        say(
            "Restored: the booking's row is exactly the one of the start, and the voucher's row is gone. Compensated: "
            "the money is collected again, by a payment of its own. The e-mail is out: that can't be taken back, as "
            "the plan said."
        )
    else:
        say(f"WRONG: this is not how it was at the start ({failed} effects could not be taken back).")


def compromised(one: Conversation) -> None:
    """Say which conversation is taken back."""
    say(
        f"{one.id} did what a stranger's letter told it to. ben takes all of it back, not one run but the whole "
        "conversation. The plan, with rows before -> after:"
    )


def as_if_never(before: Comparison, now: Comparison) -> None:
    """Say whether the database is as it would be without the conversation; it was compared before the undo, too."""
    print()
    say(
        "The proof: the rows of the start plus the effects of all other conversations, as if this one had never been, "
        "against the database:"
    )
    count(len(before.differences), f"of {sum(before.rows.values())} rows differed before the undo")
    for one in before.differences:
        hang(" " * 6, f"{one.where}: {one.table} {one.row}")
    count(len(now.differences), f"of {sum(now.rows.values())} rows differ after it")
    _wrong(now)
    print()
    if not now.differences:
        say(
            "Every row is the same: what the letter got out of it is nothing. Its e-mail never left: ben had turned it "
            "down. Had he let it go, it would have stayed, and the plan would have said so: what has left can't be "
            "taken back. The journal forgets nothing: it holds what was done, and that ben took it back."
        )
