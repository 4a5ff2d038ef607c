"""People in a Pydantic AI run: questions that end it or don't, answers that come back, and what they are good for."""

import pytest
from pydantic_ai import DeferredToolRequests, DeferredToolResults, RunContext, Tool, ToolApproved, ToolDenied
from pydantic_ai.capabilities import HandleDeferredToolCalls
from pydantic_ai.exceptions import ApprovalRequired, UserError
from pydantic_ai_desk import Desk, call, denials, governing, journaled, results, stored

from interlock import need, permit, tool
from interlock.kernel import events as ev

OUTPUT = [str, DeferredToolRequests]
BIG = {"order": "a", "amount": 400}


def words(messages):
    """Return as a model's answer what it was told last."""
    return str(results(messages)[-1][1])


async def asked(*calls, turns=(words,), run="r1", **options):
    """Return a desk whose run has ended with a question, and the run's result."""
    desk = Desk(list(calls) or [call("pay", id="c", **BIG)], *turns, output_type=OUTPUT, **options)
    result = await desk.run(run_id=run)
    assert isinstance(result.output, DeferredToolRequests)
    return desk, result


def going_on(desk, result, approvals, by="ana", **options):
    """Go on with what was answered, from a history that was stored meanwhile."""
    given = DeferredToolResults(approvals=approvals, answered_by=dict.fromkeys(approvals, by) if by else {})
    return desk.run(None, message_history=stored(result.all_messages()), deferred_tool_results=given, **options)


class TestWithoutDeferredRequests:
    async def test_the_model_is_told_and_goes_on(self):
        """Its output can't be a question, so the model hears that a person is asked; the run stays open."""
        desk = Desk([call("pay", **BIG)], words)
        result = await desk.run(run_id="r1")
        assert result.output.startswith("Nothing has been done yet: it waits for the approval of finance")
        assert desk.governor.runtime.run("r1").status() == "waiting"
        assert (await desk.run(run_id="r1")).output == result.output
        assert len(desk.script.asked) == 2

    @pytest.mark.parametrize(
        ("answer", "said"), [("approve", "paid 400"), ("deny", "It was not done: ana (finance) said no.")]
    )
    async def test_when_it_is_answered_the_same_run_goes_on(self, answer, said):
        """It is performed, or not, and the model hears of it, because what it was told is no longer so."""
        desk = Desk([call("pay", **BIG)], [call("search")], "it waits", lambda messages: results(messages)[0][1])
        await desk.run(run_id="r1")
        [question] = desk.governor.runtime.questions()
        getattr(question, answer)(by="ana")
        for _ in range(2):
            result = await desk.run(run_id="r1")
            assert result.output == said
        [*_, words, news, _] = result.all_messages()
        assert words.text == "it waits"
        assert news.parts[0].content == "What you were told about pay has changed since: see the results above."
        assert len(desk.script.asked) == 4
        assert len(desk.paid) == (answer == "approve")
        assert desk.governor.runtime.run("r1").status() == "done"

    async def test_what_was_done_meanwhile_is_not_done_again(self):
        """The model went on without the answer, and what it did then stays; more of it comes after the news."""
        turns = [
            [call("pay", **BIG), call("pay", order="b", amount=500)],
            [call("pay", order="c", amount=1)],
            "two wait",
            [call("pay", order="d", amount=1)],
            "one waits",
            [call("pay", order="e", amount=1)],
            "done",
        ]
        desk = Desk(*turns)
        said = [(await desk.run(run_id="r1")).output]
        for number in range(2):
            desk.governor.runtime.questions()[0].approve(by="ana")
            said.append((await desk.run(run_id="r1")).output)
            assert (await desk.run(run_id="r1")).output == said[-1], number
        assert said == ["two wait", "one waits", "done"]
        assert [order for order, _ in desk.paid] == ["c", "a", "d", "b", "e"]
        assert len(desk.script.asked) == len(turns)

    async def test_a_delay(self):
        """What has to wait is told with its time, and nobody is asked."""
        desk = Desk(
            [call("pay", order="a", amount=1)],
            words,
            output_type=OUTPUT,
            governor=governing(rules=[need.delay("1h", "pay")]),
        )
        result = await desk.run(run_id="r1")
        assert result.output.startswith("Nothing has been done yet: it has to wait until")


