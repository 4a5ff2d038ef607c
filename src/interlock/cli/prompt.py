"""`interlock show --prompt`: what the model saw at a turn, and how sure that is."""

import asyncio
from hashlib import sha256
from pathlib import Path
from typing import Any, cast

import msgspec
from msgspec import Struct
from rich.text import Text

from interlock.cli import text
from interlock.cli.errors import WELL, UsageError
from interlock.cli.project import journal_path
from interlock.cli.reading import opened, row_of
from interlock.cli.screen import Screen
from interlock.context import shown
from interlock.errors import UnknownRunError
from interlock.journal.journal import Journal
from interlock.kernel import events as ev


class Shown(Struct, frozen=True):
    """What a model was shown: `body` as JSON or text, where it comes from, and whether it is `exact`.

    `source` is wire (what was sent), journal (built again from events), loop (what a foreign loop recorded) or
    quarantine (what a model was asked that read a text).
    """

    source: str
    exact: bool
    says: str
    body: str
    where: str = ""


class _Sent(Struct):
    """The part of a recorded exchange that is the request; see `models.Exchange`."""

    method: str
    url: str
    request: tuple[str, ...]
    request_digest: str
    salt: str
    redacted: tuple[str, ...] = ()


def show_prompt(given: Path | None, run: str, number: int, *, json: bool) -> int:
    """Print what the model saw at the *number*-th turn of a run."""
    run, turn, prompts = asyncio.run(_read(journal_path(given), run, number))
    screen = Screen()
    for one in prompts:
        if json:
            screen.json({"run": run, "turn": number, "model": turn.model, **msgspec.to_builtins(one)})
            continue
        screen.line((f"turn {number} of run {text.visible(run)}", "bold"), f"  {text.visible(turn.model)}")
        screen.line((one.says, "green" if one.exact else "yellow"))
        if one.where:
            screen.line((text.visible(one.where), "dim"))
        screen.line()
        try:
            _outline(screen, msgspec.json.decode(one.body), 0)
        except msgspec.DecodeError:
            screen.line(text.visible(one.body, lines=True))
    return WELL


async def _read(path: Path, run: str, number: int) -> tuple[str, ev.TurnRecorded, list[Shown]]:
    async with opened(path) as journal:
        run = (await row_of(journal, run)).id
        turns = await journal.history(run, 0, (ev.TurnRecorded,))
        if number > len(turns):
            # Not only those of the run's own model: what was read in quarantine can be shown, too.
            count = text.counted(len(turns), "turn")
            raise UsageError(f"run {run} has {count}, so there is no turn {number}")
        turn = turns[number - 1].event
        assert isinstance(turn, ev.TurnRecorded)
        sent: list[_Sent] = msgspec.json.decode(bytes(turn.wire), type=list[_Sent] | None) or []
        if sent:
            return run, turn, [await _sent(journal, one) for one in sent]
        return run, turn, [await _built(journal, run, number, turn)]


async def _sent(journal: Journal, one: _Sent) -> Shown:
    """Return a request as it went over the wire, after a look whether it is."""
    pieces = [await journal.store.blob(address) for address in one.request]
    body = b"".join(piece or b"" for piece in pieces)
    same = sha256(bytes.fromhex(one.salt) + body).hexdigest() == one.request_digest
    if None in pieces:
        says = "incomplete: parts of it were erased"
    elif one.redacted:
        says = f"redacted ({', '.join(one.redacted)}); the rest is what went over the wire"
    elif same:
        says = "exact: these bytes went over the wire, and their digest was checked"
    else:
        says = "NOT what went over the wire: the digest does not fit; run `interlock verify`"
    return Shown(
        "wire", same and not one.redacted, says, body.decode(errors="backslashreplace"), f"{one.method} {one.url}"
    )


async def _built(journal: Journal, run: str, number: int, turn: ev.TurnRecorded) -> Shown:
    """Return a request built again from the run's events, or as a foreign loop recorded it."""
    try:
        prompt = await shown(journal, run, number)
    except UnknownRunError:
        if turn.is_reading:
            source, says = "quarantine", "read in quarantine: this is what the reading model was asked"
        else:
            source, says = "loop", "as the loop that owns the run recorded it"
        return Shown(source, exact=False, says=says, body=bytes(turn.request).decode())
    says = "built again from the journal: " + ("the same as what was shown" if prompt.exact else "it differs from then")
    return Shown("journal", prompt.exact, says, msgspec.json.encode(prompt.request).decode())


def _outline(screen: Screen, value: Any, indent: int, dash: str = "") -> None:
    """Print JSON as an outline; a bar stands before each line of what has several.

    `dash` stands before the first line, and the others go below what is behind it.
    """
    for number, (name, one) in enumerate(_items(value)):
        head = f"{' ' * indent}{' ' * len(dash) if number else dash}{text.visible(name)}"
        if isinstance(one, (dict, list)) and one:
            if name != "-":
                screen.line((head, "dim"))
            _outline(screen, cast("Any", one), indent + len(dash) + 2 * (name != "-"), "- " if name == "-" else "")
            continue
        shown = text.visible(one, lines=True) if isinstance(one, str) else text.whole(one)
        bar = "| " if "\n" in shown or len(shown) + len(head) + 2 > screen.width else ""
        screen.hang(
            Text(head + (" " if name == "-" else "  "), style="dim"), Text(shown or '""'), indent=indent + 2, bar=bar
        )


def _items(value: Any) -> list[tuple[str, Any]]:
    if isinstance(value, dict):
        return list(cast("dict[str, Any]", value).items())
    if isinstance(value, list):
        return [("-", one) for one in cast("list[Any]", value)]
    return [("", value)]
