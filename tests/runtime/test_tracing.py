"""Provenance on the path of an action: what speaks against a proposal is asked about, or denies it."""

import asyncio
import logging
from typing import Any, ClassVar

import msgspec
import pytest
from tracing_desk import ACTIONS, IBAN, PAY, PERMIT, READ, World, desk, events, pay, read_file

import interlock.runtime.tracing
from interlock import (
    Agent,
    Denied,
    Done,
    Labels,
    MemoryStore,
    Policy,
    Proposal,
    Runtime,
    ScriptedModel,
    Trust,
    Waiting,
    arg,
    need,
    origin,
    permit,
)
from interlock.kernel import events as ev
from interlock.provenance import Index, Origin, Strike, Traced, Written

TRUSTED = Traced((Origin("iban", "sink", Trust.USER),), (), "reviewer")
ONE = Traced(
    (Origin("iban", "sink", Trust.NOWHERE, "nowhere"),), (Strike("sink", "nobody named the IBAN"),), "reviewer"
)
TWO = msgspec.structs.replace(ONE, strikes=(*ONE.strikes, Strike("grant", "nobody asked for it")))


class Stub(Index):
    """An index that says what it is told to, and remembers what it was fed."""

    made: ClassVar[list["Stub"]] = []
    says: Any = TRUSTED
    least: Any = None

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fed: list[tuple[int, Any]] = []
        Stub.made.append(self)

    def add(self, seq: int, event: Any) -> None:
        self.fed.append((seq, event))

    def trace(self, action: str, args: Any) -> Any:
        if isinstance(Stub.says, BaseException):
            raise Stub.says
        return Stub.says if action == "pay" else Traced()


@pytest.fixture
def stub(monkeypatch: pytest.MonkeyPatch) -> type[Stub]:
    monkeypatch.setattr(interlock.runtime.tracing, "Index", Stub)
    Stub.made, Stub.says, Stub.least = [], TRUSTED, None
    return Stub


def origins_of(judgement: ev.Judgement) -> list[Origin]:
    return msgspec.json.decode(bytes(judgement.origins), type=list[Origin])


