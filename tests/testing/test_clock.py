"""A fake clock stands still until it is moved, and then wakes what waits in the order of its moments."""

import asyncio
import threading
import time

import pytest

from interlock.runtime.clock import SystemClock, within
from interlock.testing import FakeClock


async def sleeper(clock, seconds, log):
    await clock.sleep(seconds)
    log.append((seconds, clock.now()))


class TestAdvance:
    async def test_it_stands_still(self):
        """Without being moved, the clock shows the same time for ever and wakes nobody."""
        clock, log = FakeClock(), []
        task = asyncio.create_task(sleeper(clock, 1, log))
        before = clock.now()
        await asyncio.sleep(0.01)
        assert (clock.now(), log) == (before, [])
        task.cancel()

    async def test_it_leaps(self):
        """`advance` moves at once; who waited for less wakes in the order of the moments, at the new time."""
        clock, log = FakeClock(), []
        tasks = [asyncio.create_task(sleeper(clock, seconds, log)) for seconds in (30, 10, 20, 90)]
        await asyncio.sleep(0)
        clock.advance("1m")
        await asyncio.wait(tasks[:3])
        assert [seconds for seconds, _ in log] == [10, 20, 30]
        assert {at for _, at in log} == {clock.now()}
        tasks[3].cancel()

    async def test_a_cancelled_sleeper_is_not_counted(self):
        """Who stops waiting leaves nothing behind; the clock's repr says how many still wait."""
        clock = FakeClock()
        task = asyncio.create_task(clock.sleep(5))
        await asyncio.sleep(0)
        assert repr(clock) == "<FakeClock 2026-01-01 09:00:00.000+00:00 [1 waiting]>"
        task.cancel()
        await asyncio.wait([task])
        assert "[0 waiting]" in repr(clock)


class TestElapse:
    async def test_each_moment_is_lived(self):
        """`elapse` stops at each moment awaited, also at those that only come up on the way."""
        clock, log = FakeClock(), []

        async def ticking():
            for _ in range(3):
                await clock.sleep(10)
                log.append(clock.now())

        begin = clock.now()
        task = asyncio.create_task(ticking())
        await clock.elapse("25s")
        assert [at - begin for at in log] == [10_000_000, 20_000_000]
        assert clock.now() - begin == 25_000_000
        await clock.elapse("5s")
        assert task.done()


class TestRun:
    async def test_time_jumps_when_everything_waits(self):
        """`run` takes no real time for waiting, and leaves the clock where the work ended."""
        clock = FakeClock()

        async def work():
            await clock.sleep(3600)
            return "done"

        begin, real = clock.now(), time.monotonic()
        assert await clock.run(work()) == "done"
        assert clock.now() - begin == 3_600_000_000
        assert time.monotonic() - real < 1

    async def test_nested(self):
        """Within `run`, work may itself `elapse` or `run`; the innermost moves the time."""
        clock = FakeClock()

        async def work():
            await clock.elapse("10s")
            return await clock.run(asyncio.sleep(0, "inner"))

        assert await clock.run(work()) == "inner"

    async def test_what_never_ends_is_told(self):
        """Work that waits for something that no time brings fails, and says how long it was given."""
        clock = FakeClock()
        with pytest.raises(AssertionError, match="after 1h of the fake clock's time this is not done"):
            await clock.run(asyncio.Event().wait(), at_most="1h")

    async def test_errors_come_through(self):
        """What the work raises is raised."""
        clock = FakeClock()

        async def work():
            raise ValueError("no")

        with pytest.raises(ValueError, match="no"):
            await clock.run(work())

    async def test_held_while_a_thread_works(self):
        """While something holds the clock, time doesn't jump over it."""
        clock = FakeClock()
        done = asyncio.Event()
        loop = asyncio.get_running_loop()
        release = clock.held()

        def work():
            time.sleep(0.05)
            loop.call_soon_threadsafe(done.set)
            release()

        async def both():
            waiting = asyncio.ensure_future(done.wait())
            return await within(clock, waiting, 30)

        threading.Thread(target=work).start()
        begin = clock.now()
        assert await clock.run(both())
        assert clock.now() == begin


class TestWithin:
    @pytest.mark.parametrize("make", [FakeClock, SystemClock])
    async def test_the_future_is_sooner(self, make):
        """A future that is done in time is reported as done, on any clock."""
        future = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_soon(future.set_result, 1)
        assert await within(make(), future, 60)

    async def test_the_clock_is_sooner(self):
        """When the time is up first, that is said, and the future is left alone."""
        future = asyncio.get_running_loop().create_future()
        assert not await within(SystemClock(), future, 0.001)
        assert not future.done()
