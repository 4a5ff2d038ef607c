"""Messages of users: each reaches exactly one run, whatever happens meanwhile, and none is lost."""

import asyncio

import pytest

from interlock import (
    Agent,
    Ctx,
    Finished,
    MemoryStore,
    Policy,
    Proposal,
    Runtime,
    ScriptedModel,
    SqliteStore,
    Waiting,
    action,
    ask_user,
    need,
    permit,
)
from interlock.errors import DeclarationError, OtherUserError
from interlock.kernel import codec
from interlock.kernel import events as ev
from interlock.models import ModelSaid, Response, UserSaid
from interlock.testing import every_crash, runtime


@action.irreversible(idempotent=True)
async def send_order(ctx: Ctx[None], what: str) -> str:
    """Send an order."""
    return f"sent {what}"


POLICY = Policy(permit([send_order, ask_user]), need.approval("lead", send_order))


def clerk(model, name="clerk", **options):
    return Agent(name, [send_order, ask_user], model=model, policy=POLICY, **options)


class Gated:
    """A model that answers (by what the user said last) when it is let."""

    def __init__(self, answer=None):
        self.name = "gated"
        self.answer = answer or (lambda words: f"You said {words}.")
        self.requests = []
        self.gate = asyncio.Event()
        self.asked = asyncio.Event()

    async def respond(self, request):
        self.requests.append(request)
        self.asked.set()
        await self.gate.wait()
        answer = self.answer(said_by_user(request)[-1])
        yield Response(answer) if isinstance(answer, str) else Response("", (answer,), finish="calls")


def echo(request):
    """Answer with the number of the user's messages and the last of them."""
    words = said_by_user(request)
    return f"{len(words)}: {words[-1]}"


def said_by_user(request):
    return [one.text for one in request.messages if isinstance(one, UserSaid)]


def asking(question):
    """Return a model that asks the user once, and then answers with all that they said."""

    def answer(request):
        if not any(isinstance(one, ModelSaid) for one in request.messages):
            return Proposal("ask_user", {"question": question}, "q")
        results = [one.text for one in request.messages if getattr(one, "key", "") == "q"]
        return f"answer {results}, words {said_by_user(request)}"

    return ScriptedModel(answer)


async def received(run):
    return [one.event.message for one in await run.history() if isinstance(one.event, ev.MessageReceived)]


async def rows(rt, conversation="c"):
    return await rt.journal.conversation("", conversation)


class SlowInbox(MemoryStore):
    """A store that takes a signal only when it is let: whatever happens meanwhile, the message comes after it."""

    gate: asyncio.Event | None = None
    coming: asyncio.Event

    async def signal(self, run, kind, payload, at, token=None):
        if kind == "message" and self.gate is not None:
            self.coming.set()
            await self.gate.wait()
        return await super().signal(run, kind, payload, at, token)


class LastWords(MemoryStore):
    """A store into which messages come right before a run ends: after the last look for them."""

    def __init__(self, *words):
        super().__init__()
        self.words = list(words)

    async def append(self, entry):
        if any(draft.type == "run_ended" for draft in entry.drafts):
            words, self.words = self.words, []
            for text in words:
                message = ev.MessageReceived(content=ev.Raw(f'"{text}"'.encode()), message=text)
                await self.signal(entry.run, "message", codec.encode(message), 0)
        return await super().append(entry)


