"""Bad input gives one clear error; nothing is lost, nothing half done."""

import asyncio
import contextlib
import time
from decimal import Decimal

import pytest

from interlock import (
    Agent,
    Ctx,
    Denied,
    Done,
    Failed,
    Finished,
    MemoryStore,
    Policy,
    Proposal,
    Refused,
    Runtime,
    Turn,
    Unknown,
    action,
    permit,
    probe,
    verify,
)
from interlock.errors import (
    CanonicalError,
    DeclarationError,
    DependenciesError,
    RunEndedError,
    StaleWriterError,
)


async def run_one(rt, proposal):
    run = await rt.start("desk")
    async with rt.session(run.id) as s:
        return await s.perform(proposal)


class TestArguments:
    async def test_a_megabyte_of_arguments_goes_to_a_blob(self, rt, bank, tmp_path):
        """Large arguments are taken, stored beside the row, and found again."""
        big = "x" * 1_000_000
        run = await rt.start("desk")
        async with rt.session(run.id) as s:
            assert isinstance(await s.perform(Proposal("pay", {"ref": big, "amount": 1}, "k")), Done)
            assert (await s.perform(Proposal("pay", {"ref": big, "amount": 1}, "k"))).result == f"receipt {big}"
        assert len(bytes((await run.history())[1].event.args)) > 1_000_000
        assert (await verify(rt.journal.store)).ok

    async def test_too_large_arguments_are_refused(self, rt, bank):
        """Above the limit the denial says how many bytes there were and how many are taken."""
        denied = await run_one(rt, Proposal("pay", {"ref": "x" * 2_000_000, "amount": 1}))
        assert isinstance(denied, Denied)
        assert "1,048,576" in denied.reasons[0]
        assert bank.calls == []

    @pytest.mark.parametrize(
        "args",
        [
            {"ref": "\ud800", "amount": 1},
            {"ref": "a", "amount": float("nan")},
            {"ref": "a", "amount": "NaN"},
            {"ref": "a", "amount": "Infinity"},
            {"ref": "a", "amount": 1, "__class__": "x"},
            {"ref": ["a"], "amount": 1},
            {"ref": "a", "amount": object()},
            {1: 2},
        ],
    )
    async def test_hostile_arguments_are_denied(self, rt, bank, args):
        """What has no canonical form, or doesn't fit, is denied before anything else."""
        denied = await run_one(rt, Proposal("pay", args))
        assert isinstance(denied, Denied)
        assert bank.calls == []

    async def test_an_action_name_of_any_kind_is_denied(self, rt):
        """An empty or huge name is an unknown action."""
        for name in ("", "x" * 100_000, "pay\n", "ｐａｙ"):
            assert (await run_one(rt, Proposal(name, {}))).stage == "resolve"


