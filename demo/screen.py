"""How the demo looks: plain text, between 80 and 100 columns, whatever the terminal."""

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


def say(text: str) -> None:
    """Print a paragraph."""
    print(textwrap.fill(text, width(), break_on_hyphens=False), flush=True)


def hang(head: str, text: str, most: int | None = None) -> None:
    """Print a text to the right of its head, its further lines below its first; no more lines than *most*."""
    lines = textwrap.wrap(text, width() - len(head) - 2, break_on_hyphens=False, max_lines=most, placeholder=" ...")
    for line in lines or [""]:
        print(f"{head}  {line}".rstrip(), flush=True)
        head = " " * len(head)


def count(number: int, text: str) -> None:
    """Print a number, and what it counts to its right."""
    hang(f"  {number:>4,}", text)


def cut(text: str, columns: int) -> str:
    """Return the text on one line that is no longer than *columns*."""
    line = " ".join(text.split())
    return line if len(line) <= columns else f"{line[: columns - 3]}..."


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print rows under a header: a text, then numbers. A row with a text alone goes across all columns."""
    filled = [[_shown(cell) for cell in row] for row in rows]
    widths = [max(len(row[column]) for row in [header, *filled] if row[1:]) for column in range(len(header))]
    for first, *numbers in [header, *filled]:
        if numbers:
            cells = [f"{number:>{columns}}" for number, columns in zip(numbers, widths[1:], strict=True)]
            print("  ".join([f"{first:{widths[0]}}", *cells]).rstrip())
        else:
            print(textwrap.fill(first, width(), initial_indent="    ", subsequent_indent="      "))


def _shown(cell: object) -> str:
    return f"{cell:,}" if isinstance(cell, int) else str(cell)
