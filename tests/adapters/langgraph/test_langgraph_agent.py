"""An agent of LangChain under a governor: what is judged, performed, recorded, told and taken back."""

import asyncio
from collections.abc import Callable
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any

import pytest
from langchain.agents import create_agent
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.tools import tool as langchain_tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph_fakes import ScriptedChat, answers, history, kinds, on, runs, user
from pydantic import AfterValidator, BaseModel, Field

import interlock.kernel.events as ev
from interlock import Ctx, Governor, Policy, Refused, arg, current, forbid, permit, tool
from interlock import user as principal
from interlock.adapters.langgraph import GovernorMiddleware
from interlock.errors import PolicyError

Invoke = Callable[[Any, Any, Any], Any]


def invoke_sync(agent: Any, said: Any, config: Any) -> Any:
    return agent.invoke(said, config)


def invoke_async(agent: Any, said: Any, config: Any) -> Any:
    return asyncio.run(agent.ainvoke(said, config))


both = pytest.mark.parametrize("invoke", [invoke_sync, invoke_async], ids=["sync", "async"])


class Bank:
    """What the tools do, and what they were called with."""

    def __init__(self) -> None:
        self.paid: list[tuple[str, int]] = []
        self.keys: list[str] = []

    def pay(self, order: str, amount: int = 3) -> str:
        """Pay an order."""
        ctx = current()
        assert ctx is not None
        self.keys.append(ctx.key)
        self.paid.append((order, amount))
        return f"paid {amount}"

    def search(self, query: str) -> list[str]:
        """Search orders."""
        return [f"order {query}"]

    def governor(self, *rules: Any, **options: Any) -> Governor:
        pay, search = tool.compensable("pay", repeatable=True), tool.read("search")

        @pay.undo
        def _(ctx: Ctx[Any], done: str, order: str, amount: int) -> None:
            assert done == f"paid {amount}"
            self.paid.remove((order, amount))

        policy = Policy(permit(search), permit(pay, when=arg.amount <= 100), *rules)
        return Governor(":memory:", [pay, search], policy=policy, **options)

    def agent(self, governor: Governor, *script: Any, saver: bool = True, **options: Any) -> Any:
        return create_agent(
            ScriptedChat(script=script),
            [langchain_tool(self.pay), langchain_tool(self.search)],
            middleware=[GovernorMiddleware(governor)],
            checkpointer=InMemorySaver() if saver else None,
            **options,
        )


@pytest.fixture
def bank() -> Bank:
    return Bank()


@both
def test_a_call_is_judged_performed_once_and_journaled(bank: Bank, invoke: Invoke) -> None:
    """What the tool gets is what was judged: validated by its own schema, defaults filled."""
    with bank.governor() as governor:
        agent = bank.agent(governor, [("search", {"query": "7"}), ("pay", {"order": "7", "amount": "5"})], "Done.")
        result = invoke(agent, user("pay 7"), on("t"))
        assert answers(result) == [("success", '["order 7"]'), ("success", "paid 5")]
        assert bank.paid == [("7", 5)]
        (run,) = runs(governor, "t")
        intended = next(one for one in history(governor, run) if isinstance(one, ev.Intended))
        assert bytes(intended.args) == b'{"amount":5,"order":"7"}'
        assert bank.keys == [intended.key]


@both
def test_a_denied_call_is_told_to_the_model_and_not_performed(bank: Bank, invoke: Invoke) -> None:
    """The model gets an error message with the reason, and the agent goes on."""
    with bank.governor(forbid("pay", when=arg.order == "13", because="unlucky", instead="pay 12")) as governor:
        result = invoke(bank.agent(governor, [("pay", {"order": "13"})], "Sorry."), user("pay 13"), on("t"))
        assert answers(result) == [
            ("error", "It was not done: unlucky. Instead: pay 12. Proposing exactly this again will not help.")
        ]
        assert result["messages"][-1].text == "Sorry."
        assert bank.paid == []


@both
def test_an_unknown_tool_is_journaled_as_a_hallucination(bank: Bank, invoke: Invoke) -> None:
    """A tool that there is not is denied where everything is resolved, and the model is told what there is."""
    with bank.governor() as governor:
        result = invoke(bank.agent(governor, [("payy", {"order": "1"})], "Oh."), user("pay"), on("t"))
        assert answers(result) == [
            ("error", "It was not done: there is no action 'payy'. Instead: did you mean 'pay'?.")
        ]
        (denied,) = [one for one in history(governor, runs(governor, "t")[0]) if isinstance(one, ev.Denied)]
        assert (denied.action, denied.stage) == ("payy", "resolve")


