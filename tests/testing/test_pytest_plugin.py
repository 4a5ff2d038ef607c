"""The fixtures that pytest finds by itself."""

import subprocess
import sys
from pathlib import Path

import payments
import pytest

from interlock import Proposal
from interlock.testing import FakeClock, assert_performed_once


async def test_a_runtime_on_the_fake_clock(interlock_runtime, fake_clock):
    """`interlock_runtime` makes runtimes that share the clock `fake_clock`."""
    async with interlock_runtime(payments.loop_agent(payments.SLOW), deps=payments.Bank()) as rt:
        assert rt.clock is fake_clock
        await rt.start("loop", run="r1")
        proposal = Proposal("pay_keyed", {"to": "ann", "amount": 1}, "p1")
        async with rt.session("r1") as session:
            waiting = await session.perform(proposal)
            assert waiting.until - fake_clock.now() == 600_000_000
            fake_clock.advance("10m")
            await session.perform(proposal)
        assert_performed_once(rt, "pay_keyed")


async def test_a_clock_of_its_own(interlock_runtime, fake_clock):
    """A runtime may have another clock."""
    other = FakeClock()
    async with interlock_runtime(payments.loop_agent(), clock=other) as rt:
        assert rt.clock is other


def test_nothing_is_imported_before_it_is_used():
    """A pytest that doesn't use the fixtures pays for the plugin's own few lines only."""
    script = (
        "import sys, interlock.testing.pytest_plugin;"
        "ours = [name for name in sys.modules if name.startswith('interlock')];"
        "print(sorted(ours)); print([name for name in ('pydantic', 'msgspec') if name in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    names, heavy = out.splitlines()
    assert names == "['interlock', 'interlock.testing', 'interlock.testing.pytest_plugin']"
    assert "pydantic" not in heavy
    assert "msgspec" not in heavy


def test_all_names():
    """Everything that the room exports is there, and nothing else."""
    from interlock import testing

    for name in testing.__all__:
        assert getattr(testing, name) is not None
    assert callable(testing.crash)
    assert callable(testing.runtime)
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = testing.nothing


def test_the_plugin_is_an_entry_point():
    """pytest finds the fixtures by the entry point `interlock`."""
    project = Path(__file__).parents[2] / "pyproject.toml"
    assert 'interlock = "interlock.testing.pytest_plugin"' in project.read_text()


def test_the_journal_s_verify_stays_a_function():
    """Using the assertions of this room does not turn `interlock.verify` into a module of that name."""
    script = (
        "from interlock.testing import assert_journal_verifies; from interlock import verify;"
        "from interlock.journal import verify as same; assert callable(verify) and verify is same"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
