"""Undo by before-images: conflicts are found, nobody's change is overwritten, and a person decides."""

import asyncio

import pytest

from interlock import (
    Agent,
    Ctx,
    MemoryStore,
    Policy,
    Proposal,
    Refused,
    Runtime,
    Versioned,
    action,
    arg,
    forbid,
    need,
    permit,
    probe,
    undoing,
    user,
)
from interlock.errors import DeclarationError, UnknownEffectError
from interlock.kernel import events as ev


class Shelf:
    """Things by name, as an API of somebody else holds them; each has a version that goes up with every change."""

    def __init__(self):
        self.things = {}
        self.versions = {}
        self.undone = []
        self.lies = 0
        self.fails = 0

    def put(self, name, state):
        if state is None:
            self.things.pop(name, None)
        else:
            self.things[name] = state
        self.versions[name] = self.versions.get(name, 0) + 1


@action.reversible
async def put(ctx: Ctx[Shelf], name: str, state: str) -> str:
    """Put a thing."""
    ctx.deps.put(name, state)
    return f"thing-{name}"


@put.snapshot
async def _(ctx: Ctx[Shelf], done: str | None, name: str, state: str) -> dict[str, str | None]:
    return {name: ctx.deps.things.get(name)}


@put.undo
async def _(ctx: Ctx[Shelf], done: str, name: str, state: str) -> None:
    shelf = ctx.deps
    shelf.undone.append(name)
    if shelf.lies:
        shelf.lies -= 1
        return
    if shelf.fails:
        shelf.fails -= 1
        raise Refused("closed for lunch")
    shelf.put(name, ctx.before[name])


@action.reversible
def versioned(ctx: Ctx[Shelf], name: str, state: str) -> None:
    """Put a thing, through an API with versions."""
    ctx.deps.put(name, state)


@versioned.snapshot
def _(ctx: Ctx[Shelf], done: None, name: str, state: str) -> dict[str, Versioned]:
    return {name: Versioned(ctx.deps.things.get(name), ctx.deps.versions.get(name, 0))}


@versioned.undo
def _(ctx: Ctx[Shelf], done: None, name: str, state: str) -> None:
    assert ctx.now[name].version == ctx.deps.versions[name]
    ctx.deps.put(name, ctx.before[name].state)


@action.irreversible
async def shout(ctx: Ctx[Shelf], words: str) -> None:
    """Say it aloud."""
    ctx.deps.undone.append(words)


ACTIONS = [put, versioned, shout]


@pytest.fixture
def shelf():
    return Shelf()


def agent(shelf, *rules, actions=ACTIONS, **options):
    return Agent("desk", actions, policy=Policy(permit(actions), *rules), deps=lambda: shelf, **options)


async def did(rt, *proposals, conversation=None, finish=True):
    run = await rt.start("desk", conversation=conversation)
    async with rt.session(run.id) as s:
        for name, args in proposals:
            await s.perform(Proposal(name, args))
        if finish:
            await s.finish("ok")
    return run


def a_put(name, state):
    return "put", {"name": name, "state": state}


async def events(run, kind):
    return [one.event for one in await run.history() if isinstance(one.event, kind)]


