"""Talking to an agent without an event loop: `SyncRuntime.send` and `run_sync`."""

import asyncio
import gc
import signal
import threading
import time

import pytest

from interlock import (
    Agent,
    Ctx,
    Finished,
    Policy,
    Proposal,
    ScriptedModel,
    Stopped,
    SyncRuntime,
    Waiting,
    action,
    ask_user,
    permit,
    run_sync,
)
from interlock.errors import DeclarationError, DriverConflictError, OtherUserError
from interlock.models import ModelSaid, Response, UserSaid


def polite(request):
    """A script that counts its answers and asks before it paints."""
    last = request.messages[-1]
    if isinstance(last, UserSaid) and last.text == "paint":
        return Proposal("ask_user", {"question": "Which colour?"})
    if isinstance(last, UserSaid):
        turns = sum(isinstance(one, ModelSaid) for one in request.messages)
        return f"Hello. This is answer {turns + 1}."
    return f"It is {last.text} now."


class StuckModel:
    """A model that says a sentence and then nothing more, until it is stopped."""

    name = "scripted"

    def __init__(self):
        self.stopped = threading.Event()

    async def respond(self, request):
        try:
            yield "One. "
            yield "Two"
            await asyncio.Event().wait()
        finally:
            self.stopped.set()
        yield Response()


@pytest.fixture
def host():
    return Agent("host", [ask_user], model=ScriptedModel(polite), policy=Policy(permit(ask_user)))


def test_a_message_and_its_sentences(host, tmp_path):
    """Sentences come from a plain generator, the result from a plain call; the conversation is remembered."""
    with SyncRuntime(tmp_path / "host.db", host) as rt:
        run = rt.send("host", "hi", conversation="c", user="ana")
        assert list(run.text()) == ["Hello. ", "This is answer 1."]
        assert list(run.text()) == []
        assert run.result() == Finished("Hello. This is answer 1.")
        assert list(rt.send("host", "hi again", conversation="c", user="ana").text())[1] == "This is answer 2."
        with pytest.raises(OtherUserError):
            rt.send("host", "me too", conversation="c", user="bob")


def test_drafts():
    """The model's words come one by one, and end with the run's result."""

    class Patient(ScriptedModel):
        async def respond(self, request):
            while not rt.inner._mail.drafts:
                await asyncio.sleep(0.01)
            async for piece in super().respond(request):
                yield piece

    with SyncRuntime(":memory:", Agent("host", model=Patient(["Hello there. Bye."]))) as rt:
        assert list(rt.send("host", "hi").drafts()) == ["Hello ", "there. ", "Bye."]


def test_a_question_of_the_result_is_answered_where_it_is_found(host):
    """`case Waiting(question)` gives a question whose methods wait, like those of `questions()`."""
    with SyncRuntime(":memory:", host) as rt:
        run = rt.send("host", "paint", user="ana")
        match run.result():
            case Waiting(question):
                assert (question.kind, question.level) == ("question", "")
                assert "Which colour?" in question.says
                assert repr(question) == repr(run.questions()[0])
                question.answer("blue", by="ana")
        assert run.result() == Finished("It is blue now.")


def test_a_waiting_outcome_of_a_session_too(desk, bank):
    """What `perform` returns can be approved as it stands."""
    with SyncRuntime(":memory:", desk) as rt:
        run = rt.start("desk")
        with rt.session(run.id) as session:
            match session.perform(Proposal("pay", {"ref": "b", "amount": 500}, "w")):
                case Waiting(question):
                    question.approve(by="ana")
    assert bank.calls == []
    with pytest.raises(LookupError, match="nobody was asked"):
        _ = Waiting().question


def test_whoever_stops_listening_leaves_nothing_behind(host):
    """A generator that is closed, dropped or outlives its runtime ends without a word."""
    model = StuckModel()
    with SyncRuntime(":memory:", Agent("host", model=model)) as rt:
        run = rt.send("host", "hi")
        for sentence in run.text():
            assert sentence == "One. "
            break
        left = rt.run(run.id).text()
        assert next(left) == "One. "
        assert not model.stopped.is_set()
    assert model.stopped.is_set()
    assert "interlock-loop" not in [one.name for one in threading.enumerate()]
    left.close()
    del left
    gc.collect()
    with pytest.raises(RuntimeError, match="inside"):
        run.result()


def test_an_interrupt_reaches_the_loop():
    """^C while the next sentence is awaited comes out of the generator, and nothing waits on the loop any more."""

    def interrupt():
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

    def listen(run):
        for sentence in run.text():
            assert sentence == "One. "
            threading.Timer(0.1, interrupt).start()

    with SyncRuntime(":memory:", Agent("host", model=StuckModel())) as rt:
        run = rt.send("host", "hi")
        with pytest.raises(KeyboardInterrupt):
            listen(run)
        while any(not one.done() for one in rt.inner._mail._watchers[run.id]):
            time.sleep(0.01)


def test_run_sync_in_a_script(host):
    """One call: the agent, the words, the result; nothing is left of it."""
    assert run_sync(host, "hi", user="ana") == Finished("Hello. This is answer 1.")


async def test_run_sync_where_a_loop_runs(host):
    """A notebook's cell runs in a loop; it works there all the same."""
    assert run_sync(host, "hi") == Finished("Hello. This is answer 1.")
    await asyncio.sleep(0)


def test_run_sync_goes_on_in_a_journal_that_is_kept(host, tmp_path):
    """What waits is in the journal: the next message of the conversation answers it."""
    kept = {"journal": tmp_path / "host.db", "conversation": "c", "user": "ana"}
    waiting = run_sync(host, "paint", **kept)
    assert isinstance(waiting, Waiting)
    with pytest.raises(RuntimeError, match="inside"):
        waiting.question.answer("red", by="ana")
    assert run_sync(host, "blue", **kept) == Finished("It is blue now.")
    assert run_sync(host, "hi", **kept, message_id="m") == run_sync(host, "hi", **kept, message_id="m")


def test_run_sync_has_what_a_runtime_has(tmp_path):
    """Credentials reach the action that declares them; failures come back as what they are."""

    @action.read(credentials=["key"])
    async def look(ctx: Ctx[None]) -> int:
        """Look."""
        return len(ctx.credentials["key"])

    agent = Agent("a", [look], model=ScriptedModel([Proposal("look", {}), "Seen."]), policy=Policy(permit(look)))
    assert run_sync(agent, "go", credentials={"key": "0123456789"}) == Finished("Seen.")
    assert isinstance(run_sync(Agent("a", model=ScriptedModel([])), "go"), Stopped)
    with pytest.raises(DeclarationError, match="would never answer"):
        run_sync(Agent("a"), "go")
    with SyncRuntime(tmp_path / "a.db", agent), pytest.raises(DriverConflictError):
        run_sync(agent, "go", journal=tmp_path / "a.db")
