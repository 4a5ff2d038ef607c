"""The testing kit: for authors of agents as for us, so that they meet the long tail before their users do.

In comes an agent, out comes a runtime in memory on a clock that the test moves (`runtime`, `FakeClock`), in
which things go wrong on purpose (`faults`, `crash_at`, `every_crash`); assertions show a run's timeline when
they fail. A recorded run becomes a test (`recorded`, `replay`); scenarios become a report (`Scenario`,
`run_scenarios`). Open `memory.py` first, then `crashes.py`; `life.py` says what a killed process is here.
pytest finds its fixtures by itself (`pytest_plugin.py`).
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from interlock.testing import faults
    from interlock.testing.asserts import (
        assert_denied,
        assert_done,
        assert_intact,
        assert_journal_verifies,
        assert_not_performed,
        assert_performed_once,
        assert_waiting,
        history_of,
    )
    from interlock.testing.clock import FakeClock
    from interlock.testing.crashes import Crashes, crash, every_crash
    from interlock.testing.memory import MemoryRuntime, approving, crash_at, denying, runtime
    from interlock.testing.recordings import Recording, Replay, recorded, replay
    from interlock.testing.scenarios import Report, Scenario, Step, run_scenarios
    from interlock.testing.timelines import timeline

_HOMES = {
    "asserts": (
        "assert_denied",
        "assert_done",
        "assert_intact",
        "assert_journal_verifies",
        "assert_not_performed",
        "assert_performed_once",
        "assert_waiting",
        "history_of",
    ),
    "clock": ("FakeClock",),
    "crashes": ("Crashes", "crash", "every_crash"),
    "recordings": ("Recording", "Replay", "recorded", "replay"),
    "memory": ("MemoryRuntime", "approving", "crash_at", "denying", "runtime"),
    "scenarios": ("Report", "Scenario", "Step", "run_scenarios"),
    "timelines": ("timeline",),
}

_MODULES = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "Crashes",
    "FakeClock",
    "MemoryRuntime",
    "Recording",
    "Replay",
    "Report",
    "Scenario",
    "Step",
    "approving",
    "assert_denied",
    "assert_done",
    "assert_intact",
    "assert_journal_verifies",
    "assert_not_performed",
    "assert_performed_once",
    "assert_waiting",
    "crash",
    "crash_at",
    "denying",
    "every_crash",
    "faults",
    "history_of",
    "recorded",
    "replay",
    "run_scenarios",
    "runtime",
    "timeline",
]


def __getattr__(name: str) -> Any:
    """Import what is asked for when it is: a pytest that doesn't use it pays nothing."""
    if name == "faults":
        return import_module("interlock.testing.faults")
    home = _MODULES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value