class TestSnapshots:
    async def test_what_was_there_comes_back_and_what_was_not_goes(self, shelf):
        """Objects stand as they stood, and others are left alone."""
        shelf.put("a", "old")
        shelf.put("z", "other")
        async with Runtime(MemoryStore(), agent(shelf)) as rt:
            run = await did(rt, a_put("a", "new"), a_put("b", "new"))
            shelf.put("z", "changed by somebody")
            assert await (await run.undo_plan()).apply(by="ana") == ()
        assert shelf.things == {"a": "old", "z": "changed by somebody"}

    async def test_the_before_image_is_durable_before_the_effect(self, shelf):
        """The intent holds how the objects stood, and how the effect will be taken back."""
        shelf.put("a", "old")
        async with Runtime(MemoryStore(), agent(shelf)) as rt:
            run = await did(rt, a_put("a", "new"))
            (intent,) = await events(run, ev.Intended)
            (done,) = await events(run, ev.Done)
        assert intent.way == "snapshot"
        assert b'"old"' in bytes(intent.before)
        assert b'"new"' in bytes(done.after)
        assert done.wrote == ("a",)

    async def test_a_snapshot_that_fails_denies(self, shelf):
        """Without a before-image there is no way back, so nothing is done."""

        @action.reversible
        async def poke(ctx: Ctx[Shelf]) -> None:
            """Poke."""
            ctx.deps.put("a", "poked")

        @poke.snapshot
        async def _(ctx: Ctx[Shelf], done: None) -> dict[str, str]:
            raise ConnectionError("no answer")

        @poke.undo
        async def _(ctx: Ctx[Shelf], done: None) -> None: ...

        async with Runtime(MemoryStore(), agent(shelf, actions=[poke])) as rt:
            run = await rt.start("desk")
            async with rt.session(run.id) as s:
                outcome = await s.perform(Proposal("poke"))
        assert "could not be taken back" in outcome.reasons[0]
        assert shelf.things == {}

    async def test_the_plan_shows_before_after_and_now(self, shelf):
        """A person sees what will be restored, and what stands in the way."""
        shelf.put("a", "old")
        async with Runtime(MemoryStore(), agent(shelf)) as rt:
            run = await did(rt, a_put("a", "new"))
            (item,) = (await run.undo_plan()).items
            assert [(one.before, one.after, one.now) for one in item.changes] == [("old", "new", "new")]
            assert not item.trouble
            shelf.put("a", "theirs")
            (item,) = (await run.undo_plan()).items
            assert [(one.before, one.after, one.now) for one in item.changes] == [("old", "new", "theirs")]
            assert "a changed since" in item.trouble

    async def test_a_later_change_of_the_same_run_is_no_trouble(self, shelf):
        """What a later effect changed again is taken back first, so nothing stands in the way."""
        async with Runtime(MemoryStore(), agent(shelf)) as rt:
            run = await did(rt, a_put("a", "1"), a_put("a", "2"))
            plan = await run.undo_plan()
            assert [item.trouble for item in plan.items] == ["", ""]
            assert await plan.apply(by="ana") == ()
        assert shelf.things == {}

    async def test_what_the_effect_did_not_change_is_left(self, shelf):
        """Of the objects that a snapshot names, only those that the effect changed go back."""

        @action.reversible
        async def fill(ctx: Ctx[Shelf]) -> None:
            """Put a where nothing is."""
            for name in ("a", "b"):
                if name not in ctx.deps.things:
                    ctx.deps.put(name, "filled")

        @fill.snapshot
        async def _(ctx: Ctx[Shelf], done: None) -> dict[str, str | None]:
            return {name: ctx.deps.things.get(name) for name in ("a", "b")}

        @fill.undo
        async def _(ctx: Ctx[Shelf], done: None) -> None:
            for name, state in ctx.before.items():
                ctx.deps.put(name, state)

        shelf.put("a", "old")
        async with Runtime(MemoryStore(), agent(shelf, actions=[fill])) as rt:
            run = await did(rt, ("fill", {}))
            shelf.put("a", "theirs")
            assert await (await run.undo_plan()).apply(by="ana") == ()
        assert shelf.things == {"a": "theirs"}

    def test_a_snapshot_needs_an_undo(self, shelf):
        """What is only looked at is not taken back."""

        @action.reversible
        async def lone(ctx: Ctx[Shelf]) -> None: ...

        @lone.snapshot
        async def _(ctx: Ctx[Shelf], done: None) -> dict[str, str]:
            return {}

        with pytest.raises(DeclarationError, match="no way back"):
            agent(shelf, actions=[lone])