class TestOnce:
    """A message with an id of its own is taken once."""

    @pytest.mark.parametrize("whose", [{"conversation": "c"}, {"user": "ann"}, {"user": "ann", "conversation": "c"}])
    async def test_sent_again(self, whose):
        """Sent again, before and after the end and after a restart, it finds its run and begins none."""
        model = Gated()
        async with runtime(clerk(model)) as rt:
            first = await rt.send("clerk", "hi", message_id="m1", **whose)
            assert (await rt.send("clerk", "hi", message_id="m1", **whose)).id == first.id
            model.gate.set()
            assert await rt.ending(first) == Finished("You said hi.")
            assert (await rt.send("clerk", "hi", message_id="m1", **whose)).id == first.id
            await rt.kill()
            assert (await rt.send("clerk", "hi", message_id="m1", **whose)).id == first.id
            assert len(await rt.store.rows()) == 1
        assert len(model.requests) == 1

    async def test_sent_many_times_at_once(self):
        """All who send it at the same time are given the same run."""
        async with Runtime(MemoryStore(), clerk(ScriptedModel(echo))) as rt:
            sends = [rt.send("clerk", "hi", conversation="c", message_id=f"m{n % 3}") for n in range(30)]
            runs = await asyncio.gather(*sends)
            assert [len({run.id for run in runs[n::3]}) for n in range(3)] == [1, 1, 1]
            brought = [message for row in await rows(rt) for message in await received(rt.run(row.id))]
            assert len(brought) + len(await rows(rt)) == 3

    async def test_sent_many_times_at_once_to_a_run_at_work(self):
        """It reaches the run once, also while earlier ones are being taken in."""
        model = Gated()
        async with Runtime(MemoryStore(), clerk(model)) as rt:
            run = await rt.send("clerk", "hi", conversation="c")
            await model.asked.wait()

            async def send(number):
                await asyncio.sleep((number % 10) / 5000)
                return await rt.send("clerk", "more", conversation="c", message_id=f"m{number % 4}")

            runs = await asyncio.gather(*(send(number) for number in range(60)))
            assert {one.id for one in runs} == {run.id}
            model.gate.set()
            await run.result()
            assert sorted(await received(run)) == ["m0", "m1", "m2", "m3"]

    async def test_a_message_on_its_way_survives_a_crash(self):
        """What was acknowledged is in the inbox; sent again after the crash, it is known."""
        model = Gated()
        async with runtime(clerk(model)) as rt:
            run = await rt.send("clerk", "hi", conversation="c")
            async with rt.crash_at("after:signal:message"):
                await rt.send("clerk", "more", conversation="c", message_id="m2")
            assert (await rt.send("clerk", "more", conversation="c", message_id="m2")).id == run.id
            model.gate.set()
            assert await rt.ending(rt.run(run.id)) == Finished("You said more.")
            assert await received(rt.run(run.id)) == ["m2"]

    async def test_what_is_known_of_a_user_may_change(self):
        """It is the user's id that counts, not what else is told of them this time."""
        async with runtime(clerk(ScriptedModel(echo))) as rt:
            for whose in ({}, {"conversation": "c"}):
                first = await rt.send("clerk", "hi", user={"id": "ann", "tries": 1}, message_id="m", **whose)
                again = await rt.send("clerk", "hi", user={"id": "ann", "tries": 2}, message_id="m", **whose)
                assert first.id == again.id

    async def test_ids_are_the_senders_own(self):
        """The same id of another user, tenant, agent or conversation is another message."""
        other = clerk(ScriptedModel(echo), "other")
        async with runtime(clerk(ScriptedModel(echo)), other) as rt:
            runs = [
                await rt.send("clerk", "hi", user="ann", message_id="m"),
                await rt.send("clerk", "hi", user="bob", message_id="m"),
                await rt.send("clerk", "hi", user="ann", tenant="t", message_id="m"),
                await rt.send("other", "hi", user="ann", message_id="m"),
                await rt.send("clerk", "hi", user="ann", message_id="m", conversation="c"),
                await rt.send("clerk", "hi", user="ann", message_id="m", conversation="d"),
                await rt.send("clerk", "hi", user="ann", message_id="n"),
                await rt.send("clerk", "hi", user="ann"),
                await rt.send("clerk", "hi", user="ann"),
            ]
        assert len({run.id for run in runs}) == 9

    async def test_an_id_that_is_nobodys(self):
        """An id without user and conversation could be anybody's, and is refused."""
        async with runtime(clerk(ScriptedModel(echo))) as rt:
            with pytest.raises(DeclarationError, match="give conversation= or user="):
                await rt.send("clerk", "hi", message_id="m")


