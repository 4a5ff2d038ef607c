"""Threads for sync actions."""

import asyncio
import threading
import time

import pytest

from interlock.errors import OverloadedError
from interlock.runtime.pool import ThreadPool


async def test_work_is_done_by_no_more_threads_than_allowed():
    """At most `size` functions run at once, and all are run."""
    pool = ThreadPool(4)
    now, most, lock = 0, 0, threading.Lock()

    def work():
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        time.sleep(0.005)
        with lock:
            now -= 1
        return 1

    results = await asyncio.gather(*(pool.submit(work)[0] for _ in range(40)))
    assert sum(results) == 40
    assert most == 4
    pool.close()


async def test_a_late_thread_gets_a_substitute():
    """Functions that never return don't take the place of others; as many late as the pool is large, and it refuses."""
    pool = ThreadPool(2)
    gate = threading.Event()
    stuck = [pool.submit(gate.wait) for _ in range(2)]
    waiting, _ = pool.submit(lambda: "later")
    await asyncio.sleep(0.02)
    assert not waiting.done()
    assert [expire() for _, expire in stuck] == [True, True]
    assert await asyncio.wait_for(waiting, 2) == "later"
    assert pool.late == 2
    with pytest.raises(OverloadedError):
        pool.admit()
    gate.set()
    while pool.late:
        await asyncio.sleep(0.001)
    pool.admit()
    assert await pool.submit(lambda: "again")[0] == "again"
    pool.close()


async def test_what_has_not_begun_in_time_never_begins():
    """A job whose deadline passes in the queue is dropped."""
    pool = ThreadPool(1)
    gate = threading.Event()
    ran = []
    first, _ = pool.submit(gate.wait)
    _, expire = pool.submit(lambda: ran.append(1))
    assert expire() is False
    gate.set()
    await first
    assert await pool.submit(lambda: "next")[0] == "next"
    assert ran == []
    pool.close()


async def test_exceptions_come_back():
    """What a function raises is raised where it is awaited."""
    pool = ThreadPool(1)
    with pytest.raises(ZeroDivisionError):
        await pool.submit(lambda: 1 // 0)[0]
    pool.close()


async def test_a_stop_iteration_comes_back_as_what_a_future_takes():
    """A function that runs out of an iterator ends, like any other that raises."""
    pool = ThreadPool(1)
    with pytest.raises(RuntimeError, match="StopIteration"):
        await pool.submit(lambda: next(iter(())))[0]
    pool.close()
