"""A small shop, what its agent can do there, and models to drive it with."""

import asyncio
import re
from decimal import Decimal

import msgspec

from interlock import Agent, Ctx, Policy, Proposal, action, arg, ask_user, forbid, need, permit
from interlock.kernel import events as ev
from interlock.models import ModelSaid, Note, Response


class Shop:
    """The other side: what was paid under which key, what was looked at, and how many look at once."""

    def __init__(self):
        self.paid = {}
        self.calls = []
        self.looking = 0
        self.most_looking = 0

    @property
    def payments(self):
        return sorted((to, str(amount)) for to, amount in self.paid.values())


@action.read
async def price(ctx: Ctx[Shop], of: str) -> str:
    """What something costs."""
    shop = ctx.deps
    shop.looking += 1
    shop.most_looking = max(shop.most_looking, shop.looking)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    shop.looking -= 1
    shop.calls.append(f"price {of}")
    return f"{of} costs {len(of)}"


@action.compensable(idempotent=True)
async def pay(ctx: Ctx[Shop], to: str, amount: Decimal) -> str:
    """Pay somebody."""
    ctx.deps.paid.setdefault(ctx.key, (to, amount))
    ctx.deps.calls.append(f"pay {to}")
    return f"paid {to}"


@pay.undo
async def _(ctx: Ctx[Shop], done: str, to: str, amount: Decimal) -> None:
    ctx.deps.paid.pop(ctx.undoes, None)


POLICY = Policy(
    permit([price, pay, ask_user]),
    forbid(pay, when=arg.to == "mallory", because="mallory is not paid", instead="pay ann"),
    need.approval("finance", pay, when=arg.amount > 100, because="over 100"),
)


def seller(model, *, actions=(price, pay, ask_user), policy=POLICY, **options):
    """An agent of the shop that thinks with *model*."""
    return Agent("seller", actions, model=model, policy=policy, deps=Shop, **options)


class Model:
    """A model whose answer to a request is what an async generator function yields."""

    def __init__(self, answer, name="scripted"):
        self.name = name
        self.answer = answer
        self.asked = []

    def respond(self, request):
        self.asked.append(request)
        return self.answer(request)


def speaking(*turns):
    """A model that makes these turns (words, a proposal, several) and goes on where it was interrupted."""

    async def answer(request):
        given = turns[turns_in(request)]
        text, proposals = (given, ()) if isinstance(given, str) else ("", given)
        if isinstance(given, Proposal):
            proposals = [given]
        if isinstance(given, tuple):
            text, *proposals = given
        last = request.messages[-1]
        if isinstance(last, Note) and "repeat nothing: " in last.text:
            text = text.removeprefix(last.text.partition("repeat nothing: ")[2])
        for word in re.findall(r"\S*\s*", text):
            yield word
        yield said(text, *proposals)

    return Model(answer)


def said(text="", *proposals):
    """A whole response."""
    return Response(text=text, proposals=proposals, finish="calls" if proposals else "stop")


def turns_in(request):
    """How often the model has answered in what it is shown."""
    return sum(isinstance(one, ModelSaid) for one in request.messages)


def a_price(of, key=""):
    return Proposal("price", {"of": of}, key)


def a_payment(to, amount="5", key=""):
    return Proposal("pay", {"to": to, "amount": amount}, key)


async def happened(run, *types):
    """What happened in a run, of these types."""
    return [one.event for one in await run.history() if isinstance(one.event, types or ev.Event)]


async def spoken(run):
    """What was released to the user."""
    return [one.text for one in await happened(run, ev.Said)]


async def turn(run, number=1):
    """What was recorded of a turn's response."""
    return msgspec.json.decode(bytes((await happened(run, ev.TurnRecorded))[number - 1].response))