class TestConflicts:
    async def test_theirs_is_kept_and_the_rest_stays(self, shelf):
        """Where somebody changed what the effect had changed, nothing is overwritten and the undo stops."""
        async with Runtime(MemoryStore(), agent(shelf)) as rt:
            run = await did(rt, a_put("a", "1"), a_put("b", "1"), a_put("c", "1"))
            shelf.put("b", "theirs")
            plan = await run.undo_plan()
            left = await plan.apply(by="ana")
            assert [item.args["name"] for item in left] == ["b", "a"]
            (told,) = await events(run, ev.NotUndone)
        assert shelf.things == {"a": "1", "b": "theirs"}
        assert (told.kind, told.target) == ("conflict", plan.items[1].seq)
        assert b'"theirs"' in bytes(told.changes)

    async def test_the_rest_goes_on_where_that_is_wanted(self, shelf):
        """With `leave` only the effect in conflict stays."""
        async with Runtime(MemoryStore(), agent(shelf)) as rt:
            run = await did(rt, a_put("a", "1"), a_put("b", "1"), a_put("c", "1"))
            shelf.put("b", "theirs")
            left = await (await run.undo_plan()).apply(by="ana", otherwise="leave")
            assert [item.args["name"] for item in left] == ["b"]
            assert [item.args["name"] for item in (await run.undo_plan()).items] == ["b"]
        assert shelf.things == {"b": "theirs"}

    @pytest.mark.parametrize(
        ("decision", "things", "left"),
        [("again", {}, []), ("leave", {"b": "theirs"}, ["b"]), ("stop", {"a": "1", "b": "theirs"}, ["b", "a"])],
    )
    async def test_a_person_decides(self, shelf, decision, things, left):
        """People are asked, see before, after and now, and say what becomes of it."""
        async with Runtime(MemoryStore(), agent(shelf)) as rt:
            run = await did(rt, a_put("a", "1"), a_put("b", "1"))
            shelf.put("b", "theirs")
            undoing = asyncio.create_task((await run.undo_plan()).apply(by="ana", otherwise="ask"))
            while not (questions := await run.questions()):
                await asyncio.sleep(0.01)
            (question,) = questions
            assert question.kind == "undo"
            (change,) = question.args["changes"]
            assert (change["before"], change["after"], change["now"]) == (None, "1", "theirs")
            if decision == "again":
                shelf.things["b"] = "1"
            await getattr(question, decision)(by="bob")
            assert [item.args["name"] for item in await undoing] == left
        assert shelf.things == things

    async def test_a_version_tells_what_a_state_does_not(self, shelf):
        """A state that came back after two changes of others is not taken for what the effect left."""
        async with Runtime(MemoryStore(), agent(shelf)) as rt:
            run = await did(rt, ("versioned", {"name": "a", "state": "1"}))
            shelf.put("a", "theirs")
            shelf.put("a", "1")
            assert len(await (await run.undo_plan()).apply(by="ana")) == 1
        assert shelf.things == {"a": "1"}

    async def test_versions_move_on_with_an_undo(self, shelf):
        """Equality is about states: the version after the undo is a new one."""
        shelf.put("a", "old")
        async with Runtime(MemoryStore(), agent(shelf)) as rt:
            run = await did(rt, ("versioned", {"name": "a", "state": "1"}))
            assert await (await run.undo_plan()).apply(by="ana") == ()
        assert shelf.things == {"a": "old"}