@both
def test_a_declared_tool_that_the_graph_does_not_have_is_not_performed(bank: Bank, invoke: Invoke) -> None:
    """The governor may know tools of other graphs; a model that asks for one here is told that there is none."""
    with bank.governor() as governor:
        agent = create_agent(
            ScriptedChat(script=[[("search", {"query": "x"}), ("pay", {"order": "1", "amount": 1})], "Oh."]),
            [langchain_tool(bank.search)],
            middleware=[GovernorMiddleware(governor)],
        )
        result = invoke(agent, user("pay"), {})
        assert answers(result)[1] == ("error", "It failed: there is no tool 'pay' here")
        assert bank.paid == []


@pytest.mark.parametrize(
    ("args", "told"),
    [
        ({"order": 7}, "order: Input should be a valid string"),
        ({"amount": 1}, "order: Field required"),
        ({"order": "1", "amount": "many"}, "amount: Input should be a valid integer"),
        ({"order": "1", "amount": 1.5}, "amount: Input should be a valid integer, got a number with a fractional part"),
        ({}, "order: Field required"),
    ],
)
def test_arguments_of_the_wrong_type_are_denied_and_the_model_is_told_what_is_wrong(
    bank: Bank, args: dict[str, Any], told: str
) -> None:
    """Nothing that does not fit the tool's schema is performed, and each problem names its argument."""
    with bank.governor() as governor:
        ((status, said),) = answers(bank.agent(governor, [("pay", args)], "Oh.").invoke(user("pay"), on("t")))
        assert status == "error"
        assert told in said
        assert bank.paid == []
        (denied,) = [one for one in history(governor, runs(governor, "t")[0]) if isinstance(one, ev.Denied)]
        assert denied.stage == "validate"


def test_arguments_that_the_tool_does_not_take_never_reach_it(bank: Bank) -> None:
    """LangChain drops what a schema does not list; so it is neither judged nor performed."""
    with bank.governor() as governor:
        call = ("pay", {"order": "1", "amount": 2, "admin": True, "callbacks": ["x"], "run_manager": "y"})
        assert answers(bank.agent(governor, [call], "Ok.").invoke(user("pay"), on("t"))) == [("success", "paid 2")]


@both
def test_parallel_calls_are_told_apart_by_their_place(bank: Bank, invoke: Invoke) -> None:
    """Two equal calls of one turn are two payments, each with a key of its own."""
    with bank.governor() as governor:
        calls = [("pay", {"order": "1"}), ("pay", {"order": "1"}), ("pay", {"order": "2"})]
        invoke(bank.agent(governor, calls, "Done."), user("pay"), on("t"))
        assert sorted(bank.paid) == [("1", 3), ("1", 3), ("2", 3)]
        assert len(set(bank.keys)) == 3


@both
def test_ids_that_repeat_in_every_turn_don_t_hide_calls(bank: Bank, invoke: Invoke) -> None:
    """A provider that numbers its calls anew in each turn still has each of them performed."""
    with bank.governor() as governor:
        pay = [("pay", {"order": "1"})]
        agent = bank.agent(governor, pay, pay, "Done.", pay, "Again.")
        invoke(agent, user("pay twice"), on("t"))
        invoke(agent, user("and once more"), on("t"))
        assert bank.paid == [("1", 3)] * 3
        assert len(set(bank.keys)) == 3


@both
def test_a_turn_of_the_user_is_a_run_that_is_taken_back_as_a_whole(bank: Bank, invoke: Invoke) -> None:
    """The state of the graph names the run, and its undo leaves the other turns alone."""
    with bank.governor() as governor:
        agent = bank.agent(
            governor, [("pay", {"order": "1"}), ("pay", {"order": "2"})], "A.", [("pay", {"order": "3"})], "B."
        )
        invoke(agent, user("first"), on("t"))
        run = agent.get_state(on("t")).values["interlock_run"]
        invoke(agent, user("second"), on("t"))
        assert len(runs(governor, "t")) == 2
        assert governor.runtime.run(run).status() == "done"
        assert governor.runtime.run(run).undo_plan().apply(by="ana") == ()
        assert bank.paid == [("3", 3)]


def test_the_run_s_id_is_the_middleware_s_own(bank: Bank) -> None:
    """Whoever invokes the graph can't name a run, and is not shown one."""
    with bank.governor() as governor:
        said = {**user("pay"), "interlock_run": "somebody-else"}
        result = bank.agent(governor, [("pay", {"order": "1"})], "Done.").invoke(said, on("t"))
        assert "interlock_run" not in result
        assert runs(governor, "t") != ["somebody-else"]


