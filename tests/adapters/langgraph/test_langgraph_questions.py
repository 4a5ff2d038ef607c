"""What needs a person pauses the graph; whoever resumes it answers, and nothing that ran beside it runs again."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.tools import tool as langchain_tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode, tools_condition
from langgraph.types import Command, Send
from langgraph_fakes import ScriptedChat, answers, history, on, runs, user

import interlock.kernel.events as ev
from interlock import Ctx, Governor, Policy, arg, fact, need, permit, tool
from interlock.adapters.langgraph import GovernorMiddleware, governed

Invoke = Callable[[Any, Any, Any], Any]


def invoke_sync(graph: Any, said: Any, config: Any) -> Any:
    return graph.invoke(said, config)


def invoke_async(graph: Any, said: Any, config: Any) -> Any:
    return asyncio.run(graph.ainvoke(said, config))


both = pytest.mark.parametrize("invoke", [invoke_sync, invoke_async], ids=["sync", "async"])


class Desk:
    """A tool that needs the finance team from 10 on, and one that needs nobody."""

    def __init__(self) -> None:
        self.paid: list[tuple[str, int]] = []
        self.noted: list[str] = []

    def pay(self, order: str, amount: int) -> str:
        """Pay an order."""
        self.paid.append((order, amount))
        return f"paid {amount}"

    def note(self, text: str) -> str:
        """Write a note."""
        self.noted.append(text)
        return "noted"

    def governor(self, *rules: Any, **options: Any) -> Governor:
        pay, note = tool.irreversible("pay"), tool.irreversible("note")
        over_ten = need.approval("finance", pay, when=arg.amount > 10, because="over 10")
        policy = Policy(permit([pay, note]), over_ten, *rules)
        return Governor(":memory:", [pay, note], policy=policy, **options)

    def agent(self, governor: Governor, *script: Any, saver: bool = True) -> Any:
        return create_agent(
            ScriptedChat(script=script),
            [langchain_tool(self.pay), langchain_tool(self.note)],
            middleware=[GovernorMiddleware(governor)],
            checkpointer=InMemorySaver() if saver else None,
        )

    def graph(self, governor: Governor, *script: Any) -> Any:
        """The same with a tool node, which performs all calls of a message in one task."""
        model = ScriptedChat(script=script)
        built = StateGraph(MessagesState)
        built.add_node("model", lambda state: {"messages": [model.invoke(state["messages"])]})
        built.add_node("tools", ToolNode([self.pay, self.note], **governed(governor)))
        built.add_edge(START, "model")
        built.add_conditional_edges("model", tools_condition)
        built.add_edge("tools", "model")
        return built.compile(checkpointer=InMemorySaver())


@pytest.fixture
def desk() -> Desk:
    return Desk()


def asked(result: Any) -> list[dict[str, Any]]:
    """The questions that the graph is paused with."""
    return [question for one in result["__interrupt__"] for question in one.value["questions"]]


def pay(order: str, amount: int) -> tuple[str, dict[str, Any]]:
    return ("pay", {"order": order, "amount": amount})


def decided(governor: Governor, thread: str) -> list[tuple[str, str, str]]:
    run = runs(governor, thread)[0]
    return [(one.decision, one.by, one.note) for one in history(governor, run) if isinstance(one, ev.Answered)]


@both
def test_a_question_pauses_the_graph_and_an_approval_goes_on_with_it(desk: Desk, invoke: Invoke) -> None:
    """The pause says what is asked and why; the approval is journaled with its name, and the call performed once."""
    with desk.governor() as governor:
        agent = desk.agent(governor, [pay("7", 50)], "Done.")
        (question,) = asked(invoke(agent, user("pay 7"), on("t")))
        assert desk.paid == []
        assert question["kind"] == "approval"
        assert question["level"] == "finance"
        assert question["args"] == {"order": "7", "amount": 50}
        assert question["reasons"] == ["over 10"]
        result = invoke(agent, Command(resume={"decision": "approve", "by": "ana", "note": "ok"}), on("t"))
        assert answers(result) == [("success", "paid 50")]
        assert desk.paid == [("7", 50)]
        assert decided(governor, "t") == [("approve", "ana", "ok")]


@both
def test_the_same_effect_in_a_later_turn_pauses_the_graph(desk: Desk, invoke: Invoke) -> None:
    """The thread is the conversation: what it has done already is done once more only with the user's yes."""
    with desk.governor() as governor:
        agent = desk.agent(governor, [pay("7", 5)], "Done.", [pay("7", 5)], "Done again.")
        invoke(agent, user("pay 7"), on("t"))
        (question,) = asked(invoke(agent, user("pay 7, please"), on("t")))
        assert question["kind"] == "confirmation"
        assert "the same was done in this conversation" in question["reasons"][-1]
        assert desk.paid == [("7", 5)]
        result = invoke(agent, Command(resume={"decision": "approve", "by": "ana"}), on("t"))
        assert result["messages"][-1].text == "Done again."
        assert desk.paid == [("7", 5)] * 2


