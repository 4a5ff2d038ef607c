"""Plays a share of the recorded runs, many at once, each with its model's answers in its own environment.

`python -m benchmarks.replay.play RUNS FOLDER` reads the runs from a file, keeps its journals in the folder, and prints
one JSON object on its last line.
"""

import argparse
import asyncio
import pickle
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from benchmarks.replay import dojo, rooms
from benchmarks.replay.comparison import Played, compared
from benchmarks.replay.recorded import RecordedRun
from benchmarks.replay.rooms import Room
from interlock import Finished, Runtime, Stopped

AT_ONCE = 100
"""Runs that are played at the same time, in one runtime with one SQLite journal."""


class Share(msgspec.Struct):
    """What one process played; `seconds` is how long the runtime was at work, without the suites' own functions."""

    runs: list[Played]
    seconds: float


@dataclass(frozen=True, slots=True)
class Stage:
    """A recording, the environment in which it started, and the one in which it is played."""

    run: RecordedRun
    start: dojo.Environment
    room: Room


def play(runs: Sequence[RecordedRun], folder: Path) -> Share:
    """Play and compare, batch after batch."""
    share = Share([], 0.0)
    for number, batch in enumerate(_batches(runs)):
        stages = [_stage(run) for run in batch]
        asyncio.run(_batch(stages, folder / f"{number}.db", share))
    return share


def _batches(runs: Sequence[RecordedRun]) -> Iterator[Sequence[RecordedRun]]:
    for first in range(0, len(runs), AT_ONCE):
        yield runs[first : first + AT_ONCE]


def _stage(run: RecordedRun) -> Stage:
    start = dojo.environment(run.suite, run.user_task, run.injections)
    return Stage(run, start, Room(run.suite, start.model_copy(deep=True)))


async def _batch(stages: Sequence[Stage], journal: Path, share: Share) -> None:
    async with Runtime(journal, *(rooms.agent(stage.run, stage.room) for stage in stages)) as rt:
        began = time.perf_counter()
        ends = await asyncio.gather(*(_ended(rt, stage.run) for stage in stages))
        share.seconds += time.perf_counter() - began - sum(stage.room.seconds for stage in stages)
        histories = [await rt.run(stage.run.id).history() for stage in stages]
    for stage, history, ended in zip(stages, histories, ends, strict=True):
        share.runs.append(compared(stage.run, stage.start, stage.room.now, history, ended))


async def _ended(rt: Runtime, run: RecordedRun) -> str:
    """Play one recording to its end, and say how it ended."""
    started = await rt.start(run.id, run.prompt, run=run.id)
    match await started.result():
        case Finished():
            return "came to its answer"
        case Stopped(status="parked", reason=reason) if "this run has left what was recorded" in reason:
            return "was parked, because its recording ends without an answer"
        case Stopped(status=status, reason=reason):
            return f"was {status}: {reason}"
        case waiting:
            return f"waits: {waiting}"


def main() -> None:
    """Start from the command line."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("runs", type=Path)
    options.add_argument("folder", type=Path)
    given = options.parse_args()
    print(msgspec.json.encode(play(pickle.loads(given.runs.read_bytes()), given.folder)).decode())


if __name__ == "__main__":
    main()
