"""What the support desk can do, what each action does to the world, and how it is found again and taken back.

The functions are not async: they talk to a database, so they run in threads. What changes the airline's rows and
nothing else is captured by `ROWS`, which also finds it again and takes it back; the rest says so for itself.
"""

from collections.abc import Generator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from demo.airline import Airline, Booking, Flight, Letter, Receipt, RefusalError, Voucher
from interlock import Ctx, action, probe
from interlock.undo import Performance, SqliteRows

Euros = Annotated[Decimal, Field(gt=0, max_digits=8, decimal_places=2)]

AT_ONCE = "0s"
"""How long a request that a killed process had sent may still be on its way: it dies with the process."""


class FarRows(SqliteRows):
    """Rows of the airline: each way to them takes as long as each way to its other systems."""

    @contextmanager
    def performing(self, ctx: Ctx[Airline], action: str) -> Generator[Performance]:
        """Enclose the carrying out of an effect; its way there and back is outside of its transaction."""
        with ctx.deps.reached(), super().performing(ctx, action) as performance:
            yield performance


def _place(airline: Airline) -> Path:
    return airline.path


ROWS = FarRows(_place, name="airline.db")
"""Captures what actions change in the airline's rows, finds it after a crash, and takes it back."""

FARES = {
    "light": "A light fare can be cancelled but not changed. If the airline cancels the flight, it can be rebooked.",
    "flex": "A flex fare can be changed to any flight of the route with a free seat, and cancelled.",
}


@action.read
def find_booking(ctx: Ctx[Airline], ref: str) -> Booking:
    """A booking by its reference.

    Args:
        ref: Six letters and digits.
    """
    return ctx.deps.booking(ref)


@action.read
def find_flights(ctx: Ctx[Airline], origin: str, destination: str) -> list[Flight]:
    """The flights of a route, with their free seats.

    Args:
        origin: The airport's three letters.
        destination: The airport's three letters.
    """
    return ctx.deps.flights(origin, destination)


@action.read
def fare_rules(ctx: Ctx[Airline], fare: str) -> str:
    """What a fare allows.

    Args:
        fare: "light" or "flex".
    """
    return FARES.get(fare, f"There is no fare {fare!r}; there are: {', '.join(FARES)}.")


@action.read
def read_inbox(ctx: Ctx[Airline]) -> list[Letter]:
    """The letters about the customer, without their bodies."""
    return ctx.deps.inbox(ctx.user["id"])


@action.read
def read_letter(ctx: Ctx[Airline], number: int) -> Letter:
    """One letter about the customer. Anybody may have written it."""
    return ctx.deps.letter(ctx.user["id"], number)


@action.reversible(way=ROWS)
def rebook(ctx: Ctx[Airline], ref: str, flight: str) -> Booking:
    """Move a booking to another flight."""
    return ctx.deps.rebook(ROWS.connection(ctx), ref, flight)


@action.reversible(way=ROWS)
def cancel_booking(ctx: Ctx[Airline], ref: str) -> Booking:
    """Cancel a booking; a refund is another action."""
    return ctx.deps.cancel(ROWS.connection(ctx), ref)


@action.reversible(way=ROWS)
def issue_voucher(ctx: Ctx[Airline], amount: Euros, reason: str) -> Voucher:
    """Give the customer a goodwill voucher."""
    return ctx.deps.issue(ROWS.connection(ctx), ctx.user["id"], amount)


@action.compensable(idempotent="24h", settle=AT_ONCE, refuses=(RefusalError,))
def refund(ctx: Ctx[Airline], ref: str, amount: Euros) -> Receipt:
    """Pay back part of a booking's price, to where it came from."""
    return ctx.deps.refund(ctx.key, ref, amount)


@refund.undo
def _(ctx: Ctx[Airline], done: Receipt, ref: str, amount: Decimal) -> None:
    ctx.deps.reverse(ctx.key, done.key)


@refund.probe
def _(ctx: Ctx[Airline], ref: str, amount: Decimal) -> probe.Answer[Receipt]:
    found = ctx.deps.receipt(ctx.key)
    return probe.never if found is None else probe.done(found)


@action.irreversible(settle=AT_ONCE)
def send_email(ctx: Ctx[Airline], recipient: str, subject: str, body: str) -> None:
    """Send an e-mail in the airline's name."""
    ctx.deps.send(ctx.key, recipient, subject, body)


@send_email.probe
def _(ctx: Ctx[Airline], recipient: str, subject: str, body: str) -> probe.Answer[None]:
    return probe.done(None) if ctx.deps.is_sent(ctx.key) else probe.never


def booking(ctx: Ctx[Airline], ref: str, *_: Any, **__: Any) -> Booking:
    """The booking that an action is about, for the policy."""
    return ctx.deps.booking(ref)


for _about in (find_booking, rebook, cancel_booking, refund):
    _about.fact(booking)

READS = (find_booking, find_flights, fare_rules, read_inbox, read_letter)
ALL = (*READS, rebook, cancel_booking, refund, issue_voucher, send_email)
