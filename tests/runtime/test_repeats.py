"""The duplicate gate: what was done already in a conversation is done again only with a yes."""

from typing import Any

from interlock import Agent, Ctx, Denied, Done, MemoryStore, Policy, Proposal, Runtime, Waiting, action, need, permit
from interlock.testing import FakeClock


class World:
    """What was sent."""

    def __init__(self) -> None:
        self.sent: list[str] = []


@action.compensable(idempotent=True)
async def send(ctx: Ctx[World], text: str) -> str:
    """Send a text."""
    ctx.deps.sent.append(text)
    return f"sent {len(ctx.deps.sent)}"


@send.undo
async def _(ctx: Ctx[World], done: str, text: str) -> None:
    ctx.deps.sent.remove(text)


@action.irreversible(repeatable=True)
async def ring(ctx: Ctx[World], text: str) -> None:
    """Ring a bell."""
    ctx.deps.sent.append(text)


def desk(world: World, *rules: Any) -> Agent:
    """Return the agent."""
    return Agent("desk", [send, ring], policy=Policy(permit([send, ring]), *rules), deps=lambda: world)


def say(text: str = "hello", key: str = "", action: str = "send") -> Proposal:
    """Return the proposal of sending a text."""
    return Proposal(action, {"text": text}, key)


async def test_the_same_again_needs_a_confirmation() -> None:
    """The question tells when it was done and with what result; a yes performs it once more, once."""
    world, clock = World(), FakeClock()
    async with Runtime(":memory:", desk(world), clock=clock) as rt:
        run = await rt.start("desk")
        async with rt.session(run.id) as s:
            assert await s.perform(say()) == Done("sent 1")
            waiting = await s.perform(say(key="k"))
            assert isinstance(waiting, Waiting)
            assert waiting.question.kind == "confirmation"
            assert waiting.question.says == 'send(text="hello")'
            assert waiting.question.reasons == (
                "the same was done in this conversation at 2026-01-01 09:00:00 UTC, "  # noqa: ISC004 - one reason
                'with the result "sent 1"',
            )
            assert world.sent == ["hello"]
            await waiting.question.approve(by="ann")
            assert await s.perform(say(key="k")) == Done("sent 2")
            assert isinstance(await s.perform(say()), Waiting)
            assert await s.perform(say("other")) == Done("sent 3")


async def test_a_no_is_a_denial() -> None:
    """What the user does not want twice is not done twice."""
    world = World()
    async with Runtime(":memory:", desk(world)) as rt:
        run = await rt.start("desk")
        async with rt.session(run.id) as s:
            await s.perform(say())
            await (await s.perform(say(key="k"))).question.deny(by="ann")
            assert isinstance(await s.perform(say(key="k")), Denied)
    assert world.sent == ["hello"]


async def test_the_conversation_counts_not_the_run() -> None:
    """Another run of the conversation is asked, another conversation is not, and neither is another tenant's."""
    world = World()
    async with Runtime(":memory:", desk(world)) as rt:

        async def once(**whose: Any) -> type:
            run = await rt.start("desk", **whose)
            async with rt.session(run.id) as s:
                return type(await s.perform(say()))

        assert await once(conversation="c1") is Done
        assert await once(conversation="c1") is Waiting
        assert await once(conversation="c2") is Done
        assert await once(conversation="c1", tenant="t") is Done
        assert await once() is Done
        assert await once() is Done


async def test_a_later_process_knows_it() -> None:
    """What an earlier process did is a repeat all the same."""
    world, store = World(), MemoryStore()
    async with Runtime(store, desk(world)) as rt:
        run = await rt.start("desk", run="r1", conversation="c1")
        async with rt.session(run.id) as s:
            await s.perform(say())
    async with Runtime(store.fork(), desk(world)) as rt:
        async with rt.session("r1") as s:
            assert isinstance(await s.perform(say()), Waiting)
        other = await rt.start("desk", conversation="c1")
        async with rt.session(other.id) as s:
            assert isinstance(await s.perform(say()), Waiting)


