"""What a command prints: lines that fit any width, tables that stay readable at 40 columns, or JSON."""

import os
import sys
from collections.abc import Sequence
from itertools import zip_longest
from typing import Any

import msgspec
from rich.console import Console
from rich.text import Text

from interlock.cli.text import safe_json

NARROW = 60
"""Below so many columns what stands beside something else is put beneath it."""

UNBROKEN = 100_000
"""The width of what is no terminal and doesn't say how wide it is: a line stays a line for `grep`."""

_LEAST = 16  # the fewest columns that a folded cell may have


class Screen:
    """Where a command's answer goes. Nothing that it prints is read as markup."""

    def __init__(self, *, stderr: bool = False) -> None:
        console = Console(stderr=stderr, markup=False, highlight=False, emoji=False)
        if not console.is_terminal and not os.environ.get("COLUMNS"):
            console = Console(stderr=stderr, markup=False, highlight=False, emoji=False, width=UNBROKEN)
        self._console = console
        self.width = console.width
        self.is_terminal = console.is_terminal

    def line(self, *parts: "str | Text | tuple[str, str]") -> None:
        """Print parts (a text with its style is a pair) as one paragraph."""
        self.hang(Text(), Text.assemble(*parts))

    def hang(self, head: Text, body: Text, *, indent: int = 4, bar: str = "") -> None:
        """Print *body* to the right of *head*, folded to the width that is left, each line behind *bar*.

        Where that is too narrow, it goes beneath, *indent* columns in.
        """
        if head.cell_len > indent and self.width - head.cell_len - len(bar) < min(_LEAST, body.cell_len):
            self._put(head)
            head = Text(" " * indent)
        width = max(self.width - head.cell_len - len(bar), _LEAST)
        for number, part in enumerate(_folded(body, self._console, width)):
            self._put(Text.assemble(" " * head.cell_len if number else head, (bar, "dim"), part))

    def table(self, header: Sequence[str], rows: Sequence[Sequence["str | Text"]]) -> None:
        """Print rows under a header, without empty columns.

        The widest cells are folded as far as it takes; where that doesn't do, each row is a list.
        """
        cells = [[one if isinstance(one, Text) else Text(one) for one in row] for row in rows]
        kept = [place for place in range(len(header)) if any(row[place].plain for row in cells)]
        titles = [Text(header[place], style="bold") for place in kept]
        cells = [[row[place] for place in kept] for row in cells]
        widths = [max(row[place].cell_len for row in [titles, *cells]) for place in range(len(kept))]
        while sum(widths) + 2 * (len(widths) - 1) > self.width:
            widest = max(range(1, len(widths)), key=widths.__getitem__, default=0)
            if widths[widest] <= titles[widest].cell_len:
                self._lists(titles, cells)
                return
            widths[widest] -= 1
        for row in [titles, *cells]:
            folded = [_folded(cell, self._console, width) for cell, width in zip(row, widths, strict=True)]
            for line in zip_longest(*folded, fillvalue=Text()):
                self._put(Text("  ").join(_padded(part, width) for part, width in zip(line, widths, strict=True)))

    def _lists(self, titles: list[Text], rows: list[list[Text]]) -> None:
        size = max(title.cell_len for title in titles[1:]) + 2 if titles[1:] else 0
        for first, *rest in rows:
            self.hang(Text(), first)
            for title, cell in zip(titles[1:], rest, strict=True):
                if cell.plain:
                    self.hang(Text.assemble("  ", _padded(Text(title.plain.lower(), style="dim"), size)), cell)

    def json(self, document: Any) -> None:
        """Print one JSON document on a line."""
        self.raw(safe_json(document if isinstance(document, bytes) else msgspec.json.encode(document)))

    def raw(self, text: str) -> None:
        """Print *text* as it is and at once."""
        sys.stdout.write(text + "\n")
        sys.stdout.flush()

    def _put(self, text: Text) -> None:
        text.rstrip()
        self._console.print(text, soft_wrap=True)


def _folded(text: Text, console: Console, width: int) -> list[Text]:
    lines = [line for part in text.split(allow_blank=True) for line in part.wrap(console, width, overflow="fold")]
    return lines or [Text()]


def _padded(text: Text, width: int) -> Text:
    padded = text.copy()
    padded.pad_right(max(width - text.cell_len, 0))
    return padded
