"""The loop of an agent that thinks with a model: thinking, acting, asking, answering."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import msgspec
import pytest
from pydantic import BaseModel, Field
from shop import Shop, a_payment, a_price, happened, price, seller, spoken, turn, turns_in

from interlock import Agent, Ctx, Example, Finished, Policy, Proposal, ScriptedModel, action, ask_user, need, permit
from interlock.errors import DeclarationError
from interlock.kernel import events as ev
from interlock.models import ModelSaid, Note, Response, Result, UserSaid
from interlock.testing import assert_performed_once, assert_waiting, denying, runtime


class Script:
    """A script, by the turn, that remembers what it was shown."""

    def __init__(self, *answers):
        self.requests = []
        self.answers = answers

    def __call__(self, request):
        self.requests.append(request)
        return self.answers[turns_in(request)]

    @property
    def results(self):
        return [one for one in self.requests[-1].messages if isinstance(one, Result)]

    @property
    def notes(self):
        return [one.text for one in self.requests[-1].messages if isinstance(one, Note)]


async def ended(rt, agent="seller", text="go", person=None, **options):
    """Send a message, and return the run and how it ended."""
    run = await rt.send(agent, text, **options)
    return run, await rt.ending(run, person)


class TestAnswers:
    async def test_words(self):
        """Words without a proposal are the answer and end the run."""
        async with runtime(seller(ScriptedModel(["Hello. How are you?"]))) as rt:
            run, how = await ended(rt)
            assert how == Finished("Hello. How are you?")
            assert await spoken(run) == ["Hello. ", "How are you?"]

    async def test_what_the_model_is_shown(self):
        """Instructions, the user's words, the actions with their schemas."""
        script = Script("yes")
        async with runtime(seller(ScriptedModel(script), instructions="You sell.")) as rt:
            await ended(rt, text="hi")
        (request,) = script.requests
        assert (request.instructions, request.messages) == ("You sell.", (UserSaid("hi"),))
        assert [one.name for one in request.actions] == ["price", "pay", "ask_user"]
        assert request.actions[1].schema["required"] == ["to", "amount"]
        assert not request.must_propose

    async def test_a_run_that_was_started_with_data(self):
        """What is no text is shown as its JSON."""
        script = Script("yes")
        async with runtime(seller(ScriptedModel(script))) as rt:
            run = await rt.start("seller", {"order": 7}, run="order-7")
            assert await rt.ending(run) == Finished("yes")
        assert script.requests[0].messages == (UserSaid('{"order":7}'),)

    async def test_each_agent_thinks_with_its_own_model(self):
        """Two agents of a runtime don't share a model."""
        other = Agent("other", model=ScriptedModel(["from other"]))
        async with runtime(seller(ScriptedModel(["from seller"])), other) as rt:
            assert (await ended(rt))[1] == Finished("from seller")
            assert (await ended(rt, "other"))[1] == Finished("from other")


