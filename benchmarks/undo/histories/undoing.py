"""Taking a played history back: a program that can be killed anywhere and started again from its beginning."""

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

import msgspec

from benchmarks.undo.histories.history import History
from benchmarks.undo.histories.oracle import Diff, Name
from benchmarks.undo.histories.play import CONVERSATION, Played, run_name
from interlock import Runtime
from interlock.kernel import events as ev

PAUSE = 0.01

Sleep = Callable[[float], Awaitable[None]]


class Chosen(NamedTuple):
    """One plan: what it is asked for by, and its effects in the order of undoing."""

    scope: dict[str, Any]
    effects: tuple[tuple[Name, Diff], ...]


class Told(NamedTuple):
    """What the journal says came of an undo."""

    taken: frozenset[Name]
    conflicts: dict[Name, tuple[dict[str, Any], ...]]
    others: dict[Name, str]
    why: dict[Name, str]


async def chosen(rt: Runtime, history: History, played: Played, name: str) -> list[Chosen]:
    """Return what is undone, plan by plan."""
    back = played.effects[::-1]
    match history.undo.kind:
        case "all":
            return [Chosen({"conversation": CONVERSATION}, tuple(back))]
        case "each" | "run":
            return [
                Chosen({"run": run_name(name, run)}, tuple(one for one in back if one[0][0] == run))
                for run in history.undo.order
            ]
        case "effect":
            return await _one(rt, history, played, name)


async def _one(rt: Runtime, history: History, played: Played, name: str) -> list[Chosen]:
    """Choose the effect of a step, or where that came to nothing the next that came to one."""
    step = history.undo.order[0]
    effects = sorted(played.effects, key=lambda one: (one[0][1] < step, one[0][1]))
    if not effects:
        return []
    (run, number), _ = effects[0]
    seqs = {made: seq for seq, made in (await places(rt, name, run)).items()}
    return [Chosen({"run": run_name(name, run), "seq": seqs[run, number]}, (effects[0],))]


async def places(rt: Runtime, name: str, run: int) -> dict[int, Name]:
    """Return the effects of a run by the seqs of their outcomes."""
    history = await rt.journal.history(run_name(name, run), 0, (ev.Done,))
    found: dict[int, Name] = {}
    for one in history:
        if isinstance(one.event, ev.Done) and not one.event.undoes:
            found[one.seq] = (run, int(one.event.call.rpartition(" ")[2]))
    return found


async def take_back(rt: Runtime, history: History, plans: list[Chosen], name: str, sleep: Sleep) -> None:
    """Apply the plans one after the other; what an earlier life has begun is awaited."""
    for number, plan in enumerate(plans):
        by = f"person {number}"
        await _quiet(rt, history, name, sleep)
        if not await _was_asked_for(rt, history, name, by):
            made = await rt.undo_plan(**plan.scope)
            await made.apply(by, otherwise=history.undo.otherwise)
    await _quiet(rt, history, name, sleep)


async def _quiet(rt: Runtime, history: History, name: str, sleep: Sleep) -> None:
    """Return when no undo is under way or waits for its beginning."""
    runs = [run_name(name, run) for run in range(history.runs)]
    while True:
        waiting = [await rt.journal.store.signals(run=run) for run in runs]
        states = [await rt.run(run).status() for run in runs]
        if not any(waiting) and "undoing" not in states:
            return
        await sleep(PAUSE)


async def _was_asked_for(rt: Runtime, history: History, name: str, by: str) -> bool:
    for run in range(history.runs):
        started = await rt.journal.history(run_name(name, run), 0, (ev.UndoStarted,))
        if any(isinstance(one.event, ev.UndoStarted) and one.event.by == by for one in started):
            return True
    return False


async def told(rt: Runtime, history: History, name: str) -> Told:
    """Read in the journal what came of the undo."""
    taken: set[Name] = set()
    conflicts: dict[Name, tuple[dict[str, Any], ...]] = {}
    others: dict[Name, str] = {}
    why: dict[Name, str] = {}
    for run in range(history.runs):
        by_seq = await places(rt, name, run)
        for one in await rt.journal.history(run_name(name, run), 0, (ev.Done, ev.NotUndone)):
            match one.event:
                case ev.Done(undoes=target) if target:
                    taken.add(by_seq[target])
                case ev.NotUndone(kind="conflict", target=target, changes=changes, reason=reason):
                    conflicts[by_seq[target]] = tuple(msgspec.json.decode(bytes(changes)) or ())
                    why[by_seq[target]] = reason
                case ev.NotUndone(target=target, kind=kind, reason=reason):
                    others[by_seq[target]] = f"{kind}: {reason}"
                case _:
                    pass
    return Told(frozenset(taken), conflicts, others, why)
