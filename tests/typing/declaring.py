"""Declaring actions as the design shows it: a type checker reads this, nothing runs it."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal, assert_type

from interlock import Action, Agent, Ctx, Policy, action, arg, fact, need, permit, probe


class Desk:
    """The dependencies of the agent."""


@dataclass
class Booking:
    """What a look-up returns."""

    ref: str
    refundable: Decimal


@dataclass
class Receipt:
    """What a refund returns."""

    id: str


# bare, async


@action.read
async def find_booking(ctx: Ctx[Desk], ref: str) -> Booking:
    assert_type(ctx.deps, Desk)
    return Booking(ref, Decimal(0))


@action.compensable
async def refund(ctx: Ctx[Desk], ref: str, amount: Decimal) -> Receipt:
    return Receipt(ctx.key)


@refund.undo
async def _(ctx: Ctx[Desk], done: Receipt, ref: str, amount: Decimal) -> None: ...


@refund.probe
async def _(ctx: Ctx[Desk], ref: str, amount: Decimal) -> probe.Answer[Receipt]:
    if amount > 1:
        return probe.done(Receipt(ref))
    return probe.never if amount else probe.not_yet_known


@refund.fact
async def booking(ctx: Ctx[Desk], ref: str, amount: Decimal) -> Booking:
    return Booking(ref, amount)


@refund.verify
async def _(ctx: Ctx[Desk], done: Receipt, ref: str, amount: Decimal) -> bool:
    return bool(done.id)


@action.irreversible
async def send_email(ctx: Ctx[Desk], to: str, body: str) -> None: ...


# with keywords, sync


class CardDeclined(Exception):  # noqa: N818
    """What the other side says."""


@action.reversible(timeout="5s", idempotent="24h", settle="1s", refuses=(CardDeclined,), credentials=["bank"])
def rename(ctx: Ctx[Desk], ref: str, name: str = "") -> str:
    assert_type(ctx.credential("bank"), str)
    return name


@rename.undo
def _(ctx: Ctx[Desk], before: str, ref: str, name: str = "") -> None: ...


@rename.probe
def _(ctx: Ctx[Desk], ref: str, name: str = "") -> probe.Answer[str]:
    return probe.done(name)


@rename.fact
def owner(ctx: Ctx[Desk], ref: str, name: str = "") -> int:
    return len(ref)


@rename.verify
def _(ctx: Ctx[Desk], before: str, ref: str, name: str = "") -> bool:
    return True


@action.irreversible()
def post(ctx: Ctx[None], text: str) -> dict[str, int]:
    return {text: 1}


# what a checker knows of them

assert_type(find_booking.effect, Literal["read", "reversible", "compensable", "irreversible"])
assert_type(rename.name, str)
assert_type(booking(Ctx(Desk()), "AB12", Decimal(1)).__class__.__name__, str)


def an_action_of_a_desk(one: Action[Desk, ..., Any]) -> None: ...


an_action_of_a_desk(find_booking)
an_action_of_a_desk(refund)
an_action_of_a_desk(send_email)
an_action_of_a_desk(rename)


async def the_function_is_still_there() -> None:
    ctx = Ctx(Desk())
    assert_type(owner(ctx, "AB12"), int)
    assert_type(await booking(ctx, ref="AB12", amount=Decimal(1)), Booking)


def results_are_known(ctx: Ctx[Desk]) -> None:
    def of_refund(one: Action[Desk, [str, Decimal], Receipt]) -> None: ...
    def of_rename(one: Action[Desk, ..., str]) -> None: ...
    def of_post(one: Action[None, ..., dict[str, int]]) -> None: ...
    def of_email(one: Action[Desk, ..., None]) -> None: ...

    of_refund(refund)
    of_rename(rename)
    of_post(post)
    of_email(send_email)


policy = Policy(
    permit(find_booking),
    permit(refund, when=arg.amount <= fact.booking.refundable),
    need.confirmation(refund),
    need.approval("finance", refund, when=arg.amount > 100, because="over 100 EUR"),
)
desk = Agent("desk", [find_booking, refund, send_email, rename], policy=policy, deps=Desk)
assert_type(desk.actions, dict[str, Action[Any, Any, Any]])