class TestDeferredRequests:
    async def test_yes(self):
        """The run ends with the question, and goes on with the answer: the same call, in the journal's same run."""
        desk, result = await asked()
        [question] = desk.governor.runtime.questions()
        assert result.output.metadata["c"] == {
            "question": question.id,
            "level": "finance",
            "says": 'pay(amount=400, order="a")',
            "reasons": ["over 100"],
        }
        again = await going_on(desk, result, {"c": True})
        assert (again.output, desk.paid) == ("paid 400", [("a", 400)])
        [answered] = journaled(desk.governor, "r1", ev.Answered)
        assert answered.by == "ana"
        assert desk.governor.runtime.run("r1").status() == "done"

    async def test_no(self):
        """The journal knows who said no, and the model is told."""
        desk, result = await asked()
        again = await going_on(desk, result, {"c": ToolDenied("too much")})
        assert again.output == "It was not done: ana (finance) said no: too much."
        assert (desk.paid, denials(desk.governor, "r1")) == ([], [("pay", "needs")])
        assert desk.governor.runtime.run("r1").status() == "done"

    async def test_several(self):
        """Each answer counts for its own call, among calls that were done at once."""
        calls = [call("pay", id=str(n), order=str(n), amount=n) for n in (300, 1, 400, 500)]
        desk, result = await asked(*calls)
        assert desk.paid == [("1", 1)]
        again = await going_on(desk, result, {"300": True, "400": False, "500": ToolApproved()})
        assert sorted(desk.paid) == [("1", 1), ("300", 300), ("500", 500)]
        assert [outcome for *_, outcome in results(again.all_messages())] == ["success", "success", "denied", "success"]

    @pytest.mark.parametrize("approval", [True, False])
    async def test_by_nobody(self, approval):
        """A yes without a name is none: nothing is done."""
        desk, result = await asked()
        with pytest.raises(UserError, match="answered, but by whom"):
            await going_on(desk, result, {"c": approval}, by=None)
        assert desk.paid == []
        assert (await going_on(desk, result, {"c": True})).output == "paid 400"

    @pytest.mark.parametrize(
        ("meanwhile", "here", "paid"), [("approve", True, 1), ("deny", True, 0), ("approve", False, 1)]
    )
    async def test_somebody_has_answered_meanwhile(self, meanwhile, here, paid):
        """The first answer counts, from wherever it came."""
        desk, result = await asked()
        getattr(desk.governor.runtime.questions()[0], meanwhile)(by="carol")
        await going_on(desk, result, {"c": here})
        assert len(desk.paid) == paid

    async def test_without_an_answer_here(self):
        """Who is answered elsewhere may simply run the same run again."""
        desk, _ = await asked()
        desk.governor.runtime.questions()[0].approve(by="carol")
        assert (await desk.run(run_id="r1")).output == "paid 400"

    async def test_two_levels(self):
        """One yes answers one question."""
        desk, result = await asked(governor=governing(rules=[need.approval("legal", "pay")]))
        again = await going_on(desk, result, {"c": True})
        assert isinstance(again.output, DeferredToolRequests)
        assert desk.paid == []
        last = await going_on(desk, again, {"c": True}, by="leo")
        assert last.output == "paid 400"
        assert {one.by for one in journaled(desk.governor, "r1", ev.Answered)} == {"ana", "leo"}

    async def test_the_same_answer_twice(self):
        """It is performed once, however often the answer comes."""
        desk, result = await asked()
        for _ in range(2):
            assert (await going_on(desk, result, {"c": True})).output == "paid 400"
        assert len(desk.paid) == 1
        assert len(desk.script.asked) == 2

    async def test_many_turns_and_questions(self):
        """A run of the journal goes through several agent runs, and each call keeps its place."""
        turns = [[call("pay", id="c", order="b", amount=300)], [call("pay", id="c", order="d", amount=1)], "done"]
        desk, result = await asked(turns=turns)
        for _ in range(2):
            result = await going_on(desk, result, {"c": True})
        assert (result.output, desk.paid) == ("done", [("a", 400), ("b", 300), ("d", 1)])
        plan = desk.governor.runtime.run("r1").undo_plan()
        assert [one.args["order"] for one in plan.items] == ["d", "b", "a"]

    async def test_a_question_within_another_tool(self):
        """Only calls of the model end a run: the tool that made this one is told, and goes on."""

        async def batch(ctx: RunContext) -> str:
            return await ctx.tool_manager.handle_call(call("pay", **BIG))

        governor = governing(tools=[tool.read("batch")], rules=[permit("batch")])
        desk = Desk([call("batch")], words, output_type=OUTPUT, governor=governor)
        desk.agent.tool(batch)
        result = await desk.run(run_id="r1")
        assert result.output.startswith("Nothing has been done yet: it waits for the approval of finance")

    @pytest.mark.parametrize(("yes", "paid"), [(True, 2), (False, 1)])
    async def test_the_same_effect_once_more(self, yes, paid):
        """A second call with the same arguments ends the run with a question to the user, who says when it was done."""
        first, second = (call("pay", id=name, order="a", amount=1) for name in "ab")
        governor = governing(pay=tool.irreversible("pay"))
        desk, result = await asked(first, turns=([second], "ok"), governor=governor)
        told = result.output.metadata["b"]
        assert (told["says"], told["level"]) == ('pay(amount=1, order="a")', "")
        assert "the same was done in this conversation" in told["reasons"][-1]
        assert (await going_on(desk, result, {"b": yes})).output == "ok"
        assert len(desk.paid) == paid


