"""The governor: the path of an action behind a thread, bodies where their caller is."""

import asyncio
import contextvars
import signal
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from interlock import Governor, Policy, Proposal, Where, arg, current, forbid, need, permit, tool
from interlock.adapters import told
from interlock.errors import DriverConflictError, KeyReusedError, RunEndedError
from interlock.runtime.outcomes import Denied, Done, Failed, Turn, Unknown, Waiting

R1 = Where("r1", user="u42", conversation="c1")
SCHEMA = {
    "type": "object",
    "properties": {"order": {"type": "string"}, "amount": {"type": "integer"}},
    "required": ["order", "amount"],
}


def governing(journal=":memory:", policy=None, pay=None, **more):
    search = tool.read("search")
    pay = pay or tool.compensable("pay", idempotent=True)
    if pay.effect == "compensable" and pay.undo_function is None:

        @pay.undo
        def _(ctx, done, order, amount): ...

    policy = policy or Policy(
        permit(search),
        permit(pay, when=arg.amount <= 100),
        need.approval("finance", pay, when=arg.amount > 50),
    )
    governor = Governor(journal, [search, pay], policy=policy, **more)
    governor.bind("pay", "Pay an order.", SCHEMA)
    governor.bind("search", "Search.", {"type": "object", "properties": {"query": {"type": "string"}}})
    return governor


def paying(order="a", amount=10, key="k1"):
    return Proposal("pay", {"order": order, "amount": amount}, key=key)


class Bank:
    """What a body does, and how often it did."""

    def __init__(self, error=None):
        self.paid = []
        self.error = error

    def pay(self, arguments):
        self.paid.append(arguments)
        if self.error is not None:
            raise self.error
        return f"paid {arguments['order']}"

    async def find(self, arguments):
        return "found"

    async def look(self, arguments):
        raise self.error

    async def pay_soon(self, arguments):
        await asyncio.sleep(0)
        return self.pay(arguments)


@pytest.fixture
def governor():
    with governing(patience="1s") as governor:
        yield governor