class TestActions:
    async def test_an_action_that_never_returns_becomes_unknown(self, agent_of):
        """At its deadline it is cancelled; without key or probe a person is asked what happened."""

        @action.irreversible(timeout="30ms")
        async def hang(ctx: Ctx[None]) -> None:
            """Hang."""
            await asyncio.sleep(3600)

        async with Runtime(MemoryStore(), agent_of(hang)) as rt:
            outcome = await run_one(rt, Proposal("hang", {}, "k"))
            assert isinstance(outcome, Unknown)
            assert outcome.questions[0].kind == "unknown"

    async def test_an_action_that_ignores_its_cancellation_is_given_up(self, agent_of):
        """A coroutine that swallows its cancellation holds nobody up."""

        @action.irreversible(timeout="30ms")
        async def deaf(ctx: Ctx[None]) -> None:
            """Ignore everything."""
            for _ in range(20):
                with contextlib.suppress(asyncio.CancelledError):
                    await asyncio.sleep(0.2)

        async with Runtime(MemoryStore(), agent_of(deaf)) as rt:
            began = time.monotonic()
            outcome = await run_one(rt, Proposal("deaf", {}, "k"))
            assert isinstance(outcome, Unknown)
            assert time.monotonic() - began < 3

    async def test_an_action_that_cancels_itself_is_unknown(self, agent_of):
        """A cancellation from within is an exception like any other: nobody knows what happened."""

        @action.irreversible
        async def sulk(ctx: Ctx[None]) -> None:
            """Give up."""
            raise asyncio.CancelledError

        async with Runtime(MemoryStore(), agent_of(sulk)) as rt:
            outcome = await run_one(rt, Proposal("sulk", {}, "k"))
        assert isinstance(outcome, Unknown)
        assert outcome.questions

    async def test_a_sync_action_that_never_returns_becomes_unknown(self, agent_of):
        """Its thread runs on and is counted; the caller goes on."""

        @action.irreversible(timeout="30ms")
        def block(ctx: Ctx[None]) -> None:
            """Block."""
            time.sleep(0.3)

        async with Runtime(MemoryStore(), agent_of(block)) as rt:
            assert isinstance(await run_one(rt, Proposal("block", {}, "k")), Unknown)

    async def test_an_effect_that_raises_is_unknown_and_probed(self, agent_of):
        """An exception is no proof that nothing happened: the probe tells."""
        happened = []

        @action.irreversible
        async def send(ctx: Ctx[None]) -> str:
            """Send."""
            happened.append(1)
            raise ValueError("the answer was garbled")

        @send.probe
        async def _(ctx: Ctx[None]) -> probe.Answer[str]:
            return probe.done("found") if happened else probe.never

        async with Runtime(MemoryStore(), agent_of(send)) as rt:
            assert await run_one(rt, Proposal("send")) == Done("found")
        assert happened == [1]

    async def test_a_probe_may_find_a_refusal(self, agent_of):
        """The other side knows the call and has refused it: it failed, and is not sent again."""
        tries = []

        @action.irreversible
        async def send(ctx: Ctx[None]) -> str:
            """Send."""
            tries.append(1)
            raise ConnectionError

        @send.probe
        async def _(ctx: Ctx[None]) -> probe.Answer[str]:
            return probe.refused("no funds")

        async with Runtime(MemoryStore(), agent_of(send)) as rt:
            assert await run_one(rt, Proposal("send")) == Failed("no funds")
        assert tries == [1]

    async def test_an_effect_that_proves_never_to_have_happened_is_done_afresh(self, agent_of):
        """Once the settle time is over, never means never: it is judged and sent again, and done once."""
        tries = []

        @action.irreversible(timeout="20ms", settle="0s")
        async def send(ctx: Ctx[None]) -> str:
            """Send."""
            tries.append(1)
            if len(tries) == 1:
                raise ConnectionError("lost before it arrived")
            return "sent"

        @send.probe
        async def _(ctx: Ctx[None]) -> probe.Answer[str]:
            return probe.never

        async with Runtime(MemoryStore(), agent_of(send)) as rt:
            assert await run_one(rt, Proposal("send")) == Done("sent")
        assert tries == [1, 1]

    async def test_an_idempotent_effect_is_sent_again_under_its_key(self, agent_of):
        """Lost answers cost tries, never a second effect."""
        keys = []

        @action.irreversible(idempotent="1h")
        async def send(ctx: Ctx[None]) -> int:
            """Send."""
            keys.append(ctx.key)
            if len(keys) < 3:
                raise TimeoutError
            return ctx.attempt

        async with Runtime(MemoryStore(), agent_of(send)) as rt:
            assert await run_one(rt, Proposal("send")) == Done(3)
        assert len(set(keys)) == 1

    async def test_a_refusal_has_failed(self, agent_of):
        """`Refused` means that nothing happened."""

        @action.irreversible
        async def send(ctx: Ctx[None]) -> None:
            """Send."""
            raise Refused("no funds")

        async with Runtime(MemoryStore(), agent_of(send)) as rt:
            assert await run_one(rt, Proposal("send")) == Failed("no funds")

    async def test_a_read_that_raises_has_failed(self, agent_of):
        """A read changes nothing, so that any exception is a failure."""

        @action.read
        async def look(ctx: Ctx[None]) -> None:
            """Look."""
            raise KeyError("x")

        async with Runtime(MemoryStore(), agent_of(look)) as rt:
            assert await run_one(rt, Proposal("look")) == Failed("KeyError: 'x'")

    @pytest.mark.parametrize(
        "value", [object(), float("nan"), {"a": {1, object()}}, "\udfff", b"\xff".decode("latin1") + "\ud800"]
    )
    async def test_a_result_that_can_not_be_recorded_is_still_done(self, agent_of, value):
        """What happened has happened: the outcome is done, with the problem named and no result."""

        @action.irreversible
        async def odd(ctx: Ctx[None]) -> object:
            """Return something odd."""
            return value

        async with Runtime(MemoryStore(), agent_of(odd)) as rt:
            run = await rt.start("desk")
            async with rt.session(run.id) as s:
                first = await s.perform(Proposal("odd", {}, "k"))
                again = await s.perform(Proposal("odd", {}, "k"))
        assert isinstance(first, Done)
        assert first.result is None
        assert "could not be recorded" in first.problem
        assert again == first

    async def test_a_failed_verification_is_said(self, agent_of):
        """The look after the effect says whether what should be there is."""

        @action.irreversible
        async def write(ctx: Ctx[None]) -> int:
            """Write."""
            return 7

        @write.verify
        async def _(ctx: Ctx[None], done: int) -> bool:
            return done == 8

        async with Runtime(MemoryStore(), agent_of(write)) as rt:
            outcome = await run_one(rt, Proposal("write"))
        assert outcome.result == 7
        assert "verification" in outcome.problem

    async def test_a_secret_never_enters_the_journal(self, agent_of):
        """A credential is given to its action only, and what carries it is stored redacted."""
        secret = "tr0ub4dor-and-3"

        @action.read(credentials=("api",))
        async def leak(ctx: Ctx[None]) -> str:
            """Return the secret."""
            return f"the key is {ctx.credential('api')}"

        @action.read
        async def other(ctx: Ctx[None]) -> str:
            """Ask for what is not its own."""
            return ctx.credential("api")

        store = MemoryStore()
        async with Runtime(store, agent_of(leak, other), credentials={"api": secret}) as rt:
            run = await rt.start("desk")
            async with rt.session(run.id) as s:
                assert secret in (await s.perform(Proposal("leak", {}, "k"))).result
                assert "credentials=('api',)" in (await s.perform(Proposal("other"))).error
            rows = await store.feed()
        assert not any(secret.encode() in row.payload for row in rows)
        assert any(b"redacted" in row.payload for row in rows)

    async def test_a_missing_credential_stops_before_the_intent(self, agent_of):
        """A credential that the runtime does not have is an error; nothing is journaled or done."""

        @action.irreversible(credentials=("api",))
        async def send(ctx: Ctx[None]) -> None:
            """Send."""

        async with Runtime(MemoryStore(), agent_of(send)) as rt:
            run = await rt.start("desk")
            async with rt.session(run.id) as s:
                with pytest.raises(DeclarationError, match="'api'"):
                    await s.perform(Proposal("send"))
            assert [type(one.event).__name__ for one in await run.history()] == ["RunStarted"]