class TestActing:
    async def test_reads_at_once_and_effects_in_order(self):
        """Reads that stand together are done at once, effects one after the other, each in its place."""
        proposals = [a_price("tea"), a_price("rum"), a_payment("ann"), a_payment("bob"), a_price("gin")]
        script = Script(proposals, "done")
        shop = Shop()
        async with runtime(seller(ScriptedModel(script)), deps=shop) as rt:
            _, how = await ended(rt)
        assert how == Finished("done")
        assert shop.most_looking == 2
        assert shop.calls[2:] == ["pay ann", "pay bob", "price gin"]
        assert [one.text for one in script.results] == [
            "tea costs 3",
            "rum costs 3",
            "paid ann",
            "paid bob",
            "gin costs 3",
        ]
        assert not any(one.failed for one in script.results)

    async def test_results_follow_the_turn_that_proposed_them(self):
        """Each result stands behind its turn, under the key that the model gave its proposal."""
        script = Script([a_price("tea", "call_a"), a_price("rum", "call_b")], a_price("gin", "call_c"), "done")
        async with runtime(seller(ScriptedModel(script))) as rt:
            await ended(rt, text="hi")
        kinds = [type(one) for one in script.requests[-1].messages]
        assert kinds == [UserSaid, ModelSaid, Result, Result, ModelSaid, Result]
        assert [one.key for one in script.results] == ["call_a", "call_b", "call_c"]

    async def test_what_is_refused_goes_back_to_the_model(self):
        """A denial and its way forward are the result; the other proposals of the turn are performed."""
        script = Script([a_payment("mallory"), a_payment("ann")], "done")
        async with runtime(seller(ScriptedModel(script)), deps=(shop := Shop())) as rt:
            await ended(rt)
        denied, done = script.results
        assert (denied.text, denied.failed) == (
            "It was not done: mallory is not paid. Instead: pay ann. Proposing exactly this again will not help.",
            True,
        )
        assert (done.text, done.failed) == ("paid ann", False)
        assert shop.payments == [("ann", "5")]

    async def test_an_unknown_action(self):
        """The model is told what exists, or what it may have meant."""
        script = Script([Proposal("prise", {"of": "tea"}), Proposal("fly", {})], a_price("tea"), "done")
        async with runtime(seller(ScriptedModel(script))) as rt:
            _, how = await ended(rt)
            assert how == Finished("done")
        near, far, _ = script.results
        assert near.text == "It was not done: there is no action 'prise'. Instead: did you mean 'price'?."
        assert "there are: ask_user, pay, price" in far.text

    async def test_arguments_that_do_not_fit(self):
        """The model is told of each argument what is wrong with it."""
        script = Script(Proposal("pay", {"to": 7, "amout": "x"}), "done")
        async with runtime(seller(ScriptedModel(script))) as rt:
            await ended(rt)
        (result,) = script.results
        assert "to: Input should be a valid string (got 7)" in result.text
        assert "amount: Field required" in result.text
        assert "amout: there is no such argument; did you mean 'amount'?" in result.text

    async def test_words_beside_a_proposal_are_released(self):
        """What the model says while it goes to work is read by the user before it is done."""
        script = Script(Response(text="Let me look. ", proposals=(a_price("tea"),), finish="calls"), "It costs 3.")
        async with runtime(seller(ScriptedModel(script))) as rt:
            run, _ = await ended(rt)
            assert await spoken(run) == ["Let me look. ", "It costs 3."]

    @pytest.mark.parametrize(("words", "shown"), [("no such shelf", "no such shelf"), ("no \ud800", "no \\ud800")])
    async def test_a_read_that_fails(self, words, shown):
        """What an action raises goes back to the model as a failure, and the run goes on."""

        @action.read
        async def broken(ctx: Ctx[Shop]) -> str:
            """Look."""
            raise LookupError(words)

        script = Script(Proposal("broken", {}), "sorry")
        async with runtime(seller(ScriptedModel(script), actions=[broken], policy=Policy(permit(broken)))) as rt:
            assert (await ended(rt))[1] == Finished("sorry")
        assert script.results[0].text == f"It failed: LookupError: {shown}"
        assert script.results[0].failed

    async def test_a_result_that_is_too_long(self):
        """The model is shown the beginning, and how much there is behind it."""

        @action.read
        async def book(ctx: Ctx[Shop]) -> str:
            """Read a book."""
            return "x" * 60_000

        script = Script(Proposal("book", {}), "read")
        async with runtime(seller(ScriptedModel(script), actions=[book], policy=Policy(permit(book)))) as rt:
            await ended(rt)
        assert script.results[0].text.endswith("x… (cut here: 10,000 more characters)")