class TestPerforming:
    async def test_a_body_runs_once_for_a_key(self, governor):
        """The same key gives what it gave; the body is not called again."""
        bank = Bank()
        assert await governor.perform(R1, paying(), bank.pay_soon) == Done("paid a")
        assert await governor.perform(R1, paying(), bank.pay_soon) == Done("paid a")
        assert governor.perform_sync(R1, paying(), bank.pay) == Done("paid a")
        assert bank.paid == [{"order": "a", "amount": 10}]

    async def test_a_body_runs_where_its_caller_is(self, governor):
        """In the caller's own task, thread and context: tools keep their connections and context variables."""
        seen = []
        word = contextvars.ContextVar("word", default="")

        async def body(arguments):
            seen.append((threading.current_thread(), asyncio.current_task(), word.get()))
            word.set("changed")

        word.set("mine")
        await governor.perform(R1, paying(), body)
        assert seen == [(threading.main_thread(), asyncio.current_task(), "mine")]
        assert word.get() == "changed"

    def test_a_thread_keeps_its_connection(self, governor):
        """A SQLite connection works in its own thread only, and a sync body is in it."""
        with sqlite3.connect(":memory:") as connection:
            connection.execute("create table paid (id)")
            outcome = governor.perform_sync(
                R1, paying(), lambda _: connection.execute("insert into paid values (1)").rowcount
            )
        connection.close()
        assert outcome == Done(1)

    async def test_the_body_knows_its_call(self, governor):
        """`current` gives the idempotency key inside a body, and nothing outside."""
        keys = []

        async def body(arguments):
            call = current()
            keys.append((call.key, call.run, call.user, call.attempt))

        await governor.perform(R1, paying(), body)
        (key, run, user, attempt) = keys[0]
        assert (len(key), run, user, attempt) == (32, "r1", {"id": "u42"}, 1)
        assert current() is None

    @pytest.mark.parametrize(
        ("proposal", "stage", "said"),
        [
            (paying(amount=1000), "judge", "no rule permits pay"),
            (Proposal("pay", {"order": "a"}, key="k1"), "validate", "'amount' is a required property"),
            (Proposal("pay", "{broken", key="k1"), "validate", "no JSON object"),
            (Proposal("pai", {}, key="k1"), "resolve", "there is no action 'pai'"),
        ],
    )
    async def test_what_is_denied_does_not_run(self, governor, proposal, stage, said):
        """Denied proposals, malformed ones and hallucinated ones never reach a body."""
        bank = Bank()
        match await governor.perform(R1, proposal, bank.pay_soon):
            case Denied(reasons, _, found):
                assert (found, said in reasons[0]) == (stage, True)
            case other:
                pytest.fail(str(other))
        assert bank.paid == []

    async def test_half_of_a_surrogate_pair(self, governor):
        """A name or a key that can't be written as text is denied, or kept as its escape, like any other."""
        outcome = await governor.perform(R1, Proposal("p\ud800y", {}, key="k\ud800"), Bank().pay_soon)
        assert isinstance(outcome, Denied)
        assert "no action 'p\\\\ud800y'" in outcome.reasons[0]
        assert await governor.perform(R1, Proposal("p\ud800y", {}, key="k\ud800"), Bank().pay_soon) == outcome

    async def test_an_undeclared_tool_is_denied(self, governor):
        """What the framework brings and nobody declared is irreversible, and no rule permits it."""
        assert governor.bind("drop", "Drop it.", {"type": "object"}).effect == "irreversible"
        bank = Bank()
        assert isinstance(await governor.perform(R1, Proposal("drop", {}, key="k"), bank.pay_soon), Denied)
        assert bank.paid == []

    async def test_what_is_executed_is_what_was_judged(self, governor):
        """The body gets the validated arguments, whatever becomes of the proposal's own after it was made."""
        bank, raw = Bank(), {"order": "a", "amount": 10}
        performing = asyncio.create_task(governor.perform(R1, Proposal("pay", raw, key="k1"), bank.pay_soon))
        await asyncio.sleep(0)
        raw["order"] = "b"
        await performing
        [paid] = bank.paid
        [item] = governor.runtime.run("r1").undo_plan().items
        assert item.args == {"amount": 10, "order": paid["order"]}

    async def test_parallel_calls_of_a_run(self, governor):
        """Fifty at once: each once, none waits for the slowest."""
        order = []

        async def body(arguments):
            await asyncio.sleep(0.2 if arguments["order"] == "0" else 0)
            order.append(arguments["order"])
            return arguments["order"]

        calls = [governor.perform(R1, paying(order=str(n), key=str(n)), body) for n in range(50)]
        outcomes = await asyncio.gather(*calls)
        assert [one.result for one in outcomes] == [str(n) for n in range(50)]
        assert order[-1] == "0"

    async def test_runs_that_begin_at_once(self, tmp_path):
        """Many calls open and close the same runs: no two of them work on two copies of one."""
        some, bank = asyncio.Semaphore(50), Bank()

        async def call(governor, n):
            async with some:
                return await governor.perform(Where(f"r{n % 20}"), Proposal("search", {}, key=str(n)), bank.find)

        with governing(tmp_path / "j.db") as governor:
            assert await asyncio.gather(*(call(governor, n) for n in range(1000))) == [Done("found")] * 1000

    async def test_the_same_key_at_once(self, governor):
        """A framework's retry beside the first attempt joins it."""
        bank = Bank()
        outcomes = await asyncio.gather(*(governor.perform(R1, paying(), bank.pay_soon) for _ in range(20)))
        assert outcomes == [Done("paid a")] * 20
        assert len(bank.paid) == 1

    async def test_a_key_names_one_proposal(self, governor):
        """A key with other arguments is a mistake of the adapter, and told."""
        await governor.perform(R1, paying(), Bank().pay_soon)
        with pytest.raises(KeyReusedError):
            await governor.perform(R1, paying(amount=11), Bank().pay_soon)

    async def test_a_result_without_a_json_form_still_reaches_its_caller(self, governor):
        """What was done was done; the caller gets it, and is told that it was not recorded."""
        thing = object()

        async def body(arguments):
            return thing

        outcome = await governor.perform(R1, paying(), body)
        assert (outcome.result, "could not be recorded" in outcome.problem) == (thing, True)
        assert (await governor.perform(R1, paying(), body)).result is None

    async def test_two_loops_at_once(self, governor):
        """Event loops in several threads share a governor."""
        bank, outcomes = Bank(), []

        def work(name):
            outcomes.append(asyncio.run(governor.perform(Where(name), paying(), bank.pay_soon)))

        threads = [threading.Thread(target=work, args=(f"t{n}",)) for n in range(8)]
        for one in threads:
            one.start()
        for one in threads:
            await asyncio.to_thread(one.join)
        assert outcomes == [Done("paid a")] * 8