@both
def test_the_journal_shows_prompts_answers_tokens_and_last_words(bank: Bank, invoke: Invoke) -> None:
    """Each turn holds what was new to the model; the first of a run its instructions too."""
    with bank.governor() as governor:
        agent = bank.agent(governor, [("search", {"query": "7"})], "Found.", "Bye.", system_prompt="Be kind.")
        invoke(agent, user("find 7"), on("t"))
        invoke(agent, user("bye"), on("t"))
        first, second = runs(governor, "t")
        turns = [one for one in history(governor, first) if isinstance(one, ev.TurnRecorded)]
        assert [(one.input_tokens, one.output_tokens) for one in turns] == [(7, 3), (7, 3)]
        assert b"Be kind." in bytes(turns[0].request)
        assert b"find 7" in bytes(turns[0].request)
        assert b"find 7" not in bytes(turns[1].request)
        assert b"order 7" in bytes(turns[1].request)
        assert b"Found." in bytes(turns[1].response)
        (end,) = [one for one in history(governor, first) if isinstance(one, ev.RunEnded)]
        assert bytes(end.output) == b'"Found."'
        (later,) = [one for one in history(governor, second) if isinstance(one, ev.TurnRecorded)]
        assert b"find 7" not in bytes(later.request)


def test_what_is_written_on_a_message_is_not_shown_to_the_model(bank: Bank) -> None:
    """The model's next prompt has the messages that it would have without us, but for response metadata."""
    with bank.governor() as governor:
        agent = bank.agent(governor, [("search", {"query": "7"})], "Found.")
        result = agent.invoke(user("find 7"), on("t"))
        (called,) = [one for one in result["messages"] if isinstance(one, AIMessage) and one.tool_calls]
        assert set(called.response_metadata) - {"interlock"} == set()
        assert called.additional_kwargs == {}


@both
def test_rules_read_whom_the_graph_runs_for(bank: Bank, invoke: Invoke) -> None:
    """By default that is the config's `user_id`; else what `user=` finds in config and context."""
    with bank.governor(forbid("pay", when=principal.id == "mallory", because="blocked")) as governor:
        script = ([("pay", {"order": "1"})], "Done.")
        told = answers(invoke(bank.agent(governor, *script), user("pay"), on("t", user_id="mallory")))
        assert told == [("error", "It was not done: blocked. Proposing exactly this again will not help.")]
        assert answers(invoke(bank.agent(governor, *script), user("pay"), on("u", user_id=17)))[0][0] == "success"
        agent = create_agent(
            ScriptedChat(script=script),
            [bank.pay],
            middleware=[GovernorMiddleware(governor, user=lambda _, context: {"id": context["who"]})],
            context_schema=dict,
        )
        result = agent.invoke(user("pay"), {}, context={"who": "mallory"})
        assert answers(result) == [("error", "It was not done: blocked. Proposing exactly this again will not help.")]


class Currency(Enum):
    EUR = "eur"


class Line(BaseModel):
    text: str
    amount: Decimal = Field(gt=0)


def test_typed_arguments_arrive_as_their_types(bank: Bank) -> None:
    """Nested models, enums and decimals are judged as data, and given to the tool as what its hints say."""
    seen: list[Any] = []

    @langchain_tool
    def invoice(lines: list[Line], currency: Currency = Currency.EUR) -> str:
        """Send an invoice."""
        seen.append((lines, currency))
        return "sent"

    sending = tool.irreversible("invoice")
    with Governor(":memory:", [sending], policy=Policy(permit(sending, when=arg.currency == "eur"))) as governor:
        agent = create_agent(
            ScriptedChat(script=[[("invoice", {"lines": [{"text": "a", "amount": "1.50"}]})], "Done."]),
            [invoice],
            middleware=[GovernorMiddleware(governor)],
        )
        assert answers(agent.invoke(user("go"), {})) == [("success", "sent")]
    assert seen == [([Line(text="a", amount=Decimal("1.50"))], Currency.EUR)]


def test_a_schema_that_changes_its_own_output_is_refused(bank: Bank) -> None:
    """LangChain validates once more when the tool is performed: then it would not be what was judged."""

    @langchain_tool
    def send(amount: Annotated[int, AfterValidator(lambda amount: amount * 2)]) -> str:
        """Send."""
        raise AssertionError(amount)

    sending = tool.irreversible("send")
    with Governor(":memory:", [sending], policy=Policy(permit(sending))) as governor:
        agent = create_agent(
            ScriptedChat(script=[[("send", {"amount": 60})], "Oh."]), [send], middleware=[GovernorMiddleware(governor)]
        )
        ((status, said),) = answers(agent.invoke(user("go"), {}))
    assert status == "error"
    assert "what is judged is not what is done" in said


