"""A payment agent and the payment service that outlives its crashes, in three kinds."""

from decimal import Decimal

from interlock import Agent, Ctx, Final, Machine, Policy, Proposal, State, action, arg, need, permit, probe
from interlock.errors import JournalError


class Bank:
    """What moved, whatever the agent's process knows about it."""

    def __init__(self):
        self.payments = []
        self.by_key = {}
        self.reversed = []
        self.notes = []
        self.doors = {"front": "closed"}

    def pay(self, to, amount, key="", *, honour=False):
        if honour and key in self.by_key:
            return self.by_key[key]
        self.payments.append((to, Decimal(amount)))
        self.by_key[key] = f"receipt {len(self.payments)}"
        return self.by_key[key]

    def open(self, door, key):
        if key not in self.by_key:
            self.by_key[key] = self.doors[door]
            self.doors[door] = "open"
        return self.by_key[key]

    def reverse(self, receipt, key):
        if (receipt, key) not in self.reversed:
            self.reversed.append((receipt, key))


@action.compensable(idempotent=True, repeatable=True)
async def pay_keyed(ctx: Ctx[Bank], to: str, amount: Decimal) -> str:
    """Pay; the bank honours the key."""
    return ctx.deps.pay(to, amount, ctx.key, honour=True)


@pay_keyed.undo
async def _(ctx: Ctx[Bank], done: str, to: str, amount: Decimal) -> None:
    ctx.deps.reverse(done, ctx.key)


@action.irreversible
async def pay_probed(ctx: Ctx[Bank], to: str, amount: Decimal) -> str:
    """Pay; the bank can be asked whether it got a payment."""
    return ctx.deps.pay(to, amount, ctx.key)


@pay_probed.probe
async def _(ctx: Ctx[Bank], to: str, amount: Decimal) -> "probe.Answer[str]":
    receipt = ctx.deps.by_key.get(ctx.key)
    return probe.never if receipt is None else probe.done(receipt)


@action.irreversible(timeout="1s")
async def pay_quick(ctx: Ctx[Bank], to: str, amount: Decimal) -> str:
    """Pay, or give up after a second; the bank can be asked."""
    return ctx.deps.pay(to, amount, ctx.key)


@pay_quick.probe
async def _(ctx: Ctx[Bank], to: str, amount: Decimal) -> "probe.Answer[str]":
    receipt = ctx.deps.by_key.get(ctx.key)
    return probe.never if receipt is None else probe.done(receipt)


@action.irreversible
async def pay_blind(ctx: Ctx[Bank], to: str, amount: Decimal) -> str:
    """Pay; the bank honours no key and answers no question."""
    return ctx.deps.pay(to, amount, ctx.key)


@action.reversible(idempotent=True, repeatable=True)
async def open_door(ctx: Ctx[Bank], name: str) -> str:
    """Open a door and return how it was."""
    return ctx.deps.open(name, ctx.key)


@open_door.undo
async def _(ctx: Ctx[Bank], done: str, name: str) -> None:
    ctx.deps.doors[name] = done


@action.read
async def balance(ctx: Ctx[Bank], of: str) -> int:
    """How many payments somebody got."""
    return len([to for to, _ in ctx.deps.payments if to == of])


__all__ = ["JournalError"]

ACTIONS = [pay_keyed, pay_probed, pay_quick, pay_blind, open_door, balance]
KINDS = {"keyed": pay_keyed, "probed": pay_probed, "blind": pay_blind}

LENIENT = Policy(*(permit(one) for one in ACTIONS))
STRICT = Policy(
    *(permit(one) for one in ACTIONS),
    *(need.approval("finance", one, when=arg.amount > 100) for one in KINDS.values()),
)
SLOW = Policy(*(permit(one) for one in ACTIONS), *(need.delay("10m", one) for one in KINDS.values()))

PAYMENTS = [("ann", "40"), ("bob", "140")]


def loop_agent(policy=LENIENT):
    """An agent that a foreign loop drives."""
    return Agent("loop", ACTIONS, policy=policy, deps=Bank)


def driven_agent(name, policy=LENIENT):
    """An agent whose machine pays in one state and tells in the next."""

    async def work(flow):
        for to, amount in PAYMENTS:
            await flow.perform(name, {"to": to, "amount": amount})

    async def tell(flow):
        outcome = await flow.perform("balance", {"of": "ann"})
        flow.output = outcome.result

    machine = Machine(State("work", work, to=["tell"]), State("tell", tell, to=["end"]), Final("end"))
    return Agent("driven", ACTIONS, policy=policy, deps=Bank, machine=machine)


def paying_loop(name, person=None):
    """A foreign loop: it makes its proposals under its own keys, as often as it is started."""

    async def play(rt):
        run = await rt.start("loop", run="r1")
        if await run.status() == "done":
            return
        async with rt.session("r1") as session:
            for number, (to, amount) in enumerate(PAYMENTS):
                await rt.outcome(
                    session, Proposal(name, {"to": to, "amount": amount}, f"k{number}"), person and person(rt)
                )
            await session.finish("paid")

    return play


def driving(person=None):
    """A client of the driven agent."""

    async def play(rt):
        run = await rt.start("driven", run="r1")
        await rt.ending(run, person and person(rt))

    return play


def knowing(rt):
    """A person who approves, and who looks at the bank's books when asked whether something happened."""

    async def answer(question):
        if question.kind != "unknown":
            await question.approve("ana")
            return
        to, amount = question.args["to"], Decimal(question.args["amount"])
        if (to, amount) in rt.deps.payments:
            await question.happened("ana", "seen in the books")
        else:
            await question.never("ana")

    return answer


def paid_once(rt):
    """What must be true at the end: both were paid, once."""
    paid = sorted(rt.deps.payments)
    assert paid == [("ann", Decimal(40)), ("bob", Decimal(140))], f"the bank's books: {paid}"
