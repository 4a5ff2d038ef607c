"""`interlock verify`: whether the journal is the one that was written, and what that proves."""

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec
from rich.text import Text

from interlock.cli import text
from interlock.cli.errors import NO, WELL, AnswerError, UsageError
from interlock.cli.project import journal_path
from interlock.cli.reading import opened
from interlock.cli.screen import Screen
from interlock.errors import JournalError
from interlock.journal.heads import Head, export_head
from interlock.journal.verification import Report, verify


def verify_journal(
    given: Path | None, heads: Sequence[Path], key: Path | None, export: Path | None, *, json: bool
) -> int:
    """Verify the journal with exported *heads*, print the report, and *export* a head of it where it is intact."""
    known = [_head(file) for file in heads]
    public = _content(key) if key is not None else None
    if export is not None and export.exists():
        raise UsageError(f"{export} exists already; heads are kept, so give another name")
    report, head = asyncio.run(_verify(journal_path(given), known, public))
    screen = Screen()
    if json:
        screen.json(msgspec.json.encode({"ok": report.ok, **msgspec.to_builtins(report)}))
    else:
        _print(screen, report)
    if export is not None and report.ok:
        _write(export, head)
    return WELL if report.ok else NO


async def _verify(path: Path, heads: list[Head], key: bytes | None) -> tuple[Report, Head]:
    async with opened(path) as journal:
        head = await export_head(journal.store, time.time_ns() // 1000)
        return await verify(journal.store, heads, key), head


def _head(file: Path) -> Head:
    try:
        return Head.from_json(_content(file))
    except JournalError as error:
        raise UsageError(f"{file}: {error}") from error


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise UsageError(f"{file}: {error.strerror}") from error


def _write(file: Path, head: Head) -> None:
    try:
        file.write_bytes(head.to_json() + b"\n")
    except OSError as error:
        raise AnswerError(f"{file}: the head could not be written: {error.strerror}") from error


def _print(screen: Screen, report: Report) -> None:
    """Print the report as it prints itself, folded and in colour."""
    verdict, *lines = str(report).splitlines()
    screen.line((text.visible(verdict), "bold green" if report.ok else "bold red"))
    for line in lines:
        kind, _, sentence = line.strip().partition(": ")
        style = {"fault": "red", "proves": "green"}.get(kind, "yellow")
        screen.hang(Text(f"  {kind:<11}  ", style=style), Text(text.visible(sentence)))