def test_an_exception_of_a_read_is_the_graph_s_as_it_would_be_without_us(bank: Bank) -> None:
    """LangChain lets it end the invocation; a tool that handles its own errors goes on handling them."""
    look = tool.read("look")

    @langchain_tool
    def broken() -> str:
        """Look."""
        raise ConnectionError("the line broke")

    broken.name = "look"
    with Governor(":memory:", [look], policy=Policy(permit(look))) as governor:
        agent = create_agent(
            ScriptedChat(script=[[("look", {})], "Oh."]), [broken], middleware=[GovernorMiddleware(governor)]
        )
        with pytest.raises(ConnectionError, match="the line broke"):
            agent.invoke(user("go"), {})


@both
def test_an_effect_that_raises_is_unknown_and_the_model_is_told_not_to_repeat_it(bank: Bank, invoke: Invoke) -> None:
    """An exception does not tell whether it happened; only what is declared to refuse says that it did not."""
    mail = tool.irreversible("mail", refuses=(LookupError,))
    sent: list[str] = []

    @langchain_tool
    def send(to: str) -> str:
        """Send."""
        if to == "nobody":
            raise LookupError("no such address")
        sent.append(to)
        raise ConnectionError("the line broke")

    send.name = "mail"
    with Governor(":memory:", [mail], policy=Policy(permit(mail)), patience="0s") as governor:

        def agent(to: str) -> Any:
            return create_agent(
                ScriptedChat(script=[[("mail", {"to": to})], "Oh."]), [send], middleware=[GovernorMiddleware(governor)]
            )

        ((status, said),) = answers(invoke(agent("ada"), user("go"), {}))
        assert status == "error"
        assert "outcome is not known yet" in said
        assert "Do not propose it again" in said
        with pytest.raises(LookupError, match="no such address"):
            invoke(agent("nobody"), user("go"), {})
    assert sent == ["ada"]


def test_a_tool_that_refuses_within_its_own_body_raises_what_it_raised(bank: Bank) -> None:
    """`Refused` says that nothing has happened; without an error handler it ends the invocation, as any exception."""
    mail = tool.irreversible("mail")

    @langchain_tool
    def send(to: str) -> str:
        """Send."""
        raise Refused("the post office is closed")

    send.name = "mail"
    with Governor(":memory:", [mail], policy=Policy(permit(mail))) as governor:
        agent = create_agent(
            ScriptedChat(script=[[("mail", {"to": "ada"})], "Oh."]), [send], middleware=[GovernorMiddleware(governor)]
        )
        with pytest.raises(Refused):
            agent.invoke(user("go"), on("t"))


def test_without_a_checkpointer_every_invocation_is_a_run_of_its_own(bank: Bank) -> None:
    """Nothing can be resumed there, so the same words are new work."""
    with bank.governor() as governor:
        agent = bank.agent(governor, [("pay", {"order": "1"})], "Done.", saver=False)
        agent.invoke(user("pay"), {})
        agent.invoke(user("pay"), on("t"))
        agent.invoke(user("pay"), on("t"))
        assert bank.paid == [("1", 3)] * 3
        assert len(runs(governor, "t")) == 2


def test_an_agent_without_tools_is_journaled_too(bank: Bank) -> None:
    """Then there are only model turns and the end."""
    with bank.governor() as governor:
        agent = create_agent(
            ScriptedChat(script=["Hello."]), [], middleware=[GovernorMiddleware(governor)], checkpointer=InMemorySaver()
        )
        agent.invoke(user("hi"), on("t"))
        assert kinds(governor, runs(governor, "t")[0]) == ["RunStarted", "TurnRecorded", "RunEnded"]


def test_a_policy_that_names_an_argument_that_a_tool_does_not_have_is_told_before_the_model_is_asked(
    bank: Bank,
) -> None:
    """The error is a developer's, and comes with the first message."""
    with bank.governor(forbid("pay", when=arg.sum > 1)) as governor:
        model = ScriptedChat(script=["Hi."])
        agent = create_agent(model, [bank.pay], middleware=[GovernorMiddleware(governor)])
        with pytest.raises(PolicyError, match="sum"):
            agent.invoke({"messages": [HumanMessage("hi")]}, {})
        assert model.asked == []
