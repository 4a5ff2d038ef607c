"""Models that misbehave: whatever one answers, its run ends, waits or is parked, and says why."""

import asyncio
import math
import re
from itertools import pairwise

import pytest
from shop import Model, Shop, a_payment, a_price, happened, pay, said, seller, spoken, turn, turns_in

from interlock import Finished, ModelError, Policy, Proposal, ScriptedModel, Stopped, permit
from interlock.canonical import CanonicalError
from interlock.kernel import events as ev
from interlock.models import Response, Result
from interlock.runtime.thinking import MOST_FAULTS, MOST_SETBACKS
from interlock.testing import assert_intact, runtime


def nested(levels):
    value = 1
    for _ in range(levels):
        value = {"a": value}
    return value


def yielding(*pieces, then=()):
    """A model that yields these at its first turn, and says "ok" (or what comes *then*) after it."""

    async def answer(request):
        for piece in pieces if not turns_in(request) else (then or (said("ok"),)):
            if isinstance(piece, BaseException):
                raise piece
            yield piece

    return Model(answer)


async def ended(rt, **options):
    run = await rt.send("seller", "go", **options)
    return run, await rt.ending(run)


class TestArguments:
    """Arguments that no action takes go back to the model as an error that it can act on."""

    @pytest.mark.parametrize(
        "args",
        [
            '{"of": "tea"',
            "tea, please",
            "[1, 2]",
            "\x00",
            "\ud800",
            [1, 2],
            7,
            None,
            {"of": "\ud800"},
            {"of": object()},
            {"of": math.nan},
            {"of": nested(1000)},
            {"of": nested(150)},
            nested(100_000),
            {"of": "x" * (1 << 20)},
            {1: 2},
            {"of": "tea", "\ud800": 1},
        ],
        ids=lambda args: ascii(type(args).__name__),
    )
    async def test_they_are_denied_and_the_run_goes_on(self, args):
        """Text instead of JSON, no JSON at all, too deep, too large: denied, told, and the next turn is made."""
        model = yielding(said("", Proposal("price", args, "k")))
        async with runtime(seller(model), deps=(shop := Shop())) as rt:
            run, how = await ended(rt)
            assert how == Finished("ok")
            (denied,) = await happened(run, ev.Denied)
            assert denied.stage == "validate"
            await rt.kill()
            assert await rt.run(run.id).result() == how
            assert_intact(rt)
        assert shop.calls == []
        (result,) = [one for one in model.asked[-1].messages if isinstance(one, Result)]
        assert result.failed
        assert "the arguments of 'price' " in result.text
        assert len(result.text) < 2000

    async def test_none_at_all(self):
        """An empty text stands for no arguments, as some servers send it."""
        model = yielding(said("", Proposal("price", "")))
        async with runtime(seller(model)) as rt:
            run, _ = await ended(rt)
            (denied,) = await happened(run, ev.Denied)
            assert "of: Field required" in denied.reasons[0]

    async def test_a_name_without_end(self):
        """A very long name of an action that does not exist is kept cut, and found again after a crash."""
        model = yielding(said("", Proposal("x" * 5000, {}), a_payment("ann", "500")))
        async with runtime(seller(model), deps=(shop := Shop())) as rt:
            run = await rt.send("seller", "go")
            await rt.clock.run(run.result())
            await rt.kill()
            (question,) = await rt.questions(run.id)
            await question.approve("carol")
            assert await rt.ending(rt.run(run.id)) == Finished("ok")
            (denied,) = await happened(rt.run(run.id), ev.Denied)
        assert len(denied.action) == 200
        assert shop.calls == ["pay ann"]


class TestManyProposals:
    async def test_two_hundred(self):
        """None of too many is performed, and the model is told how many are taken."""
        model = yielding(said("", *(a_payment("ann", key=f"k{n}") for n in range(200))))
        async with runtime(seller(model), deps=(shop := Shop())) as rt:
            run, how = await ended(rt)
            assert how == Finished("ok")
            assert len(await happened(run, ev.Denied)) == 200
        assert shop.calls == []
        results = [one for one in model.asked[-1].messages if isinstance(one, Result)]
        assert [one.key for one in results] == [f"k{n}" for n in range(200)]
        assert "200 proposals in one turn, at most 64 are taken; none was performed" in results[0].text

    async def test_as_many_as_are_taken(self):
        """The limit itself is no fault."""
        model = yielding(said("", *(a_price("tea") for _ in range(64))))
        async with runtime(seller(model), deps=(shop := Shop())) as rt:
            await ended(rt)
        assert len(shop.calls) == 64

    async def test_keys_that_are_missing_or_the_same(self):
        """The place in the turn is what tells proposals apart: each is performed, and has its result."""
        model = yielding(said("", a_payment("ann", key="k"), a_payment("bob", key="k"), a_payment("cid")))
        async with runtime(seller(model), deps=(shop := Shop())) as rt:
            await ended(rt)
        assert shop.calls == ["pay ann", "pay bob", "pay cid"]
        results = [one for one in model.asked[-1].messages if isinstance(one, Result)]
        assert [(one.key, one.text) for one in results] == [("k", "paid ann"), ("k", "paid bob"), ("2", "paid cid")]


