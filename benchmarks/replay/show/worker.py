"""The runtime's process, which is killed and starts again: plays recorded runs through sessions.

It knows nothing of a crash. Started again, it does the same from the beginning, and the journal answers what
is over already: `python -m benchmarks.replay.show.worker SOCKET JOURNAL RUNS`.
"""

import argparse
import asyncio
import pickle
from pathlib import Path
from typing import Any

from benchmarks.replay.recorded import RecordedCall, RecordedRun
from benchmarks.replay.recorded import Turn as RecordedTurn
from benchmarks.replay.show import actions
from benchmarks.replay.show.client import WorldClient
from interlock import Outcome, Proposal, Run, Runtime, Session, Turn, Unknown, Waiting

MOST_AT_ONCE = 64
"""The most runs that are played at the same time."""

ANSWER_PAUSE = 0.02
"""How long to wait for an answer to reach its run, in seconds."""


def at_once(runs: int) -> int:
    """Return how many of so many runs are played at once: few enough that a kill finds some unplayed."""
    return max(1, min(MOST_AT_ONCE, runs // 5))


async def work(socket: Path, journal: Path, runs: list[RecordedRun]) -> None:
    """Play every run, many at once, and say on standard output when one has been played."""
    gate = asyncio.Semaphore(at_once(len(runs)))
    world = await WorldClient.connect(socket)

    async def one(run: RecordedRun) -> None:
        async with gate:
            await world.open(run)
            await play(rt, run)
            print(run.id, flush=True)

    async with Runtime(journal, *actions.agents(socket)) as rt:
        print("running", flush=True)
        async with asyncio.TaskGroup() as playing:
            for run in runs:
                playing.create_task(one(run))
    await world.close()


async def play(rt: Runtime, run: RecordedRun) -> None:
    """Record each turn of the model and propose each of its calls; end the run unless it waits for people."""
    started = await _started(rt, run)
    if await started.status() == "done":
        return
    async with rt.session(run.id) as session:
        new: list[Any] = [{"role": "system", "content": run.system}, {"role": "user", "content": run.prompt}]
        open_calls = 0
        for number, turn in enumerate(run.turns, 1):
            await session.record(_turn(run, number, turn, new))
            outcomes = [await propose(session, call) for call in turn.calls]
            open_calls += sum(isinstance(outcome, (Waiting, Unknown)) for outcome in outcomes)
            new = [_told(call) for call in turn.calls]
        if not open_calls:
            await session.finish(run.final_text)


async def _started(rt: Runtime, run: RecordedRun) -> Run:
    return await rt.start(
        run.suite,
        {"task": run.user_task, "planted": run.injection_task},
        run=run.id,
        user={"id": "user", "typed": run.prompt},
    )


async def propose(session: Session, call: RecordedCall) -> Outcome:
    """Take a proposal down the path of an action; the scripted user says yes to every confirmation."""
    proposal = Proposal(call.function, call.args, call.key)
    outcome = await session.perform(proposal)
    for question in _confirmations(outcome):
        await question.approve(by="user", note="scripted: this user confirms everything")
    while _confirmations(outcome):
        await asyncio.sleep(ANSWER_PAUSE)
        outcome = await session.perform(proposal)
    return outcome


def _confirmations(outcome: Outcome) -> list[Any]:
    questions = outcome.questions if isinstance(outcome, Waiting) else ()
    return [question for question in questions if question.kind == "confirmation"]


def _turn(run: RecordedRun, number: int, turn: RecordedTurn, new: list[Any]) -> Turn:
    calls = [{"key": call.key, "function": call.function, "args": call.args} for call in turn.calls]
    return Turn(run.model, new, {"content": turn.content, "calls": calls}, key=f"turn {number}")


def _told(call: RecordedCall) -> dict[str, Any]:
    """Return what the model was shown at the time, which its next turn answers."""
    return {"role": "tool", "key": call.key, "content": call.output, "error": call.error}


def main() -> None:
    """Start from the command line."""
    options = argparse.ArgumentParser(description=__doc__)
    for name in ("socket", "journal", "runs"):
        options.add_argument(name, type=Path)
    given = options.parse_args()
    asyncio.run(work(given.socket, given.journal, pickle.loads(given.runs.read_bytes())))


if __name__ == "__main__":
    main()