class TestTrouble:
    async def test_an_undo_that_lies_is_found_out(self, shelf):
        """After the undo the objects are read again; it is tried again, and then left to people."""
        shelf.lies = 99
        async with Runtime(MemoryStore(), agent(shelf)) as rt:
            run = await did(rt, a_put("a", "1"))
            assert len(await (await run.undo_plan()).apply(by="ana")) == 1
            told = await events(run, ev.NotUndone)
        assert {one.kind for one in told} == {"wrong"}
        assert len(told) == 4
        assert "not as before" in told[0].reason

    async def test_a_refusal_is_tried_again(self, shelf):
        """An undo that is turned down once or twice goes through later, without anybody being asked."""
        shelf.fails = 2
        async with Runtime(MemoryStore(), agent(shelf)) as rt:
            run = await did(rt, a_put("a", "1"))
            assert await (await run.undo_plan()).apply(by="ana", otherwise="ask") == ()
        assert shelf.undone == ["a", "a", "a"]
        assert shelf.things == {}

    async def test_a_counter_action_is_probed(self, shelf):
        """Where a look can tell what became of a counter-action, nobody is asked and it is not sent twice."""

        @action.compensable
        async def ship(ctx: Ctx[Shelf], what: str) -> None:
            """Ship."""

        @ship.undo
        async def _(ctx: Ctx[Shelf], done: None, what: str) -> None:
            ctx.deps.undone.append(what)
            raise ConnectionError("no answer")

        @ship.undo_probe
        async def _(ctx: Ctx[Shelf], done: None, what: str) -> probe.Answer[None]:
            return probe.done(None) if what in ctx.deps.undone else probe.never

        async with Runtime(MemoryStore(), agent(shelf, actions=[ship])) as rt:
            run = await did(rt, ("ship", {"what": "x"}))
            assert await (await run.undo_plan()).apply(by="ana") == ()
        assert shelf.undone == ["x"]


class TestAuthority:
    async def test_who_may_take_back_is_judged(self, shelf):
        """A rule about the undo of an action binds whoever undoes, and says why."""
        rule = forbid(undoing(put), when=user.id != "lead", because="only the lead takes back")
        async with Runtime(MemoryStore(), agent(shelf, rule)) as rt:
            run = await did(rt, a_put("a", "1"))
            assert len(await (await run.undo_plan()).apply(by="ana")) == 1
            (told,) = await events(run, ev.NotUndone)
            assert told.kind == "denied"
            assert "only the lead takes back" in told.reason
            assert shelf.things == {"a": "1"}
            assert await (await run.undo_plan()).apply(by="lead") == ()
        assert shelf.things == {}

    async def test_a_permit_narrows(self, shelf):
        """As soon as a rule permits the undo of an action, what none permits is denied."""
        rule = permit(undoing(put), when=arg.name == "a")
        async with Runtime(MemoryStore(), agent(shelf, rule)) as rt:
            run = await did(rt, a_put("b", "1"), a_put("a", "1"))
            left = await (await run.undo_plan()).apply(by="ana", otherwise="leave")
        assert [item.args["name"] for item in left] == ["b"]

    @pytest.mark.parametrize(("says", "things"), [("approve", {}), ("deny", {"a": "1"})])
    async def test_it_may_need_an_approval(self, shelf, says, things):
        """The undo waits for the people whom the policy names, and is bound to their answer."""
        rule = need.approval("finance", undoing(put))
        async with Runtime(MemoryStore(), agent(shelf, rule)) as rt:
            run = await did(rt, a_put("a", "1"))
            undo = asyncio.create_task((await run.undo_plan()).apply(by="ana"))
            while not (questions := await run.questions()):
                await asyncio.sleep(0.01)
            assert (questions[0].kind, questions[0].level) == ("approval", "finance")
            assert questions[0].says.startswith("take back put(")
            await getattr(questions[0], says)(by="fay")
            await undo
        assert shelf.things == things

    def test_what_an_undo_can_not_wait_for(self, shelf):
        """A delay or a confirmation of an undo is refused where it is declared."""
        with pytest.raises(DeclarationError, match="an undo can be permitted"):
            agent(shelf, need.delay("1m", undoing(put)))


