"""One history from beginning to end: played, undone through crashes, and judged."""

from random import Random
from typing import NamedTuple, Self

from benchmarks.undo.histories.actions import desk
from benchmarks.undo.histories.bank import Bank, Dump
from benchmarks.undo.histories.course import Course
from benchmarks.undo.histories.crashing import Lives, steps_of
from benchmarks.undo.histories.history import History, drawn
from benchmarks.undo.histories.judging import Judged, comes_to_the_same, judged, same_but_made_keys
from benchmarks.undo.histories.oracle import Name, Predicted
from benchmarks.undo.histories.play import Played, play
from benchmarks.undo.histories.undoing import Chosen, chosen, take_back, told
from interlock.testing import MemoryRuntime, runtime


class Scene(NamedTuple):
    """What came of one history. `wrong` says in words what is not as it must be; it is empty where all is.

    `again` says how the history without what was undone came out: "equal", "different", "rests" (what remained came to
    something else, so it rested on what was undone), empty where it was not played. `meddled`: somebody else wrote
    while it was undone.
    """

    name: str
    effects: int
    taken: int
    crashes: int
    conflicts_expected: int
    conflicts_found: int
    trampled: int
    halves: int
    meddled: bool
    again: str
    wrong: tuple[str, ...]

    def but(self, times: int, what: str) -> Self:
        """Return this with something that was found to be wrong, if it was."""
        return self._replace(wrong=(*self.wrong, what)) if times else self


async def lived(bank: Bank, seed: int, *, steps: bool = False) -> Scene:
    """Play the history of a seed, undo it with a crash at every boundary, and judge it."""
    return await scene(bank, drawn(Random(seed)), f"h{seed}", steps=steps)


async def scene(bank: Bank, history: History, name: str, *, steps: bool = False) -> Scene:
    """Play a history, undo it with a crash at every boundary, and judge it.

    With *steps* it crashes at the steps of restoring within the way as well.
    """
    bank.begin()
    async with runtime(desk(bank, history.actions), deps=bank) as rt:
        played = await rt.clock.run(play(rt, bank, history, name))
        plans = await chosen(rt, history, played, name)
        rests = await _rests(rt, plans)
        lives, course = Lives(rt), Course(bank, history, played, plans)
        with steps_of(bank.restoring, lives.at_step if steps else _nothing):
            await lives.run(lambda life: take_back(life, history, plans, name, life.clock.sleep), course.crashed)
        said = await told(rt, history, name)
    final, expected = bank.dump(), course.expected
    one = summed(name, course.played, expected, judged(course.played, expected, final, said))
    one = one._replace(crashes=len(lives.ended), meddled=course.meddled).but(course.torn, "torn by a crash")
    if (
        history.undo.kind not in ("run", "effect")
        or rests
        or not expected.taken
        or expected.conflicts
        or course.meddled
    ):
        return one
    again = await _again(bank, history, played, frozenset(expected.taken), final)
    return one._replace(again=again).but(again == "different", "not as the history without it")


def _nothing(name: str) -> None:
    """Cross nothing."""


async def _rests(rt: MemoryRuntime, plans: list[Chosen]) -> bool:
    """Whether the plan says that something rests on what is undone."""
    made = [await rt.undo_plan(**plan.scope) for plan in plans]
    return any(plan.dependants for plan in made)


async def _again(bank: Bank, history: History, played: Played, taken: frozenset[Name], final: Dump) -> str:
    """Play the history without what was undone, and compare."""
    bank.begin()
    async with runtime(desk(bank, history.actions), deps=bank) as rt:
        again = await rt.clock.run(play(rt, bank, history, "again", without=taken))
    if not comes_to_the_same(played, again, taken):
        return "rests"
    return "equal" if same_but_made_keys(final, again.now) else "different"


def summed(name: str, played: Played, expected: Predicted, found: Judged) -> Scene:
    """Return what came of a history; how often it crashed, and how it was without what was undone, are not known."""
    return Scene(
        name,
        len(played.effects),
        len(expected.taken),
        0,
        len(expected.conflicts),
        found.found,
        len(found.verdict.trampled),
        len(found.verdict.halves),
        False,
        "",
        found.wrong,
    )