class TestPeople:
    async def test_an_approval(self):
        """A proposal waits for a person, the proposals behind it for that one; the model hears how it went."""
        script = Script([a_payment("ann", "500"), a_payment("bob")], "done")
        async with runtime(seller(ScriptedModel(script)), deps=(shop := Shop())) as rt:
            run = await rt.send("seller", "go")
            question = assert_waiting(await rt.clock.run(run.result()), "finance")
            assert shop.calls == []
            await question.approve("carol")
            assert await rt.ending(run) == Finished("done")
            assert_performed_once(rt, "pay", to="ann")
        assert [one.text for one in script.results] == ["paid ann", "paid bob"]

    async def test_a_no(self):
        """What the person said no to is told with their words."""
        script = Script(a_payment("ann", "500"), "ok")
        async with runtime(seller(ScriptedModel(script)), deps=(shop := Shop())) as rt:
            await ended(rt, person=denying("carol", "too much"))
        assert script.results[0].text == "It was not done: carol (finance) said no: too much."
        assert shop.paid == {}

    async def test_asking_the_user(self):
        """A question to the user is waited for durably; the answer is the proposal's result."""
        script = Script(Proposal("ask_user", {"question": "Which size?"}, "q"), "Size 7 it is.")
        async with runtime(seller(ScriptedModel(script))) as rt:
            run = await rt.send("seller", "shoes", user="ann")
            question = assert_waiting(await rt.clock.run(run.result()), kind="question")
            assert (question.says, question.action) == ("Which size?", "ask_user")
            await rt.kill()
            (question,) = await rt.questions(run.id)
            await question.answer("7", by="ann")
            assert await rt.ending(rt.run(run.id)) == Finished("Size 7 it is.")
        assert script.results == [Result("q", "ask_user", "7")]

    async def test_a_question_needs_a_permit(self):
        """Asking is an action like others: what no rule permits is denied."""
        script = Script(Proposal("ask_user", {"question": "?"}), "ok")
        async with runtime(seller(ScriptedModel(script), policy=Policy(permit(price)))) as rt:
            run, _ = await ended(rt)
            assert not await happened(run, ev.Asked)

    async def test_a_question_that_nobody_answers(self):
        """After its time the model hears that there was no answer."""
        script = Script(Proposal("ask_user", {"question": "?"}), "never mind")
        async with runtime(seller(ScriptedModel(script)), question_ttl="1h") as rt:
            run = await rt.send("seller", "go")
            await rt.clock.run(run.result())
            await rt.clock.elapse("2h")
            assert await rt.ending(run) == Finished("never mind")
        assert script.results[0].text == "It was not done: the user did not answer in time."

    async def test_two_questions_at_once(self):
        """Both are open, and each answer goes to its own."""
        ask = [Proposal("ask_user", {"question": one}, one) for one in ("Size?", "Colour?")]
        script = Script(ask, "ok")
        async with runtime(seller(ScriptedModel(script))) as rt:
            run = await rt.send("seller", "shoes")
            waiting = await rt.clock.run(run.result())
            by_words = {one.says: one for one in waiting.questions}
            await by_words["Colour?"].answer("red", by="ann")
            await by_words["Size?"].answer("7", by="ann")
            assert await rt.ending(run) == Finished("ok")
        assert [(one.key, one.text) for one in script.results] == [("Size?", "7"), ("Colour?", "red")]

    async def test_a_question_behind_an_approval(self):
        """A rule can have a person approve a question before the user is asked it."""
        script = Script(Proposal("ask_user", {"question": "?"}), "ok")
        policy = Policy(permit(ask_user), need.approval("lead", ask_user))
        async with runtime(seller(ScriptedModel(script), actions=[ask_user], policy=policy)) as rt:
            run = await rt.send("seller", "go")
            question = assert_waiting(await rt.clock.run(run.result()), "lead", kind="approval")
            await question.approve("lea")
            await rt.clock.elapse("1s")
            question = assert_waiting(await rt.clock.run(run.result()), kind="question")
            await question.answer("yes", by="ann")
            assert await rt.ending(run) == Finished("ok")
        assert script.results[0].text == "yes"


class Item(BaseModel):
    """One item of an order."""

    name: str
    count: int = Field(ge=1)


@dataclass
class Order:
    """What was ordered."""

    items: list[Item]
    on: date
    total: Decimal


ORDER = {"items": [{"name": "tea", "count": 2}], "on": "2026-03-01", "total": "7.50"}