class TestWhileItWorks:
    async def test_a_message_while_the_model_speaks(self):
        """It reaches the same run, which does not end before it was answered."""
        model = Gated()
        async with Runtime(MemoryStore(), clerk(model)) as rt:
            run = await rt.send("clerk", "one", conversation="c")
            await model.asked.wait()
            assert (await rt.send("clerk", "two", conversation="c")).id == run.id
            await rt.send("clerk", "three", conversation="c")
            model.gate.set()
            assert await run.result() == Finished("You said three.")
            assert [one async for one in run.text()] == ["You said one.", "You said three."]
        assert [said_by_user(one) for one in model.requests] == [["one"], ["one", "two", "three"]]

    async def test_a_message_before_a_typed_answer(self):
        """An answer that does not know the user's last words is not taken."""
        model = Gated(lambda words: Proposal("answer", {"answer": words}))
        async with Runtime(MemoryStore(), clerk(model, output=str)) as rt:
            run = await rt.send("clerk", "one", conversation="c")
            await model.asked.wait()
            await rt.send("clerk", "two", conversation="c")
            while not await received(run):
                await asyncio.sleep(0.001)
            model.gate.set()
            assert await run.result() == Finished("two")
        (refused,) = [one.text for one in model.requests[-1].messages if getattr(one, "failed", False)]
        assert "the user has said something since" in refused

    @pytest.mark.parametrize("moment", range(0, 60, 4))
    async def test_a_message_at_any_moment(self, moment):
        """Whenever it comes, some run answers it, and exactly one has it."""
        model = Gated(lambda words: f"{words}!")
        model.gate.set()
        async with Runtime(MemoryStore(), clerk(model)) as rt:
            first = await rt.send("clerk", "one", conversation="c")
            for _ in range(moment):
                await asyncio.sleep(0)
            await rt.send("clerk", "two", conversation="c", message_id="m2")
            await first.result()
            await rt.settled()
            runs = [rt.run(row.id) for row in await rows(rt)]
            answers = [await run.result() for run in runs]
            assert answers[-1] == Finished("two!")
            began = [one.event.message for run in runs for one in (await run.history())[:1]]
            brought = [message for run in runs for message in await received(run)]
            assert (began + brought).count("m2") == 1
        assert said_by_user(model.requests[-1]) == ["one", "two"]


class TestTooLate:
    """A message on its way to a run that ends meanwhile is handed on, not lost."""

    async def late(self, rt, store, model, identity="m2", then=None):
        """Send a message to a run that ends before it arrives (and one right behind it), and return the run."""
        run = await rt.send("clerk", "one", conversation="c", user="ann")
        await model.asked.wait()
        store.gate, store.coming = asyncio.Event(), asyncio.Event()
        sending = asyncio.create_task(rt.send("clerk", "two", conversation="c", user="ann", message_id=identity))
        await store.coming.wait()
        model.gate.set()
        assert await run.result() == Finished("You said one.")
        store.gate.set()
        store.gate = None
        await sending
        if then:
            await rt.send("clerk", then, conversation="c", user="ann")
        await rt.settled()
        return run

    @pytest.mark.parametrize("identity", [None, "m2"])
    async def test_it_begins_a_new_run(self, identity):
        """The next run has it, knows what was said before, and is found by the message's id."""
        store, model = SlowInbox(), Gated()
        async with Runtime(store, clerk(model)) as rt:
            run = await self.late(rt, store, model, identity)
            old, new = await rows(rt)
            assert old.id == run.id
            assert await rt.run(new.id).result() == Finished("You said two.")
            assert said_by_user(model.requests[-1]) == ["one", "two"]
            assert await store.signals() == []
            if identity:
                again = await rt.send("clerk", "two", conversation="c", user="ann", message_id=identity)
                assert again.id == new.id
                assert len(await rows(rt)) == 2

    async def test_with_room_for_one_run_only(self):
        """The run that hands it on does not stand in the way of the one that takes it."""
        store, model = SlowInbox(), Gated()
        async with asyncio.timeout(5), Runtime(store, clerk(model), max_runs=1) as rt:
            await self.late(rt, store, model, then="three")
            outputs = [await rt.run(row.id).result() for row in await rows(rt)]
            assert Finished("You said three.") in outputs
            assert sorted(said_by_user(model.requests[-1])) == ["one", "three", "two"]

    async def test_two_between_the_last_look_and_the_end(self):
        """The first begins a run, and the second reaches that one: both are answered, in their order."""
        store, model = LastWords("two", "three"), Gated()
        model.gate.set()
        async with Runtime(store, clerk(model)) as rt:
            await (await rt.send("clerk", "one", conversation="c")).result()
            await rt.settled()
            _, new = await rows(rt)
            assert await rt.run(new.id).result() == Finished("You said three.")
            assert await store.signals() == []
        assert said_by_user(model.requests[-1]) == ["one", "two", "three"]

    async def test_a_crash_at_every_boundary(self):
        """However the handing on is interrupted, one run begins, and the sender who tries again is given that one."""

        async def play(rt):
            run = await rt.start("clerk", "one", run="r1", conversation="c")
            await rt.ending(run)
            if not rt.deps:
                rt.deps.append("sent")
                await rt.post("r1", "message", ev.MessageReceived(content=ev.Raw(b'"two"'), message="m2"))
            else:
                await rt.send("clerk", "two", conversation="c", message_id="m2")
            await rt.clock.elapse("1m")

        async def check(rt):
            (new,) = [row.id for row in await rows(rt) if row.id != "r1"]
            assert await rt.run(new).result() == Finished("2: two")

        crashes = await every_crash(clerk(ScriptedModel(echo)), play, check=check, deps=list)
        assert {at for (at,) in crashes.boundaries} >= {"before:signal:message", "after:run_started#2", "before:row"}


