"""The recorded calls again, everything permitted: does every observation come out byte for byte?"""

from collections.abc import Sequence

from msgspec import Struct

from benchmarks.tau import actions
from benchmarks.tau.desk import Conversation, Desk
from benchmarks.tau.recorded import Call, Trajectory
from benchmarks.tau.world import World
from interlock import Agent, Done, Failed, Outcome, Policy, Proposal, Runtime, Session, Waiting, permit

_ALL_PERMITTED = Policy(permit(actions.ALL))


class Replayed(Struct):
    """What came out: how many observations, which differ, and how many worlds end as the recording's own hash says.

    `worlds` are the hashes that were compared: the gold calls of each recording that has one, and the calls that a
    success made.
    """

    observations: int = 0
    differ: list[str] = []
    worlds: int = 0
    equal_worlds: int = 0


async def replayed(world: World, trajectories: Sequence[Trajectory]) -> Replayed:
    """Play every conversation in a world of its own, and the gold calls of every task in another."""
    desk: Desk = {}
    told, digests = Replayed(), dict[str, str]()
    agent = Agent("desk", actions.ALL, policy=_ALL_PERMITTED, deps=lambda: desk)
    async with Runtime(":memory:", agent) as rt:
        for one in trajectories:
            outcomes = await _played(rt, desk, world, one.id, one.calls)
            told.observations += len(outcomes)
            told.differ += [
                f"{one.id}: {call} gives {observed(outcome)[:200]!r}"
                for call, outcome in zip(one.calls, outcomes, strict=True)
                if observed(outcome) != call.observation
            ]
            if one.digest:
                await _compared(told, digests, rt, desk, world, one)
    return told


async def _compared(  # noqa: PLR0917 - what a comparison needs
    told: Replayed, digests: dict[str, str], rt: Runtime, desk: Desk, world: World, one: Trajectory
) -> None:
    """Hold the world after the gold calls, and after those of a success, against the recorded hash."""
    lists = [one.gold, *([one.calls] if one.is_success else [])]
    for calls in lists:
        content = "\n".join(call.content for call in calls if call.is_write and not call.is_refused)
        if content not in digests:
            run = f"hashed-{len(digests)}"
            await _played(rt, desk, world, run, calls)
            digests[content] = desk[run].world.digest()
        told.worlds += 1
        told.equal_worlds += digests[content] == one.digest


async def _played(rt: Runtime, desk: Desk, world: World, run: str, calls: Sequence[Call]) -> list[Outcome]:
    desk[run] = Conversation(world.copy())
    await rt.start("desk", run=run)
    async with rt.session(run) as session:
        return [await _performed(session, Proposal(call.name, call.args, f"c{n}")) for n, call in enumerate(calls)]


async def _performed(session: Session, proposal: Proposal) -> Outcome:
    """Perform a call; that the same was done before is asked about by the runtime itself, and confirmed."""
    while isinstance(outcome := await session.perform(proposal), Waiting):
        await outcome.question.approve(by="the recording")
    return outcome


def observed(outcome: Outcome) -> str:
    """Return an outcome as the recordings have it."""
    match outcome:
        case Done(result=result):
            return str(result)
        case Failed(error=error):
            return f"Error: {error.removeprefix('Refused: ')}"
        case other:
            return repr(other)
