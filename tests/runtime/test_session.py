"""The public path of an action, through a session."""

import asyncio
from decimal import Decimal

import pytest

from interlock import Denied, Done, Failed, Finished, MemoryStore, Proposal, Runtime, Stopped, Turn, Waiting
from interlock.errors import (
    DeclarationError,
    DriverConflictError,
    KeyReusedError,
    RunEndedError,
    RuntimeClosedError,
    UnknownRunError,
)


def pay(key="", ref="a", amount="40"):
    return Proposal("pay", {"ref": ref, "amount": amount}, key)


async def kinds(rt, run):
    return [type(one.event).__name__ for one in await rt.run(run.id).history()]


class TestPerform:
    async def test_a_permitted_effect_is_done_and_its_intent_stands_before_its_outcome(self, rt, bank):
        """What is permitted is performed once; the journal holds the intent with its permit, then the outcome."""
        run = await rt.start("desk")
        async with rt.session(run.id) as s:
            assert await s.perform(pay()) == Done("receipt a")
        assert bank.calls == ["pay a"]
        assert await kinds(rt, run) == ["RunStarted", "Intended", "Done"]
        intent = (await run.history())[1].event
        assert intent.judgement.rules
        assert bytes(intent.judgement.facts) == b'{"limit":"1000"}'

    async def test_the_same_key_returns_the_recorded_outcome(self, rt, bank):
        """A loop that tries again gets the outcome, and nothing happens twice."""
        run = await rt.start("desk")
        async with rt.session(run.id) as s:
            first = await s.perform(pay("k"))
            assert await s.perform(pay("k")) == first
        async with rt.session(run.id) as s:
            assert await s.perform(pay("k")) == first
        assert bank.calls == ["pay a"]

    async def test_the_same_key_at_the_same_time_joins_the_performance(self, rt, bank):
        """Two tries at once are one performance."""
        run = await rt.start("desk")
        async with rt.session(run.id) as s:
            outcomes = await asyncio.gather(*(s.perform(pay("k")) for _ in range(5)))
        assert outcomes == [Done("receipt a")] * 5
        assert bank.calls == ["pay a"]

    async def test_a_key_names_one_proposal_for_ever(self, rt, bank):
        """The same key with other arguments, or another action, is an error, before and after the outcome."""
        run = await rt.start("desk")
        async with rt.session(run.id) as s:
            await s.perform(pay("k"))
            with pytest.raises(KeyReusedError, match="'k'"):
                await s.perform(pay("k", amount="41"))
            with pytest.raises(KeyReusedError):
                await s.perform(Proposal("balance", {}, "k"))
            await s.perform(pay("w", amount="500"))
            with pytest.raises(KeyReusedError):
                await s.perform(pay("w", amount="501"))
        assert bank.calls == ["pay a"]

    async def test_without_a_key_each_proposal_is_its_own(self, rt, bank):
        """Two proposals without a key are two performances."""
        run = await rt.start("desk")
        async with rt.session(run.id) as s:
            await s.perform(pay())
            await s.perform(pay(ref="b"))
        assert bank.calls == ["pay a", "pay b"]

    async def test_a_hallucinated_action_is_told_what_exists(self, rt):
        """An unknown name is denied with the nearest one there is."""
        run = await rt.start("desk")
        async with rt.session(run.id) as s:
            denied = await s.perform(Proposal("payy", {}))
            assert isinstance(denied, Denied)
            assert denied.stage == "resolve"
            assert denied.instead == ("did you mean 'pay'?",)
            assert "balance" in (await s.perform(Proposal("fly_to_the_moon", {}))).instead[0]

    async def test_bad_arguments_are_told_exactly_what_is_wrong(self, rt, bank):
        """Each argument that doesn't fit is named with what is wrong; an unexpected one is refused."""
        run = await rt.start("desk")
        async with rt.session(run.id) as s:
            denied = await s.perform(Proposal("pay", {"ref": 3, "amount": "much", "cc": "x"}))
        assert denied.stage == "validate"
        assert all(word in denied.reasons[0] for word in ("ref", "amount", "cc"))
        assert bank.calls == []

    async def test_what_no_rule_permits_is_denied(self, rt, bank):
        """Default deny; a forbid tells what to do instead, and the denial is recorded."""
        run = await rt.start("desk", user="mallory")
        async with rt.session(run.id) as s:
            denied = await s.perform(pay("k"))
            assert denied.reasons == ("mallory may not pay",)
            assert denied.instead == ("ask ana",)
            assert await s.perform(pay("k")) == denied
            assert (await s.perform(pay(amount="5000"))).stage == "judge"
        assert bank.calls == []
        assert await kinds(rt, run) == ["RunStarted", "Denied", "Denied"]

    async def test_a_read_has_no_intent(self, rt):
        """A read leaves one event: its outcome, with proposal and judgement."""
        run = await rt.start("desk")
        async with rt.session(run.id) as s:
            assert await s.perform(Proposal("balance")) == Done(0)
            assert await s.perform(Proposal("slow_books", {"page": 2})) == Done({"page": 2})
        assert await kinds(rt, run) == ["RunStarted", "Done", "Done"]

    async def test_what_the_other_side_refuses_has_failed(self, rt):
        """An exception that the action lists under refuses means that nothing happened."""
        run = await rt.start("desk")
        async with rt.session(run.id) as s:
            failed = await s.perform(Proposal("rename", {"key": "none", "name": "x"}, "k"))
            assert isinstance(failed, Failed)
            assert await s.perform(Proposal("rename", {"key": "none", "name": "x"}, "k")) == failed

    async def test_effects_of_one_session_may_be_performed_at_once(self, rt, bank):
        """Many proposals at once each come to their outcome, and the chain of events has no gap."""
        run = await rt.start("desk")
        async with rt.session(run.id) as s:
            outcomes = await asyncio.gather(*(s.perform(pay(f"k{n}", ref=str(n))) for n in range(50)))
        assert {outcome.result for outcome in outcomes} == {f"receipt {n}" for n in range(50)}
        assert [one.seq for one in await run.history()] == list(range(1, 102))

    async def test_cancelling_the_caller_does_not_abandon_the_effect(self, bank, agent_of):
        """A caller that goes away leaves an effect that is finished and recorded."""
        from interlock import Ctx, action

        gate = asyncio.Event()

        @action.irreversible
        async def launch(ctx: Ctx[None]) -> str:
            """Launch."""
            await gate.wait()
            bank.calls.append("launched")
            return "up"

        async with Runtime(MemoryStore(), agent_of(launch)) as rt:
            run = await rt.start("desk")
            async with rt.session(run.id) as s:
                task = asyncio.create_task(s.perform(Proposal("launch", {}, "k")))
                await asyncio.sleep(0.01)
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
                gate.set()
            async with rt.session(run.id) as s:
                assert await s.perform(Proposal("launch", {}, "k")) == Done("up")
        assert bank.calls == ["launched"]


