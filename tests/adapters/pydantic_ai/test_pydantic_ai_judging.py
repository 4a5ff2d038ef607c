"""Calls of a Pydantic AI agent before the guardian: what rules read, and what is wrong from the start."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Annotated, Any

import pytest
from pydantic import AfterValidator, BaseModel
from pydantic_ai.exceptions import UnexpectedModelBehavior, UserError
from pydantic_ai_desk import Answer, Desk, call, compensable, denials, governing, journaled, results

from interlock import arg, forbid, permit, tool, user
from interlock.adapters.pydantic_ai import govern
from interlock.errors import DeclarationError, PolicyError
from interlock.kernel import events as ev


class TestJudging:
    async def test_what_is_permitted_is_performed(self):
        """The tool runs and its own result reaches the model; the run ends with its output in the journal."""
        desk = Desk([call("search", query="a"), call("pay", order="a", amount=40)], "done")
        result = await desk.run(run_id="r1")
        assert result.output == "done"
        assert results(result.all_messages()) == [("search", ["order a"], "success"), ("pay", "paid 40", "success")]
        assert desk.paid == [("a", 40)]
        assert bytes(journaled(desk.governor, "r1")[-1].output) == b'"done"'

    async def test_what_is_denied_is_not(self):
        """The model is told why, as of a call that was denied."""
        desk = Desk([call("pay", order="a", amount=4000)], "no")
        result = await desk.run(run_id="r1")
        [(_, said, outcome)] = results(result.all_messages())
        assert outcome == "denied"
        assert said.startswith("It was not done: no rule permits pay")
        assert desk.paid == []
        assert denials(desk.governor, "r1") == [("pay", "judge")]

    async def test_an_undeclared_tool_is_denied(self):
        """A tool that nobody declared is irreversible, and no rule permits it."""
        desk = Desk([call("drop")], "no")
        dropped = []
        desk.agent.tool_plain(name="drop")(lambda: dropped.append(1))
        assert results((await desk.run()).all_messages())[0][2] == "denied"
        assert dropped == []

    async def test_rules_read_typed_arguments(self):
        """Dates and decimals compare as such, and undo functions get them as such."""
        undone = []
        book = compensable("book", undone)
        rules = [permit(book, when=(arg.price < Decimal(10)) & (arg.day > date(2026, 1, 1)))]
        turns = [
            [call("book", price="9.50", day="2026-02-01"), call("book", price="10.50", day="2026-02-01")],
            [call("book", price="1", day="2025-02-01")],
            "ok",
        ]
        desk = Desk(*turns, governor=governing(tools=[book], rules=rules))
        booked = []

        @desk.agent.tool_plain(name="book")
        def _(price: Decimal, day: date = date(2026, 5, 1)) -> Decimal:
            booked.append((price, day))
            return price

        result = await desk.run(run_id="r1")
        assert [outcome for *_, outcome in results(result.all_messages())] == ["success", "denied", "denied"]
        assert booked == [(Decimal("9.50"), date(2026, 2, 1))]
        desk.governor.runtime.run("r1").undo_plan().apply(by="ana")
        assert undone == [("9.50", {"price": Decimal("9.50"), "day": date(2026, 2, 1)})]

    async def test_a_lone_model_is_named_by_its_parameter(self):
        """The LLM gives the model's fields; rules and undo functions find them below the parameter's name."""

        class Invoice(BaseModel):
            invoice: dict[str, Any]
            amount: int = 1

        billed = []

        def named_as_a_field(invoice: Invoice) -> None:
            billed.append(invoice)

        def named_otherwise(given: Invoice) -> None:
            billed.append(given)

        for name, function in (("invoice", named_as_a_field), ("given", named_otherwise)):
            undone = []
            bill = compensable("bill", undone)
            governor = governing(tools=[bill], rules=[permit(bill, when=arg[name].amount < 100)])
            turns = [[call("bill", invoice={"invoice": {}}, amount=5), call("bill", invoice={}, amount=500)], "ok"]
            desk = Desk(*turns, governor=governor)
            desk.agent.tool_plain(name="bill")(function)
            result = await desk.run(run_id="r1")
            assert [outcome for *_, outcome in results(result.all_messages())] == ["success", "denied"]
            assert billed.pop() == Invoice(invoice={"invoice": {}}, amount=5)
            desk.governor.runtime.run("r1").undo_plan().apply(by="ana")
            assert undone == [(None, {name: Invoice(invoice={"invoice": {}}, amount=5)})]

    async def test_arguments_are_validated_once(self):
        """A validator that changes what it gets is not applied to its own result."""
        cents = Annotated[int, AfterValidator(lambda euros: euros * 100)]
        charge = tool.irreversible("charge")
        governor = governing(tools=[charge], rules=[permit(charge, when=arg.amount == 500)])
        desk = Desk([call("charge", amount=5)], "ok", governor=governor)
        charged = []

        @desk.agent.tool_plain(name="charge")
        def _(amount: cents) -> None:
            charged.append(amount)

        await desk.run()
        assert charged == [500]

    async def test_rules_read_the_user_of_the_run(self):
        """`user=` says from the run's context whom it acts for."""
        governor = governing(rules=[forbid("pay", when=user.id == "mallory", because="not you")])
        desk = Desk([call("pay", order="a", amount=1)], "ok", governor=governor, deps_type=str)
        governed = govern(desk.agent, governor, user=lambda ctx: ctx.deps)
        await governed.run("hi", deps="mallory", run_id="r1")
        assert desk.paid == []
        await governed.run("hi", deps="ana", run_id="r2", conversation_id="c1")
        assert desk.paid == [("a", 1)]
        [started] = journaled(governor, "r2", ev.RunStarted)
        assert started.conversation == "c1"

    async def test_a_rule_about_an_argument_that_there_is_not(self):
        """It is told when the agent runs, before anything is done."""
        desk = Desk("ok", governor=governing(rules=[forbid("search", when=arg.qery == "x")]))
        with pytest.raises(PolicyError, match="qery"):
            await desk.run()

    def test_an_agent_is_governed_once(self):
        """Twice would be two judges and two journals for one call."""
        desk = Desk()
        with pytest.raises(DeclarationError, match="governed already"):
            govern(desk.governed, desk.governor)

    def test_realtime_is_refused(self):
        """A realtime session takes another way than a run."""
        with pytest.raises(UserError, match="not governed"):
            Desk().governed.realtime("openai:gpt-realtime")


