"""Driven runs: deterministic code in the states of a machine, memoised step by step."""

import asyncio

import pytest

from interlock import (
    Agent,
    Ctx,
    Denied,
    Final,
    Finished,
    Flow,
    Machine,
    MemoryStore,
    Policy,
    Runtime,
    State,
    Stopped,
    Turn,
    Waiting,
    action,
    gather,
    need,
    permit,
)

DONE = []


@action.irreversible(idempotent=True)
async def write(ctx: Ctx[None], line: str) -> str:
    """Write a line."""
    DONE.append(line)
    return line.upper()


@action.read
async def read(ctx: Ctx[None]) -> int:
    """Count the lines."""
    return len(DONE)


@pytest.fixture(autouse=True)
def fresh():
    DONE.clear()


def clerk(*states, policy=None, actions=(write, read)):
    return Agent(
        "clerk", actions, policy=policy or Policy(permit([one.name for one in actions])), machine=Machine(*states)
    )


class TestStates:
    async def test_a_run_goes_through_its_states_to_its_output(self):
        """Each state's code runs and says which comes next; the last leaves the output."""

        async def first(flow: Flow):
            await flow.record(Turn("m", response="go"))
            result = await flow.perform("write", {"line": flow.input["line"]})
            return "second" if result.result == "A" else "first"

        async def second(flow: Flow):
            flow.output = (await flow.perform("read")).result

        agent = clerk(
            State("first", first, to=["first", "second"]), State("second", second, to=["done"]), Final("done")
        )
        async with Runtime(MemoryStore(), agent) as rt:
            run = await rt.start("clerk", {"line": "a"})
            assert await run.result() == Finished(1)
            names = [type(one.event).__name__ for one in await run.history()]
        assert names == [
            "RunStarted",
            "Entered",
            "TurnRecorded",
            "Intended",
            "Done",
            "Entered",
            "Done",
            "Entered",
            "RunEnded",
        ]

    async def test_a_state_offers_only_its_actions(self):
        """What the state does not offer is denied with what it offers."""

        async def look(flow: Flow):
            denied = await flow.perform("write", {"line": "x"})
            assert isinstance(denied, Denied)
            flow.output = denied.reasons[0]

        async with Runtime(MemoryStore(), clerk(State("look", look, offers=[read], to=["done"]), Final("done"))) as rt:
            assert await (await rt.start("clerk")).result() == Finished("state 'look' does not offer 'write'")
        assert DONE == []

    async def test_code_that_raises_fails_its_run_only(self):
        """An exception of the author's code ends the run as failed and says what it was."""

        async def bad(flow: Flow):
            raise ZeroDivisionError("oops")

        async with Runtime(MemoryStore(), clerk(State("bad", bad, to=["done"]), Final("done"))) as rt:
            assert await (await rt.start("clerk")).result() == Stopped("failed", "ZeroDivisionError: oops")

    async def test_code_that_names_no_next_state_fails(self):
        """A state that leaves open where to go on is told what it must return."""

        async def lost(flow: Flow):
            return None

        states = (State("lost", lost, to=["done", "lost"]), Final("done"))
        async with Runtime(MemoryStore(), clerk(*states)) as rt:
            result = await (await rt.start("clerk")).result()
        assert "must return one of done, lost" in result.reason


class TestWaiting:
    async def test_a_run_that_waits_costs_no_memory_and_goes_on_when_it_is_answered(self):
        """While people decide the run is not in memory; after the answer its code finds what it did before."""
        runs = []

        async def work(flow: Flow):
            runs.append(1)
            await flow.perform("write", {"line": "a"})
            await flow.perform("write", {"line": "b"}, key="second")
            flow.output = "ok"

        policy = Policy(permit(write), need.approval("boss", write, when=lambda case: case.args["line"] == "b"))
        agent = clerk(State("work", work, to=["done"]), Final("done"), policy=policy, actions=(write,))
        async with Runtime(MemoryStore(), agent) as rt:
            run = await rt.start("clerk")
            waiting = await run.result()
            assert isinstance(waiting, Waiting)
            await rt.settled()
            assert "0 runs held" in repr(rt)
            await waiting.question.approve(by="ana")
            await rt.settled()
            assert await run.result() == Finished("ok")
        assert DONE == ["a", "b"]
        assert len(runs) == 2

    async def test_a_denied_run_hears_of_it(self):
        """A no is an outcome like any other."""

        async def work(flow: Flow):
            flow.output = type(await flow.perform("write", {"line": "b"})).__name__

        policy = Policy(permit(write), need.approval("boss", write))
        agent = clerk(State("work", work, to=["done"]), Final("done"), policy=policy, actions=(write,))
        async with Runtime(MemoryStore(), agent) as rt:
            run = await rt.start("clerk")
            await (await run.result()).question.deny(by="ana")
            await rt.settled()
            assert await run.result() == Finished("Denied")

    async def test_sleep_is_durable(self):
        """A sleeping run is woken in time, by this process or the next."""

        async def nap(flow: Flow):
            await flow.sleep("80ms")
            await flow.perform("write", {"line": "awake"})

        agent = clerk(State("nap", nap, to=["done"]), Final("done"))
        store = MemoryStore()
        async with Runtime(store, agent) as rt:
            run = await rt.start("clerk")
            await rt.settled()
            assert await run.status() == "sleeping"
        assert DONE == []
        async with Runtime(store.fork(), agent) as rt:
            assert await asyncio.wait_for(rt.run(run.id).result(), 5) == Finished(None)
        assert DONE == ["awake"]

    async def test_steps_at_once(self):
        """Several steps may be performed at once; each is found again under its own number."""

        async def fan(flow: Flow):
            outcomes = await gather(*(flow.perform("write", {"line": str(n)}) for n in range(5)))
            flow.output = [one.result for one in outcomes]

        async with Runtime(MemoryStore(), clerk(State("fan", fan, to=["done"]), Final("done"))) as rt:
            assert await (await rt.start("clerk")).result() == Finished(["0", "1", "2", "3", "4"])


