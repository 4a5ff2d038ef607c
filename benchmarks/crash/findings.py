"""What a world has shown: what the system said and has, against what the service did."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

ENDS = ("end", "failed")
SETTLED = ("outcome", "answer", *ENDS)
"""Events after which nothing is open any more about the intent before them."""


@dataclass(frozen=True)
class Event:
    """One event of one run, as an acknowledgement or a check names it."""

    run: str
    seq: str
    kind: str


@dataclass
class Findings:
    """Counts of what happened; they add up over worlds."""

    kills: int = 0
    runs: int = 0
    acknowledged: int = 0
    lost: int = 0
    """Acknowledged events that the system no longer has at a later check."""

    duplicates: int = 0
    """Commits beyond the first for one payment."""

    unpaid: int = 0
    """Runs that ended well although their payment was never committed."""

    unjournaled: int = 0
    """Payments asked for before the system had their intent; only where it has intents."""

    stuck: int = 0
    """Runs that had not ended when their time was over, although every question was answered."""

    failed: int = 0
    """Runs that gave up: they ended without a payment and without a person knowing."""

    asked: int = 0
    unknowns: int = 0
    """Payments of which the system could not know, after a kill or a hang-up, whether they were made."""

    unasked: int = 0
    """Unknown payments of which no person was asked; a fault only where the service has neither."""

    def __add__(self, other: Findings) -> Findings:
        return Findings(*(getattr(self, each.name) + getattr(other, each.name) for each in fields(self)))

    def as_dict(self) -> dict[str, int]:
        return asdict(self)


class Record:
    """All that is known of one world while it lives."""

    def __init__(self) -> None:
        self.kills = 0
        self._acknowledged: set[Event] = set()
        self._lost: set[Event] = set()
        self._unknown: set[tuple[str, str]] = set()
        self._unjournaled: set[str] = set()

    def acknowledge(self, events: Iterable[Event]) -> None:
        self._acknowledged.update(events)

    def acknowledged(self) -> frozenset[Event]:
        """Return what has been acknowledged so far."""
        return frozenset(self._acknowledged)

    def inspect(
        self, has: list[Event], acknowledged: frozenset[Event], received: Mapping[str, int], *, killed: bool
    ) -> None:
        """Compare what the system had at a moment with what was acknowledged and asked for until then."""
        self._lost |= acknowledged - set(has)
        if any(event.kind == "intent" for event in has):
            self._unjournaled |= set(received) - {event.run for event in has if event.kind == "intent"}
        if killed:
            self._unknown |= unknown_after_kill(has, received)
        self._unknown |= given_up(has)

    def findings(self, has: list[Event], paid: Mapping[str, list[str]], names: list[str]) -> Findings:
        """Sum up the world at its end."""
        asks = Counter(event.run for event in has if event.kind == "ask")
        unknowns = Counter(run for run, _ in self._unknown)
        ended = {event.run for event in has if event.kind == "end"}
        failed = {event.run for event in has if event.kind == "failed"}
        return Findings(
            kills=self.kills,
            runs=len(names),
            acknowledged=len(self._acknowledged),
            lost=len(self._lost),
            duplicates=sum(len(receipts) - 1 for receipts in paid.values()),
            unpaid=len(ended - set(paid)),
            unjournaled=len(self._unjournaled),
            stuck=len(set(names) - ended - failed),
            failed=len(failed),
            asked=asks.total(),
            unknowns=unknowns.total(),
            unasked=(unknowns - asks).total(),
        )


def unknown_after_kill(has: list[Event], received: Mapping[str, int]) -> set[tuple[str, str]]:
    """Return the payments in the dark: intents without an outcome or, without intents, unsettled requests.

    The second is the service's word, because an engine that writes nothing before an effect can't know that
    it has an unknown payment. Events come in each run's own order.
    """
    if any(event.kind == "intent" for event in has):
        return {(run, seq) for run, seq in _last_intents(has).items() if seq}
    asks = Counter(event.run for event in has if event.kind == "ask")
    settled = {event.run for event in has if event.kind == "outcome" or event.kind in ENDS}
    dark = {run: times for run, times in received.items() if run not in settled and times > asks[run]}
    return {(run, f"request {times}") for run, times in dark.items()}


def given_up(has: list[Event]) -> set[tuple[str, str]]:
    """Return the intents of which the system itself says that it can't know their outcome."""
    last: dict[str, str] = {}
    found: set[tuple[str, str]] = set()
    for event in has:
        if event.kind == "intent":
            last[event.run] = event.seq
        elif event.kind == "unknown" and event.run in last:
            found.add((event.run, last[event.run]))
    return found


def _last_intents(has: list[Event]) -> dict[str, str]:
    """Return each run's last intent, or the empty string once it is settled."""
    last: dict[str, str] = {}
    for event in has:
        if event.kind == "intent":
            last[event.run] = event.seq
        elif event.kind in SETTLED:
            last[event.run] = ""
    return last