class TestTurns:
    async def test_a_turn_is_recorded_and_recalled(self, rt):
        """A model turn under a key is recorded once, and found by a loop that starts again."""
        run = await rt.start("desk")
        turn = Turn(
            "m-1",
            [{"role": "user", "content": "hi"}],
            {"text": "hello"},
            input_tokens=3,
            output_tokens=1,
            latency=0.5,
            key="t1",
        )
        async with rt.session(run.id) as s:
            assert await s.recall("t1") is None
            await s.record(turn)
            await s.record(turn)
            assert await s.recall("t1") == turn
        assert await kinds(rt, run) == ["RunStarted", "TurnRecorded"]

    async def test_turns_and_proposals_do_not_share_keys(self, rt):
        """A proposal under the key of a turn is an error."""
        run = await rt.start("desk")
        async with rt.session(run.id) as s:
            await s.record(Turn("m", key="x"))
            with pytest.raises(KeyReusedError):
                await s.perform(pay("x"))


class TestRuns:
    async def test_finish_ends_the_run_with_its_output(self, rt):
        """A finished run has its output and takes no more proposals."""
        run = await rt.start("desk")
        async with rt.session(run.id) as s:
            await s.finish({"answer": 42})
            with pytest.raises(RunEndedError):
                await s.perform(pay())
            with pytest.raises(RunEndedError):
                await s.record(Turn("m"))
            with pytest.raises(RunEndedError):
                await s.finish()
        assert await run.result() == Finished({"answer": 42})

    async def test_an_ended_run_tells_what_became_of_its_proposals(self, rt, bank):
        """A loop that begins again after the end of its run finds what it did; nothing new is taken."""
        run = await rt.start("desk")
        async with rt.session(run.id) as s:
            paid = await s.perform(pay("k1"))
            denied = await s.perform(Proposal("steal", {}, "k2"))
            await s.record(Turn("m", key="t1"))
            await s.finish()
        async with rt.session(run.id) as s:
            assert await s.perform(pay("k1")) == paid
            assert await s.perform(Proposal("steal", {}, "k2")) == denied
            await s.record(Turn("m", key="t1"))
            with pytest.raises(KeyReusedError):
                await s.perform(Proposal("steal", {}, "k1"))
            for new in (pay("k3"), pay(""), Proposal("steal", {}, "k4")):
                with pytest.raises(RunEndedError):
                    await s.perform(new)
        assert len(bank.calls) == 1

    async def test_fail_ends_the_run_with_its_error(self, rt):
        """A failed run says why."""
        run = await rt.start("desk")
        async with rt.session(run.id) as s:
            await s.fail("no idea")
        assert await run.result() == Stopped("failed", "no idea")

    async def test_statuses(self, rt):
        """The run's row says what it is doing."""
        run = await rt.start("desk")
        assert await run.status() == "idle"
        async with rt.session(run.id) as s:
            await s.record(Turn("m"))
            assert await run.status() == "running"
            await s.perform(pay("k", amount="500"))
            assert await run.status() == "waiting"

    async def test_the_same_id_starts_once(self, rt):
        """Starting a run under an id that exists returns the run that exists."""
        first = await rt.start("desk", run="order-7")
        again = await rt.start("desk", run="order-7")
        runs = await asyncio.gather(*(rt.start("desk", run="order-8") for _ in range(10)))
        assert first.id == again.id == "order-7"
        assert {one.id for one in runs} == {"order-8"}
        assert await kinds(rt, first) == ["RunStarted"]

    async def test_unknown_names_are_said(self, rt):
        """A run or an agent that doesn't exist is an error that names it."""
        with pytest.raises(UnknownRunError, match="'nope'"):
            async with rt.session("nope"):
                pass
        with pytest.raises(UnknownRunError):
            await rt.run("nope").result()
        with pytest.raises(DeclarationError, match="it has: desk"):
            await rt.start("disk")

    async def test_a_closed_runtime_says_so(self, desk):
        """Before and after `async with` nothing starts."""
        rt = Runtime(MemoryStore(), desk)
        with pytest.raises(RuntimeClosedError):
            await rt.start("desk")

    async def test_one_process_drives_a_journal(self, desk, tmp_path):
        """A second runtime on the same journal is refused while the first lives, and taken once it is closed."""
        path = tmp_path / "desk.db"
        async with Runtime(path, desk):
            with pytest.raises(DriverConflictError):
                async with Runtime(path, desk):
                    pass
        async with Runtime(path, desk):
            pass

    async def test_closing_right_after_an_answer(self, desk):
        """A runtime closes at once, also when something was posted to a run in the moment before."""
        async with asyncio.timeout(5):
            async with Runtime(MemoryStore(), desk) as rt:
                run = await rt.start("desk")
                async with rt.session(run.id) as s:
                    waiting = await s.perform(pay("w", amount="500"))
                await waiting.question.deny(by="ana")

    async def test_a_session_goes_on_after_a_restart(self, desk, bank, tmp_path):
        """Outcomes, waiting questions and turns are found again by the next process."""
        path = tmp_path / "desk.db"
        async with Runtime(path, desk) as rt:
            run = await rt.start("desk")
            async with rt.session(run.id) as s:
                await s.perform(pay("k"))
                await s.record(Turn("m", response="x", key="t"))
                waiting = await s.perform(pay("w", amount="500"))
        async with Runtime(path, desk) as rt, rt.session(run.id) as s:
            assert await s.perform(pay("k")) == Done("receipt a")
            assert (await s.recall("t")).response == "x"
            again = await s.perform(pay("w", amount="500"))
            assert isinstance(again, Waiting)
            assert again.question.id == waiting.question.id
            await again.question.approve(by="ana")
            await rt.settled()
            assert await s.perform(pay("w", amount="500")) == Done("receipt a")
        assert bank.calls == ["pay a", "pay a"]

    async def test_policies_and_machines_are_stored_by_content(self, desk, bank):
        """What a decision names by hash is in the journal, also when the policy changed while the run was open."""
        from interlock import Agent, Policy, permit

        store = MemoryStore()
        async with Runtime(store, desk) as rt:
            run = await rt.start("desk")
            assert await store.blob(desk.policy.hash) == desk.policy.to_json()
        store = store.fork()
        wider = Agent("desk", desk.actions.values(), policy=Policy(permit("pay")), deps=lambda: bank)
        async with Runtime(store, wider) as rt, rt.session(run.id) as s:
            await s.perform(pay("k"))
            intent = (await rt.run(run.id).history())[1].event
            assert Policy.from_json(await store.blob(intent.judgement.policy)) == wider.policy

    async def test_a_typed_result_comes_back_typed(self, agent_of):
        """What is recorded comes back as the type that the action declares."""
        from interlock import Ctx, action

        @action.read
        async def price(ctx: Ctx[None]) -> Decimal:
            """The price."""
            return Decimal("1.50")

        async with Runtime(MemoryStore(), agent_of(price)) as rt:
            run = await rt.start("desk")
            async with rt.session(run.id) as s:
                first = await s.perform(Proposal("price", {}, "k"))
                again = await s.perform(Proposal("price", {}, "k"))
        assert first == again == Done(Decimal("1.50"))

    async def test_an_old_run_costs_no_more_to_resume(self, desk):
        """A run is folded from its snapshot, not from its start."""
        store = MemoryStore()
        async with Runtime(store, desk) as rt:
            run = await rt.start("desk")
            async with rt.session(run.id) as s:
                for n in range(300):
                    await s.record(Turn("m", key=str(n)))
            snapshot = await store.snapshot(run.id)
            assert snapshot is not None
            assert snapshot.seq > 200
            assert (await rt.journal.state(run.id)).counts.turns == 300