class TestAnswers:
    @pytest.mark.parametrize("text", ["", " \n\t"])
    async def test_an_empty_one(self, text):
        """An answer without a word is asked for again."""
        async with runtime(seller(yielding(said(text)))) as rt:
            run, how = await ended(rt)
            assert how == Finished("ok")
            (denied,) = await happened(run, ev.Denied)
            assert denied.reasons == ("it is empty",)

    async def test_one_that_was_cut_off(self):
        """An answer that ended at the limit of tokens is gone on with."""
        model = yielding("Once upon a ", Response(text="Once upon a ", finish="length"), then=("time.", said("time.")))
        async with runtime(seller(model)) as rt:
            run, how = await ended(rt)
            assert how == Finished("time.")
            assert "".join(await spoken(run)) == "Once upon a time."

    async def test_one_that_its_provider_withheld(self):
        """A filtered answer ends the run as failed, with the provider's words."""
        model = yielding(Response(text="I can't help with that.", finish="filtered", model="m-1"))
        async with runtime(seller(model)) as rt:
            _, how = await ended(rt)
        assert how == Stopped(
            "failed", "AnswerWithheldError: the provider of model 'm-1' withheld the answer: I can't help with that."
        )

    async def test_words_that_were_not_streamed(self):
        """A model that has its words in the response only is checked and released like any."""
        async with runtime(seller(yielding(said("One. Two.")), checks=[lambda _: None])) as rt:
            run, how = await ended(rt)
            assert how == Finished("One. Two.")
            assert await spoken(run) == ["One. ", "Two."]

    async def test_words_that_differ_from_the_stream(self):
        """What was streamed is what was looked at: nothing else passes for the answer."""
        model = yielding("harmless", said("HARMFUL"))
        async with runtime(seller(model, checks=[lambda s: "no" if "HARM" in s else None])) as rt:
            run, how = await ended(rt)
            assert how == Finished("harmless")
            assert await spoken(run) == ["harmless"]
            assert (await turn(run))["text"] == "harmless"

    async def test_a_response_that_goes_on_after_the_stream(self):
        """The rest of the words is looked at, too."""
        model = yielding("One. ", said("One. HARM"), then=("Two.", said("Two.")))
        async with runtime(seller(model, checks=[lambda s: "no" if "HARM" in s else None])) as rt:
            run, how = await ended(rt)
            assert how == Finished("Two.")
            assert await spoken(run) == ["One. ", "Two."]

    async def test_what_comes_after_the_response_is_not_heard(self):
        """The response is the end."""
        async with runtime(seller(yielding(said("One."), "Two."))) as rt:
            run, how = await ended(rt)
            assert how == Finished("One.")
            assert await spoken(run) == ["One."]

    @pytest.mark.parametrize("text", ["a\x00b", "\u2028\u202e", "😀" * 3000, "x" * 50_000])
    async def test_strange_words(self, text):
        """What has a form in JSON is kept as it is."""
        async with runtime(seller(yielding(text, said(text)))) as rt:
            run, how = await ended(rt)
            assert how == Finished(text)
            assert "".join(await spoken(run)) == text