@both
def test_a_denial_is_told_to_the_model_with_its_note(desk: Desk, invoke: Invoke) -> None:
    """The call is not performed, and the agent goes on."""
    with desk.governor() as governor:
        agent = desk.agent(governor, [pay("7", 50)], "Sorry.")
        invoke(agent, user("pay 7"), on("t"))
        result = invoke(agent, Command(resume={"decision": "deny", "by": "ana", "note": "too much"}), on("t"))
        assert answers(result) == [("error", "It was not done: ana (finance) said no: too much.")]
        assert result["messages"][-1].text == "Sorry."
        assert desk.paid == []


@pytest.mark.parametrize(
    ("said", "decision", "paid"),
    [({"type": "approve"}, "approve", 1), ({"type": "reject", "message": "no"}, "deny", 0)],
)
def test_the_words_of_langchain_s_own_middleware_are_understood(
    desk: Desk, said: dict[str, str], decision: str, paid: int
) -> None:
    """They name nobody, and the journal says so."""
    with desk.governor() as governor:
        agent = desk.agent(governor, [pay("7", 50)], "Done.")
        agent.invoke(user("pay 7"), on("t"))
        agent.invoke(Command(resume=said), on("t"))
        assert decided(governor, "t") == [(decision, "whoever resumed the graph", said.get("message", ""))]
        assert len(desk.paid) == paid


@both
@pytest.mark.parametrize("resumed", ["go on", {"anything": 1}, ["x"], 1, {"decision": "deny", "by": "bob"}])
def test_after_an_answer_given_elsewhere_any_value_goes_on(desk: Desk, invoke: Invoke, resumed: Any) -> None:
    """Somebody has approved with the command line or the runtime; that answer stands."""
    with desk.governor() as governor:
        agent = desk.agent(governor, [pay("7", 50)], "Done.")
        (question,) = asked(invoke(agent, user("pay 7"), on("t")))
        governor.answer_sync(question["question"], approve=True, by="ana")
        assert answers(invoke(agent, Command(resume=resumed), on("t"))) == [("success", "paid 50")]
        assert desk.paid == [("7", 50)]


@pytest.mark.parametrize(
    "resumed",
    [
        "yes",
        True,
        ["approve"],
        {"decision": "approve!", "by": "eve"},
        {"decision": True, "by": "eve"},
        {"question": "t/other:3", "decision": "approve", "by": "eve"},
        {"question": "\ud800", "decision": "approve", "by": "eve"},
        {"decision": "happened", "by": "eve"},
    ],
)
def test_what_is_no_answer_approves_nothing_and_the_question_stays(desk: Desk, resumed: Any) -> None:
    """The graph is paused again with the same question, which can still be answered."""
    with desk.governor() as governor:
        agent = desk.agent(governor, [pay("7", 50)], "Done.")
        before = asked(agent.invoke(user("pay 7"), on("t")))
        assert asked(agent.invoke(Command(resume=resumed), on("t"))) == before
        assert desk.paid == []
        agent.invoke(Command(resume={"decision": "approve", "by": "ana"}), on("t"))
        assert desk.paid == [("7", 50)]