class TestRecall:
    async def test_what_waits_for_its_delay_never_leaves(self, shelf):
        """An effect in its window is recalled: the plan says so, and nothing is sent."""
        async with Runtime(MemoryStore(), agent(shelf, need.delay("1h", shout))) as rt:
            run = await rt.start("desk")
            async with rt.session(run.id) as s:
                await s.perform(Proposal("put", {"name": "a", "state": "1"}))
                waiting = await s.perform(Proposal("shout", {"words": "hey"}, "k"))
                assert waiting.until
            plan = await run.undo_plan()
            assert [item.way for item in plan.items] == ["recall", "restore"]
            assert await plan.apply(by="ana") == ()
            async with rt.session(run.id) as s:
                denied = await s.perform(Proposal("shout", {"words": "hey"}, "k"))
        assert "ana recalled it" in denied.reasons[0]
        assert shelf.undone == ["a"]

    async def test_a_window_that_ended_meanwhile(self, shelf):
        """What left before it could be recalled is reported as what could not be taken back."""
        async with Runtime(MemoryStore(), agent(shelf, need.delay("10ms", shout))) as rt:
            run = await rt.start("desk")
            async with rt.session(run.id) as s:
                await s.perform(Proposal("shout", {"words": "hey"}, "k"))
                plan = await run.undo_plan()
                await asyncio.sleep(0.05)
                await s.perform(Proposal("shout", {"words": "hey"}, "k"))
                await s.finish()
            left = await plan.apply(by="ana")
        assert [item.way for item in left] == ["recall"]
        assert shelf.undone == ["hey"]


class TestScopes:
    async def test_a_conversation_across_its_runs(self, shelf):
        """Effects of several runs go back in one order, the last first, each run in its turn."""
        async with Runtime(MemoryStore(), agent(shelf)) as rt:
            one = await rt.start("desk", conversation="c")
            two = await rt.start("desk", conversation="c")
            async with rt.session(one.id) as s, rt.session(two.id) as t:
                await s.perform(Proposal("put", {"name": "a", "state": "1"}))
                await t.perform(Proposal("put", {"name": "a", "state": "2"}))
                await s.perform(Proposal("put", {"name": "a", "state": "3"}))
                await s.finish()
                await t.finish()
            other = await did(rt, a_put("z", "1"))
            plan = await rt.undo_plan(conversation="c")
            assert [item.run for item in plan.items] == [one.id, two.id, one.id]
            assert await plan.apply(by="ana") == ()
            assert (await rt.undo_plan(conversation="c")).items == ()
            assert len((await rt.undo_plan(agent="desk")).items) == 1
            assert (await rt.undo_plan(agent="desk")).items[0].run == other.id
        assert shelf.things == {"z": "1"}

    async def test_a_conflict_in_one_run_stops_the_others(self, shelf):
        """What comes after trouble, in whatever run, is left and reported."""
        async with Runtime(MemoryStore(), agent(shelf)) as rt:
            await did(rt, a_put("a", "1"), conversation="c")
            await did(rt, a_put("b", "1"), conversation="c")
            shelf.put("b", "theirs")
            left = await (await rt.undo_plan(conversation="c")).apply(by="ana")
            assert [item.args["name"] for item in left] == ["b", "a"]
            left = await (await rt.undo_plan(conversation="c")).apply(by="ana", otherwise="leave")
            assert [item.args["name"] for item in left] == ["b"]
        assert shelf.things == {"b": "theirs"}

    async def test_one_effect_and_what_rests_on_it(self, shelf):
        """One effect in the middle is taken back alone; what rests on it is named, and why."""
        async with Runtime(MemoryStore(), agent(shelf)) as rt:
            run = await did(rt, a_put("a", "1"), a_put("b", "of thing-a"), a_put("c", "1"), a_put("a", "2"))
            first = min(item.seq for item in (await run.undo_plan()).items)
            plan = await rt.undo_plan(run.id, seq=first)
            assert [(one.action, one.bound) for one in plan.dependants] == [("put", True)]
            assert "changed a again" in plan.dependants[0].why
            both = await plan.with_dependants()
            assert [item.args["state"] for item in both.items] == ["2", "1"]
            assert len(await plan.apply(by="ana")) == 1
            third = sorted(item.seq for item in (await run.undo_plan()).items)[2]
            assert await (await rt.undo_plan(run.id, seq=third)).apply(by="ana") == ()
        assert shelf.things == {"a": "2", "b": "of thing-a"}

    async def test_what_is_no_effect(self, shelf):
        """A number that names no effect is an error that says where the numbers are."""
        async with Runtime(MemoryStore(), agent(shelf)) as rt:
            run = await did(rt, a_put("a", "1"))
            with pytest.raises(UnknownEffectError, match="interlock show"):
                await rt.undo_plan(run.id, seq=99)
            with pytest.raises(DeclarationError, match="give one"):
                await rt.undo_plan()


