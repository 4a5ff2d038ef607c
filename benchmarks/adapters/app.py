"""An application under test: where its lives come from, and the bank that they pay at."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.adapters.ledger import Bank
from benchmarks.crash.lives import Life, Parent


@dataclass(frozen=True)
class App:
    """A framework's application, bare or governed."""

    framework: str
    variant: str
    parent: Parent
    bank: Bank
    scratch: Path
    """The directory of all its folders and logs."""

    @property
    def name(self) -> str:
        return f"{self.framework}-{self.variant}"

    async def work(self, home: Path, tasks: dict[str, str]) -> Life:
        """Start a life that performs tasks, given by their runs."""
        return await self._live(home, "--work", json.dumps(tasks))

    async def undo(self, home: Path, run: str) -> Life:
        """Start a life that takes a run back."""
        return await self._live(home, "--undo", run)

    async def _live(self, home: Path, *words: str) -> Life:
        app = f"{self.framework}.{self.variant}"
        argv = ["--app", app, "--home", str(home), "--bank", self.bank.address, *words]
        return await self.parent.live(argv, {}, self.scratch / f"{home.name}.log")


def heard(life: Life, word: str) -> list[dict[str, Any]]:
    """Return what a life has said with this word."""
    return [json.loads(line.removeprefix(word)) for line in life.lines if line.startswith(f"{word} ")]
