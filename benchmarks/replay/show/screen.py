"""How the story looks: plain text, between 80 and 100 columns, whatever the terminal."""

import shutil
import textwrap
from collections.abc import Iterable, Sequence

NARROWEST, WIDEST = 80, 100


def width() -> int:
    """Return how many columns are used."""
    return min(max(shutil.get_terminal_size((NARROWEST, 24)).columns, NARROWEST), WIDEST)


def heading(text: str) -> None:
    """Begin a part."""
    print(f"\n\n{text}\n{'-' * len(text)}", flush=True)


def say(text: str, indent: str = "") -> None:
    """Print a paragraph."""
    print(textwrap.fill(text, width(), initial_indent=indent, subsequent_indent=indent), flush=True)


def count(number: int, text: str) -> None:
    """Print a number, and what it counts hanging to its right."""
    first = f"  {number:>4,}  "
    print(textwrap.fill(text, width(), initial_indent=first, subsequent_indent=" " * len(first)), flush=True)


def cut(text: str, columns: int) -> str:
    """Return the text on one line that is no longer than *columns*."""
    line = " ".join(text.split())
    return line if len(line) <= columns else f"{line[: columns - 3]}..."


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print rows under a header: a text, then numbers. A row with a text alone is the title of a group."""
    filled = [[_shown(cell) for cell in row] for row in rows]
    widths = [max(len(row[column]) for row in [header, *filled] if row[1:]) for column in range(len(header))]
    for row in [header, *filled]:
        first, *numbers = row
        cells = [f"{number:>{columns}}" for number, columns in zip(numbers, widths[1:], strict=False)]
        print("  ".join([f"{first:{widths[0]}}", *cells]).rstrip())


def _shown(cell: object) -> str:
    return f"{cell:,}" if isinstance(cell, int) else str(cell)