class TestFailing:
    async def test_a_read_that_raises_has_failed(self, governor):
        """The framework gets the tool's own exception, as without us; nothing has happened."""
        with pytest.raises(LookupError, match="nowhere"):
            await governor.perform(R1, Proposal("search", {}, key="k1"), Bank(LookupError("nowhere")).look)

    async def test_an_effect_that_raises_is_not_known(self):
        """The payment may have gone through before the answer was lost: nobody says that it failed."""
        with governing(pay=tool.irreversible("pay"), patience="1s") as governor:
            match await governor.perform(R1, paying(), Bank(ConnectionError("lost")).pay_soon):
                case Unknown(_, _, [question]):
                    assert (question.kind, "ConnectionError: lost" in question.says) == ("unknown", True)
                case other:
                    pytest.fail(str(other))

    async def test_an_effect_with_a_key_is_sent_again(self, governor):
        """The other side honours the key, so the body runs again under it until there is an answer."""
        bank, keys = Bank(ConnectionError("lost")), []

        async def body(arguments):
            keys.append(current().key)
            if len(keys) == 2:
                bank.error = None
            return bank.pay(arguments)

        assert await governor.perform(R1, paying(), body) == Done("paid a")
        assert len(keys) == 2
        assert len(set(keys)) == 1

    async def test_a_harmless_exception_says_that_nothing_happened(self, governor):
        """Another framework's control flow goes through, and the key is free of doubt."""

        class AgainError(Exception):
            pass

        bank = Bank(AgainError("try again"))
        with pytest.raises(AgainError, match="try again"):
            await governor.perform(R1, paying(), bank.pay_soon, harmless=(AgainError,))
        assert await governor.perform(R1, paying(), bank.pay_soon) == Failed("try again")
        assert len(bank.paid) == 1

    async def test_refuses_is_the_tools_own_word(self):
        """What the declaration lists as a refusal is raised again to the framework."""
        with governing(pay=tool.irreversible("pay", refuses=(PermissionError,))) as governor:
            with pytest.raises(PermissionError):
                await governor.perform(R1, paying(), Bank(PermissionError("declined")).pay_soon)
            assert await governor.perform(R1, paying(), Bank().pay_soon) == Failed("declined")

    async def test_a_caller_that_is_cancelled_in_its_body(self):
        """Nobody knows how far it came: a person is asked, and nothing is repeated."""
        with governing(pay=tool.irreversible("pay"), patience="1s") as governor:
            begun = asyncio.Event()

            async def body(arguments):
                begun.set()
                await asyncio.sleep(60)

            performing = asyncio.create_task(governor.perform(R1, paying(), body))
            await begun.wait()
            performing.cancel()
            with pytest.raises(asyncio.CancelledError):
                await performing
            bank = Bank()
            assert isinstance(await governor.perform(R1, paying(), bank.pay_soon), Unknown)
            assert bank.paid == []

    async def test_a_caller_that_left_before_its_body_began(self, governor):
        """The intent was written and nothing sent: it has failed, and that is known."""
        bank = Bank()
        performing = asyncio.create_task(governor.perform(R1, paying(), bank.pay_soon))
        await asyncio.sleep(0)
        performing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await performing
        assert await governor.perform(R1, paying(), bank.pay_soon) in (
            Failed("its caller left before anything was sent"),
            Done("paid a"),
        )
        assert len(bank.paid) <= 1

    async def test_a_body_past_its_deadline(self):
        """The framework's body can't be stopped from here; when it returns after all, that is its outcome."""
        with governing(pay=tool.irreversible("pay", timeout="50ms"), patience="1s") as governor:

            async def body(arguments):
                await asyncio.sleep(0.3)
                return "late"

            await governor.perform(R1, paying(), body)
            assert await governor.perform(R1, paying(), body) == Done("late")

    def test_a_loop_that_has_ended(self, governor):
        """A body whose event loop is gone never begins, and the governor goes on."""
        bank = Bank()

        async def leave():
            task = asyncio.create_task(governor.perform(R1, paying(), bank.pay_soon))
            await asyncio.sleep(0)
            assert not task.done()

        asyncio.run(leave())
        assert governor.perform_sync(R1, paying(), bank.pay) in (
            Failed("its caller left before anything was sent"),
            Done("paid a"),
        )