class TestStrikes:
    """None permits, one asks, two deny."""

    async def test_nothing_against_it(self, stub: type[Stub]) -> None:
        """It is performed, and the decision says where its values came from."""
        world = World()
        async with Runtime(MemoryStore(), desk(world)) as rt:
            run = await rt.start("desk")
            async with rt.session(run.id) as s:
                assert isinstance(await s.perform(PAY), Done)
            (intent,) = await events(run, ev.Intended)
            assert origins_of(intent.judgement) == list(TRUSTED.origins)
            assert intent.judgement.strikes == ()
            assert intent.judgement.rules == ("r1",)

    async def test_one_asks_a_person(self, stub: type[Stub]) -> None:
        """The question says what speaks against it; with a yes it is performed, and the intent says why."""
        world, stub.says = World(), ONE
        async with Runtime(MemoryStore(), desk(world)) as rt:
            run = await rt.start("desk")
            async with rt.session(run.id) as s:
                waiting = await s.perform(PAY)
                assert isinstance(waiting, Waiting)
                (question,) = waiting.questions
                assert (question.kind, question.level) == ("approval", "reviewer")
                assert question.reasons == ("nobody named the IBAN",)
                assert world.paid == []
                await question.approve(by="ana")
                assert isinstance(await s.perform(PAY), Done)
            (intent,) = await events(run, ev.Intended)
            assert intent.judgement.rules == ("r1", "provenance")
            assert intent.judgement.needs == ("approval reviewer",)
            assert intent.judgement.strikes == ("nobody named the IBAN",)
            assert world.paid == [(IBAN, "98.70")]

    async def test_a_no_is_a_no(self, stub: type[Stub]) -> None:
        """As of any approval."""
        world, stub.says = World(), ONE
        async with Runtime(MemoryStore(), desk(world)) as rt:
            run = await rt.start("desk")
            async with rt.session(run.id) as s:
                waiting = await s.perform(PAY)
                await waiting.questions[0].deny(by="ana")
                assert isinstance(await s.perform(PAY), Denied)
        assert world.paid == []

    async def test_an_approval_that_is_needed_anyway_is_one(self, stub: type[Stub]) -> None:
        """One question of that level, with both reasons."""
        world, stub.says = World(), ONE
        over = need.approval("reviewer", pay, when=arg.amount > 10, because="over 10")
        async with Runtime(MemoryStore(), desk(world, over)) as rt:
            run = await rt.start("desk")
            async with rt.session(run.id) as s:
                waiting = await s.perform(PAY)
                (question,) = waiting.questions
                assert question.reasons == ("over 10", "nobody named the IBAN")
                await question.approve(by="ana")
                assert isinstance(await s.perform(PAY), Done)

    async def test_another_level_is_asked_too(self, stub: type[Stub]) -> None:
        """Finance may not answer for the reviewer."""
        world, stub.says = World(), ONE
        agent = desk(world, need.approval("finance", pay), labels=Labels(level="security"))
        stub.says = msgspec.structs.replace(ONE, level="security")
        async with Runtime(MemoryStore(), agent) as rt:
            run = await rt.start("desk")
            async with rt.session(run.id) as s:
                waiting = await s.perform(PAY)
                assert [one.level for one in waiting.questions] == ["finance", "security"]
                await waiting.questions[0].approve(by="ana")
                assert isinstance(await s.perform(PAY), Waiting)
        assert world.paid == []

    async def test_two_deny_and_alert(self, stub: type[Stub], caplog: pytest.LogCaptureFixture) -> None:
        """Both are told, with a way forward; whoever watches the log is told as well."""
        world, stub.says = World(), TWO
        async with Runtime(MemoryStore(), desk(world)) as rt:
            run = await rt.start("desk")
            with caplog.at_level(logging.WARNING, "interlock"):
                async with rt.session(run.id) as s:
                    outcome = await s.perform(PAY)
            assert isinstance(outcome, Denied)
            assert outcome.reasons == ("nobody named the IBAN", "nobody asked for it")
            assert outcome.stage == "judge"
            assert outcome.instead
            (denied,) = await events(run, ev.Denied)
            assert denied.judgement.rules == ("r1", "provenance")
            assert denied.judgement.strikes == outcome.reasons
            assert origins_of(denied.judgement) == list(TWO.origins)
        (record,) = [one for one in caplog.records if one.name == "interlock"]
        assert "nobody named the IBAN; and nobody asked for it" in record.getMessage()
        assert world.paid == []

    async def test_a_policy_that_forbids_needs_no_strikes(self, stub: type[Stub]) -> None:
        """Its reasons are told; what tracing says stands beside them."""
        world, stub.says = World(), ONE
        agent = Agent("desk", ACTIONS, policy=Policy(permit("read_file")), deps=lambda: world, labels=Labels())
        async with Runtime(MemoryStore(), agent) as rt:
            run = await rt.start("desk")
            async with rt.session(run.id) as s:
                outcome = await s.perform(PAY)
            assert isinstance(outcome, Denied)
            assert outcome.reasons == ("no rule permits pay",)
            (denied,) = await events(run, ev.Denied)
            assert denied.judgement.strikes == ("nobody named the IBAN",)


