"""The scenes of the benchmark: what is undone, what somebody else does meanwhile, and what should be there after it."""

import json
import signal
import subprocess
import sys
from collections.abc import Collection, Mapping
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

import msgspec

from benchmarks import _convention as convention
from benchmarks.undo.services.course import Course, play
from benchmarks.undo.services.dumps import Changes, State, changed, digest, patched
from benchmarks.undo.services.servers import Addresses
from benchmarks.undo.services.world import World

States = Mapping[str, State]
"""The state of each service, by its name."""


class Scenes:
    """Plays scenes in one world; each begins anew. `wrong` says in words what was not as it should be."""

    def __init__(self, addresses: Addresses) -> None:
        self._addresses = addresses
        self._world = World(addresses)
        self._numbers = count(1)
        self.wrong: list[str] = []

    async def alone(self) -> dict[str, Any]:
        """The run, and its undo: is every service as it was?"""
        folder, before, course = await self._played()
        told = _undone(folder, course.run)
        return {
            "same": self._compared(_as_it_was(before, course, ())),
            "hashes": {name: digest(state) for name, state in before.items()},
            "changed": {name: [len(made) for service, made in course.changes if service == name] for name in before},
            "told": told,
        }

    async def among_others(self) -> dict[str, Any]:
        """Half-way, somebody changes another object of each service: is it kept, and all else as it was?"""
        theirs: dict[str, Changes] = {}
        folder, before, course = await self._played(theirs)
        told = _undone(folder, course.run)
        return {"same": self._compared(_as_it_was(before, course, (), theirs)), "told": told}

    async def trampled(self) -> dict[str, Any]:
        """After the run, somebody changes an object that it had changed, in each service.

        Is the conflict reported, theirs kept, and all else as it was?
        """
        folder, before, course = await self._played()
        theirs = self._edited(ours=True)
        told = _undone(folder, course.run)
        found: set[str] = {course.changes[number][0] for number in told["left"] if _is_shown(told, number)}
        return {
            "same": self._compared(_as_it_was(before, course, told["left"], theirs)),
            "expected": [name for name, made in theirs.items() if made],
            "found": found,
            "told": told,
        }

    async def raced(self) -> dict[str, Any]:
        """During the undo, somebody changes an object between the look at it and the write: are theirs kept?"""
        folder, before, course = await self._played()
        told = _undone(folder, course.run, "--race")
        theirs: dict[str, Changes] = told["theirs"]
        return {"same": self._compared(_as_it_was(before, course, told["left"], theirs)), "theirs": theirs}

    async def killed(self, points: int, told: Mapping[str, Any], seed: int = 7) -> dict[str, Any]:
        """Kill the process that undoes at sampled points, and the next one too; then let one go on to the end.

        `told` is what an undo that nobody killed has said.
        """
        random, found = Random(seed), list[dict[str, Any]]()
        asked, planned = told["asked"], told["planned"]
        for number in range(points):
            # Every k-th part of the undo has a point in it, at an instant that is not always a request's own.
            at = planned + 1 + int((number + random.random()) * (asked - planned) / points)
            again = random.randrange(1, max(2, asked - at))
            found.append(await self._killed_at((at, random.randrange(8)), (again, random.randrange(8))))
            convention.progress(f"  killed at request {at} of {asked}: {found[-1]['wrong'] or 'exact'}")
        return {
            "points": points,
            "kills": sum(one["kills"] for one in found),
            "same": {name: sum(name not in one["wrong"] for one in found) for name in self._world.services},
        }

    async def _killed_at(self, *deaths: tuple[int, int]) -> dict[str, Any]:
        folder, before, course = await self._played()
        ends = [_process(folder, course.run, "--die", *map(str, death)).returncode for death in deaths]
        _undone(folder, course.run)
        same = self._compared(_as_it_was(before, course, ()))
        return {"kills": ends.count(-signal.SIGKILL), "wrong": [name for name, good in same.items() if not good]}

    async def _played(self, theirs: dict[str, Changes] | None = None) -> tuple[Path, States, Course]:
        """Play the run in a world at its beginning; with `theirs`, somebody edits half-way, and it has what."""
        folder = self._addresses.home / f"scene-{next(self._numbers)}"
        folder.mkdir()
        (folder / "addresses.json").write_bytes(msgspec.json.encode(self._addresses))
        self._world.seed()
        before = self._world.state()
        half_way = None if theirs is None else lambda: theirs.update(self._edited(ours=False))
        return folder, before, await play(self._world, folder / "journal.db", half_way)

    def _edited(self, *, ours: bool) -> dict[str, Changes]:
        """Let somebody edit one object of each service; return what they changed."""
        before = self._world.state()
        for service in self._world.services.values():
            service.edit_ours() if ours else service.edit_another()
        after = self._world.state()
        return {name: changed(before[name], after[name]) for name in before}

    def _compared(self, expected: States) -> dict[str, bool]:
        """Return of each service whether the hash of its whole state is the expected one."""
        now = self._world.state()
        for name, state in expected.items():
            differing = changed(state, now[name]).items()
            self.wrong += [f"{name}: {thing} is {value!r}, not {state.get(thing)!r}" for thing, value in differing]
        return {name: digest(now[name]) == digest(state) for name, state in expected.items()}


def _as_it_was(
    before: States, course: Course, left: Collection[int], theirs: Mapping[str, Changes] | None = None
) -> States:
    """Return the beginning with the effects that are left, the mail that can't be taken back, and others' changes."""
    states = dict(before)
    for number, (service, changes) in enumerate(course.changes):
        if service == "SMTP" or number in left:
            states[service] = patched(states[service], changes)
    return {name: patched(state, (theirs or {}).get(name, {})) for name, state in states.items()}


def _is_shown(told: Mapping[str, Any], number: int) -> bool:
    """Whether an effect was reported as a conflict, with an object that is not as the effect had left it."""
    changes = told["changes"].get(str(number), ())
    return told["troubles"].get(str(number)) == "conflict" and any(one["now"] != one["after"] for one in changes)


def _undone(folder: Path, run: str, *words: str) -> dict[str, Any]:
    """Undo the run in a process of its own, and return what it said.

    Raises:
        RuntimeError: it failed.
    """
    done = _process(folder, run, *words)
    if done.returncode:
        raise RuntimeError(f"the undo ended with {done.returncode}\n{done.stderr[-4000:]}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def _process(folder: Path, run: str, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks.undo.services.undoing", str(folder), run, *words]
    return subprocess.run(command, cwd=convention.ROOT, capture_output=True, text=True, check=False)
