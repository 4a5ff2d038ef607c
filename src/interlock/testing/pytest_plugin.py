"""Fixtures for pytest, found by it through the entry point `interlock`; only pytest imports this module."""

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from interlock.agents import Agent
    from interlock.testing import FakeClock, MemoryRuntime


@pytest.fixture
def fake_clock() -> "FakeClock":
    """Return a clock that stands still until the test moves it; `interlock_runtime` uses the same one."""
    from interlock.testing import FakeClock  # noqa: PLC0415 - only who uses the fixture pays for the import

    return FakeClock()


@pytest.fixture
def interlock_runtime(fake_clock: "FakeClock") -> "Iterator[Callable[..., MemoryRuntime]]":
    """Return what makes runtimes in memory, for `async with`; it takes what `testing.runtime` takes.

    When the test is over, the journal of each must verify.
    """
    from interlock.testing import assert_journal_verifies, runtime  # noqa: PLC0415 - as above

    made: list[MemoryRuntime] = []

    def make(*agents: "Agent", **options: Any) -> "MemoryRuntime":
        options.setdefault("clock", fake_clock)
        made.append(runtime(*agents, **options))
        return made[-1]

    yield make
    for one in made:
        assert_journal_verifies(one)
