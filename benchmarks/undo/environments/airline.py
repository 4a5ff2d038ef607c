"""An airline's recorded conversations: the writes of each run, and of each task's gold calls, executed and undone."""

import asyncio
import json
from pathlib import Path
from typing import Any

from benchmarks import _convention as convention
from benchmarks.tau import actions, recorded, world
from benchmarks.tau.desk import Conversation, Desk, here
from benchmarks.tau.recorded import Call, Trajectory
from benchmarks.tau.world import Record, World
from interlock import Agent, Ctx, MemoryStore, Policy, Proposal, Runtime, Waiting, permit
from interlock.runtime.handles import Run

BY = "ana"
"""Who undoes."""


STRIDE = 7
"""With QUICK every so-many-th sequence is played: most of the time goes into the hash of a world."""


def figures(data: Path, *, quick: bool) -> dict[str, Any]:
    """Count the sequences of writes, their effects, and after how many the world has its first hash again.

    Raises:
        FileNotFoundError: a table of the airline is not in the folder.
        ValueError: the folder holds no trajectories.
    """
    wanted = list(sequences(recorded.load(data)).items())[:: STRIDE if quick else 1]
    convention.progress(f"executing and undoing {len(wanted)} sequences of an airline's writes")
    return asyncio.run(_figures(world.load(data), wanted))


async def _figures(start: World, wanted: list[tuple[str, list[Call]]]) -> dict[str, Any]:
    first = start.digest()
    desk: Desk = {}
    told: dict[str, Any] = {"runs": len(wanted), "writing": 0, "effects": 0, "exact": 0, "wrong": []}
    agent = Agent("desk", actions.WRITES, policy=Policy(permit(actions.WRITES)), deps=lambda: desk)
    async with Runtime(MemoryStore(), agent) as rt:
        for name, calls in wanted:
            desk[name] = Conversation(start.copy())
            run = await _executed(rt, name, calls)
            told["writing"] += desk[name].world != start
            plan = await run.undo_plan()
            told["effects"] += len(plan.items)
            left = await plan.apply(by=BY)
            exact = not left and desk[name].world.digest() == first and not desk[name].world.sold
            told["exact"] += exact
            told["wrong"] += [] if exact else [name]
    return told


def sequences(trajectories: list[Trajectory]) -> dict[str, list[Call]]:
    """Return the writes of each conversation and of each task's gold calls, where there are any."""
    found = {one.id: one.calls for one in trajectories}
    found |= {f"gold/{one.task}": list(one.gold) for one in trajectories}
    writes = {name: [call for call in calls if call.is_write] for name, calls in found.items()}
    return {name: calls for name, calls in writes.items() if calls}


async def _executed(rt: Runtime, name: str, calls: list[Call]) -> Run:
    """Make writes in a run; that the same was done before is asked about by the runtime itself, and confirmed."""
    run = await rt.start("desk", run=name)
    async with rt.session(name) as session:
        for number, call in enumerate(calls):
            proposal = Proposal(call.name, call.args, f"{number}")
            while isinstance(outcome := await session.perform(proposal), Waiting):
                await outcome.question.approve(by="the recording")
        await session.finish("done")
    return run


async def _look(ctx: Ctx[Desk], done: str | None, **args: Any) -> dict[str, Any]:
    """Return what a write touches: reservation, user, and the desk's note of the cabin that was sold.

    A new reservation is known by the answer.
    """
    at = here(ctx).world
    answer: Record = json.loads(done) if done is not None and "reservation_id" in done else {}
    reservation: str = args.get("reservation_id") or answer.get("reservation_id", "")
    held = at.reservations.get(reservation)
    user: str = args.get("user_id") or (held["user_id"] if held is not None else "")
    found = {"reservation": at.reservations.get(reservation), "sold": at.sold.get(reservation)} if reservation else {}
    found = {f"{kind}/{reservation}": state for kind, state in found.items()}
    return found | ({f"user/{user}": at.users.get(user)} if user else {})


for _write in actions.WRITES:
    _write.snapshot(_look)