class TestStructuredOutput:
    @pytest.mark.parametrize(
        ("output", "given", "got"),
        [
            (Order, ORDER, Order([Item(name="tea", count=2)], date(2026, 3, 1), Decimal("7.50"))),
            (Item, {"name": "tea", "count": 1}, Item(name="tea", count=1)),
            (list[Item], [{"name": "tea", "count": 1}], [Item(name="tea", count=1)]),
            (dict[str, int], {"tea": 1}, {"tea": 1}),
            (int, 7, 7),
            (str | None, None, None),
        ],
    )
    async def test_it_is_of_its_type(self, output, given, got):
        """The answer comes out as the type that the agent declares, also from the journal."""
        model = ScriptedModel([a_price("tea"), Proposal("answer", {"answer": given})])
        async with runtime(seller(model, output=output)) as rt:
            run, how = await ended(rt)
            assert how == Finished(got)
            assert type(how.output) is type(got)
            await rt.kill()
            assert await rt.run(run.id).result() == Finished(got)

    async def test_what_the_model_is_told(self):
        """It is to propose, and one of what it can propose is the answer with its schema."""
        script = Script(Proposal("answer", {"answer": 7}))
        async with runtime(seller(ScriptedModel(script), output=int)) as rt:
            await ended(rt)
        (request,) = script.requests
        assert request.must_propose
        assert request.actions[-1].name == "answer"
        assert request.actions[-1].schema["properties"]["answer"] == {"type": "integer"}

    async def test_what_does_not_fit_goes_back(self):
        """The model is told what is wrong with its answer, and gives another."""
        bad = Proposal("answer", {"answer": {"name": "tea", "count": 0}}, "a1")
        script = Script(bad, Proposal("answer", "tea"), Proposal("answer", {"answer": {"name": "tea", "count": 1}}))
        async with runtime(seller(ScriptedModel(script), output=Item)) as rt:
            _, how = await ended(rt)
            assert how == Finished(Item(name="tea", count=1))
        first, second = script.results
        assert "count: Input should be greater than or equal to 1" in first.text
        assert (first.key, first.failed) == ("a1", True)
        assert "it does not fit" in second.text

    async def test_words_are_not_an_answer(self):
        """Words where a structure is wanted are refused, and not released."""
        script = Script("It is seven.", Proposal("answer", {"answer": 7}))
        async with runtime(seller(ScriptedModel(script), output=int)) as rt:
            run, how = await ended(rt)
            assert how == Finished(7)
            assert await spoken(run) == []
        assert "it is in words, and this agent's answer has a schema" in script.notes[0]

    async def test_an_answer_beside_proposals_is_not_taken(self):
        """It can't know the results: the proposals are performed, and the answer is asked for again."""
        answer = Proposal("answer", {"answer": 7}, "a")
        script = Script([a_payment("ann"), answer], answer)
        async with runtime(seller(ScriptedModel(script), output=int), deps=(shop := Shop())) as rt:
            _, how = await ended(rt)
            assert how == Finished(7)
        assert shop.payments == [("ann", "5")]
        assert "can't have seen" in script.results[1].text

    async def test_one_of_two_answers_is_taken(self):
        """The first that stands counts."""
        model = ScriptedModel([[Proposal("answer", {"answer": 1}), Proposal("answer", {"answer": 2})]])
        async with runtime(seller(model, output=int)) as rt:
            assert (await ended(rt))[1] == Finished(1)

    async def test_an_agent_without_a_type_has_no_such_action(self):
        """Where words are the answer, proposing one is proposing what does not exist."""
        script = Script(Proposal("answer", {"answer": 7}), "seven")
        async with runtime(seller(ScriptedModel(script))) as rt:
            assert (await ended(rt))[1] == Finished("seven")
        assert "there is no action 'answer'" in script.results[0].text

    def test_an_action_of_that_name_is_refused(self):
        """The model could not tell them apart."""

        @action.read
        async def answer(ctx: Ctx[None]) -> str:
            """Answer."""
            return ""

        with pytest.raises(DeclarationError, match="rename the action"):
            Agent("a", [answer], model=ScriptedModel(["x"]), output=int)


