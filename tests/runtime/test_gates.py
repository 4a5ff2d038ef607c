"""Locks by name."""

import asyncio

from interlock.runtime.gates import Gates


async def test_nothing_is_kept_for_a_name_that_nobody_is_at():
    """A gate goes with the last one who uses it, also when they leave by an exception or are cancelled."""
    gates, inside = Gates(), []

    async def pass_through(name, how):
        async with gates.one_at_a_time(name):
            inside.append(name)
            assert inside.count(name) == 1
            await asyncio.sleep(0)
            inside.remove(name)
            if how:
                raise how

    tasks = [asyncio.create_task(pass_through("ab"[n % 2], ValueError() if n % 3 else None)) for n in range(30)]
    await asyncio.sleep(0)
    tasks[7].cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert gates._gates == {}
