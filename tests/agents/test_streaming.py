"""What a user reads while a model speaks: whole sentences, looked at, once; and what stops it."""

import asyncio

import pytest
from shop import Model, Shop, a_payment, a_price, happened, said, seller, speaking, spoken, turn, turns_in

from interlock import Finished, MemoryStore, Proposal, Redactor, Runtime, ScriptedModel, SqliteStore, Stopped, verify
from interlock.kernel import events as ev
from interlock.models import Note
from interlock.testing import assert_intact, faults, runtime

KEY = "sk-" + "a1" * 24
PRIVATE = "-----BEGIN RSA PRIVATE KEY-----\nMIIEow.\nIBAAK?\n-----END RSA PRIVATE KEY-----"


class Paced:
    """A model that says the pieces of its answer when it is told to."""

    def __init__(self, *pieces, then="ok"):
        self.name = "paced"
        self.pieces = pieces
        self.then = then
        self.requests = []
        self.gates = asyncio.Queue()
        self.stopped = 0

    async def respond(self, request):
        self.requests.append(request)
        if turns_in(request):
            yield said(self.then)
            return
        try:
            for piece in self.pieces:
                await self.gates.get()
                yield piece
            await self.gates.get()
            yield said("".join(self.pieces))
        finally:
            self.stopped += 1

    def go_on(self, times=1):
        for _ in range(times):
            self.gates.put_nowait(None)

    @property
    def last_note(self):
        return next((one.text for one in reversed(self.requests[-1].messages) if isinstance(one, Note)), None)


class Reading(MemoryStore):
    """A store in which something happens while a transcript is read."""

    meanwhile = None

    async def last_seq(self, run):
        if self.meanwhile is not None:
            meanwhile, self.meanwhile = self.meanwhile, None
            await meanwhile()
        return await super().last_seq(run)


async def until(condition):
    while not condition():
        await asyncio.sleep(0.001)


async def heard(run):
    return [sentence async for sentence in run.text()]


class TestText:
    async def test_sentence_by_sentence(self):
        """A sentence can be read once it is whole, while the model is still speaking."""
        model = Paced("Hel", "lo. How", " are you? Go", "od.")
        async with Runtime(MemoryStore(), seller(model)) as rt:
            run = await rt.send("seller", "hi")
            sentences = run.text()
            model.go_on(2)
            assert await anext(sentences) == "Hello. "
            assert not await happened(run, ev.TurnRecorded)
            model.go_on(3)
            assert [one async for one in sentences] == ["How are you? ", "Good."]
            assert await run.result() == Finished("Hello. How are you? Good.")

    async def test_a_reconnect_goes_on_behind_the_last_whole_sentence(self):
        """On the same handle a call goes on where the last one was left; a new handle begins anew."""
        model = Paced("One. ", "Two. ", "Three.")
        async with Runtime(MemoryStore(), seller(model)) as rt:
            run = await rt.send("seller", "hi")
            sentences = run.text()
            model.go_on(2)
            assert await anext(sentences) == "One. "
            await sentences.aclose()
            model.go_on(2)
            assert await heard(run) == ["Two. ", "Three."]
            assert await heard(run) == []
            assert await heard(rt.run(run.id)) == ["One. ", "Two. ", "Three."]

    async def test_several_listeners(self):
        """Each hears all of it."""
        model = Paced("One. ", "Two.")
        async with Runtime(MemoryStore(), seller(model)) as rt:
            run = await rt.send("seller", "hi")
            listeners = [asyncio.create_task(heard(rt.run(run.id))) for _ in range(3)]
            await asyncio.sleep(0)
            model.go_on(3)
            assert await asyncio.gather(*listeners) == [["One. ", "Two."]] * 3

    async def test_it_ends_when_the_run_waits(self):
        """Whoever listens is not kept while a person is asked, and goes on after that."""
        ask = Proposal("ask_user", {"question": "Size?"})
        model = Model(_asking(ask))
        async with Runtime(MemoryStore(), seller(model)) as rt:
            run = await rt.send("seller", "shoes", conversation="c")
            assert await heard(run) == ["One moment. "]
            assert await rt.send("seller", "7", conversation="c") is not None
            assert await heard(run) == ["Thanks."]

    async def test_words_of_an_unknown_run(self):
        """Whoever listens to what does not exist is told so."""
        async with Runtime(MemoryStore(), seller(ScriptedModel(["x"]))) as rt:
            with pytest.raises(LookupError):
                await heard(rt.run("nobody"))