class TestPeople:
    async def test_a_question_is_answered_and_the_same_key_goes_on(self, governor):
        """What waits is performed once when it has its yes, by the loop that proposed it."""
        bank = Bank()
        waiting = await governor.perform(R1, paying(amount=70), bank.pay_soon)
        assert isinstance(waiting, Waiting)
        assert bank.paid == []
        words = f"Nothing has been done yet: it waits for the approval of finance (question {waiting.question.id})."
        assert told(waiting).startswith(words)
        await governor.answer(waiting.question.id, True, by="ana")
        assert await governor.perform(R1, paying(amount=70), bank.pay_soon) == Done("paid a")
        assert len(bank.paid) == 1

    def test_a_no_is_final(self, governor):
        """The model is told who said no, and why."""
        waiting = governor.perform_sync(R1, paying(amount=70), Bank().pay)
        governor.answer_sync(waiting.question.id, False, by="ana", note="too much")
        outcome = governor.perform_sync(R1, paying(amount=70), Bank().pay)
        assert told(outcome) == "It was not done: ana (finance) said no: too much."

    async def test_rules_read_the_user(self):
        """The principal of the run is what rules find as `user`."""
        from interlock import user

        policy = Policy(permit("pay"), forbid("pay", when=user.id == "u42", because="not you"))
        with governing(policy=policy) as governor:
            assert isinstance(await governor.perform(R1, paying(), Bank().pay_soon), Denied)
            assert isinstance(await governor.perform(Where("r2", user="u1"), paying(), Bank().pay_soon), Done)

    async def test_turns_are_kept(self, governor):
        """A model turn is recorded once and recalled by its key."""
        turn = Turn("m1", request={"new": "hi"}, response={"text": "hello"}, input_tokens=3, key="turn 1")
        await governor.record(R1, turn)
        governor.record_sync(R1, turn)
        assert await governor.recall(R1, "turn 1") == turn
        assert governor.recall_sync(R1, "turn 2") is None

    async def test_an_end_is_an_end(self, governor):
        """A finished run takes nothing more; finishing it again is nothing."""
        await governor.perform(R1, paying(), Bank().pay_soon)
        await governor.finish(R1, "all done")
        governor.finish_sync(R1)
        assert governor.runtime.run("r1").status() == "done"
        with pytest.raises(RunEndedError):
            await governor.perform(R1, paying(key="k2"), Bank().pay_soon)

    async def test_weighing_performs_nothing(self, governor):
        """A loop that asks its own person first learns what a proposal waits for, and the guardian asks just once."""
        bank = Bank()
        assert await governor.weigh(R1, paying()) is None
        assert isinstance(await governor.weigh(R1, paying(amount=1000, key="k2")), Denied)
        first, again = [await governor.weigh(R1, paying(amount=70, key="k3")) for _ in range(2)]
        assert isinstance(first, Waiting)
        assert again.question.id == first.question.id
        await governor.answer(first.question.id, True, by="ana")
        assert await governor.weigh(R1, paying(amount=70, key="k3")) is None
        assert bank.paid == []
        assert await governor.perform(R1, paying(amount=70, key="k3"), bank.pay_soon) == Done("paid a")
        assert await governor.weigh(R1, paying(amount=70, key="k3")) == Done("paid a")
        assert len(bank.paid) == 1

    async def test_what_a_loop_refuses_itself_is_on_record(self, governor):
        """A name that the framework does not have is a denial like any other, and stays one."""
        ghost = Proposal("ghost", {}, key="k1")
        await governor.refuse(R1, ghost, "there is no tool 'ghost'", "there are: pay")
        outcome = await governor.perform(R1, ghost, Bank().pay_soon)
        assert outcome == Denied(("there is no tool 'ghost'",), ("there are: pay",), "resolve")

    async def test_a_body_may_use_the_governor(self, governor):
        """What a tool's body records or finishes does not wait for the body itself."""

        async def body(arguments):
            await governor.record(R1, Turn("m1", response="hi", key="t1"))
            await governor.finish(R1)
            return await governor.recall(R1, "t1")

        assert (await governor.perform(R1, paying(), body)).result.response == "hi"
        assert governor.runtime.run("r1").status() != "done"

    async def test_what_waits_keeps_its_run_open(self, governor):
        """A run is not ended over an open question."""
        await governor.perform(R1, paying(amount=70), Bank().pay_soon)
        await governor.finish(R1)
        assert governor.runtime.run("r1").status() == "waiting"


class TestUndo:
    def test_it_runs_beside_the_framework(self):
        """What a loop did is taken back by the functions of the declaration, the last effect first."""
        bank, pay = Bank(), tool.compensable("pay")

        @pay.undo
        def _(ctx, done, order, amount):
            bank.paid.remove({"order": order, "amount": amount})

        with governing(pay=pay) as governor:
            for n in range(3):
                governor.perform_sync(R1, paying(order=str(n), key=str(n)), bank.pay)
            plan = governor.runtime.run("r1").undo_plan()
            assert [one.args["order"] for one in plan.items] == ["2", "1", "0"]
            plan.apply(by="ana")
        assert bank.paid == []


