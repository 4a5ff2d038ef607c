"""Tells the story of one framework in full and of the others in a line each."""

import argparse
import asyncio
import os
import sys
import time
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from benchmarks import _convention as convention
from benchmarks.adapters import FRAMEWORKS, PACKAGES, VARIANTS, injected, lines
from benchmarks.adapters.app import App
from benchmarks.adapters.injected import Damage, Undone
from benchmarks.adapters.ledger import Bank, open_bank
from benchmarks.adapters.versus import once, page
from benchmarks.adapters.versus.once import Killed
from benchmarks.crash.lives import Parent, System, parent

BEFORE, AFTER = 0.05, 0.5
"""Seconds from a payment's request to its booking, and from that to the bank's answer: time for a kill in between."""

TITLES = {
    "functions": "Plain functions",
    "pydantic_ai": "Pydantic AI",
    "langgraph": "LangGraph",
    "openai_agents": "OpenAI Agents SDK",
}
FIRST = "langgraph"
"""Whose story is told in full where nobody asks for another."""


@dataclass(frozen=True)
class Side:
    """What happened to one application."""

    killed: Killed
    damage: Damage
    undone: Undone | None

    @property
    def as_before(self) -> bool:
        """Whether the undo brought back the very database, files and calendar."""
        return self.undone is not None and self.undone.hashes == self.damage.before


@dataclass(frozen=True)
class Both:
    """One framework's story."""

    framework: str
    bare: Side
    governed: Side

    @property
    def kept(self) -> bool:
        """Whether the governed side is as promised."""
        return len(self.governed.killed.book) == 1 and self.governed.as_before


async def happen(app: App) -> Side:
    """Kill an application while it pays, then give it the document; undo where there is an undo."""
    killed = await once.killed(app)
    home = app.scratch / f"{app.name}-note"
    damage = await injected.happen(app, home)
    return Side(killed, damage, await injected.undo(app, home) if app.variant == "governed" else None)


def title(framework: str) -> str:
    """Return a framework's name and version."""
    versions = [metadata.version(package) for package in PACKAGES[framework][:1]]
    return " ".join([TITLES[framework], *versions])


def full(both: Both) -> None:
    """Tell a framework's story."""
    page.heading(title(both.framework))
    page.say(
        f"The same application, bare and governed: {lines.changed(both.framework)} lines differ. What the tools do and "
        f"how they are undone stands in guard.py, {lines.guard()} lines for all four frameworks."
    )
    page.diff(lines.diff(both.framework))
    page.part("1. kill -9 between the bank's booking and its answer")
    page.columns(_payment(both.bare.killed), _payment(both.governed.killed))
    page.part("2. A document to summarise, which tells the model what else to do")
    page.say(
        "The scripted model does all of it. The policy lets it through, because where a value came from is not judged "
        "yet: this shows what can be taken back, not what is prevented."
    )
    page.say("")
    page.effects(both.governed.undone, both.bare.damage)
    page.say("")
    page.hashes(both.bare.damage, both.governed.undone)
    page.say("")
    page.say(_ending(both))


def _payment(killed: Killed) -> list[page.Line]:
    twice = len(killed.book) > 1
    return [
        page.Line(f"after {killed.booked_after:.2f} s the bank has booked {once.AMOUNT} EUR for order 17; kill -9"),
        page.Line("started again, the same run"),
        *(page.Line(f"journal: {text}") for text in killed.journal),
        page.Line(f'it says: "{killed.says}"'),
        *(page.Line(f"bank's book: {text}", "bad" if twice else "good") for text in _book(killed)),
    ]


def _book(killed: Killed) -> list[str]:
    return [f"{once.AMOUNT} EUR, receipt {number}" for number, _ in enumerate(killed.book, 1)]


def _ending(both: Both) -> str:
    governed = both.governed
    assert governed.undone is not None
    exact = "exactly as before" if governed.as_before else "NOT as before"
    left = ", ".join(call.partition("(")[0] for call in governed.undone.cannot)
    return (
        f"One undo, in a process of its own: database, files and calendar are {exact}. "
        f"Not undone, as its plan said beforehand: {left}."
    )


def summary(stories: list[Both]) -> None:
    """Tell several stories in a line each."""
    page.part("The same on the others")
    page.table(
        ("", "lines", "paid, bare", "governed", "undone, governed"),
        [
            [
                title(both.framework),
                str(lines.changed(both.framework)),
                _times(both.bare.killed),
                _times(both.governed.killed),
                _undone(both.governed),
            ]
            for both in stories
        ],
    )


def _times(killed: Killed) -> page.Line:
    times = len(killed.book)
    return page.Line({0: "never", 1: "once", 2: "twice"}.get(times, f"{times} times"), "good" if times == 1 else "bad")


def _undone(side: Side) -> page.Line:
    assert side.undone is not None
    back = len(side.undone.plan) - len(side.undone.cannot) - side.undone.left
    words = f"{back}/{len(side.undone.plan)} {'exactly' if side.as_before else 'NOT exactly'}"
    return page.Line(words, "good" if side.as_before else "bad")


class Telling:
    """Has stories happen, and tells them."""

    def __init__(self, warm: Parent, bank: Bank, scratch: Path) -> None:
        self._warm = warm
        self._bank = bank
        self._scratch = scratch
        self.kept = True
        """Whether all was as promised so far."""

    async def happen(self, framework: str) -> Both | None:
        """Have a framework's story happen; None where an application did not come to its end, which is said."""
        apps = [App(framework, variant, self._warm, self._bank, self._scratch) for variant in VARIANTS]
        try:
            both = Both(framework, *(await asyncio.gather(*(happen(app) for app in apps))))
        except RuntimeError as error:
            page.say(f"{title(framework)}: {error}")
            self.kept = False
            return None
        self.kept = self.kept and both.kept
        return both


async def tell(told: list[str], listed: list[str]) -> bool:
    """Tell these frameworks' stories in full and list those; return whether all was as promised."""
    began = time.monotonic()
    convention.progress("importing the frameworks, once")
    system = System("the applications", "benchmarks.adapters.warm", Path(sys.executable))
    with convention.scratch() as scratch:
        async with open_bank(BEFORE, AFTER, scratch / "bank.jsonl") as bank, parent(system) as warm:
            telling = Telling(warm, bank, scratch)
            for name in told:
                if both := await telling.happen(name):
                    full(both)
            others = [both for name in listed if (both := await telling.happen(name))]
    if others:
        summary(others)
    page.say("")
    page.say(f"All of this took {time.monotonic() - began:.0f} s. Many kills, at random instants: make bench-adapters")
    return telling.kept


def main() -> int:
    """Start from the command line; 1 if something was not as promised."""
    options = argparse.ArgumentParser(prog="python -m benchmarks.adapters.versus", description=__doc__)
    options.add_argument("framework", nargs="*", help=f"whose story is told in full: {', '.join(FRAMEWORKS)}")
    asked: list[str] = options.parse_args().framework
    if unknown := set(asked) - set(FRAMEWORKS):
        options.error(f"no application on {', '.join(unknown)}; there are {', '.join(FRAMEWORKS)}")
    listed = [] if asked else [name for name in FRAMEWORKS if name != FIRST]
    told = asked or [FIRST]
    os.environ["ADAPTERS_WARM"] = " ".join([*told, *listed])
    try:
        return 0 if asyncio.run(tell(told, listed)) else 1
    except KeyboardInterrupt:
        return 130