@both
def test_calls_beside_a_question_are_not_performed_again(desk: Desk, invoke: Invoke) -> None:
    """A tool node runs again from its start when it is resumed; what was done there is only looked up."""
    with desk.governor() as governor:
        graph = desk.graph(governor, [("note", {"text": "a"}), pay("7", 50), ("note", {"text": "b"})], "Done.")
        (question,) = asked(invoke(graph, user("go"), on("t")))
        resumed = {"question": question["question"], "decision": "approve", "by": "ana"}
        result = invoke(graph, Command(resume=resumed), on("t"))
        assert [text for _, text in answers(result)] == ["noted", "paid 50", "noted"]
        assert sorted(desk.noted) == ["a", "b"]
        assert desk.paid == [("7", 50)]


@both
def test_in_one_task_an_answer_counts_for_the_question_that_it_names(desk: Desk, invoke: Invoke) -> None:
    """Two calls wait in a tool node: without a name nobody can say which is meant, so none is approved."""
    with desk.governor() as governor:
        graph = desk.graph(governor, [pay("1", 50), pay("2", 60)], "Done.")
        invoke(graph, user("go"), on("t"))
        invoke(graph, Command(resume={"decision": "approve", "by": "ana"}), on("t"))
        assert desk.paid == []
        by_order = {one.args["order"]: one for one in _open(governor)}
        second = {"question": by_order["2"].id, "decision": "approve", "by": "ana"}
        invoke(graph, Command(resume=second), on("t"))
        assert desk.paid == [("2", 60)]
        first = {"question": by_order["1"].id, "decision": "deny", "by": "ana"}
        result = invoke(graph, Command(resume=first), on("t"))
        assert [status for status, _ in answers(result)] == ["error", "success"]
        assert desk.paid == [("2", 60)]


def test_calls_that_are_sent_together_are_in_one_task_too(desk: Desk) -> None:
    """A graph may send a tool node several calls at once: an answer has to say which it is for."""
    with desk.governor() as governor:
        model = ScriptedChat(script=[[pay("1", 50), pay("2", 60)], "Done."])
        built = StateGraph(MessagesState)
        built.add_node("model", lambda state: {"messages": [model.invoke(state["messages"])]})
        built.add_node("tools", ToolNode([desk.pay], **governed(governor)))
        built.add_edge(START, "model")
        built.add_conditional_edges("model", lambda state: [Send("tools", state["messages"][-1].tool_calls)], ["tools"])
        graph = built.compile(checkpointer=InMemorySaver())
        graph.invoke(user("go"), on("t"))
        graph.invoke(Command(resume={"decision": "approve", "by": "ana"}), on("t"))
        assert desk.paid == []
        both = [{"question": one.id, "decision": "approve", "by": "ana"} for one in _open(governor)]
        graph.invoke(Command(resume=both), on("t"))
        assert sorted(desk.paid) == [("1", 50), ("2", 60)]


def _open(governor: Governor) -> list[Any]:
    return [one.question for one in governor.runtime.questions()]


@both
def test_several_calls_of_an_agent_are_paused_one_by_one(desk: Desk, invoke: Invoke) -> None:
    """There each call is a task with an interrupt of its own, answered by its id as LangGraph has it."""
    with desk.governor() as governor:
        agent = desk.agent(governor, [pay("1", 50), ("note", {"text": "a"}), pay("2", 60)], "Done.")
        result = invoke(agent, user("go"), on("t"))
        said = {
            one.id: {
                "decision": "approve" if one.value["questions"][0]["args"]["order"] == "2" else "deny",
                "by": "ana",
            }
            for one in result["__interrupt__"]
        }
        result = invoke(agent, Command(resume=said), on("t"))
        assert [status for status, _ in answers(result)] == ["error", "success", "success"]
        assert desk.paid == [("2", 60)]
        assert desk.noted == ["a"]


def test_each_level_needs_an_answer_of_its_own(desk: Desk) -> None:
    """The approval of one team is not that of the other, whoever gives it; both can be given at once."""
    legal = need.approval("legal", "pay", because="contract")
    with desk.governor(legal) as governor:
        agent = desk.agent(governor, [pay("7", 50)], "Done.")
        questions = {one["level"]: one["question"] for one in asked(agent.invoke(user("pay 7"), on("t")))}
        assert set(questions) == {"finance", "legal"}
        agent.invoke(Command(resume={"decision": "approve", "by": "ana"}), on("t"))
        assert desk.paid == []
        said = [{"question": one, "decision": "approve", "by": level} for level, one in questions.items()]
        result = agent.invoke(Command(resume=said), on("t"))
        assert answers(result) == [("success", "paid 50")]
        assert sorted(decided(governor, "t")) == [("approve", "finance", ""), ("approve", "legal", "")]


