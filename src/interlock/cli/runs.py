"""`interlock runs`: which runs there are and what they are doing."""

import asyncio
import time
from pathlib import Path
from typing import Any

from rich.text import Text

from interlock.cli import text, unpark
from interlock.cli.errors import WELL
from interlock.cli.project import journal_path
from interlock.cli.reading import all_rows, opened
from interlock.cli.screen import Screen
from interlock.journal.store import RunRow

COLOURS = {
    "running": "cyan",
    "waiting": "yellow",
    "parked": "yellow",
    "undoing": "yellow",
    "done": "green",
    "failed": "red",
    "cancelled": "red",
}


def list_runs(journal: Path | None, statuses: tuple[str, ...], agent: str | None, limit: int, *, json: bool) -> int:
    """Print the newest runs, only those in one of *statuses* and of *agent* where these are given."""
    found = asyncio.run(_rows(journal_path(journal), statuses))
    wanted = [row for row in found if agent is None or row.agent == agent]
    shown = sorted(wanted, key=lambda row: (row.created_at, row.id), reverse=True)[:limit]
    screen = Screen()
    if json:
        screen.json([as_json(row) for row in shown])
    elif shown:
        table(screen, shown)
        for row in shown:
            if row.status == "parked":
                screen.line((f"run {text.visible(row.id)} is parked; {unpark.let_go(row.id, journal)}", "yellow"))
        if len(shown) < len(wanted):
            screen.line((f"{len(shown)} of {len(wanted):,} runs; --limit shows more", "dim"))
    else:
        screen.line("no runs")
    return WELL


async def _rows(path: Path, statuses: tuple[str, ...]) -> list[RunRow]:
    async with opened(path) as journal:
        return await all_rows(journal.store, statuses)


def table(screen: Screen, rows: list[RunRow]) -> None:
    """Print runs as a table."""
    now = time.time_ns() // 1000
    header = ("RUN", "AGENT", "STATUS", "STARTED", "USER", "CONVERSATION")
    screen.table(header, [_cells(row, now) for row in rows])


def _cells(row: RunRow, now: int) -> tuple[str | Text, ...]:
    return (
        text.visible(row.id),
        text.visible(row.agent),
        Text(doing(row, now), style=COLOURS.get(row.status, "")),
        text.ago(now - row.created_at),
        text.visible(row.user or ""),
        text.visible(row.conversation or ""),
    )


def doing(row: RunRow, now: int) -> str:
    """Return what a run is doing, in words."""
    if row.status == "sleeping" and row.wake_at is not None and row.wake_at > now:
        return f"sleeping, {text.span(row.wake_at - now)} more"
    return row.status


def as_json(row: RunRow) -> dict[str, Any]:
    """Return a run's row as it is printed in JSON; times in microseconds since the epoch."""
    return {
        "run": row.id,
        "agent": row.agent,
        "status": row.status,
        "user": row.user,
        "tenant": row.tenant,
        "conversation": row.conversation,
        "started_at": row.created_at,
        "updated_at": row.updated_at,
        "wake_at": row.wake_at,
    }
