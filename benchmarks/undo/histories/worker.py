"""A share of the histories: `python -m … PART DIALECT FIRST STEP COUNT [URI]`; its last line is a JSON object.

PART is `histories` (COUNT of them) or `kills` (until COUNT processes were killed). The histories are those of the seeds
FIRST, FIRST + STEP, and so on. URI is that of a PostgreSQL server.
"""

import asyncio
import json
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

from benchmarks import _convention as convention
from benchmarks.undo.histories.bank import Bank
from benchmarks.undo.histories.kills import Case, forked, must
from benchmarks.undo.histories.scene import Scene, lived

STEPS_EVERY = 4
"""In one history of so many it crashes at the steps within the way too."""


def figures(scenes: Iterable[Scene]) -> dict[str, Any]:
    """Add up what came of histories."""
    told: Counter[str] = Counter()
    wrong: list[str] = []
    for scene in scenes:
        told += Counter(_counted(scene))
        wrong += [f"{scene.name}: {what}" for what in scene.wrong]
    return {**told, "wrong": wrong}


def _counted(scene: Scene) -> dict[str, int]:
    return {
        "histories": 1,
        "exact": not scene.wrong,
        "effects": scene.effects,
        "taken_back": scene.taken,
        "crashes": scene.crashes,
        "conflicts_expected": scene.conflicts_expected,
        "conflicts_found": scene.conflicts_found,
        "trampled": scene.trampled,
        "partial_unreported": scene.halves,
        "others_meanwhile": scene.meddled,
        f"again_{scene.again or 'not_played'}": 1,
    }


async def _histories(bank: Bank, seeds: Iterable[int]) -> list[Scene]:
    return [await lived(bank, seed, steps=seed // 2 % STEPS_EVERY == 0) for seed in seeds]


def _killed(dialect: str, seeds: Iterable[int], wanted: int, uri: str) -> Iterator[Scene]:
    kills = 0
    for seed in seeds:
        with convention.scratch() as folder:
            scene = Case(folder, lambda new: _opened(dialect, folder, uri, new), seed).run()
        kills += scene.crashes
        yield scene
        if kills >= wanted:
            return


def _opened(dialect: str, folder: Path, uri: str, new: bool = True) -> Bank:
    """Open a bank; it is made where that is still to be done."""
    if dialect == "sqlite":
        from benchmarks.undo.histories.sqlite_bank import SqliteBank  # noqa: PLC0415 - one of two

        bank = SqliteBank(folder, made=not new)
    else:
        from benchmarks.undo.histories.postgres_bank import PostgresBank  # noqa: PLC0415 - it may be missing

        bank = PostgresBank(uri)
    if new:
        bank.begin()
    return bank


def main(words: list[str]) -> dict[str, Any]:
    """Do a share."""
    part, dialect, *numbers = words[:5]
    first, step, wanted = map(int, numbers)
    uri = _database(words[5]) if len(words) > 5 else ""
    if part == "kills":
        return figures(_killed(dialect, count(first, step), wanted, uri))
    # These processes are never really killed: nothing has to reach a disk.
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        bank = _opened(dialect, Path(folder), uri)
        return figures(asyncio.run(_histories(bank, range(first, first + step * wanted, step))))


def _database(server: str) -> str:
    """Make a database of this process's own, in a child: what it opens is not shared with other children."""
    from benchmarks.undo.histories.postgres_bank import at, make  # noqa: PLC0415 - it may be missing

    name = f"bank_{os.getpid()}"
    must(forked(lambda: make(server, name)))
    return at(server, name)


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1:])))
