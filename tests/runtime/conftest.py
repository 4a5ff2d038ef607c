"""A small bank, its agent, and a runtime in memory."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from interlock import (
    Agent,
    Ctx,
    MemoryStore,
    Policy,
    Refused,
    Runtime,
    action,
    arg,
    fact,
    forbid,
    need,
    permit,
    probe,
    user,
)


class Bank:
    """The other side: what was paid under which key, and how often it was called."""

    def __init__(self) -> None:
        self.paid: dict[str, tuple[str, Decimal]] = {}
        self.calls: list[str] = []
        self.limit = Decimal(1000)


@action.compensable(idempotent=True)
async def pay(ctx: Ctx[Bank], ref: str, amount: Decimal) -> str:
    """Pay a bill."""
    ctx.deps.calls.append(f"pay {ref}")
    ctx.deps.paid.setdefault(ctx.key, (ref, amount))
    return f"receipt {ref}"


@pay.undo
async def _(ctx: Ctx[Bank], done: str, ref: str, amount: Decimal) -> None:
    ctx.deps.calls.append(f"reverse {ref}")
    ctx.deps.paid.pop(ctx.undoes, None)


@pay.fact
async def limit(ctx: Ctx[Bank], ref: str, amount: Decimal) -> Decimal:
    """What may be paid at once."""
    return ctx.deps.limit


@action.reversible(refuses=(KeyError,))
async def rename(ctx: Ctx[Bank], key: str, name: str) -> str:
    """Rename a payment, and return the name it had."""
    ref, amount = ctx.deps.paid[key]
    ctx.deps.paid[key] = (name, amount)
    return ref


@rename.undo
async def _(ctx: Ctx[Bank], done: str, key: str, name: str) -> None:
    _, amount = ctx.deps.paid[key]
    ctx.deps.paid[key] = (done, amount)


@action.irreversible
async def mail(ctx: Ctx[Bank], to: str, text: str) -> None:
    """Send a letter."""
    ctx.deps.calls.append(f"mail {to}")


@action.read
async def balance(ctx: Ctx[Bank]) -> int:
    """How many payments were made."""
    return len(ctx.deps.paid)


@action.read
def slow_books(ctx: Ctx[Bank], page: int = 1) -> dict[str, int]:
    """Look into the books, synchronously."""
    return {"page": page}


POLICY = Policy(
    permit(pay, when=arg.amount <= fact.limit),
    permit([rename, mail, balance, slow_books]),
    forbid(pay, when=user.id == "mallory", because="mallory may not pay", instead="ask ana"),
    need.approval("finance", pay, when=arg.amount > 100, because="over 100"),
    need.confirmation(mail, because="a letter can't be taken back"),
)

ACTIONS = [pay, rename, mail, balance, slow_books]


@pytest.fixture
def bank() -> Bank:
    return Bank()


@pytest.fixture
def desk(bank: Bank) -> Agent:
    return Agent("desk", ACTIONS, policy=POLICY, deps=lambda: bank)


@pytest.fixture
def agent_of(bank: Bank) -> Callable[..., Agent]:
    """Make an agent of the given actions that may do everything, unless a policy is given."""

    def make(*actions: Any, policy: Policy | None = None, **options: Any) -> Agent:
        return Agent("desk", actions, policy=policy or Policy(permit(list(actions))), deps=lambda: bank, **options)

    return make


@pytest.fixture
async def rt(desk: Agent):
    async with Runtime(MemoryStore(), desk) as runtime:
        yield runtime


__all__ = ["Refused", "probe"]