class TestNoAnswer:
    """No answer is a setback: tried again where that may help, and parked with the reason where it does not."""

    @pytest.mark.parametrize(
        ("pieces", "reason"),
        [
            (("all good. \ud83d", said("x")), "said what is no text"),
            ((said("\ud800"),), "said what is no text"),
            ((Response(text="x", native=object()),), "can't be recorded: Encoding objects of type object"),
            ((Response(text="x", native=nested(1000)),), "can't be recorded: it is nested more than 100 levels"),
            ((Response(text="x", native={"x": "\ud800"}),), "can't be recorded: .*surrogates"),
            ((Response(text="x", input_tokens=None),), "can't be recorded: Expected `int`"),
            ((said("", Proposal(None, {})),), "can't be recorded: Expected `str`"),
            ((said("", Proposal("\ud800", {})),), "can't be recorded: .*surrogates"),
            ((said("", "price"),), "can't be recorded"),
            (("never ends",), "ended without a response"),
            ((), "ended without a response"),
            ((TimeoutError("late"),), "had not answered in time"),
            ((ConnectionResetError("gone"),), "failed: ConnectionResetError: gone"),
            ((asyncio.CancelledError(),), "was cancelled from within"),
            ((ModelError("overloaded", transient=True),), "overloaded"),
        ],
    )
    async def test_what_may_help(self, pieces, reason):
        """It is asked again with growing pauses, and the run parked when that has not helped; then it begins anew."""
        calls = []

        async def answer(request):
            calls.append(request)
            for piece in pieces:
                if isinstance(piece, BaseException):
                    raise piece
                yield piece

        async with runtime(seller(Model(answer))) as rt:
            run, how = await ended(rt)
            assert how.status == "parked"
            assert "6 times in a row: " in how.reason
            assert re.search(reason, how.reason)
            assert len(calls) == MOST_SETBACKS
            assert all(one.transient for one in await happened(run, ev.TurnFailed))
            await run.unpark("ana")
            await rt.ending(run)
            assert len(calls) == 2 * MOST_SETBACKS
            assert_intact(rt)

    @pytest.mark.parametrize(
        ("problem", "reason"),
        [
            (ModelError("wrong key", transient=False), "wrong key"),
            (ValueError("a bug"), "failed: ValueError: a bug"),
            (RecursionError("deep"), "failed: RecursionError: deep"),
            (KeyError("\ud800"), "failed: KeyError"),
            (ValueError("\ud800"), "failed: ValueError: \\ud800"),
            (ModelError("wrong \ud800", transient=False), "wrong \\ud800"),
        ],
    )
    async def test_what_will_not_help(self, problem, reason):
        """It is parked at once; let go on, the same turn is asked for again."""
        broken = [problem]

        async def answer(request):
            if broken:
                raise broken.pop()
            yield said("well again")

        async with runtime(seller(Model(answer))) as rt:
            run, how = await ended(rt)
            assert how.status == "parked"
            assert "and asking again won't help: " in how.reason
            assert reason in how.reason
            await run.unpark("ana")
            assert await rt.ending(run) == Finished("well again")

    @pytest.mark.parametrize("piece", [7, None, b"bytes"])
    async def test_pieces_that_are_no_text(self, piece):
        """A model that yields anything but text breaks its word, and is told by name."""
        async with runtime(seller(yielding(piece, said("x")))) as rt:
            _, how = await ended(rt)
        assert how.status == "parked"
        assert "model scripted failed: " in how.reason

    @pytest.mark.parametrize("piece", ["word ", "x" * 700, "。", ""])
    async def test_a_stream_without_end(self, piece, monkeypatch):
        """It is cut off after so many bytes, empty pieces counted, and taken for no answer."""
        monkeypatch.setattr("interlock.runtime.thinking.LONGEST_ANSWER", 4_000)
        asked = []

        async def answer(request):
            asked.append(request)
            while len(asked) == 1:
                yield piece
            yield said("ok")

        async with runtime(seller(Model(answer))) as rt:
            run, how = await ended(rt)
            assert how == Finished("".join(await spoken(run)))
            assert how.output.endswith("ok")
            (failed,) = await happened(run, ev.TurnFailed)
        assert "had not ended after 4,000 bytes" in failed.error
        assert failed.transient