class TestDependencies:
    async def test_a_factory_that_fails_is_tried_again(self, agent_of, desk):
        """Nothing is done while the dependencies can't be made; the next call tries again."""
        from interlock import Agent, Policy, permit

        tries = []

        def factory():
            tries.append(1)
            if len(tries) < 2:
                raise OSError("no database")
            return "db"

        @action.read
        async def where(ctx: Ctx[str]) -> str:
            """Where."""
            return ctx.deps

        agent = Agent("desk", [where], policy=Policy(permit(where)), deps=factory)
        async with Runtime(MemoryStore(), agent) as rt:
            run = await rt.start("desk")
            async with rt.session(run.id) as s:
                with pytest.raises(DependenciesError, match="no database"):
                    await s.perform(Proposal("where", {}, "k"))
                assert await s.perform(Proposal("where", {}, "k")) == Done("db")

    async def test_dependencies_are_taken_down(self, agent_of):
        """A context manager is entered once, when it is first needed, and left when the runtime closes."""
        from interlock import Agent, Policy, permit

        seen = []

        @contextlib.asynccontextmanager
        async def factory():
            seen.append("up")
            yield "db"
            seen.append("down")

        @action.read
        async def where(ctx: Ctx[str]) -> str:
            """Where."""
            return ctx.deps

        agent = Agent("desk", [where], policy=Policy(permit(where)), deps=factory)
        async with Runtime(MemoryStore(), agent) as rt:
            assert seen == []
            assert await run_one(rt, Proposal("where")) == Done("db")
            assert await run_one(rt, Proposal("where")) == Done("db")
        assert seen == ["up", "down"]


class TestRuns:
    async def test_input_and_output_without_a_json_form_are_refused(self, rt):
        """What can't be recorded is refused where it is given, and nothing is written."""
        with pytest.raises(CanonicalError):
            await rt.start("desk", input=object())
        run = await rt.start("desk")
        async with rt.session(run.id) as s:
            with pytest.raises(CanonicalError):
                await s.finish(float("inf"))
            with pytest.raises(CanonicalError):
                await s.record(Turn("m", response=object()))
            await s.finish("fine")
        assert await run.result() == Finished("fine")

    async def test_a_run_that_another_took_over_is_refused(self, rt, bank):
        """A writer whose epoch has passed is refused at its next append, and does nothing after that."""
        run = await rt.start("desk")
        async with rt.session(run.id) as s:
            await rt.journal.store.claim(run.id)
            with pytest.raises(StaleWriterError):
                await s.perform(Proposal("pay", {"ref": "a", "amount": 1}, "k"))
        assert bank.calls == []
        async with rt.session(run.id) as s:
            assert isinstance(await s.perform(Proposal("pay", {"ref": "a", "amount": 1}, "k")), Done)

    async def test_a_deadline_stops_new_things(self, rt, bank):
        """Past its deadline a run begins nothing new and fails."""
        run = await rt.start("desk", deadline="20ms")
        async with rt.session(run.id) as s:
            await asyncio.sleep(0.04)
            await rt.settled()
            with pytest.raises(RunEndedError):
                await s.perform(Proposal("pay", {"ref": "a", "amount": 1}))
        assert (await run.result()).status == "failed"
        assert bank.calls == []

    async def test_a_cancelled_run_begins_nothing_new(self, rt, bank):
        """After a cancel the run ends as cancelled."""
        run = await rt.start("desk")
        await run.cancel(by="ana", reason="wrong customer")
        await rt.settled()
        assert (await run.result()).status == "cancelled"

    async def test_decimal_and_friends_survive(self, rt, bank):
        """A decimal of 30 digits comes through exact."""
        bank.limit = Decimal("1e40")
        outcome = await run_one(rt, Proposal("pay", {"ref": "a", "amount": "99.9999999999999999999999999999"}, "k"))
        assert isinstance(outcome, Done)
        assert next(iter(bank.paid.values()))[1] == Decimal("99.9999999999999999999999999999")


