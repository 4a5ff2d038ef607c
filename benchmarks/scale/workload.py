"""The two agents of this benchmark: one whose loop is ours and runs long, one whose runs mostly wait."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from interlock import (
    Agent,
    Ctx,
    Done,
    Final,
    Flow,
    Machine,
    Policy,
    Proposal,
    State,
    Turn,
    action,
    arg,
    forbid,
    need,
    permit,
)

if TYPE_CHECKING:
    from interlock import Session

PAYLOAD = 600
_FILLER = "The passenger asks for a part of the fare, as the second leg was cancelled by the carrier. " * 7


@action.irreversible(idempotent=True)
async def refund(ctx: Ctx[None], ref: str, amount: int, note: str = "") -> str:
    """Refund a part of the fare."""
    return note


_POLICY = Policy(
    permit(refund, when=(arg.amount > 0) & (arg.amount <= 400)),
    forbid(refund, when=arg.ref.matches("X.*"), because="refunds of test bookings are not made"),
    need.approval("finance", refund, when=arg.amount > 100, because="over 100 EUR"),
)


def desk() -> Agent:
    """Return the agent whose runs a loop of ours takes through many steps."""
    return Agent("desk", [refund], policy=_POLICY)


async def take_steps(session: Session, first: int, steps: int) -> None:
    """Take a run from step *first* so many steps on: a model turn, an action, a model turn …"""
    for number in range(first, first + steps, 2):
        text = f"{number}: {_FILLER}"[:PAYLOAD]
        await session.record(Turn(model="instant", response=text, key=f"t{number}"))
        given = {"ref": "R1", "amount": 40, "note": text}
        outcome = await session.perform(Proposal("refund", given, key=f"a{number}"))
        if not isinstance(outcome, Done):
            raise TypeError(f"the action was not done: {outcome}")


class Waiter:
    """An agent whose runs sleep, or wait for an approval; it notes when each goes on."""

    def __init__(self) -> None:
        self.went_on: dict[str, int] = {}
        """When the code of each run went on behind its sleep, in microseconds since the epoch."""

    def agent(self) -> Agent:
        machine = Machine(State("wait", self._run, to=["done"]), Final("done"))
        return Agent("waiter", [refund], policy=_POLICY, machine=machine)

    async def _run(self, flow: Flow) -> None:
        """Sleep as long as the input says, then refund; a large refund waits for finance."""
        if flow.input["sleep"]:
            await flow.sleep(flow.input["sleep"])
            self.went_on[flow.run] = time.time_ns() // 1000
        await flow.perform("refund", {"ref": flow.run, "amount": flow.input["amount"]})