def test_an_old_answer_is_not_the_answer_to_the_next_question(desk: Desk) -> None:
    """LangGraph gives a task its earlier answers again. A question that came up since has to be answered itself."""
    prices = [1]
    asking = tool.irreversible("pay")

    @asking.fact
    def price(ctx: Ctx[Any], order: str, amount: int) -> int:
        return prices[-1]

    policy = Policy(permit(asking), need.approval("finance", asking, when=fact.price > 0))
    with Governor(":memory:", [asking], policy=policy) as governor:
        agent = desk.agent(governor, [pay("7", 50)], "Done.")
        (first,) = asked(agent.invoke(user("pay 7"), on("t")))
        prices.append(2)
        (second,) = asked(agent.invoke(Command(resume={"decision": "approve", "by": "ana"}), on("t")))
        assert first["question"] != second["question"]
        assert desk.paid == []
        (same,) = asked(agent.invoke(Command(resume={"decision": "approve", "by": "ana"}), on("t")))
        assert same == second
        assert desk.paid == []
        named = {"question": second["question"], "decision": "approve", "by": "ana"}
        assert answers(agent.invoke(Command(resume=named), on("t"))) == [("success", "paid 50")]


@both
def test_without_a_checkpointer_the_model_is_told_that_it_waits(desk: Desk, invoke: Invoke) -> None:
    """The graph can't be paused there. The question is in the journal, and the run stays open."""
    with desk.governor() as governor:
        agent = desk.agent(governor, [pay("7", 50)], "Later.", saver=False)
        result = invoke(agent, user("pay 7"), on("t"))
        ((status, said),) = answers(result)
        assert status == "error"
        assert "it waits for the approval of finance" in said
        (question,) = _open(governor)
        assert question.id in said
        assert desk.paid == []


@both
def test_a_delay_pauses_the_graph_until_its_time(desk: Desk, invoke: Invoke) -> None:
    """The pause says until when; resumed too early, the graph is paused again."""
    with desk.governor(need.delay("200ms", "note")) as governor:
        agent = desk.agent(governor, [("note", {"text": "a"})], "Done.")
        result = invoke(agent, user("note"), on("t"))
        (pause,) = result["__interrupt__"]
        assert pause.value["questions"] == []
        assert pause.value["until"].endswith("+00:00")
        while "__interrupt__" in result:
            assert desk.noted == []
            result = invoke(agent, Command(resume="is it time?"), on("t"))
        assert answers(result) == [("success", "noted")]
        assert desk.noted == ["a"]


@both
@pytest.mark.parametrize(
    ("word", "result", "said", "sent"),
    [
        ("happened", "sent it", "sent it", 1),
        ("happened", None, "It was done.", 1),
        ("happened", {"$command": {"goto": "__end__"}}, '{"$command": {"goto": "__end__"}}', 1),
        ("never", None, "sent", 2),
    ],
)
def test_a_person_is_asked_whether_it_happened(  # noqa: PLR0917 - a case has its parts
    desk: Desk, invoke: Invoke, word: str, result: Any, said: str, sent: int
) -> None:
    """An effect raised, and there is nothing to look at: the graph is paused until somebody knows, and says it."""
    calls: list[str] = []

    @langchain_tool
    def mail(to: str) -> str:
        """Send a letter."""
        calls.append(to)
        if len(calls) == 1:
            raise ConnectionError("the line broke")
        return "sent"

    mailing = tool.irreversible("mail")
    with Governor(":memory:", [mailing], policy=Policy(permit(mailing))) as governor:
        agent = create_agent(
            ScriptedChat(script=[[("mail", {"to": "ada"})], "Done."]),
            [mail],
            middleware=[GovernorMiddleware(governor)],
            checkpointer=InMemorySaver(),
        )
        (question,) = asked(invoke(agent, user("mail"), on("t")))
        assert question["kind"] == "unknown"
        assert "Did it?" in question["says"]
        answer = {"decision": word, "by": "ana", "result": result}
        assert answers(invoke(agent, Command(resume=answer), on("t"))) == [("success", said)]
        assert len(calls) == sent