def _asking(proposal):
    async def answer(request):
        if turns_in(request):
            yield said("Thanks.")
        else:
            yield "One moment. "
            yield said("One moment. ", proposal)

    return answer


class TestDrafts:
    async def test_the_raw_words(self):
        """Who asks for drafts gets each piece as it comes; none of them is journaled."""
        model = Paced("Hel", "lo. Ho", "w")
        async with Runtime(MemoryStore(), seller(model)) as rt:
            run = await rt.send("seller", "hi")
            drafts = run.drafts()
            first = asyncio.create_task(anext(drafts))
            await asyncio.sleep(0)
            model.go_on()
            assert await first == "Hel"
            model.go_on(3)
            assert [one async for one in drafts] == ["lo. Ho", "w"]
            assert await spoken(run) == ["Hello. ", "How"]

    async def test_who_leaves_is_forgotten(self):
        """A listener that goes away leaves nothing behind."""
        model = Paced("One. ", "Two.")
        async with Runtime(MemoryStore(), seller(model)) as rt:
            run = await rt.send("seller", "hi")
            drafts = run.drafts()
            first = asyncio.create_task(anext(drafts))
            await asyncio.sleep(0)
            model.go_on()
            await first
            await drafts.aclose()
            model.go_on(2)
            assert isinstance(await run.result(), Finished)
            assert rt._mail.drafts == {}


class TestChecks:
    async def test_what_a_check_finds_stays_inside(self):
        """The sentence, and all that comes after it, is not released; the model says it in another way."""
        script = ["Fine. It costs 9 EUR. Bye.", "Fine. Ask in the shop."]
        requests = []

        def answer(request):
            requests.append(request)
            return script[turns_in(request)]

        def no_prices(sentence):
            return "it names a price" if "EUR" in sentence else None

        async with runtime(seller(ScriptedModel(answer), checks=[no_prices])) as rt:
            run = await rt.send("seller", "hi")
            assert await rt.ending(run) == Finished("Fine. Ask in the shop.")
            assert await spoken(run) == ["Fine. ", "Fine. ", "Ask in the shop."]
        (note,) = [one.text for one in requests[-1].messages if isinstance(one, Note)]
        assert "from 'It costs 9 EUR.' on, the user was not shown it, because it names a price" in note

    async def test_a_check_that_raises(self):
        """It lets nothing through, and the model hears that the check failed."""

        def broken(sentence):
            raise ZeroDivisionError(sentence)

        async with runtime(seller(ScriptedModel(lambda _: "Hi."), checks=[broken])) as rt:
            run = await rt.send("seller", "hi")
            assert (await rt.ending(run)).status == "parked"
            assert await spoken(run) == []
            reasons = (await happened(run, ev.Denied))[0].reasons
            assert "a check of the output failed: ZeroDivisionError" in reasons[0]

    async def test_proposals_beside_withheld_words_are_performed(self):
        """They are judged by themselves; the words are told not to have been shown, behind the results."""
        requests = []

        async def answer(request):
            requests.append(request)
            if turns_in(request):
                yield said("ok")
            else:
                yield said("bad", a_price("tea"))

        model = Model(answer)
        async with runtime(seller(model, checks=[lambda s: "no" if s == "bad" else None]), deps=(shop := Shop())) as rt:
            await rt.ending(await rt.send("seller", "hi"))
        assert shop.calls == ["price tea"]
        kinds = [type(one).__name__ for one in requests[-1].messages]
        assert kinds == ["UserSaid", "ModelSaid", "Result", "Note"]

    async def test_a_crash_does_not_let_them_through(self):
        """What was withheld is known to be after a crash between the turn and what follows from it."""
        model = ScriptedModel(lambda request: "bad" if not turns_in(request) else "good")
        async with runtime(seller(model, checks=[lambda s: "no" if s == "bad" else None])) as rt:
            async with rt.crash_at("before:entered#2"):
                await rt.ending(await rt.send("seller", "hi", conversation="c", message_id="m"))
            run = await rt.send("seller", "hi", conversation="c", message_id="m")
            assert await rt.ending(run) == Finished("good")
            assert await spoken(run) == ["good"]


