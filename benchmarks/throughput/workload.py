"""The work that every system does: runs of five model turns and five actions, each carrying 600 bytes.

The model and the action are instant, so that what is measured is what a system adds to them. Texts differ
from step to step, so that no store gains by keeping equal content once.
"""

from __future__ import annotations

from typing import TypedDict

TURNS = 5
STEPS = 2 * TURNS
PAYLOAD = 600

_FILLER = "The passenger asks for a part of the fare, as the second leg was cancelled by the carrier. " * 7


class Arguments(TypedDict):
    """What the model proposes, as it comes off the wire: the system under test validates it."""

    ref: str
    amount: str
    note: str


def answer(run: int, turn: int) -> str:
    """Return what the model says in this turn."""
    return f"{run}.{turn}: {_FILLER}"[:PAYLOAD]


def arguments(run: int, turn: int) -> Arguments:
    """Return what the model proposes in this turn."""
    return {"ref": f"R{run}", "amount": f"{turn + 1}.50", "note": f"{turn}.{run}: {_FILLER}"[:PAYLOAD]}