class TestExamples:
    EXAMPLES = (Example("I want tea", proposals=(a_price("tea"),)), Example("thanks", answer="You are welcome."))

    async def test_they_are_told_as_invented(self):
        """They stand behind the instructions, labelled; no message of theirs passes for the user's."""
        script = Script("ok")
        async with runtime(seller(ScriptedModel(script), instructions="You sell.", examples=self.EXAMPLES)) as rt:
            await ended(rt, text="hi")
        (request,) = script.requests
        assert request.messages == (UserSaid("hi"),)
        head, label, examples = request.instructions.partition("They are invented")
        assert head.startswith("You sell.")
        assert label
        assert '<example 1>\nUser: I want tea\nYou propose: price {"of":"tea"}\n</example>' in examples
        assert "<example 2>\nUser: thanks\nYou answer: You are welcome.\n</example>" in examples

    async def test_the_journal_tells_them_from_everything_else(self):
        """They stand in a field of their own of the head, which each run names by its content."""
        agent = seller(ScriptedModel(["ok"]), examples=self.EXAMPLES)
        async with runtime(agent) as rt:
            run, _ = await ended(rt)
            (started,) = await happened(run, ev.RunStarted)
            head = msgspec.json.decode(await rt.store.blob(started.prompt))
        assert [one["user"] for one in head["examples"]] == ["I want tea", "thanks"]
        assert started.prompt == agent.head_hash


class TestDeclared:
    @pytest.mark.parametrize(
        "options",
        [
            {"instructions": "x"},
            {"output": int},
            {"examples": (Example("a", "b"),)},
            {"checks": [lambda _: None]},
        ],
    )
    def test_what_only_a_model_can_use(self, options):
        """An agent without a model says so when it is given what only a model reads."""
        with pytest.raises(DeclarationError, match="is for a model; give it model="):
            Agent("a", **options)

    def test_a_check_that_is_async(self):
        """It would never have found anything out."""

        async def check(sentence):
            return "bad"

        with pytest.raises(DeclarationError, match="none may be async"):
            Agent("a", model=ScriptedModel(["x"]), checks=[check])

    def test_no_turn_at_all(self):
        """At least one turn is needed."""
        with pytest.raises(DeclarationError, match="leaves it no turn"):
            Agent("a", model=ScriptedModel(["x"]), max_turns=0)

    def test_a_head_is_named_by_its_content(self):
        """The same words, examples and actions have the same hash; others another."""
        one, same = (seller(ScriptedModel(["x"]), instructions="a") for _ in range(2))
        other = seller(ScriptedModel(["x"]), instructions="b")
        assert one.head_hash == same.head_hash != other.head_hash


class TestCancel:
    async def test_while_it_waits_for_the_user(self):
        """A run that waits for its user ends as cancelled."""
        model = ScriptedModel([Proposal("ask_user", {"question": "?"}), "ok"])
        async with runtime(seller(model)) as rt:
            run = await rt.send("seller", "go")
            await rt.clock.run(run.result())
            await run.cancel("ana", "enough")
            assert (await rt.ending(run)).status == "cancelled"


async def test_what_a_turn_cost_is_recorded():
    """Tokens, price, and the model's own words for itself."""
    whole = Response(text="hi", model="m-2026", input_tokens=7, output_tokens=2, cost="0.0003", reasoning="hm")
    async with runtime(seller(ScriptedModel([whole], name="openai:m"))) as rt:
        run, _ = await ended(rt)
        (recorded,) = await happened(run, ev.TurnRecorded)
        assert (recorded.model, recorded.input_tokens, recorded.output_tokens, recorded.cost) == (
            "openai:m",
            7,
            2,
            "0.0003",
        )
        kept = await turn(run)
        assert (kept["model"], kept["reasoning"]) == ("m-2026", "hm")


async def test_an_undone_effect_is_told_to_the_next_run():
    """Who goes on with a conversation knows that an effect of it no longer holds."""
    script = Script(a_payment("ann"), "paid", "ok")
    async with runtime(seller(ScriptedModel(script)), deps=(shop := Shop())) as rt:
        run, _ = await ended(rt, conversation="c")
        assert await rt.undo(run) == ()
        assert shop.paid == {}
        await ended(rt, conversation="c", text="and now?")
    assert script.notes == ["An effect of pay was taken back; it no longer holds."]