class TestQuestions:
    async def test_a_message_answers_what_was_asked(self):
        """What the user says next is the answer, with its id, in the run that asked."""
        async with runtime(clerk(asking("Size?"))) as rt:
            run = await rt.send("clerk", "shoes", conversation="c", user="ann")
            assert isinstance(await rt.clock.run(run.result()), Waiting)
            assert (await rt.send("clerk", "7", conversation="c", user="ann", message_id="m")).id == run.id
            assert (await rt.send("clerk", "7", conversation="c", user="ann", message_id="m")).id == run.id
            assert await rt.ending(run) == Finished("answer ['7'], words ['shoes']")
            assert (await rt.send("clerk", "7", conversation="c", user="ann", message_id="m")).id == run.id
            (answered,) = [one.event for one in await run.history() if isinstance(one.event, ev.Answered)]
            assert (answered.by, answered.message) == ("ann", "m")

    async def test_a_second_message_right_behind_the_answer(self):
        """It is no second answer: it reaches the run as words, and both are known."""
        async with runtime(clerk(asking("Size?"))) as rt:
            run = await rt.send("clerk", "shoes", conversation="c")
            await rt.clock.run(run.result())
            first, second = [await rt.send("clerk", text, conversation="c") for text in ("7", "no, 8")]
            assert first.id == second.id == run.id
            assert await rt.ending(run) == Finished("answer ['7'], words ['shoes', 'no, 8']")

    async def test_at_once(self):
        """Of messages that are sent at the same moment, one is the answer and none is lost."""
        async with Runtime(MemoryStore(), clerk(asking("Size?"))) as rt:
            run = await rt.send("clerk", "shoes", conversation="c")
            assert isinstance(await run.result(), Waiting)
            await asyncio.gather(*(rt.send("clerk", text, conversation="c") for text in ("7", "8", "9")))
            result = await run.result()
            assert result == Finished("answer ['7'], words ['shoes', '8', '9']")

    async def test_an_answer_that_comes_too_late(self):
        """Words that were meant for a question which lapsed meanwhile reach the run all the same."""
        async with runtime(clerk(asking("Size?")), question_ttl="1h") as rt:
            run = await rt.send("clerk", "shoes", conversation="c")
            waiting = await rt.clock.run(run.result())
            rt.clock.advance("2h")
            await rt.send("clerk", "7", conversation="c", message_id="m")
            # Somebody else answers first: the message finds no open question.
            assert isinstance(waiting, Waiting)
            result = await rt.ending(run)
            assert "7" in str(result)

    async def test_an_answer_from_elsewhere_comes_first(self):
        """When somebody else answers at the same moment, the user's message is no answer, and not lost."""
        async with runtime(clerk(asking("Size?"))) as rt:
            run = await rt.send("clerk", "shoes", conversation="c")
            (question,) = (await rt.clock.run(run.result())).questions
            await question.answer("9", by="user", message="m1")
            await question.answer("7", by="user", message="m2")
            assert await rt.ending(run) == Finished("answer ['9'], words ['shoes', '7']")

    async def test_a_late_answer_to_a_run_that_stands_alone(self):
        """Without a conversation nobody goes on with it: it is dropped, and holds nothing up."""
        async with runtime(clerk(asking("Size?")), question_ttl="1h") as rt:
            run = await rt.send("clerk", "shoes")
            (question,) = (await rt.clock.run(run.result())).questions
            await rt.clock.elapse("2h")
            assert await rt.ending(run)
            await question.answer("7", by="ann", message="m")
            await rt.clock.elapse("1s")
            assert await rt.store.signals() == []
            assert len(await rt.store.rows()) == 1

    async def test_a_message_while_a_person_decides(self):
        """A new run answers it, and sees how the proposal stands; the old one goes on by itself."""

        def answer(request):
            if len(said_by_user(request)) > 1:
                return "It waits for the lead."
            done = any(getattr(one, "key", "") == "o" for one in request.messages)
            return "Sent." if done else Proposal("send_order", {"what": "tea"}, "o")

        requests = []

        def script(request):
            requests.append(request)
            return answer(request)

        async with runtime(clerk(ScriptedModel(script))) as rt:
            first = await rt.send("clerk", "order tea", conversation="c")
            (question,) = (await rt.clock.run(first.result())).questions
            second = await rt.send("clerk", "and?", conversation="c")
            assert second.id != first.id
            assert await rt.ending(second) == Finished("It waits for the lead.")
            stands = [one.text for one in requests[-1].messages if getattr(one, "key", "") == "o"]
            assert stands == [
                "Nothing has been done yet: it waits for lead. It goes on by itself; do not propose it again."
            ]
            await question.approve("lea")
            assert await rt.ending(first) == Finished("Sent.")