class TestClock:
    async def test_a_wall_clock_that_jumps_moves_nothing(self, monkeypatch):
        """Put forward or back while the process lives, the wall clock changes no time of the runtime."""
        from interlock.runtime.clock import SystemClock

        clock = SystemClock()
        before = clock.now()
        monkeypatch.setattr(time, "time_ns", lambda: 0)
        monkeypatch.setattr(time, "time", lambda: 0.0)
        assert 0 <= clock.now() - before < 5_000_000

    async def test_events_never_go_back_in_time(self, desk):
        """A process whose clock is behind the journal's last event does not write earlier times than that."""
        store = MemoryStore()

        class Clock:
            def __init__(self, now):
                self.at = now

            def now(self):
                return self.at

            async def sleep(self, seconds):
                await asyncio.sleep(seconds)

        async with Runtime(store, desk, clock=Clock(10**15)) as rt:
            run = await rt.start("desk")
        async with Runtime(store.fork(), desk, clock=Clock(10**14)) as rt:
            async with rt.session(run.id) as s:
                await s.record(Turn("m"))
            times = [one.at for one in await rt.run(run.id).history()]
        assert times == sorted(times)


class TestVerify:
    async def test_a_blob_that_is_gone_is_listed(self, desk, tmp_path):
        """An event whose large field was erased, or dropped, is named; the chain stays valid."""
        import sqlite3

        path = tmp_path / "desk.db"
        async with Runtime(path, desk) as rt:
            run = await rt.start("desk")
            async with rt.session(run.id) as s:
                await s.perform(Proposal("pay", {"ref": "x" * 100_000, "amount": 1}, "k"))
            assert (await verify(rt.journal.store)).erased == ()
        with contextlib.closing(sqlite3.connect(path)) as raw:
            raw.execute("DELETE FROM blobs WHERE length(bytes) > 90000")
            raw.commit()
        async with Runtime(path, desk) as rt:
            report = await verify(rt.journal.store)
            history = await rt.run(run.id).history()
        assert report.ok
        # The intent's arguments and the receipt, which quotes them.
        assert len(report.erased) == 2
        assert bytes(history[1].event.args) == b"null"


class TestSilence:
    """What went wrong is told to whoever runs it, when it goes wrong."""

    async def test_an_exception_is_logged_with_its_words(self, caplog):
        """The first unknown outcome names the action and what it raised."""

        @action.irreversible(idempotent=True)
        async def extend(ctx: Ctx[None], loan: str) -> str:
            """Extend a loan."""
            raise KeyError(loan)

        agent = Agent("library", [extend], policy=Policy(permit(extend)))
        async with Runtime(":memory:", agent, patience="0s") as rt:
            run = await rt.start("library")
            async with rt.session(run.id) as session:
                await session.perform(Proposal("extend", {"loan": "L9"}))
        assert "extend raised KeyError: 'L9', so its outcome is unknown" in caplog.text

    async def test_a_run_that_ended_still_asks(self):
        """What was sent before the run's end and never heard of is found among the questions, with the last words."""

        @action.irreversible
        async def mail(ctx: Ctx[None], to: str) -> str:
            """Send a letter."""
            raise OSError("the line went dead")

        agent = Agent("library", [mail], policy=Policy(permit(mail)))
        async with Runtime(":memory:", agent, patience="0s") as rt:
            run = await rt.start("library")
            async with rt.session(run.id) as session:
                await session.perform(Proposal("mail", {"to": "ann"}))
                await session.finish("gone")
            assert await run.result() == Finished("gone")
            while not (asked := await rt.questions()):
                await asyncio.sleep(0.01)
            assert "the line went dead" in asked[0].says
            await asked[0].happened(by="bo")
            await rt.settled()
            assert await rt.questions() == []
            assert await run.status() == "done"