class TestWrongCalls:
    async def test_an_unknown_tool(self):
        """The model gets Pydantic AI's own words, and the journal the hallucination."""
        desk = Desk([call("pey", order="a", amount=1), call("search")], "ok")
        result = await desk.run(run_id="r1")
        assert results(result.all_messages())[0] == (
            "pey",
            "Unknown tool name: 'pey'. Available tools: 'pay', 'search'",
            "retried",
        )
        assert denials(desk.governor, "r1") == [("pey", "resolve")]

    async def test_a_tool_of_another_agent(self):
        """One that is declared, but not this agent's, is as unknown as one that the model made up."""
        desk = Desk([call("pay", order="a", amount=1)], "ok")
        with desk.agent.override(tools=[desk.search]):
            for _ in range(2):
                assert results((await desk.run(run_id="r1")).all_messages())[0][2] == "retried"
        [denied] = journaled(desk.governor, "r1", ev.Denied)
        assert (denied.stage, denied.reasons) == ("resolve", ("there is no tool 'pay'",))

    @pytest.mark.parametrize(
        "args",
        [{"order": "a"}, {"order": "a", "amount": "four"}, {"order": ["a"], "amount": 4}, "[]", "{broken", '"a"', "4"],
    )
    async def test_arguments_that_do_not_fit(self, args):
        """They are Pydantic AI's to refuse: it tells the model what is wrong, and no proposal is made."""
        desk = Desk([replace(call("pay"), args=args)], "sorry")
        result = await desk.run(run_id="r1")
        assert results(result.all_messages())[0][2] == "retried"
        assert desk.paid == []
        assert journaled(desk.governor, "r1", ev.Intended, ev.Denied) == []

    async def test_hostile_strings(self):
        """Whatever a model writes arrives as it was written, or is refused; nothing is broken by it."""
        words = ["'; drop table runs; --", "\x00\x1b[2J", "a" * 100_000, "\u202e\u200b", "~undo/1", "../../etc"]
        turns = [[call("search", query=one, id="call_0")] for one in words]
        half = [replace(call("search"), args='{"query": "\\ud800"}')]
        desk = Desk(*turns, [call("x" * 1000), call("pay\n")], half, "ok")
        result = await desk.run(run_id="r\n1'; --")
        heard = results(result.all_messages())
        assert [content for _, content, _ in heard[:-3]] == [[f"order {one}"] for one in words]
        assert [outcome for *_, outcome in heard[-3:]] == ["retried"] * 3

    async def test_ids_of_calls_that_repeat(self):
        """Some providers number the calls of each answer from zero: it is their place that tells them apart."""
        turns = [[call("pay", id="call_0", order="a", amount=1)] for _ in range(3)]
        desk = Desk(*turns, "ok")
        await desk.run(run_id="r1")
        assert desk.paid == [("a", 1)] * 3

    async def test_one_id_for_two_calls(self):
        """Nobody could say which is which: nothing is done, also where the framework takes them one after the other."""
        twice = [call("pay", id="x", order=order, amount=1) for order in "ab"]
        for turn in (twice, [twice[0], call("final_result", text="done"), twice[1]]):
            desk = Desk(turn, "ok", output_type=Answer)
            with pytest.raises(UnexpectedModelBehavior, match="'x'"):
                await desk.run()
            assert desk.paid == []
