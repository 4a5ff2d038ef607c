"""What an undo once did wrong: each a case that a reader of the engine thought up."""

import asyncio

import pytest

from interlock import (
    Agent,
    Ctx,
    Denied,
    MemoryStore,
    Policy,
    Proposal,
    Runtime,
    ScriptedModel,
    Versioned,
    Waiting,
    action,
    permit,
)
from interlock.errors import DeclarationError
from interlock.kernel import events as ev
from interlock.testing import runtime


class Shelf:
    """Things by name, and the version of each."""

    def __init__(self):
        self.things = {}
        self.versions = {}

    def put(self, name, state):
        if state is None:
            self.things.pop(name, None)
        else:
            self.things[name] = state
        self.versions[name] = self.versions.get(name, 0) + 1


def agent(shelf, *actions, **options):
    return Agent("desk", actions, policy=Policy(permit(list(actions))), deps=lambda: shelf, **options)


async def did(rt, *proposals):
    run = await rt.start("desk")
    async with rt.session(run.id) as s:
        outcomes = [await s.perform(Proposal(name, args)) for name, args in proposals]
        await s.finish("ok")
    return run, outcomes


def putting(version=lambda shelf, name: shelf.versions.get(name, 0)):
    @action.reversible
    async def put(ctx: Ctx[Shelf], name: str, state: str) -> None:
        """Put a thing."""
        ctx.deps.put(name, state)

    @put.snapshot
    async def _(ctx: Ctx[Shelf], done: None, name: str, state: str) -> dict[str, Versioned]:
        return {name: Versioned(ctx.deps.things.get(name), version(ctx.deps, name))}

    @put.undo
    async def _(ctx: Ctx[Shelf], done: None, name: str, state: str) -> None:
        ctx.deps.put(name, ctx.before[name].state)

    return put


async def test_two_effects_on_one_object_with_versions():
    """The version that our own undo of the later effect left is not taken for somebody else's change."""
    shelf = Shelf()
    async with Runtime(MemoryStore(), agent(shelf, putting())) as rt:
        run, _ = await did(rt, ("put", {"name": "a", "state": "1"}), ("put", {"name": "a", "state": "2"}))
        assert await (await run.undo_plan()).apply(by="ana") == ()
    assert shelf.things == {}


@pytest.mark.parametrize("version", [None, 1.5])
async def test_a_version_that_is_none(version):
    """A version that can't be kept is refused before the effect, not after it."""
    shelf = Shelf()
    async with Runtime(MemoryStore(), agent(shelf, putting(lambda *_: version))) as rt:
        _, (outcome,) = await did(rt, ("put", {"name": "a", "state": "1"}))
    assert isinstance(outcome, Denied)
    assert "give a text or a number" in outcome.reasons[0]
    assert shelf.things == {}


async def test_a_declaration_that_changed():
    """What was kept for one way back is not undone by another: the plan says so, and nothing is touched."""
    store, shelf = MemoryStore(), Shelf()

    @action.reversible
    async def put(ctx: Ctx[Shelf], name: str, state: str) -> None:
        """Put a thing."""
        ctx.deps.put(name, state)

    @put.undo
    async def _(ctx: Ctx[Shelf], done: None, name: str, state: str) -> None:
        ctx.deps.put(name, None)

    async with Runtime(store, agent(shelf, put)) as rt:
        run, _ = await did(rt, ("put", {"name": "a", "state": "1"}))
    async with Runtime(store.fork(), agent(shelf, putting())) as rt:
        plan = await rt.undo_plan(run.id)
        assert [(item.way, item.why) for item in plan.items] == [
            ("cannot", "it was kept for undo, and the action is taken back by snapshot now")
        ]
        assert await plan.apply(by="ana") == ()
    assert shelf.things == {"a": "1"}


async def test_a_look_that_fails_is_no_sending():
    """Where the objects can't be read before an undo, nothing was sent: it is tried again, and then reported."""
    shelf = Shelf()
    broken = []

    def version(shelf, name):
        if broken:
            raise ConnectionError("no answer")
        return 0

    async with Runtime(MemoryStore(), agent(shelf, putting(version))) as rt:
        run, _ = await did(rt, ("put", {"name": "a", "state": "1"}))
        broken.append(True)
        (left,) = await (await run.undo_plan()).apply(by="ana")
        assert left.args["name"] == "a"
        told = [one.event for one in await run.history() if isinstance(one.event, ev.NotUndone)]
    assert {one.kind for one in told} == {"refused"}


