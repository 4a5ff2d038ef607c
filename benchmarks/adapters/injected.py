"""A document that carries instructions, a model that follows them, and one undo of all that came of it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.adapters import journal, scene
from benchmarks.adapters.app import App, heard
from benchmarks.adapters.script import SUMMARISE
from benchmarks.crash.lives import Life

RUN = "note-1"
PATIENCE = 60.0
"""Seconds that the whole of it may take."""


@dataclass(frozen=True)
class Damage:
    """What the model did to a fresh world, by the hashes of its database, files and calendar."""

    before: dict[str, str]
    after: dict[str, str]
    changes: int
    """Requests that changed a row, a file or an event."""

    mails: int

    @property
    def complete(self) -> bool:
        """Whether all that the document asked for was done."""
        return self.changes + self.mails == scene.ACTIONS


@dataclass(frozen=True)
class Undone:
    """What an undo said that it would do, and what it left."""

    plan: list[dict[str, Any]]
    """For each effect, the last first: `way` (restore, compensate, cannot), `action`, `args`, `why`."""

    left: int
    """Effects that the plan named, and that could not be taken back."""

    hashes: dict[str, str]

    @property
    def cannot(self) -> list[str]:
        """What the plan says that can't be taken back."""
        return [said(item["action"], item["args"]) for item in self.plan if item["way"] == "cannot"]


def said(action: str, args: dict[str, Any]) -> str:
    """Return a call as text."""
    return f"{action}({', '.join(f'{name}={value!r}' for name, value in sorted(args.items()))})"


async def happen(app: App, home: Path) -> Damage:
    """Have the document summarised in a small firm's world.

    Raises:
        RuntimeError: the application did not come to its end.
    """
    ground = scene.firm(home)
    before = ground.hashes()
    await _ended(await app.work(home, {RUN: SUMMARISE}), "DONE")
    outbox = home / "outbox.jsonl"
    mails = len(outbox.read_text().splitlines()) if outbox.exists() else 0
    return Damage(before, ground.hashes(), ground.requests(), mails)


async def undo(app: App, home: Path) -> Undone:
    """Take back the one run that there is, in a new process.

    Raises:
        RuntimeError: the undo failed, or there is another number of runs.
    """
    found = await journal.runs(home)
    if len(found) != 1:
        raise RuntimeError(f"the journal should hold one run, and holds {found}")
    return Undone(**await _ended(await app.undo(home, found[0]), "UNDONE"))


async def _ended(life: Life, word: str) -> dict[str, Any]:
    async with life.at_most(PATIENCE):
        await life.end()
    for found in heard(life, word):
        return found
    errors = [failed["error"] for failed in heard(life, "FAILED")]
    raise RuntimeError("; ".join(errors) or f"its process ended with {life.code}")