class TestFaults:
    async def test_they_are_bounded(self):
        """A model that proposes nothing that can be judged is stopped, and begins anew when let go on."""
        model = ScriptedModel(lambda _: Proposal("fly", {}))
        async with runtime(seller(model)) as rt:
            run, how = await ended(rt)
            assert how.status == "parked"
            assert f"last {MOST_FAULTS} turns" in how.reason
            await run.unpark("ana")
            await rt.ending(run)
            assert len(await happened(run, ev.TurnRecorded)) == 2 * MOST_FAULTS

    async def test_one_good_proposal_begins_a_new_count(self):
        """What could be judged, even if it was denied, is no fault of form."""
        few = [Proposal("fly", {})] * (MOST_FAULTS - 1)
        script = [*few, a_payment("mallory"), *few, "done"]
        async with runtime(seller(ScriptedModel(script))) as rt:
            assert (await ended(rt))[1] == Finished("done")

    @pytest.mark.parametrize("answer", ["", "bad words"])
    async def test_answers_that_are_never_taken(self, answer):
        """Empty answers, and answers that a check refuses, are counted, too."""
        model = ScriptedModel(lambda _: answer)
        async with runtime(seller(model, checks=[lambda s: "bad" if "bad" in s else None])) as rt:
            run, how = await ended(rt)
            assert how.status == "parked"
            assert len(await happened(run, ev.TurnRecorded)) == MOST_FAULTS
            assert await spoken(run) == []

    async def test_turns_are_bounded(self):
        """A model that never answers is stopped after so many turns, and has as many again when let go on."""
        model = ScriptedModel(lambda request: a_price("tea") if turns_in(request) < 7 else "done")
        async with runtime(seller(model, max_turns=5)) as rt:
            run, how = await ended(rt)
            assert how == Stopped("parked", "5 turns of the model, and no answer yet (max_turns)")
            await rt.kill()
            run = rt.run(run.id)
            await run.unpark("ana")
            assert await rt.ending(run) == Finished("done")
            assert len(await happened(run, ev.TurnRecorded)) == 8


class TestBackoff:
    async def test_the_pauses(self):
        """They double, on the runtime's clock; the answer that comes is taken and the count forgotten."""
        times = []

        async def answer(request):
            times.append(rt.clock.now())
            if len(times) < 5:
                raise ModelError("overloaded", transient=True)
            yield said("at last")

        async with runtime(seller(Model(answer))) as rt:
            assert (await ended(rt))[1] == Finished("at last")
        assert [(after - before) / 1e6 for before, after in pairwise(times)] == [1, 2, 4, 8]

    @pytest.mark.parametrize(("wanted", "waited"), [(30.0, 30.0), (0.1, 1.0), (1e9, 3600.0), (-5, 1.0)])
    async def test_the_provider_may_say_when(self, wanted, waited):
        """What the provider asks for is waited, within bounds."""
        times = []

        async def answer(request):
            times.append(rt.clock.now())
            if len(times) == 1:
                raise ModelError("slow down", transient=True, retry_after=wanted)
            yield said("ok")

        async with runtime(seller(Model(answer))) as rt:
            await ended(rt)
        assert (times[1] - times[0]) / 1e6 == waited

    async def test_a_crash_does_not_shorten_a_pause(self):
        """The pause is durable."""
        times = []

        async def answer(request):
            times.append(rt.clock.now())
            if len(times) < 3:
                raise ModelError("overloaded", transient=True, retry_after=600)
            yield said("ok")

        async with runtime(seller(Model(answer))) as rt:
            run = await rt.send("seller", "go")
            await rt.clock.elapse("1m")
            assert await run.status() == "sleeping"
            await rt.kill()
            await rt.clock.elapse("1m")
            assert len(times) == 1
            assert await rt.ending(rt.run(run.id)) == Finished("ok")
        assert [(after - before) / 1e6 for before, after in pairwise(times)] == [600, 600]


async def test_a_conversation_survives_its_worst_turn():
    """What one run recorded of a hostile model can be read by the runs after it."""
    turns = [said("", Proposal("price", nested(90)), Proposal("\x00", [1])), said("ok"), said("still here")]

    async def answer(request):
        yield turns[turns_in(request)]

    async with runtime(seller(Model(answer))) as rt:
        assert (await ended(rt, conversation="c"))[1] == Finished("ok")
        await rt.kill()
        assert (await ended(rt, conversation="c"))[1] == Finished("still here")


async def test_words_without_a_form_can_not_be_sent():
    """A message that can't be recorded is refused at once, whether it begins a run or reaches one."""
    async with runtime(seller(ScriptedModel([Proposal("ask_user", {"question": "?"}), "ok"]))) as rt:
        with pytest.raises(CanonicalError):
            await rt.send("seller", "\ud800", conversation="c")
        run = await rt.send("seller", "hi", conversation="c")
        await rt.clock.run(run.result())
        with pytest.raises(CanonicalError):
            await rt.send("seller", "\ud800", conversation="c")
        assert len(await rt.questions()) == 1


async def test_a_secret_argument_is_performed_as_it_was_recorded():
    """What the journal did not keep is not performed either, before and after a crash alike."""
    secret = "sk-" + "a" * 48
    policy = Policy(permit(pay))
    model = yielding(said("", a_payment(secret)))
    async with runtime(seller(model, policy=policy), deps=(shop := Shop())) as rt:
        await ended(rt)
    assert shop.payments == [("[redacted:openai-key]", "5")]