class TestOfItself:
    async def test_a_failed_run_takes_back_what_it_did(self, shelf):
        """With undo_on=("failed",) a run that fails leaves nothing behind."""
        async with Runtime(MemoryStore(), agent(shelf, undo_on=("failed",))) as rt:
            run = await did(rt, a_put("a", "1"), finish=False)
            async with rt.session(run.id) as s:
                await s.fail("out of luck")
            await rt.settled()
            assert await run.status() == "failed"
        assert shelf.things == {}

    async def test_a_cancel_may_take_back(self, shelf):
        """Whoever calls a run off says whether what it did is taken back."""
        async with Runtime(MemoryStore(), agent(shelf)) as rt:
            kept, gone = await did(rt, a_put("a", "1"), finish=False), await did(rt, a_put("b", "1"), finish=False)
            await kept.cancel(by="ana")
            await gone.cancel(by="ana", undo=True)
            await rt.settled()
        assert shelf.things == {"a": "1"}

    async def test_a_rejection_may_take_back(self, shelf):
        """With undo_on=("rejected",) a person's no calls the run off, and what it had done goes back."""
        rule = need.approval("lead", shout)
        async with Runtime(MemoryStore(), agent(shelf, rule, undo_on=("rejected",))) as rt:
            run = await rt.start("desk")
            async with rt.session(run.id) as s:
                await s.perform(Proposal("put", {"name": "a", "state": "1"}))
                waiting = await s.perform(Proposal("shout", {"words": "hey"}, "k"))
                await waiting.question.deny(by="lea", note="no shouting")
                await rt.settled()
                await s.perform(Proposal("shout", {"words": "hey"}, "k"))
            await rt.settled()
            assert await run.status() == "cancelled"
        assert shelf.things == {}

    async def test_a_transaction_that_fails(self, shelf):
        """What was done in the block is taken back; what came before stays, and the run goes on."""
        async with Runtime(MemoryStore(), agent(shelf)) as rt:
            run = await rt.start("desk")
            async with rt.session(run.id) as s:
                await s.perform(Proposal("put", {"name": "a", "state": "1"}))
                with pytest.raises(ValueError, match="no"):  # noqa: PT012 - the block is what is tested
                    async with s.transaction():
                        await s.perform(Proposal("put", {"name": "b", "state": "1"}))
                        await s.perform(Proposal("put", {"name": "a", "state": "2"}))
                        raise ValueError("no")
                assert shelf.things == {"a": "1"}
                await s.perform(Proposal("put", {"name": "c", "state": "1"}))
        assert shelf.things == {"a": "1", "c": "1"}

    async def test_a_transaction_that_can_not_be_taken_back(self, shelf):
        """What stays is said in a note of the error, and the run is parked for a person."""
        async with Runtime(MemoryStore(), agent(shelf)) as rt:
            run = await rt.start("desk")
            async with rt.session(run.id) as s:
                with pytest.raises(ValueError, match="no") as caught:  # noqa: PT012 - the block is what is tested
                    async with s.transaction():
                        await s.perform(Proposal("put", {"name": "b", "state": "1"}))
                        shelf.put("b", "theirs")
                        raise ValueError("no")
            assert "could not be taken back" in caught.value.__notes__[0]
            assert await run.status() == "parked"
        assert shelf.things == {"b": "theirs"}
