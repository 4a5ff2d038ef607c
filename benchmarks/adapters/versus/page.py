"""How the story looks: 80 to 120 columns, two beside each other; colours where there is a terminal."""

import shutil
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from benchmarks.adapters import scene
from benchmarks.adapters.injected import Damage, Undone

NARROWEST, WIDEST = 80, 120
STYLES = {"": "", "good": "green", "bad": "bold red", "dim": "dim"}
WAYS = {"restore": "restored", "compensate": "compensated", "cannot": "can't be taken back"}
GAP = 3
"""Columns that a table leaves between its own."""

SHOWN = 12
"""How many digits of a hash are shown."""


class Line(NamedTuple):
    """A text and what it means: good, bad, dim or nothing."""

    words: str
    meaning: str = ""

    @property
    def text(self) -> Text:
        return Text(self.words, style=STYLES[self.meaning])


def console() -> Console:
    """Return where it is printed, as wide as the terminal is, within bounds."""
    width = min(max(shutil.get_terminal_size((NARROWEST, 24)).columns, NARROWEST), WIDEST)
    return Console(width=width, markup=False, highlight=False, emoji=False)


def heading(words: str) -> None:
    """Begin a framework's story."""
    out = console()
    out.print()
    out.rule(Text(words, style="bold"), align="left", characters="=")


def part(words: str) -> None:
    """Begin a part of it."""
    out = console()
    out.print()
    out.print(Text(words, style="bold"))


def say(words: str) -> None:
    """Print a paragraph."""
    console().print(Text(words))


def diff(changed: Iterable[str]) -> None:
    """Print changed lines as a diff does."""
    grid = Table.grid(padding=(0, 1, 0, 0))
    for line in changed:
        style = STYLES["good"] if line.startswith("+") else "red"
        grid.add_row(" ", Text(line[0], style=style), Text(line[1:], style=style))
    console().print(grid)


def columns(bare: Sequence[Line], governed: Sequence[Line]) -> None:
    """Print two lists beside each other."""
    grid = _table(expand=True)
    grid.add_column("bare", ratio=1)
    grid.add_column("governed", ratio=1)
    grid.add_row(_listed(bare), _listed(governed))
    console().print(grid)


def effects(undone: Undone | None, damage: Damage) -> None:
    """Print what the document made the model do, and what of it is left on each side."""
    ways = {_key(item["action"], item["args"]): item["way"] for item in undone.plan} if undone else {}
    rows: list[list[str | Line]] = []
    for action, args in (call for step in scene.STEPS for call in step):
        way = ways.get(_key(action, args), "")
        rows.append(
            [
                _said(action, args),
                Line("stays", "bad"),
                Line(WAYS.get(way, "was not done"), "good" if way == "restore" else "bad"),
            ]
        )
    table(("what it did", "bare", "governed, undone"), rows)


def hashes(bare: Damage, governed: Undone | None) -> None:
    """Print the hashes before, and on each side now."""
    rows: list[list[str | Line]] = []
    for name, before in bare.before.items():
        now = governed.hashes[name] if governed else ""
        rows.append([f"sha256, {name}", before[:SHOWN], _against(bare.after[name], before), _against(now, before)])
    table(("", "before", "bare", "governed, undone"), rows)


def _against(now: str, before: str) -> Line:
    return Line(f"{now[:SHOWN]} {'=' if now == before else 'changed'}", "good" if now == before else "bad")


def table(header: Sequence[str], rows: Sequence[Sequence[str | Line]]) -> None:
    """Print rows under a header; what does not fit is cut from the first column."""
    cells = [[cell.text if isinstance(cell, Line) else Text(cell) for cell in row] for row in rows]
    widths = [max(len(name), *(row[number].cell_len for row in cells)) for number, name in enumerate(header)]
    out, grid = console(), _table(expand=False)
    for name in header:
        grid.add_column(name, no_wrap=True)
    for first, *others in cells:
        first.truncate(out.width - sum(widths[1:]) - GAP * len(widths), overflow="ellipsis")
        grid.add_row(first, *others)
    out.print(grid)


def _table(*, expand: bool) -> Table:
    return Table(box=box.SIMPLE_HEAD, expand=expand, padding=(0, 1), pad_edge=False, show_edge=False)


def _listed(lines: Sequence[Line]) -> Table:
    """Return lines below each other; the further lines of a long one hang to the right of its dash."""
    grid = Table.grid(padding=(0, 1, 0, 0))
    for line in lines:
        grid.add_row("-", line.text)
    return grid


def _key(action: str, args: dict[str, Any]) -> tuple[Any, ...]:
    return (action, *sorted(args.items()))


def _said(action: str, args: dict[str, Any]) -> str:
    return " ".join([action, *(str(value) for value in args.values())])
