"""The figures of all applications: how they are measured, printed and written."""

import asyncio
import os
import sys
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from benchmarks import _convention as convention
from benchmarks.adapters import FRAMEWORKS, PACKAGES, VARIANTS, injected, lines, ready
from benchmarks.adapters.app import App
from benchmarks.adapters.injected import Damage, Undone
from benchmarks.adapters.kills import Campaign, Figures, Setting
from benchmarks.adapters.ledger import Bank, open_bank
from benchmarks.crash.lives import Parent, System, parent

BEFORE, AFTER = 0.05, 0.3
"""Seconds from a payment's request to its booking, and from that to the bank's answer."""

AT_ONCE = 4
"""How many worlds live at a time: mostly they wait for the bank."""

MOST_LINES = 5
HEADERS = ("application", "lines", "kills", "unheard", "paid twice", "lost", "stuck", "asked", "undone")


@dataclass
class Found:
    """What one framework's two applications have shown; what could not be measured is a text that says why."""

    kills: dict[str, Figures]
    damage: dict[str, Damage]
    undone: Undone | None
    failed: list[str]

    @property
    def exact(self) -> bool:
        """Whether the undo brought back the very database, files and calendar."""
        return self.undone is not None and self.undone.hashes == self.damage["governed"].before


class Measuring:
    """Measures all applications beside each other, a few lives at a time."""

    def __init__(self, warm: Parent, bank: Bank, setting: Setting, scratch: Path) -> None:
        self._warm = warm
        self._bank = bank
        self._setting = setting
        self._scratch = scratch
        self._slots = asyncio.Semaphore(AT_ONCE)

    async def framework(self, name: str) -> Found:
        found = Found({}, {}, None, [])
        apps = [App(name, variant, self._warm, self._bank, self._scratch) for variant in VARIANTS]
        await asyncio.gather(*(self._application(found, app) for app in apps))
        convention.progress(f"{name}: killed enough, and its document undone")
        return found

    async def _application(self, found: Found, app: App) -> None:
        found.kills[app.variant] = await Campaign(app, self._setting, self._slots).run()
        async with self._slots:
            await self._document(found, app)

    async def _document(self, found: Found, app: App) -> None:
        home = self._scratch / f"{app.name}-note"
        try:
            found.damage[app.variant] = await injected.happen(app, home)
            if app.variant == "governed":
                found.undone = await injected.undo(app, home)
        except RuntimeError as error:
            found.failed.append(f"{app.name}, the document: {error}")


async def measure(frameworks: list[str], setting: Setting) -> dict[str, Found]:
    """Measure these frameworks."""
    convention.progress(f"killing {', '.join(frameworks)}, bare and governed")
    with convention.scratch() as scratch:
        async with open_bank(BEFORE, AFTER, scratch / "bank.jsonl") as bank, parent(_system()) as warm:
            measuring = Measuring(warm, bank, setting, scratch)
            found = await asyncio.gather(*(measuring.framework(name) for name in frameworks))
            return dict(zip(frameworks, found, strict=True))


def _system() -> System:
    return System("the applications", "benchmarks.adapters.warm", Path(sys.executable))


def setting() -> Setting:
    """Return how much is killed."""
    if convention.quick():
        return Setting(kills=8, tasks=2, patience=30)
    return Setting(kills=100, tasks=3, patience=60)


def rows(found: dict[str, Found]) -> list[list[object]]:
    """Return the table's rows: a line for each application."""
    return [[f"{name}, {variant}", *_cells(name, variant, one)] for name, one in found.items() for variant in VARIANTS]


def _cells(name: str, variant: str, one: Found) -> list[object]:
    kills, governed = one.kills[variant], variant == "governed"
    figures = [kills.kills, kills.unheard, kills.duplicates, kills.lost, kills.stuck]
    return [
        lines.changed(name) if governed else None,
        *figures,
        kills.asked if governed else None,
        _of_all(one.undone) if governed and one.undone else None,
    ]


def _of_all(undone: Undone) -> str:
    way_back = len(undone.plan) - len(undone.cannot)
    return f"{way_back - undone.left}/{len(undone.plan)}"


def notes(found: dict[str, Found]) -> list[str]:
    """Return what is not in the table."""
    said = [f"guard.py, which the governed applications share: {lines.guard()} lines"]
    for name, one in found.items():
        said.append(f"{name}: {_versions(name)}; {_undo(one)}")
        said += [f"  {text}" for text in one.failed]
        for variant, kills in one.kills.items():
            said += [f"  {variant}, {times} times: {problem}" for problem, times in kills.problems.items()]
    return said


def _versions(name: str) -> str:
    return ", ".join(f"{package} {version}" for package, version in versions(name).items())


def _undo(one: Found) -> str:
    if one.undone is None:
        return "no undo"
    left = ", ".join(call.partition("(")[0] for call in one.undone.cannot)
    return f"undone {'exactly' if one.exact else 'NOT exactly'}, but for {left or 'nothing'}"


def versions(name: str) -> dict[str, str]:
    """Return the versions of what a framework needs; of the plain functions, that of Interlock."""
    return {package: metadata.version(package) for package in PACKAGES[name] or ("interlock",)}


def results(found: dict[str, Found]) -> dict[str, Any]:
    """Return all figures under their agreed keys."""
    return {
        "guard_lines": lines.guard(),
        "bank": {"seconds_to_booking": BEFORE, "seconds_to_answer": AFTER},
        "newest": ready.newest(),
        "frameworks": {name: _framework(name, one) for name, one in found.items()},
    }


def _framework(name: str, one: Found) -> dict[str, Any]:
    bare, governed = (asdict(one.kills[variant]) for variant in VARIANTS)
    bare.pop("asked")
    return {
        "changed_lines": lines.changed(name),
        "guard_lines": lines.guard(),
        "versions": versions(name),
        "bare": bare,
        "governed": governed,
        "document": {name: asdict(damage) for name, damage in one.damage.items()},
        "undo_exact": one.exact,
        "not_undone": one.undone.cannot if one.undone else None,
        "failed": one.failed,
    }


def broken(found: dict[str, Found]) -> list[str]:
    """Return what is not as promised, a text for each framework where something is."""
    return [f"{name}: {', '.join(wrong)}" for name, one in found.items() if (wrong := list(_wrong(name, one)))]


def _wrong(name: str, one: Found) -> list[str]:
    governed = one.kills["governed"]
    wrong = {
        f"{lines.changed(name)} changed lines": lines.changed(name) > MOST_LINES,
        f"{governed.duplicates} paid twice": governed.duplicates > 0,
        f"{governed.lost} lost": governed.lost > 0,
        f"{governed.stuck} stuck": governed.stuck > 0,
        "the undo is not exact": not one.exact,
        "not all that the document asked for was done": not all(damage.complete for damage in one.damage.values()),
        "something failed": bool(one.failed),
    }
    return [text for text, is_so in wrong.items() if is_so]


def main() -> int:
    """Measure, print the table, write the results; 1 if something is not as promised, but with NEWEST=1 only say so."""
    wanted = [name for name in FRAMEWORKS if not sys.argv[1:] or name in sys.argv[1:]]
    os.environ["ADAPTERS_WARM"] = " ".join(wanted)
    found = asyncio.run(measure(wanted, setting()))
    print(convention.table(HEADERS, rows(found)))
    for line in notes(found):
        print(line)
    if wanted == list(FRAMEWORKS):
        convention.write_results("adapters-newest" if ready.newest() else "adapters", results(found))
    wrong = broken(found)
    for line in wrong:
        print(f"not as promised: {line}")
    return 1 if wrong and not ready.newest() else 0