def selling(shelf, **options):
    """Return an agent that puts things itself, and has another one put them."""

    @action.reversible
    async def put(ctx: Ctx[Shelf], name: str) -> None:
        """Put a thing."""
        ctx.deps.put(name, "there")

    @put.undo
    async def _(ctx: Ctx[Shelf], done: None, name: str) -> None:
        ctx.deps.put(name, None)

    model = ScriptedModel([Proposal("put", {"name": "theirs"}), "Done."])
    clerk = Agent("clerk", [put], instructions="You put things.", model=model, policy=Policy(permit(put)))
    policy = Policy(permit(["put", "clerk"]))
    return Agent("desk", [put, clerk], policy=policy, deps=lambda: shelf, **options)


async def handed_on(session):
    while isinstance(outcome := await session.perform(Proposal("clerk", {"task": "put it"}, "h")), Waiting):
        await asyncio.sleep(0.01)
    return outcome


async def test_an_undo_that_begins_with_another_agents_effect():
    """Where what was done last was done in another run, that is where the undo begins; both are taken back."""
    shelf = Shelf()
    async with Runtime(MemoryStore(), selling(shelf, undo_on=("failed",))) as rt:
        run = await rt.start("desk")
        async with rt.session(run.id) as s:
            await s.perform(Proposal("put", {"name": "ours"}))
            await handed_on(s)
            assert shelf.things.keys() == {"ours", "theirs"}
            await s.fail("no luck")
        while await run.status() == "undoing" or shelf.things:
            await asyncio.sleep(0.01)
        assert await run.status() == "failed"


@pytest.mark.parametrize("within", [True, False])
async def test_a_transaction_and_another_agent(within):
    """What was handed on in the block is taken back before the exception goes on; what was before it stays."""
    shelf = Shelf()
    async with Runtime(MemoryStore(), selling(shelf)) as rt:
        run = await rt.start("desk")
        async with rt.session(run.id) as s:
            if not within:
                await handed_on(s)
            with pytest.raises(ValueError, match="no"):  # noqa: PT012 - the block is what is tested
                async with s.transaction():
                    await s.perform(Proposal("put", {"name": "ours"}))
                    await handed_on(s)
                    raise ValueError("no")
            assert shelf.things.keys() == (set() if within else {"theirs"})


async def test_an_outcome_that_became_known_late():
    """What others did before anybody looked is not taken for what the effect left: the undo asks a person."""
    shelf = Shelf()

    @action.reversible
    async def put(ctx: Ctx[Shelf], state: str) -> None:
        """Put a thing, and lose the answer."""
        ctx.deps.put("a", state)
        raise ConnectionError("no answer")

    @put.snapshot
    async def _(ctx: Ctx[Shelf], done: None, state: str) -> dict[str, str | None]:
        return {"a": ctx.deps.things.get("a")}

    @put.undo
    async def _(ctx: Ctx[Shelf], done: None, state: str) -> None:
        ctx.deps.put("a", ctx.before["a"])

    async with runtime(agent(shelf, put)) as rt:
        run = await rt.start("desk")
        async with rt.session(run.id) as s:
            await rt.clock.run(s.perform(Proposal("put", {"state": "1"}, "k")))
            (question,) = await run.questions()
            shelf.put("a", "theirs")
            rt.clock.advance("1h")
            await question.happened(by="ana")
            await rt.clock.run(s.perform(Proposal("put", {"state": "1"}, "k")))
            await s.finish()
        (left,) = await rt.undo(run)
        assert left.action == "put"
    assert shelf.things == {"a": "theirs"}


async def test_a_time_without_a_zone():
    """A time of nowhere would mean another one on each machine."""
    from datetime import datetime

    async with Runtime(MemoryStore(), agent(Shelf(), putting())) as rt:
        with pytest.raises(DeclarationError, match="no time zone"):
            await rt.undo_plan(since=datetime(2026, 1, 1))  # noqa: DTZ001 - that is what is refused