class TestOpening:
    def test_it_opens_when_it_is_needed_and_again_after_it_was_closed(self, tmp_path):
        """Declaring costs no thread and no file; a closed governor may be used again."""
        governor = governing(tmp_path / "j.db")
        assert not (tmp_path / "j.db").exists()
        assert repr(governor) == "<Governor agent: search, pay [closed]>"
        governor.perform_sync(R1, paying(), Bank().pay)
        governor.close()
        governor.close()
        bank = Bank()
        assert governor.perform_sync(R1, paying(), bank.pay) == Done("paid a")
        assert bank.paid == []
        governor.close()

    def test_one_process_drives_a_journal(self, tmp_path):
        """The second governor on a file is told at once, at its first call at the latest."""
        with governing(tmp_path / "j.db"), pytest.raises(DriverConflictError):
            governing(tmp_path / "j.db").perform_sync(R1, paying(), Bank().pay)

    def test_it_closes_with_the_process(self, tmp_path):
        """Nobody has to close it: what was done is in the file, and the process ends."""
        done = _python(tmp_path, "work('r1', 'a')")
        assert (done.returncode, done.stderr) == (0, "")
        with governing(tmp_path / "j.db") as governor:
            assert governor.perform_sync(R1, paying(), Bank().pay) == Done("paid a")

    def test_a_fork_opens_its_own(self, tmp_path):
        """A server that forks its workers before the first call has a governor in each."""
        done = _python(
            tmp_path, "pid = os.fork()\nwork('child' if pid == 0 else 'parent', 'a') if pid == 0 else os.wait()"
        )
        assert (done.returncode, done.stderr) == (0, "")

    async def test_binding_the_same_again_is_nothing(self, governor):
        """Frameworks list their tools at each step."""
        before = governor.agent.actions["pay"].signature
        governor.bind("pay", "Pay an order.", dict(SCHEMA))
        assert governor.agent.actions["pay"].signature is before
        governor.bind("pay", "Pay an order, really.", SCHEMA)
        assert governor.agent.actions["pay"].signature is not before


WORKER = """
import os, sys
from interlock import Governor, Policy, Proposal, Where, permit, tool
pay = tool.{kind}
{more}
governor = Governor({journal!r}, [pay], policy=Policy(permit(pay)), patience="1s")
governor.bind("pay", "Pay an order.", {schema!r})
def body(arguments):
    with open({paid!r}, "a") as book:
        book.write(arguments["order"] + "\\n")
    if die:
        os.kill(os.getpid(), 9)
    return "paid " + arguments["order"]
die = False
def work(run, order):
    return governor.perform_sync(Where(run), Proposal("pay", {{"order": order, "amount": 10}}, key="k1"), body)
{code}
"""


def _python(folder: Path, code: str, kind="irreversible('pay')", more=""):
    script = WORKER.format(
        kind=kind, more=more, journal=str(folder / "j.db"), schema=SCHEMA, paid=str(folder / "paid"), code=code
    )
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=60)


class TestCrashing:
    """Killed in the middle of a body, after the effect and before the answer."""

    def kill(self, folder, **how):
        killed = _python(folder, "die = True\nwork('r1', 'a')", **how)
        assert killed.returncode == -signal.SIGKILL
        return _python(folder, "print(type(work('r1', 'a')).__name__)", **how), (folder / "paid").read_text()

    def test_with_a_key_it_is_sent_again(self, tmp_path):
        """The other side honours the key: the same key goes out again when the loop proposes the call again."""
        done, paid = self.kill(tmp_path, kind="irreversible('pay', idempotent=True)")
        assert (done.stdout, paid) == ("Done\n", "a\na\n")

    def test_with_a_probe_it_is_looked_for(self, tmp_path):
        """The probe finds the effect: nothing is done again."""
        more = "from interlock import probe\npay.probe(lambda ctx, order, amount: probe.done('paid ' + order))"
        done, paid = self.kill(tmp_path, more=more)
        assert (done.stdout, paid) == ("Done\n", "a\n")

    def test_with_neither_a_person_is_asked(self, tmp_path):
        """Exactly-once is impossible here, so nobody guesses."""
        done, paid = self.kill(tmp_path)
        assert (done.stdout, paid) == ("Unknown\n", "a\n")

    def test_a_call_with_a_key_waits_for_its_loop(self, tmp_path):
        """A process that does not propose it again leaves it alone: it has no body for it."""
        how = {"kind": "irreversible('pay', idempotent=True)"}
        assert _python(tmp_path, "die = True\nwork('r1', 'a')", **how).returncode == -signal.SIGKILL
        other = _python(tmp_path, "work('r2', 'b')\nprint(governor.runtime.questions())", **how)
        assert (other.stdout, other.stderr) == ("[]\n", "")
        last = _python(tmp_path, "print(work('r1', 'a').result)", **how)
        assert last.stdout == "paid a\n"
