"""`interlock tail`: the newest events of all runs, and what comes."""

import asyncio
from pathlib import Path

from rich.text import Text

from interlock.cli import text
from interlock.cli.errors import WELL
from interlock.cli.project import journal_path
from interlock.cli.reading import PAGE, opened
from interlock.cli.screen import Screen
from interlock.cli.show import as_json, put
from interlock.cli.timeline import Teller
from interlock.kernel.events import Recorded

LOOK = 0.1
"""How often it is looked whether there is more, in seconds."""


def show_tail(path: Path | None, number: int, *, follow: bool, json: bool) -> int:
    """Print the newest *number* events, and with *follow* those to come."""
    asyncio.run(_tail(journal_path(path), number, follow=follow, json=json))
    return WELL


async def _tail(path: Path, number: int, *, follow: bool, json: bool) -> None:
    async with opened(path) as journal:
        printer = _Printer(json=json)
        last = await journal.store.last_batch()
        after = max(last.last - number, 0) if last is not None else 0
        while True:
            while page := await journal.feed(after, PAGE):
                printer.put(page)
                after = page[-1].position
            if not follow:
                return
            while not await journal.store.moved():  # noqa: ASYNC110 - another process writes, only looking tells
                await asyncio.sleep(LOOK)


class _Printer:
    """Prints events; a line with the run stands wherever another run's events begin."""

    def __init__(self, *, json: bool) -> None:
        self._screen = Screen()
        self._json = json
        self._teller = Teller(numbered=False)
        self._run = ""

    def put(self, events: list[Recorded]) -> None:
        """Print *events*."""
        for one in events:
            if self._json:
                self._screen.json(as_json(one))
                continue
            if one.run != self._run:
                self._run = one.run
                self._screen.line((f"run {text.visible(one.run)}", "bold"))
            put(self._screen, Text(f"  {text.clock_time(one.at)}  ", style="dim"), self._teller.tell(one))