class TestBinding:
    """An approval is for exactly these values, from where they came then."""

    @pytest.mark.parametrize("when", ["before", "after"])
    async def test_a_value_from_elsewhere_is_asked_about_anew(self, stub: type[Stub], when: str) -> None:
        """Whether the origin changed before the yes or after it."""
        world, stub.says = World(), ONE
        other = msgspec.structs.replace(ONE, origins=(Origin("iban", "sink", Trust.THIRD_PARTY),))
        async with Runtime(MemoryStore(), desk(world)) as rt:
            run = await rt.start("desk")
            async with rt.session(run.id) as s:
                first = await s.perform(PAY)
                if when == "after":
                    await first.questions[0].approve(by="ana")
                stub.says = other
                if when == "before":
                    await first.questions[0].approve(by="ana")
                second = await s.perform(PAY)
                assert isinstance(second, Waiting)
                assert second.questions[0].id != first.questions[0].id
                assert world.paid == []
                await second.questions[0].approve(by="ana")
                assert isinstance(await s.perform(PAY), Done)

    async def test_a_strike_that_comes_later_counts(self, stub: type[Stub]) -> None:
        """What was approved with one thing against it is denied with two."""
        world, stub.says = World(), ONE
        async with Runtime(MemoryStore(), desk(world)) as rt:
            run = await rt.start("desk")
            async with rt.session(run.id) as s:
                first = await s.perform(PAY)
                await first.questions[0].approve(by="ana")
                stub.says = TWO
                assert isinstance(await s.perform(PAY), Denied)
        assert world.paid == []

    async def test_an_approval_of_the_policy_is_bound_to_the_origins_too(self, stub: type[Stub]) -> None:
        """The reviewer saw where the value came from, and said yes to that."""
        world = World()
        async with Runtime(MemoryStore(), desk(world, need.approval("boss", pay))) as rt:
            run = await rt.start("desk")
            async with rt.session(run.id) as s:
                first = await s.perform(PAY)
                await first.questions[0].approve(by="ana")
                stub.says = Traced((Origin("iban", "sink", Trust.DIRECTORY),), (), "reviewer")
                assert isinstance(await s.perform(PAY), Waiting)
        assert world.paid == []


