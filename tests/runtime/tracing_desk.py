"""A desk that reads letters and pays bills, its world, and what is looked at of its runs."""

from decimal import Decimal
from typing import Any

from interlock import (
    Agent,
    Ctx,
    Labels,
    Policy,
    Proposal,
    Runtime,
    action,
    permit,
)
from interlock.kernel import events as ev

IBAN = "GB29NWBK60161331926819"
BILL = f"Dear customer, please pay 98.70 to {IBAN} by Friday."


class World:
    """Files, and what was paid."""

    def __init__(self) -> None:
        self.files = {"bill.txt": BILL}
        self.paid: list[tuple[str, str]] = []
        self.contacts = {"ann": "ann@corp.example"}
        self.notes: list[str] = []


@action.read
async def read_file(ctx: Ctx[World], path: str) -> str:
    """Read a file."""
    return ctx.deps.files[path]


@action.read
async def find_contact(ctx: Ctx[World], name: str) -> dict[str, str]:
    """Find somebody in the address book."""
    return {"email": ctx.deps.contacts[name]}


@action.irreversible(idempotent=True, repeatable=True)
async def pay(ctx: Ctx[World], iban: str, amount: Decimal, note: str = "") -> str:
    """Pay a bill."""
    ctx.deps.paid.append((iban, str(amount)))
    return "paid"


@action.irreversible(idempotent=True, repeatable=True)
async def add_contact(ctx: Ctx[World], name: str, email: str) -> None:
    """Add somebody to the address book."""
    ctx.deps.contacts[name] = email


@action.irreversible(idempotent=True, repeatable=True)
async def send_email(ctx: Ctx[World], to: str, body: str) -> None:
    """Send an e-mail."""
    ctx.deps.notes.append(to)


ACTIONS = [read_file, find_contact, pay, add_contact, send_email]
PERMIT = permit(ACTIONS)
READ = Proposal("read_file", {"path": "bill.txt"}, "read")
PAY = Proposal("pay", {"iban": IBAN, "amount": "98.70"}, "pay")
ASKED = "please pay the bill bill.txt"


def desk(world: World, *rules: Any, labels: Labels | None = None, **options: Any) -> Agent:
    labels = Labels() if labels is None else labels
    return Agent("desk", ACTIONS, policy=Policy(PERMIT, *rules), deps=lambda: world, labels=labels, **options)


async def events(run: Any, kind: type[ev.Event] = ev.Event) -> list[Any]:
    return [one.event for one in await run.history() if isinstance(one.event, kind)]


async def performed(rt: Runtime, said: str, *proposals: Proposal, **options: Any) -> list[Any]:
    """Return what the proposals of a new run came to."""
    run = await rt.start("desk", said, **options)
    async with rt.session(run.id) as s:
        return [await s.perform(one) for one in proposals]