class TestSecrets:
    @pytest.mark.parametrize(
        ("text", "shown"),
        [
            (f"The key is {KEY}. Bye.", "The key is [redacted:openai-key]. Bye."),
            (f"Here:\n{PRIVATE}\nBye.", "Here:\n[redacted:private-key]\nBye."),
            (
                f"aws_secret_access_key =\n{'a/B4' * 10}\nBye.",
                "aws_secret_access_key =\n[redacted:aws-secret-key]\nBye.",
            ),
            ("Hunter 2000.", "[redacted:pass] 2000."),
        ],
    )
    @pytest.mark.parametrize("size", [1, 7, 1000])
    async def test_they_are_kept_out(self, text, shown, size):
        """Nothing that is recorded, read or left as the output holds a secret, also where it goes over sentences."""
        pieces = [text[start : start + size] for start in range(0, len(text), size)]

        async def answer(request):
            for piece in pieces:
                yield piece
            yield said(text)

        redact = Redactor(secrets={"pass": "Hunter"})
        async with runtime(seller(Model(answer)), redact=redact) as rt:
            run = await rt.send("seller", "hi")
            assert await rt.ending(run) == Finished(shown)
            assert "".join(await heard(run)) == shown
            assert (await turn(run))["text"] == shown
            (recorded,) = await happened(run, ev.TurnRecorded)
            assert recorded.redacted
            marks = {rule for one in await happened(run, ev.Said) for rule in one.redacted}
            assert marks == set(recorded.redacted)

    async def test_in_what_a_check_says(self):
        """The words that a check found fault with are kept without the secret, too."""
        async with runtime(seller(ScriptedModel(lambda _: f"key {KEY}"), checks=[lambda s: f"{s} is secret"])) as rt:
            run = await rt.send("seller", "hi")
            await rt.ending(run)
            assert KEY.encode() not in b"".join(row.payload for row in await rt.store.feed(0, 1000))

    async def test_in_what_a_model_fails_with(self):
        """An error that names a key is kept without it."""

        async def answer(request):
            raise ValueError(f"bad key {KEY}")
            yield

        async with runtime(seller(Model(answer))) as rt:
            run = await rt.send("seller", "hi")
            assert "[redacted:openai-key]" in (await rt.ending(run)).reason


