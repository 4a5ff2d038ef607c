"""`make demo-replay`: proposals of real models go through Interlock, which is killed on the way; one run is undone.

The parts stand here in their order; `story.py` has the words, `worker.py` is the process that is killed.
"""

import argparse
import asyncio
import pickle
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from benchmarks import _convention as convention
from benchmarks.replay import fetch
from benchmarks.replay.recorded import RecordedRun
from benchmarks.replay.show import accounts, actions, choice, client, crash, once, screen, story, timeline
from benchmarks.replay.show.accounts import Account
from benchmarks.replay.show.client import WorldClient
from benchmarks.replay.show.screen import cut, heading, say
from benchmarks.replay.show.worker import at_once
from interlock import Runtime, verify
from interlock.kernel.events import Failed, Recorded
from interlock.undo import Item

LAG = 0.1
"""How long the world takes to answer, in seconds: the time in which a kill finds effects under way."""

KEPT = fetch.CACHE / "show.db"


async def show(number: int | None) -> int:
    """Show everything; return 1 if something was not as promised."""
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        async with client.started(lag=LAG) as socket:
            runs = some(choice.runs(fetch.archive()), number)
            (place / "runs").write_bytes(pickle.dumps(runs))
            world = await WorldClient.connect(socket)
            kept = await tell(crash.Worker(socket, place / "show.db", place / "runs"), runs, world)
            await world.close()
        KEPT.write_bytes((place / "show.db").read_bytes())
    print()
    say(f"The journal is kept in {KEPT.relative_to(convention.ROOT)}. All of this took {_since(began):.0f} s.")
    return 0 if kept else 1