class TestDeterminism:
    async def test_code_that_asks_for_something_else_parks_the_run(self):
        """A step that differs from what was recorded under its number parks the run, and says so."""
        lines = iter(["first", "other"])

        async def fickle(flow: Flow):
            await flow.perform("write", {"line": next(lines)})
            await flow.sleep("10ms")

        async with Runtime(MemoryStore(), clerk(State("fickle", fickle, to=["done"]), Final("done"))) as rt:
            run = await rt.start("clerk")
            result = await asyncio.wait_for(run.result(), 5)
        assert isinstance(result, Stopped)
        assert result.status == "parked"
        assert "no longer does what it did" in result.reason
        assert DONE == ["first"]

    async def test_a_parked_run_goes_on_when_somebody_lets_it(self):
        """Once the code does again what it did, `unpark` lets the run go on; nothing is done twice."""
        lines = iter(["first", "other", "first"])

        async def mended(flow: Flow):
            await flow.perform("write", {"line": next(lines)})
            await flow.sleep("10ms")
            flow.output = "went on"

        async with Runtime(MemoryStore(), clerk(State("mended", mended, to=["done"]), Final("done"))) as rt:
            run = await rt.start("clerk")
            assert (await asyncio.wait_for(run.result(), 5)).status == "parked"
            await run.unpark(by="ana")
            await rt.settled()
            assert await asyncio.wait_for(run.result(), 5) == Finished("went on")
        assert DONE == ["first"]

    async def test_another_version_of_the_code_leaves_the_run_alone(self):
        """A process that has another version of a state's code does not drive a run that is inside it."""

        async def wait(flow: Flow):
            await flow.sleep("30ms")
            flow.output = "one"

        store = MemoryStore()
        async with Runtime(store, clerk(State("wait", wait, to=["done"], version=1), Final("done"))) as rt:
            run = await rt.start("clerk")
            await rt.settled()
        store = store.fork()
        async with Runtime(store, clerk(State("wait", wait, to=["done"], version=2), Final("done"))) as rt:
            await asyncio.sleep(0.1)
            assert await rt.run(run.id).status() in ("sleeping", "running")
        async with Runtime(store.fork(), clerk(State("wait", wait, to=["done"], version=1), Final("done"))) as rt:
            assert await asyncio.wait_for(rt.run(run.id).result(), 5) == Finished("one")

    async def test_cancel_reaches_code_that_is_at_work(self):
        """A cancel is taken in while the code runs: its next step is denied, and the run ends as cancelled."""
        gate = asyncio.Event()

        async def work(flow: Flow):
            await gate.wait()
            outcome = await flow.perform("write", {"line": "x"})
            assert isinstance(outcome, Denied)
            await flow.sleep("1h")

        async with Runtime(MemoryStore(), clerk(State("work", work, to=["done"]), Final("done"))) as rt:
            run = await rt.start("clerk")
            await asyncio.sleep(0.02)
            await run.cancel(by="ana")
            await asyncio.sleep(0.02)
            gate.set()
            result = await asyncio.wait_for(run.result(), 5)
        assert result.status == "cancelled"
        assert DONE == []


class TestMany:
    async def test_more_runs_than_may_be_held_wait_their_turn(self):
        """With room for four, two hundred runs all come to their end."""

        async def work(flow: Flow):
            await flow.perform("write", {"line": flow.input})

        agent = clerk(State("work", work, to=["done"]), Final("done"))
        async with Runtime(MemoryStore(), agent, max_runs=4) as rt:
            runs = [await rt.start("clerk", str(n)) for n in range(200)]
            results = await asyncio.wait_for(asyncio.gather(*(run.result() for run in runs)), 30)
        assert set(results) == {Finished(None)}
        assert sorted(DONE, key=int) == [str(n) for n in range(200)]
