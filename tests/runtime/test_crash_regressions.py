"""What the crash and scale benchmarks found: who is woken when, and who writes after a resume."""

import asyncio
import logging

import pytest

from interlock import (
    Agent,
    Ctx,
    Done,
    Final,
    Finished,
    Flow,
    Machine,
    MemoryStore,
    Policy,
    Proposal,
    Runtime,
    State,
    action,
    permit,
)
from interlock.runtime import loops, runtime
from interlock.testing import FakeClock

LINES = []


@action.irreversible(idempotent=True)
async def write(ctx: Ctx[None], line: str) -> str:
    """Write a line."""
    LINES.append(line)
    return line


@pytest.fixture(autouse=True)
def fresh():
    LINES.clear()


class Sleepers:
    """Runs that sleep as long as their input says and then, where they are told to, stay at work."""

    def __init__(self, name="clerk", version=1):
        self.awake = []
        self.release = asyncio.Event()
        machine = Machine(State("sleep", self._run, to=["done"], version=version), Final("done"))
        self.agent = Agent(name, [write], policy=Policy(permit(write)), machine=machine)

    async def _run(self, flow: Flow):
        await flow.sleep(flow.input)
        self.awake.append(flow.run)
        if flow.run.startswith("busy"):
            await self.release.wait()
        await flow.perform("write", {"line": flow.run})


async def quiet():
    """Let everything happen that can happen without the time going on."""
    for _ in range(200):
        await asyncio.sleep(0)


class TestWaking:
    async def test_nobody_waits_for_a_run_that_is_at_work_after_its_sleep(self):
        """A run whose code is at work stays due on disk; the next is woken at its own time all the same."""
        clock, clerk = FakeClock(), Sleepers()
        async with Runtime(MemoryStore(), clerk.agent, clock=clock) as rt:
            await rt.start("clerk", "10s", run="busy")
            await rt.start("clerk", "10.01s", run="next")
            await rt.settled()
            clock.advance("10s")
            await quiet()
            assert clerk.awake == ["busy"]
            clock.advance("10ms")
            await quiet()
            assert clerk.awake == ["busy", "next"]
            clerk.release.set()
            assert isinstance(await rt.run("busy").result(), Finished)

    async def test_many_runs_at_work_leave_room_for_others(self, monkeypatch):
        """However many runs are at work after their sleep, one that is due after them is woken."""
        monkeypatch.setattr(loops, "PAGE", 3)
        clock, clerk = FakeClock(), Sleepers()
        async with Runtime(MemoryStore(), clerk.agent, clock=clock) as rt:
            for number in range(7):
                await rt.start("clerk", "10s", run=f"busy{number}")
            await rt.start("clerk", "11s", run="last")
            await rt.settled()
            clock.advance("12s")
            await quiet()
            assert clerk.awake[-1] == "last"
            clerk.release.set()

    async def test_runs_of_absent_agents_keep_nobody_from_waking(self, monkeypatch):
        """Runs that are due and that this process can't drive don't stand before those that it can."""
        monkeypatch.setattr(loops, "PAGE", 3)
        clock, store = FakeClock(), MemoryStore()
        other, clerk = Sleepers("other"), Sleepers()
        async with Runtime(store, other.agent, clerk.agent, clock=clock) as rt:
            for number in range(7):
                await rt.start("other", "10s", run=f"other{number}")
            await rt.start("clerk", "11s", run="mine")
            await rt.settled()
        store = store.fork()
        async with Runtime(store, clerk.agent, clock=clock) as rt:
            clock.advance("12s")
            await quiet()
            assert clerk.awake == ["mine"]

    async def test_a_run_of_other_code_is_left_alone_and_said_once(self, caplog):
        """A run that is due under another version of its code is looked at once, not again and again."""
        clock, store, old, new = FakeClock(), MemoryStore(), Sleepers(), Sleepers(version=2)
        async with Runtime(store, old.agent, clock=clock) as rt:
            await rt.start("clerk", "10s", run="old")
            await rt.settled()
        store = store.fork()
        with caplog.at_level(logging.WARNING, "interlock"):
            async with Runtime(store, new.agent, clock=clock) as rt:
                clock.advance("11s")
                for _ in range(20):
                    await quiet()
                    clock.advance("50ms")
        assert len([one for one in caplog.messages if "left alone" in one]) == 1


class SlowClaims(MemoryStore):
    """A store in which a claim takes its time."""

    def __init__(self):
        super().__init__()
        self.go_on = asyncio.Event()

    async def claim(self, run):
        await self.go_on.wait()
        return await super().claim(run)


class TestClaims:
    async def test_code_goes_on_before_its_claim_is_durable_and_effects_do_not(self):
        """A resumed run's code need not wait for the claim; what it wants to do waits until the claim stands."""
        clock, store, clerk = FakeClock(), SlowClaims(), Sleepers()
        async with Runtime(store, clerk.agent, clock=clock) as rt:
            await rt.start("clerk", "10s", run="a")
            await rt.settled()
        store = store.fork()
        async with Runtime(store, clerk.agent, clock=clock) as rt:
            clock.advance("10s")
            await quiet()
            assert clerk.awake == ["a"]
            assert LINES == []
            store.go_on.set()
            assert isinstance(await rt.run("a").result(), Finished)
        assert LINES == ["a"]

    async def test_a_run_is_not_let_go_before_its_claim_is_durable(self, monkeypatch):
        """Two claims of one process on one run come one after the other, and the second is the one that writes."""
        monkeypatch.setattr(runtime, "IDLE", 0)
        store, agent = SlowClaims(), Agent("desk", [write], policy=Policy(permit(write)))
        async with Runtime(store, agent) as rt:
            run = await rt.start("desk")
            first = asyncio.create_task(looked_at(rt, run.id))
            again = asyncio.create_task(written(rt, run.id))
            await quiet()
            store.go_on.set()
            await first
            assert await again == Done("b")
            assert await written(rt, run.id, "c") == Done("c")


async def looked_at(rt, run):
    async with rt.held(run):
        pass


async def written(rt, run, line="b"):
    async with rt.session(run) as session:
        return await session.perform(Proposal("write", {"line": line}))