class TestStopping:
    async def test_cancelled_while_it_streams(self):
        """The model is stopped at once, what was released stays, and the run ends as cancelled."""
        model = Paced("One. ", "Two. ", "Three.")
        async with Runtime(MemoryStore(), seller(model)) as rt:
            run = await rt.send("seller", "hi")
            sentences = run.text()
            model.go_on(2)
            assert await anext(sentences) == "One. "
            await run.cancel("ana", "enough")
            assert (await run.result()).status == "cancelled"
            assert [one async for one in sentences] == []
            assert model.stopped == 1
            assert not await happened(run, ev.TurnRecorded)
            assert await spoken(run) == ["One. "]

    async def test_a_model_that_does_not_let_itself_be_stopped(self):
        """One that goes on after its cancellation is not listened to."""

        async def stubborn(request):
            try:
                yield "One. T"
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                yield "wo. "
            yield said("One. Two. ")

        async with Runtime(MemoryStore(), seller(Model(stubborn))) as rt:
            run = await rt.send("seller", "hi")
            assert await anext(run.text()) == "One. "
            await run.cancel("ana")
            assert (await run.result()).status == "cancelled"
            assert await spoken(run) == ["One. "]

    @pytest.mark.parametrize("moment", range(12))
    async def test_cancelled_at_any_moment(self, moment):
        """However early it comes, the cancellation is not waited out by asking the model first."""
        model = Paced("One.")
        async with Runtime(MemoryStore(), seller(model)) as rt:
            run = await rt.send("seller", "hi")
            for _ in range(moment):
                await asyncio.sleep(0)
            await run.cancel("ana")
            async with asyncio.timeout(5):
                assert (await run.result()).status == "cancelled"

    async def test_cancelled_while_its_prompt_is_built(self):
        """A cancellation that is taken in before the model is asked keeps it from being asked."""
        model = Paced("One.")
        store = Reading()
        async with Runtime(store, seller(model)) as rt:
            run = await rt.send("seller", "hi")

            async def cancel():
                await run.cancel("ana")
                while await store.signals():
                    await asyncio.sleep(0)
                await asyncio.sleep(0.005)  # Whoever took it in has looked for a model to stop, and found none.

            store.meanwhile = cancel
            assert (await run.result()).status == "cancelled"
        assert model.requests == []

    async def test_closed_while_it_streams(self, tmp_path):
        """Closing the runtime stops the model; opened again, the run goes on, and the model knows what was read."""
        path = tmp_path / "j.db"
        model = Paced("One. ", "Two. ", "Three.", then="x")
        async with Runtime(path, seller(model)) as rt:
            run = await rt.send("seller", "hi")
            sentences = run.text()
            model.go_on(2)
            assert await anext(sentences) == "One. "
            await sentences.aclose()
        assert model.stopped == 1
        again = Paced("and three.")
        again.go_on(2)
        async with Runtime(path, seller(again)) as rt:
            assert await rt.run(run.id).result() == Finished("One. and three.")
            assert await heard(rt.run(run.id)) == ["One. ", "and three."]
        assert again.last_note.endswith("The user has read this much of it; go on from there and repeat nothing: One. ")
        store = SqliteStore(path)
        assert (await verify(store)).ok
        await store.close()

    @pytest.mark.parametrize("moment", [*range(0, 40, 3), 60, 90])
    async def test_interrupted_at_any_moment(self, moment, tmp_path):
        """Whenever the task of the runtime is cancelled (^C), the next one ends the run, each effect once."""
        path, shop = tmp_path / "j.db", Shop()

        def agent():
            made = seller(speaking([a_price("tea"), a_payment("ann")], "All paid. Bye."))
            made.deps = lambda: shop
            return made

        async def main():
            async with Runtime(path, agent()) as rt:
                run = await rt.send("seller", "go", conversation="c", message_id="m")
                await run.result()

        task = asyncio.create_task(main())
        await asyncio.sleep(moment / 2000)
        task.cancel()
        await asyncio.wait((task,))
        async with Runtime(path, agent()) as rt:
            run = await rt.send("seller", "go", conversation="c", message_id="m")
            assert await run.result() == Finished("All paid. Bye.")
            assert "".join(await spoken(run)) == "All paid. Bye."
            assert len(await happened(run, ev.Intended)) == 1
        assert shop.payments == [("ann", "5")]

    async def test_closing_is_prompt(self):
        """A runtime whose models are all speaking closes without waiting for them."""
        models = [Paced("x") for _ in range(5)]
        agents = [seller(model) for model in models]
        for number, one in enumerate(agents):
            one.name = f"seller{number}"
        async with asyncio.timeout(5), Runtime(MemoryStore(), *agents) as rt:
            for one in agents:
                await rt.send(one.name, "hi")
            await until(lambda: all(model.requests for model in models))
        assert [model.stopped for model in models] == [1] * 5


class TestJournalRefuses:
    @pytest.mark.parametrize("after", range(8))
    async def test_while_the_model_speaks(self, after, caplog):
        """A sentence that could not be kept was not released; the turn is made again, and knows what was read."""
        requests = []

        async def answer(request):
            requests.append(request)
            for piece in ("One. ", "Two. ", "Three."):
                yield piece
            yield said("One. Two. Three.")

        async with runtime(seller(Model(answer))) as rt:
            rt.inject(faults.journal_unavailable(after=after))
            with pytest.raises(Exception, match="disk") if after == 0 else _fine():
                run = await rt.send("seller", "hi")
                assert isinstance(await rt.ending(run), Finished)
                said_ = "".join(await spoken(run))
                assert said_.endswith("One. Two. Three.")
                assert said_.count("Three.") == 1
                if len(requests) > 1 and said_ != "One. Two. Three.":
                    assert isinstance(requests[-1].messages[-1], Note)
                assert_intact(rt)


class _fine:  # noqa: N801 - it is used like a function
    def __enter__(self):
        return self

    def __exit__(self, *error):
        return False


async def test_the_deadline_of_a_run_stops_its_model():
    """A model is not waited for beyond the run's deadline."""
    model = Paced("One.")
    async with Runtime(MemoryStore(), seller(model)) as rt:
        run = await rt.start("seller", "hi", deadline="50ms")
        assert await run.result() == Stopped("failed", "the run's deadline has passed")
        assert model.stopped == 1