class TestFaults:
    """Whatever goes wrong in tracing is a denial."""

    @pytest.mark.parametrize(
        "says",
        [
            ValueError("no"), RecursionError(), KeyError("x"), None, True, (), "ok", ((), ()), object(),
            Traced(origins=[], strikes=()), Traced(origins=(1,)), Traced(strikes=("x",), level="a"),  # type: ignore[arg-type]
            Traced(strikes=(Strike("sink", "one"),)), Traced(origins=(Origin("iban", "sink", 99),)),  # type: ignore[arg-type]
        ],
        ids=lambda one: type(one).__name__,
    )  # fmt: skip
    async def test_garbage_denies(self, stub: type[Stub], says: Any) -> None:
        """Nothing but a sound answer speaks for a proposal."""
        world, stub.says = World(), says
        async with Runtime(MemoryStore(), desk(world)) as rt:
            run = await rt.start("desk")
            async with rt.session(run.id) as s:
                outcome = await s.perform(PAY)
        assert isinstance(outcome, Denied)
        assert outcome.stage == "judge"
        assert world.paid == []

    async def test_an_index_that_can_not_be_built_denies(
        self, stub: type[Stub], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """For as long as it can't; then the same proposal is judged as any."""
        world = World()

        def broken(*_: Any) -> None:
            raise OSError("no")

        async with Runtime(MemoryStore(), desk(world)) as rt:
            run = await rt.start("desk")
            async with rt.session(run.id) as s:
                with monkeypatch.context() as patch:
                    patch.setattr(Stub, "add", broken)
                    outcome = await s.perform(Proposal("pay", PAY.args, "k1"))
                assert isinstance(outcome, Denied)
                assert "where values came from" in outcome.reasons[0]
                assert isinstance(await s.perform(Proposal("pay", PAY.args, "k2")), Done)

    async def test_an_event_that_can_not_be_traced_is_written(
        self, stub: type[Stub], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        """What happened has happened. The index is built anew for the next judgement, which knows it."""
        world = World()
        honest = Stub.add

        def broken(self: Stub, seq: int, event: Any) -> None:
            if isinstance(event, ev.Done) and len(Stub.made) == 1:
                raise OSError("no")
            honest(self, seq, event)

        monkeypatch.setattr(Stub, "add", broken)
        async with Runtime(MemoryStore(), desk(world)) as rt:
            run = await rt.start("desk")
            async with rt.session(run.id) as s:
                assert isinstance(await s.perform(READ), Done)
                assert isinstance(await s.perform(PAY), Done)
            assert len(await events(run, ev.Done)) == 2
            assert [type(one).__name__ for _, one in stub.made[-1].fed] == ["RunStarted", "Done", "Intended", "Done"]
        assert "could not be traced" in caplog.text

    async def test_what_agents_wrote_that_can_not_be_read_denies(
        self, monkeypatch: pytest.MonkeyPatch, stub: type[Stub]
    ) -> None:
        """It could hold the very value."""

        def broken(*_: Any) -> None:
            raise OSError("no")

        world, store = World(), MemoryStore()
        async with Runtime(store, desk(world)) as rt:
            run = await rt.start("desk")
            async with rt.session(run.id) as s:
                await s.perform(PAY)
        monkeypatch.setattr(Written, "add", broken)
        async with Runtime(store.fork(), desk(world)) as rt:
            run = await rt.start("desk")
            async with rt.session(run.id) as s:
                assert isinstance(await s.perform(PAY), Denied)
        assert len(world.paid) == 1


class TestIndex:
    """What a run has seen is kept, and read from the journal where it is not."""

    async def test_a_denied_call_leaves_no_trace(self, stub: type[Stub]) -> None:
        """What was asked and what was done does."""
        world = World()
        async with Runtime(MemoryStore(), desk(world)) as rt:
            run = await rt.start("desk", "hello")
            async with rt.session(run.id) as s:
                await s.perform(Proposal("nothing", {}, "a"))
                stub.says = TWO
                await s.perform(Proposal("pay", PAY.args, "b"))
                stub.says = ONE
                await s.perform(Proposal("pay", PAY.args, "c"))
                stub.says = TRUSTED
                await s.perform(Proposal("pay", PAY.args, "d"))
        (index,) = stub.made
        assert [type(one).__name__ for _, one in index.fed] == ["RunStarted", "Intended", "Done"]

    async def test_read_again_it_is_the_same(self, stub: type[Stub]) -> None:
        """In the same process after it was forgotten, and in the next."""
        world, store = World(), MemoryStore()
        async with Runtime(store, desk(world)) as rt:
            run = await rt.start("desk", "hello")
            async with rt.session(run.id) as s:
                for number in range(3):
                    await s.perform(Proposal("read_file", READ.args, f"r{number}"))
                    await s.perform(Proposal("pay", PAY.args, f"p{number}"))
        async with Runtime(store.fork(), desk(world)) as rt, rt.session(run.id) as s:
            await s.perform(Proposal("read_file", READ.args, "r9"))
            first, second = stub.made
            assert second.fed[: len(first.fed)] == first.fed
            assert len(second.fed) == len(first.fed) + 1

    async def test_side_by_side_it_is_built_once(self, stub: type[Stub]) -> None:
        """Proposals that come at once share it, and each sees all of it."""
        world = World()
        async with Runtime(MemoryStore(), desk(world)) as rt:
            run = await rt.start("desk", "hello")
            async with rt.session(run.id) as s:
                several = [s.perform(Proposal("pay", PAY.args, f"p{number}")) for number in range(20)]
                assert all(isinstance(one, Done) for one in await asyncio.gather(*several))
            (index,) = stub.made
            assert sorted(seq for seq, _ in index.fed) == [one.seq for one in await run.history()]

    async def test_earlier_runs_of_the_conversation_come_first(self, stub: type[Stub]) -> None:
        """Of the same user; another's words are not this user's, and other conversations are others."""
        world = World()
        async with Runtime(MemoryStore(), desk(world)) as rt:
            for number, (user, conversation) in enumerate(
                [("u", "c"), ("v", "c"), ("u", "d"), ("u", None), ("u", "c")]
            ):
                run = await rt.start("desk", f"words {number}", user=user, conversation=conversation)
                async with rt.session(run.id) as s:
                    await s.perform(READ)
        told = [msgspec.json.decode(bytes(one.input)) for _, one in stub.made[-1].fed if isinstance(one, ev.RunStarted)]
        assert told == ["words 0", "words 4"]

    async def test_without_labels_nothing_is_made(self, stub: type[Stub], monkeypatch: pytest.MonkeyPatch) -> None:
        """No index, nothing written kept, nothing recorded."""
        monkeypatch.setattr(interlock.runtime.tracing, "Written", None)
        world = World()
        agent = Agent("desk", ACTIONS, policy=Policy(PERMIT), deps=lambda: world)
        async with Runtime(MemoryStore(), agent) as rt:
            run = await rt.start("desk")
            async with rt.session(run.id) as s:
                await s.perform(READ)
                assert isinstance(await s.perform(PAY), Done)
                await s.finish("done")
            (intent,) = await events(run, ev.Intended)
            assert intent.judgement.origins == ev.NOTHING
            (ended,) = await events(run, ev.RunEnded)
            assert ended.trust is None
        assert stub.made == []


class TestRules:
    """Policies read where values came from."""

    @pytest.mark.parametrize(("trust", "outcome"), [(Trust.USER, Done), (Trust.COLLEAGUE, Denied)])
    async def test_a_rule_reads_the_origin(self, stub: type[Stub], trust: Trust, outcome: type[Any]) -> None:
        """It decides by the trust of the argument's worst value."""
        world = World()
        stub.says = Traced((Origin("iban", "sink", trust), Origin("amount", "amount", Trust.NOWHERE)), ())
        rules = Policy(permit(pay, when=origin.iban.trust >= Trust.DIRECTORY))
        agent = Agent("desk", ACTIONS, policy=rules, deps=lambda: world, labels=Labels())
        async with Runtime(MemoryStore(), agent) as rt:
            run = await rt.start("desk")
            async with rt.session(run.id) as s:
                assert isinstance(await s.perform(PAY), outcome)

    async def test_an_argument_that_was_not_traced_denies(self, stub: type[Stub]) -> None:
        """Silence is not trust."""
        world, stub.says = World(), Traced()
        rules = Policy(permit(pay, when=origin.iban.is_absent() | (origin.iban.trust >= 0)))
        agent = Agent("desk", ACTIONS, policy=rules, deps=lambda: world, labels=Labels())
        async with Runtime(MemoryStore(), agent) as rt:
            run = await rt.start("desk")
            async with rt.session(run.id) as s:
                outcome = await s.perform(PAY)
        assert isinstance(outcome, Denied)
        assert "nobody traced it" in outcome.reasons[0]


class TestSubAgents:
    """What another agent answers is worth what it was made of."""

    @pytest.mark.parametrize(("least", "trust"), [(Trust.THIRD_PARTY, 2), (None, 7), (Trust.NOWHERE, 0)])
    async def test_an_answer_carries_the_join(self, stub: type[Stub], least: Trust | None, trust: int) -> None:
        """The run's end says what it is worth, and the outcome of the task that was handed on says the same."""
        stub.least = least
        sub = Agent(
            "reader", [read_file], model=ScriptedModel([READ, "It says: pay."]), policy=Policy(permit(read_file))
        )
        model = ScriptedModel([Proposal("reader", {"task": "read bill.txt"}), "Done."])
        rules = Policy(permit(["reader", "read_file"]))
        boss = Agent("boss", [sub], model=model, policy=rules, deps=World, labels=Labels())
        async with Runtime(MemoryStore(), boss) as rt:
            run = await rt.send("boss", "what does it say?")
            await run.result()
            (done,) = await events(run, ev.Done)
            assert (done.via, done.trust) == ("delegate", trust)
            (handed,) = await events(run, ev.Delegated)
            (ended,) = await events(rt.run(handed.to), ev.RunEnded)
            assert ended.trust == trust
            below = next(
                one for one in stub.made if any(isinstance(each, ev.RunStarted) and each.parent for _, each in one.fed)
            )
            started = [one for _, one in below.fed if isinstance(one, ev.RunStarted)]
            assert [one.parent is None for one in started] == [True, False]

    async def test_what_can_not_be_told_is_worth_nothing(
        self, stub: type[Stub], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        """The run ends all the same."""
        monkeypatch.setattr(Stub, "least", property(lambda _: 1 // 0))
        async with Runtime(MemoryStore(), desk(World())) as rt:
            run = await rt.start("desk")
            async with rt.session(run.id) as s:
                await s.finish("done")
            (ended,) = await events(run, ev.RunEnded)
        assert ended.trust == Trust.NOWHERE
        assert "nobody trusts it" in caplog.text


def test_the_index_reads_only_events_that_it_is_fed() -> None:
    """Built from the journal or grown event by event, it comes to the same."""
    folded = interlock.runtime.tracing.FOLDED
    assert {ev.RunStarted, ev.MessageReceived, ev.Answered, ev.Intended, ev.Done, ev.Planned} == set(folded)
    assert Index is interlock.provenance.Index
