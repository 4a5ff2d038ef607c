"""The undo of several runs, killed at any boundary and again while it recovers: all of it happens, nothing twice."""

from interlock import Agent, Ctx, Policy, Proposal, action, permit
from interlock.kernel import events as ev
from interlock.testing import every_crash


class Books:
    """Accounts by name, and what was sent to the bank under which key, as the bank counts it."""

    def __init__(self):
        self.names = {"a": "old"}
        self.paid = {}
        self.reversed = []


@action.reversible
async def rename(ctx: Ctx[Books], account: str, name: str) -> None:
    """Rename an account."""
    ctx.deps.names[account] = name


@rename.snapshot
async def _(ctx: Ctx[Books], done: None, account: str, name: str) -> dict[str, str | None]:
    return {account: ctx.deps.names.get(account)}


@rename.undo
async def _(ctx: Ctx[Books], done: None, account: str, name: str) -> None:
    before = ctx.before[account]
    if before is None:
        ctx.deps.names.pop(account, None)
    else:
        ctx.deps.names[account] = before


@rename.probe
async def _(ctx: Ctx[Books], account: str, name: str):
    from interlock import probe

    return probe.done(None) if ctx.deps.names.get(account) == name else probe.never


@action.compensable(idempotent=True)
async def pay(ctx: Ctx[Books], amount: int) -> str:
    """Pay."""
    ctx.deps.paid[ctx.key] = amount
    return ctx.key


@pay.undo
async def _(ctx: Ctx[Books], done: str, amount: int) -> None:
    if ctx.key not in ctx.deps.reversed:
        ctx.deps.reversed.append(ctx.key)
        ctx.deps.paid.pop(done)


ACTIONS = [rename, pay]


async def did(rt, run, *proposals):
    handle = await rt.start("desk", run=run, conversation="c")
    if await handle.status() not in ("done", "undoing"):
        async with rt.session(handle.id) as s:
            for number, (name, args) in enumerate(proposals):
                await rt.outcome(s, Proposal(name, args, f"k{number}"))
            await s.finish("ok")


async def play(rt):
    """Do something in two runs of a conversation, have somebody change a thing, and take all of it back."""
    await did(rt, "r1", ("rename", {"account": "a", "name": "1"}), ("pay", {"amount": 5}))
    await did(rt, "r2", ("rename", {"account": "b", "name": "2"}), ("rename", {"account": "x", "name": "ours"}))
    rt.deps.names["x"] = "theirs"
    for run in ("r1", "r2"):
        await rt.clock.run(rt._after_undo(rt.run(run)))
    plan = await rt.undo_plan(conversation="c")
    await rt.clock.run(plan.apply(by="ana", otherwise="leave"))


async def check(rt):
    assert rt.deps.names == {"a": "old", "x": "theirs"}
    assert rt.deps.paid == {}
    assert len(rt.deps.reversed) == 1
    told = [one.event for run in ("r1", "r2") for one in await rt.run(run).history()]
    assert {one.kind for one in told if isinstance(one, ev.NotUndone)} == {"conflict"}


async def test_the_undo_of_a_conversation_survives_everything():
    """What can be taken back is, once; the change of somebody else stays and is named."""
    desk = Agent("desk", ACTIONS, policy=Policy(permit(ACTIONS)), deps=Books)
    crashes = await every_crash(desk, play, check=check, deps=Books, twice=True, every=5)
    assert len(crashes.boundaries) > 20
