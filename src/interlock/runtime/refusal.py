"""Turning a proposal down, and what becomes of a run whose proposals are turned down again and again.

The first denial says why and what may be done instead. The same proposal again is told that it was denied before. The
third time, or after many denials with nothing achieved in between, a person is asked: the run is parked and names the
rules, since no permitted way seems to lead on.
"""

from typing import Final

from interlock.kernel.evolve import short
from interlock.kernel.state import State

MOST_THE_SAME: Final = 3
"""How often the same proposal is denied before the run is parked."""

MOST_IN_ALL: Final = 12
"""How many proposals of a driven run are denied, with nothing achieved in between, before it is parked."""


class Refusal(Exception):  # noqa: N818 - it carries a denial out of a stage, it is not a fault
    """A stage turned the proposal down; `paradox` says which rules contradict each other, where they do.

    `by` is the person who said no, where one did.
    """

    def __init__(
        self, stage: str, *reasons: str, instead: tuple[str, ...] = (), paradox: str = "", by: str = ""
    ) -> None:
        self.stage = stage
        self.reasons = reasons
        self.instead = instead
        self.paradox = paradox
        self.by = by


def climbed(state: State, digest: str, refusal: Refusal) -> tuple[tuple[str, ...], str]:
    """Return the reasons to tell for a denial in this state of the run, and why it is to be parked, if it is."""
    if refusal.stage not in ("judge", "needs"):
        return refusal.reasons, ""
    before = dict(state.loop.denied).get(short(digest), 0)
    reasons = refusal.reasons
    if before:
        again = "once before" if before == 1 else f"{before} times before"
        reasons = (*reasons, f"exactly this was denied {again}; proposing it again will not help")
    return reasons, refusal.paradox or _stuck(state, before + 1, refusal)


def _stuck(state: State, same: int, refusal: Refusal) -> str:
    """Return why a run can make no permitted progress, as far as that shows."""
    against = ", ".join(state.loop.against)
    rules = f"; rules that denied: {against}" if against else ""
    why = "; ".join(refusal.reasons)
    if same >= MOST_THE_SAME:
        return f"no permitted way on: the same proposal was denied {same} times{rules}; the last time: {why}"
    # A loop that is not ours goes on with other work under one run, and nobody tells when that begins.
    if state.driven and state.loop.stuck + 1 >= MOST_IN_ALL:
        number = state.loop.stuck + 1
        return f"no permitted way on: {number} proposals were denied, nothing was achieved{rules}; the last time: {why}"
    return ""