async def test_what_was_taken_back_can_be_done_again() -> None:
    """An undone effect is no repeat."""
    world = World()
    async with Runtime(":memory:", desk(world)) as rt:
        run = await rt.start("desk", conversation="c1")
        async with rt.session(run.id) as s:
            await s.perform(say())
        await (await run.undo_plan()).apply(by="ana")
        await rt.settled()
        again = await rt.start("desk", conversation="c1")
        async with rt.session(again.id) as s:
            assert isinstance(await s.perform(say()), Done)
    assert world.sent == ["hello"]


async def test_what_may_be_repeated_is_not_asked_about() -> None:
    """An action that is declared repeatable is done as often as it is proposed."""
    world = World()
    async with Runtime(":memory:", desk(world)) as rt:
        run = await rt.start("desk")
        async with rt.session(run.id) as s:
            assert [type(await s.perform(say(action="ring"))) for _ in range(3)] == [Done] * 3


async def test_an_approval_also_meets_it() -> None:
    """Where a person has to approve anyway, nobody is asked twice, and the person is told that it is a repeat."""
    world = World()
    async with Runtime(":memory:", desk(world, need.approval("boss", send))) as rt:
        run = await rt.start("desk")
        async with rt.session(run.id) as s:
            first = await s.perform(say(key="a"))
            assert isinstance(first, Waiting)
            await first.question.approve(by="bo")
            await s.perform(say(key="a"))
            second = await s.perform(say(key="b"))
            assert isinstance(second, Waiting)
            assert [question.kind for question in second.questions] == ["approval"]
            assert "the same was done" in second.question.reasons[-1]
            await second.question.approve(by="bo")
            assert isinstance(await s.perform(say(key="b")), Done)


async def test_a_confirmation_is_read_back_exactly_and_soon_over() -> None:
    """Nothing in the question hides, and a yes that comes too late is none."""
    world, clock = World(), FakeClock()
    agent = desk(world, need.confirmation(send))
    async with Runtime(":memory:", agent, clock=clock, confirmation_ttl="10m") as rt:
        run = await rt.start("desk")
        async with rt.session(run.id) as s:
            hidden = "pay \u202eevil\u202c to a\u200bnn"
            waiting = await s.perform(say(hidden, "k"))
            assert isinstance(waiting, Waiting)
            assert waiting.question.says == 'send(text="pay \\u202eevil\\u202c to a\\u200bnn")'
            await waiting.question.approve(by="ann")
            clock.advance("11m")
            assert isinstance(await s.perform(say(hidden, "k")), Waiting)
    assert world.sent == []


async def test_undoing_a_confirmed_repeat_leaves_the_first() -> None:
    """Of two that were done, the one that was taken back is forgotten and the other still counts."""
    world = World()
    async with Runtime(":memory:", desk(world)) as rt:
        first = await rt.start("desk", conversation="c1")
        async with rt.session(first.id) as s:
            await s.perform(say())
        second = await rt.start("desk", conversation="c1")
        async with rt.session(second.id) as s:
            await (await s.perform(say(key="k"))).question.approve(by="ann")
            assert isinstance(await s.perform(say(key="k")), Done)
        await (await second.undo_plan()).apply(by="ana")
        await rt.settled()
        third = await rt.start("desk", conversation="c1")
        async with rt.session(third.id) as s:
            assert isinstance(await s.perform(say()), Waiting)


async def test_what_came_to_nothing_is_no_repeat() -> None:
    """A result that says that it went wrong is followed by another try without a question."""

    @action.irreversible()
    async def post(ctx: Ctx[World], text: str) -> dict[str, bool]:
        """Post a text."""
        ctx.deps.sent.append(text)
        return {"isError": len(ctx.deps.sent) < 3}

    post.failed = lambda result: result["isError"]
    world = World()
    agent = Agent("desk", [post], policy=Policy(permit(post)), deps=lambda: world)
    async with Runtime(":memory:", agent) as rt:
        run = await rt.start("desk")
        async with rt.session(run.id) as s:
            kinds = [type(await s.perform(say(action="post"))) for _ in range(4)]
    assert kinds == [Done, Done, Done, Waiting]