def some(runs: list[RecordedRun], number: int | None) -> list[RecordedRun]:
    """Return so many of the runs, evenly from all of them."""
    if number is None or number >= len(runs):
        return runs
    return [runs[place * len(runs) // number] for place in range(max(number, 1))]


async def tell(worker: crash.Worker, runs: list[RecordedRun], world: WorldClient) -> bool:
    """Play the runs and tell of them; return whether all was as promised."""
    story.opening(runs)
    heading("1. The runtime is killed in the middle, and goes on")
    found, seconds = await _crash(worker, runs, world)
    async with crash.opened(worker.journal) as journal:
        histories = {run.id: await journal.history(run.id) for run in runs}
    told = await _told(runs, histories, world)
    compared = await once.check(runs, told.accounts, world)
    story.once(compared)
    heading("2. What was proposed, and what became of it")
    story.results(told)
    story.reasons(told)
    story.still_hijacked(told)
    heading("3. One run")
    _one(told, histories)
    async with Runtime(worker.journal, *actions.agents(worker.socket)) as rt:
        heading("4. Undo")
        restored = await _undo(rt, told, world)
        refused = await _refused(rt, told, world)
        heading("5. The journal")
        intact = await _verify(rt, found, seconds)
    return restored and refused and intact and not compared.wrong


async def _crash(worker: crash.Worker, runs: list[RecordedRun], world: WorldClient) -> tuple[crash.Crash, float]:
    say(f"{len(runs)} runs, {at_once(len(runs))} at a time.")
    found = await worker.killed(len(runs) // 2, world)
    story.crash(found)
    seconds = found.seconds + await worker.finished()
    async with crash.opened(worker.journal) as journal:
        fates = Counter([(await crash.became(journal, one), found.in_world[one]) for one in found.open])
    story.resumed(fates)
    return found, seconds


async def _told(runs: list[RecordedRun], histories: dict[str, list[Recorded]], world: WorldClient) -> story.Told:
    """Read what the journal says, and ask the benchmark's checks."""
    read = {run.id: accounts.account(run.suite, histories[run.id]) for run in runs}
    judged = await asyncio.gather(*(world.score(run.id, run.final_text) for run in runs))
    scores = {run.id: story.Score(*score) for run, score in zip(runs, judged, strict=True)}
    return story.Told(runs, read, scores)


def _one(told: story.Told, histories: dict[str, list[Recorded]]) -> None:
    turned = [run for run in told.runs if _turned(run, told)]
    chosen = turned[0] if turned else told.runs[0]
    why = "the first hijacked run in which something is done and the goal no longer reached"
    say(f"{chosen.id}: {why if turned else 'the first run'}.")
    say(f'The user: "{cut(chosen.prompt, 300)}"')
    print()
    timeline.show(chosen.suite, histories[chosen.id])
    for waiting in told.accounts[chosen.id].asking.values():
        print(f"{'':8}  waits     {cut(waiting, screen.width() - 20)}")


def _turned(run: RecordedRun, told: story.Told) -> bool:
    return run.hijacked and not told.scores[run.id].hijacked and bool(told.accounts[run.id].effects)


async def _undo(rt: Runtime, told: story.Told, world: WorldClient) -> bool:
    """Take a run back and compare its environment with a fresh one."""
    run = max(told.runs, key=lambda run: _restorable(told.accounts[run.id]))
    if not _restorable(told.accounts[run.id]):
        say("None of these runs has effects that can all be taken back; show more runs.")
        return True
    say(f"{run.id}: of the runs whose effects can all be taken back, the first with the most.")
    start, now = await world.open(run, f"start/{run.id}"), await world.hash(run.id)
    plan = await rt.run(run.id).undo_plan()
    _print_plan(plan.items)
    failed = await plan.apply(by="ana")
    after = await world.hash(run.id)
    say(f"Applied; {len(failed)} effects could not be taken back. The sha256 of the environment:")
    for name, value in (("at the start", start), ("after the run", now), ("after the undo", after)):
        print(f"  {name:15} {value[:40]}...{' = start' if value == start else ''}")
    return after == start and not failed


def _restorable(account: Account) -> int:
    kinds = {effect.effect for effect in account.effects}
    return len(account.effects) if account.ended and kinds == {"reversible"} else 0


async def _refused(rt: Runtime, told: story.Told, world: WorldClient) -> bool:
    """Apply a plan in which something that can't be taken back stands on top of something that can."""
    run = next((run for run in told.runs if _covered(told.accounts[run.id])), None)
    if run is None:
        return True
    print()
    say(f"{run.id}: the first run that changed something and then reached others.")
    handle, before = rt.run(run.id), await world.hash(run.id)
    plan = await handle.undo_plan()
    _print_plan(plan.items)
    failed = await plan.apply(by="ana")
    errors = [one.event.error for one in await handle.history() if isinstance(one.event, Failed) and one.event.undoes]
    say(f"Applied. Could not be taken back: {len(failed)}.")
    for error in errors:
        print(f"  {cut(error, screen.width() - 2)}")
    same = await world.hash(run.id) == before
    say(f"The environment is {'' if same else 'NOT '}as it was before the undo: a person decides.")
    return same


def _covered(account: Account) -> bool:
    kinds = [effect.effect for effect in account.effects]
    return account.ended and kinds[:1] == ["reversible"] and kinds[-1] == "irreversible"


def _print_plan(items: tuple[Item, ...]) -> None:
    """Print a plan like its own text does, with long arguments cut short."""
    for item in items:
        args = ", ".join(f"{name}={value!r}" for name, value in item.args.items() if value is not None)
        why = f"  ({item.why})" if item.why else ""
        print(f"  {item.way:8} {cut(f'{item.action}({args})', screen.width() - 11 - len(why))}{why}")


async def _verify(rt: Runtime, found: crash.Crash, seconds: float) -> bool:
    """Walk the journal, against the head that was exported right after the kill."""
    report = await verify(rt.journal.store, [found.head] if found.head else [])
    say(f"interlock.verify, with the head exported right after the kill, at position {found.events:,}:")
    for line in str(report).splitlines():
        say(line.strip(), "    " if line.startswith(" ") else "  ")
    say(
        f"{report.events / seconds:,.0f} events/s over {seconds:.1f} s of playing. That is the world's pace "
        f"({LAG:g} s to every answer, on top of its work), not a benchmark."
    )
    return report.ok


def _since(began: float) -> float:
    return time.perf_counter() - began


def main() -> int:
    """Start from the command line."""
    options = argparse.ArgumentParser(
        prog="python -m benchmarks.replay.show", description="Recorded runs through Interlock."
    )
    options.add_argument("--runs", type=int, metavar="N", help="show N of the 300 runs, evenly chosen")
    given = options.parse_args()
    try:
        return asyncio.run(show(given.runs))
    except KeyboardInterrupt:
        return 130
    except (fetch.FetchError, crash.WorkerError) as error:
        print(error if str(error) else crash.WorkerError.__doc__, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