class TestOtherArguments:
    @pytest.mark.parametrize(("amount", "paid"), [(30, [("a", 30)]), (4000, [])])
    async def test_they_are_another_proposal(self, amount, paid):
        """It is judged anew, and the one that was asked about is withdrawn."""
        desk, result = await asked()
        other = ToolApproved(override_args={"order": "a", "amount": amount})
        await going_on(desk, result, {"c": other})
        assert desk.paid == paid
        [answered] = journaled(desk.governor, "r1", ev.Answered)
        assert (answered.decision, answered.note) == ("deny", "other arguments were approved instead")
        assert (await going_on(desk, result, {"c": other})).output
        assert desk.paid == paid
        assert desk.governor.runtime.run("r1").status() == "done"

    async def test_they_need_their_own_approval(self):
        """A yes to 400 is none to 500, though the same person gives both."""
        desk, result = await asked()
        other = ToolApproved(override_args={"order": "a", "amount": 500})
        again = await going_on(desk, result, {"c": other})
        assert again.output.metadata["c"]["says"] == 'pay(amount=500, order="a")'
        assert desk.paid == []
        last = await going_on(desk, again, {"c": other})
        assert (last.output, desk.paid) == ("paid 500", [("a", 500)])

    async def test_a_no_to_them(self):
        """A no to the second question leaves nothing open of either."""
        desk, result = await asked()
        again = await going_on(desk, result, {"c": ToolApproved(override_args={"order": "a", "amount": 500})})
        last = await going_on(desk, again, {"c": False})
        assert last.output == "It was not done: ana (finance) said no."
        assert (desk.paid, desk.governor.runtime.run("r1").status()) == ([], "done")

    async def test_the_first_was_approved_elsewhere(self):
        """Of two proposals that are both approved only the one is performed that comes back."""
        desk, result = await asked()
        desk.governor.runtime.questions()[0].approve(by="carol")
        await going_on(desk, result, {"c": ToolApproved(override_args={"order": "a", "amount": 30})})
        assert desk.paid == [("a", 30)]
        [item] = desk.governor.runtime.run("r1").undo_plan().items
        assert item.args["amount"] == 30

    async def test_a_history_that_was_changed(self):
        """An approval is for exactly what was asked: other arguments under the same call are judged anew."""
        desk, result = await asked()
        history = stored(result.all_messages())
        history[1].parts[0].args = {"order": "mallory", "amount": 900}
        given = DeferredToolResults(approvals={"c": True}, answered_by={"c": "ana"})
        again = await desk.run(None, message_history=history, deferred_tool_results=given)
        assert again.output.metadata["c"]["says"] == 'pay(amount=900, order="mallory")'
        assert desk.paid == []


class TestTheFrameworksOwnApprovals:
    async def test_a_tool_that_requires_approval(self):
        """The framework asks first; then the guardian judges, and may ask a person of its own."""
        desk = Desk([call("pay", id="c", **BIG)], words, output_type=OUTPUT)
        with desk.agent.override(tools=[Tool(desk.pay, requires_approval=True)]):
            result = await desk.run(run_id="r1")
            assert desk.governor.runtime.questions() == []
            again = await going_on(desk, result, {"c": True})
            assert again.output.metadata["c"]["level"] == "finance"
            last = await going_on(desk, again, {"c": True})
        assert (last.output, desk.paid) == ("paid 400", [("a", 400)])

    async def test_a_tool_that_asks_for_approval_itself(self):
        """What it raises says that nothing has happened; with the approval it is called again."""
        tried = []

        def pay(ctx, order: str, amount: int) -> str:
            tried.append(ctx.tool_call_approved)
            if not ctx.tool_call_approved:
                raise ApprovalRequired({"why": "I want to know"})
            return "paid"

        desk = Desk([call("pay", id="c", order="a", amount=1)], words, output_type=OUTPUT)
        with desk.agent.override(tools=[Tool(pay, takes_ctx=True)]):
            result = await desk.run(run_id="r1")
            assert result.output.metadata == {"c": {"why": "I want to know"}}
            for _ in range(2):
                assert (await going_on(desk, result, {"c": True})).output == "paid"
        assert tried == [False, True]

    async def test_an_answer_in_the_middle_of_the_run(self):
        """A handler that asks a person at once gives the name with the answer."""
        named = {}

        def ask(ctx, requests):
            return requests.build_results(approve_all=True, metadata=named)

        desk = Desk(
            [call("pay", id="c", **BIG)], words, output_type=OUTPUT, capabilities=[HandleDeferredToolCalls(ask)]
        )
        with pytest.raises(UserError, match="by whom"):
            await desk.run(run_id="r1")
        named["c"] = {"by": "ana"}
        assert (await desk.run(run_id="r1")).output == "paid 400"
        assert len(desk.paid) == 1