class TestConversation:
    async def test_a_message_after_the_end(self):
        """Each run knows what was said before it, in its order, also when all of it happened in one instant."""
        async with runtime(clerk(ScriptedModel(echo))) as rt:
            for number in range(1, 6):
                run = await rt.send("clerk", f"w{number}", conversation="c", message_id=f"m{number}")
                assert await rt.ending(run) == Finished(f"{number}: w{number}")

    async def test_after_a_restart(self, tmp_path):
        """It is in the journal, not in the process."""
        for number in range(1, 4):
            async with Runtime(SqliteStore(tmp_path / "j.db"), clerk(ScriptedModel(echo))) as rt:
                run = await rt.send("clerk", f"w{number}", conversation="c")
                assert await run.result() == Finished(f"{number}: w{number}")

    @pytest.mark.parametrize("how", ["parked", "cancelled", "failed"])
    async def test_after_a_run_that_came_to_nothing(self, how):
        """The next message begins a new run, which knows of the one before and how it ended."""

        def answer(request):
            if len(said_by_user(request)) == 1:
                return {
                    "parked": lambda: Proposal("fly", {}),
                    "cancelled": lambda: Proposal("ask_user", {"question": "?"}),
                    "failed": lambda: Response("no", finish="filtered"),
                }[how]()
            return echo(request)

        async with runtime(clerk(ScriptedModel(answer))) as rt:
            first = await rt.send("clerk", "one", conversation="c")
            result = await rt.clock.run(first.result())
            if how == "cancelled":
                await first.cancel("ana")
                await rt.ending(first)
            else:
                assert result.status == how
            second = await rt.send("clerk", "two", conversation="c")
            assert second.id != first.id
            assert await rt.ending(second) == Finished("2: two")

    async def test_a_message_behind_a_cancellation(self):
        """Words that reach a run which is being called off are answered by the next one."""
        model = Gated()
        async with Runtime(MemoryStore(), clerk(model)) as rt:
            run = await rt.send("clerk", "one", conversation="c")
            await model.asked.wait()
            message = ev.MessageReceived(content=ev.Raw(b'"two"'), message="m2")
            await run.cancel("ana")
            await rt.post(run.id, "message", message)
            model.gate.set()
            assert (await run.result()).status == "cancelled"
            await rt.settled()
            _, new = await rows(rt)
            assert await rt.run(new.id).result() == Finished("You said two.")

    async def test_other_conversations_are_not_known(self):
        """A run knows nothing of other conversations, tenants, or runs without one."""
        async with runtime(clerk(ScriptedModel(echo))) as rt:
            for options in ({"conversation": "c"}, {"conversation": "d"}, {"conversation": "c", "tenant": "t"}, {}, {}):
                run = await rt.send("clerk", "hi", **options)
                assert await rt.ending(run) == Finished("1: hi")

    async def test_another_agent_of_the_conversation(self):
        """A message is brought to no run of another agent; but what was said there is known."""
        model = Gated()
        async with Runtime(MemoryStore(), clerk(model), clerk(ScriptedModel(echo), "other")) as rt:
            first = await rt.send("clerk", "one", conversation="c")
            await model.asked.wait()
            second = await rt.send("other", "two", conversation="c")
            assert second.id != first.id
            assert await second.result() == Finished("2: two")
            model.gate.set()
            await first.result()

    async def test_another_user(self):
        """Nobody speaks in another user's conversation."""
        async with runtime(clerk(ScriptedModel(echo))) as rt:
            await rt.ending(await rt.send("clerk", "hi", conversation="c", user="ann"))
            for user in ("bob", None, {"id": "bob"}):
                with pytest.raises(OtherUserError):
                    await rt.send("clerk", "hi", conversation="c", user=user)
            assert len(await rows(rt)) == 1

    async def test_locks_are_not_kept(self):
        """A conversation in which nothing is being sent costs no memory."""
        async with runtime(clerk(ScriptedModel(echo))) as rt:
            for number in range(3):
                await rt.ending(await rt.send("clerk", "hi", conversation=f"c{number}"))
            assert len(rt._dialogue._sending) == 0
