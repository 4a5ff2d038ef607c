"""A graph that runs again: after a lost checkpoint, from an older one, with an edited or shortened state."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import AgentMiddleware, SummarizationMiddleware, before_model
from langchain_core.messages import AIMessage, HumanMessage, RemoveMessage
from langchain_core.tools import tool as langchain_tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.graph.message import REMOVE_ALL_MESSAGES
from langgraph.prebuilt import ToolNode, tools_condition
from langgraph.types import Command
from langgraph_fakes import KeptSaver, ScriptedChat, answers, history, on, runs, user
from pydantic import BaseModel

import interlock.kernel.events as ev
from interlock import Governor, Policy, arg, need, permit, tool
from interlock.adapters.langgraph import GovernorMiddleware, governed
from interlock.errors import KeyReusedError, RunEndedError

Invoke = Callable[[Any, Any, Any], Any]


def invoke_sync(graph: Any, said: Any, config: Any) -> Any:
    return graph.invoke(said, config)


def invoke_async(graph: Any, said: Any, config: Any) -> Any:
    return asyncio.run(graph.ainvoke(said, config))


both = pytest.mark.parametrize("invoke", [invoke_sync, invoke_async], ids=["sync", "async"])


class DownError(Exception):
    """Stands for whatever ends an invocation: the provider is down, the process dies."""


class Failing(ScriptedChat):
    """Is down at its n-th answer, the first time."""

    down_at: int
    downs: int = 1

    def _generate(self, messages: Any, *args: Any, **kwargs: Any) -> Any:
        if sum(isinstance(one, AIMessage) for one in messages) == self.down_at and self.downs:
            self.downs -= 1
            raise DownError
        return super()._generate(messages, *args, **kwargs)


class Shop:
    """One effect, and what was done."""

    def __init__(self) -> None:
        self.done: list[str] = []

    def act(self, what: str) -> str:
        """Act."""
        self.done.append(what)
        return f"did {what} as number {len(self.done)}"

    def governor(self, *rules: Any) -> Governor:
        act = tool.irreversible("act", repeatable=True)
        return Governor(":memory:", [act], policy=Policy(permit(act), *rules))

    def agent(self, governor: Governor, model: Any, saver: Any = None, **options: Any) -> Any:
        middleware = [*options.pop("middleware", []), GovernorMiddleware(governor)]
        return create_agent(
            model, [langchain_tool(self.act)], middleware=middleware, checkpointer=saver or KeptSaver(), **options
        )

    def graph(self, governor: Governor, model: Any, saver: Any = None) -> Any:
        built = StateGraph(MessagesState)
        built.add_node("model", lambda state: {"messages": [model.invoke(state["messages"])]})
        built.add_node("tools", ToolNode([self.act], **governed(governor)))
        built.add_edge(START, "model")
        built.add_conditional_edges("model", tools_condition)
        built.add_edge("tools", "model")
        return built.compile(checkpointer=saver or KeptSaver())


@pytest.fixture
def shop() -> Shop:
    return Shop()


def act(what: str) -> list[tuple[str, dict[str, Any]]]:
    return [("act", {"what": what})]


# checkpoints that are lost


@both
def test_with_every_checkpoint_lost_nothing_is_done_or_asked_twice(shop: Shop, invoke: Invoke) -> None:
    """The thread begins anew with the same words: the model's turn and its call are in the journal."""
    with shop.governor() as governor:
        model = Failing(script=[act("it"), "Done."], down_at=1)
        with pytest.raises(DownError):
            invoke(shop.agent(governor, model), user("go"), on("t"))
        result = invoke(shop.agent(governor, model), user("go"), on("t"))
        assert answers(result) == [("success", "did it as number 1")]
        assert result["messages"][-1].text == "Done."
        assert shop.done == ["it"]
        assert len(model.asked) == 2
        assert len(runs(governor, "t")) == 1


@both
def test_with_every_checkpoint_lost_after_the_end_the_turn_is_told_again(shop: Shop, invoke: Invoke) -> None:
    """The run has ended in the journal: what it came to is all there."""
    with shop.governor() as governor:
        model = ScriptedChat(script=[[*act("it"), ("none", {})], "Done."])
        first = invoke(shop.agent(governor, model), user("go"), on("t"))
        again = invoke(shop.agent(governor, model), user("go"), on("t"))
        assert answers(again) == answers(first)
        assert again["messages"][-1].text == "Done."
        assert shop.done == ["it"]
        assert len(model.asked) == 2


@both
def test_threads_in_memory_are_others_after_the_process_has_ended(shop: Shop, invoke: Invoke) -> None:
    """A program that is started again with `InMemorySaver` and the thread "1" does new work, on the same journal."""
    with shop.governor() as governor:
        for number in (1, 2):
            agent = shop.agent(governor, ScriptedChat(script=[act("it"), "Done."]), InMemorySaver())
            assert answers(invoke(agent, user("go"), on("1"))) == [("success", f"did it as number {number}")]
        assert len(runs(governor, "1")) == 2


@both
def test_a_model_that_answers_otherwise_when_it_is_asked_again_can_t_do_its_call_twice(
    shop: Shop, invoke: Invoke
) -> None:
    """A tool node by itself does not record model turns. Then the key is in use: an error, and no effect."""
    with shop.governor() as governor:
        with pytest.raises(DownError):
            invoke(shop.graph(governor, Failing(script=[act("it")], down_at=1)), user("go"), on("t"))
        result = invoke(shop.graph(governor, ScriptedChat(script=[act("it"), "Done."])), user("go"), on("t"))
        assert answers(result) == [("success", "did it as number 1")]
        with pytest.raises(KeyReusedError):
            invoke(shop.graph(governor, ScriptedChat(script=[act("it again")])), user("go"), on("t"))
        assert shop.done == ["it"]


@both
def test_an_answer_with_a_credential_in_it_is_asked_for_again(shop: Shop, invoke: Invoke) -> None:
    """The journal does not have it, so it can't be given again: a call would be made with other arguments."""
    secret = "ghp_" + "a1B2" * 10
    with shop.governor() as governor:
        model = Failing(script=[act(secret), "Done."], down_at=1)
        with pytest.raises(DownError):
            invoke(shop.agent(governor, model), user("go"), on("t"))
        result = invoke(shop.agent(governor, model), user("go"), on("t"))
        assert len(model.asked) == 3
        assert shop.done == [secret]
        assert [status for status, _ in answers(result)] == ["success"]


class Answer(BaseModel):
    """What the agent is to answer."""

    text: str


@both
def test_a_structured_answer_is_asked_for_again_and_its_calls_keep_their_keys(shop: Shop, invoke: Invoke) -> None:
    """LangChain parses it within the model's call, so a recorded turn does not stand for it; the keys do."""
    with shop.governor() as governor:
        final = [("Answer", {"text": "Done."})]
        model = Failing(script=[act("it"), final], down_at=1)
        with pytest.raises(DownError):
            invoke(shop.agent(governor, model, response_format=Answer), user("go"), on("t"))
        result = invoke(shop.agent(governor, model, response_format=Answer), user("go"), on("t"))
        assert result["structured_response"] == Answer(text="Done.")
        assert shop.done == ["it"]


# asking a model again


class Insisting(AgentMiddleware[Any, Any, Any]):
    """Asks the model again when it does not like the answer."""

    def wrap_model_call(self, request: Any, handler: Any) -> Any:
        response = handler(request)
        return response if "please" in response.result[0].text else handler(request)


def test_middleware_that_asks_the_same_again_gets_another_answer(shop: Shop) -> None:
    """A recorded turn stands for a repeated step of the graph, not for a repeated question in it."""
    said = iter(["No.", "Yes, please."])

    class Moody(ScriptedChat):
        def _generate(self, messages: Any, *args: Any, **kwargs: Any) -> Any:
            self.script = [next(said)]
            return super()._generate(messages, *args, **kwargs)

    with shop.governor() as governor:
        agent = shop.agent(governor, Moody(script=[]), middleware=[Insisting()])
        assert agent.invoke(user("go"), on("t"))["messages"][-1].text == "Yes, please."
        (run,) = runs(governor, "t")
        turns = [bytes(one.response) for one in history(governor, run) if isinstance(one, ev.TurnRecorded)]
        assert [b"No." in turns[0], b"please" in turns[1]] == [True, True]


# older checkpoints, edited states


def at(agent: Any, thread: str, following: str) -> Any:
    """The config of the oldest checkpoint after which this node would run."""
    return [one.config for one in agent.get_state_history(on(thread)) if following in one.next][-1]


def test_going_back_to_the_tools_of_an_ended_turn_does_nothing_twice(shop: Shop) -> None:
    """It is the same answer of the model: its calls are told again as they are recorded."""
    with shop.governor() as governor:
        agent = shop.agent(governor, ScriptedChat(script=[act("it"), "Done."]))
        agent.invoke(user("go"), on("t"))
        result = agent.invoke(None, at(agent, "t", "tools"))
        assert answers(result) == [("success", "did it as number 1")]
        assert shop.done == ["it"]


@both
def test_going_back_to_the_model_of_an_ended_turn_begins_a_run_each_time(shop: Shop, invoke: Invoke) -> None:
    """Somebody wants another answer: what it does is new work, to be judged and undone by itself."""
    with shop.governor() as governor:
        agent = shop.agent(governor, ScriptedChat(script=[act("it"), "Done."]))
        agent.invoke(user("go"), on("t"))
        first = at(agent, "t", "model")
        for number in (2, 3):
            result = invoke(agent, None, first)
            assert answers(result) == [("success", f"did it as number {number}")]
        assert len(runs(governor, "t")) == 3
        assert {governor.runtime.run(run).status() for run in runs(governor, "t")} == {"done"}


def test_a_repeated_step_of_an_ended_turn_with_another_prompt_is_refused(shop: Shop) -> None:
    """Its checkpoints are lost, and what the model is shown changes every time: it might do everything again."""

    class Clock(AgentMiddleware[Any, Any, Any]):
        ticks = 0

        def wrap_model_call(self, request: Any, handler: Any) -> Any:
            self.ticks += 1
            return handler(request.override(messages=[*request.messages, HumanMessage(f"It is {self.ticks}.")]))

    with shop.governor() as governor:
        clock = Clock()
        model = ScriptedChat(script=[act("it"), "Done."])
        shop.agent(governor, model, middleware=[clock]).invoke(user("go"), on("t"))
        with pytest.raises(RunEndedError):
            shop.agent(governor, model, middleware=[clock]).invoke(user("go"), on("t"))
        assert shop.done == ["it"]


def test_going_back_and_saying_something_else_is_another_run(shop: Shop) -> None:
    """A turn with other words is other work; the same words at the same place are the same."""
    with shop.governor() as governor:
        agent = shop.agent(governor, ScriptedChat(script=["Hi.", act("it"), "Done."]))
        agent.invoke(user("hello"), on("t"))
        before = agent.get_state(on("t")).config
        agent.invoke(user("go"), on("t"))
        agent.invoke(user("go on"), before)
        assert shop.done == ["it", "it"]
        assert len(runs(governor, "t")) == 3
        agent.invoke(user("go"), before)
        assert shop.done == ["it", "it"]


def test_an_ended_turn_that_is_edited_is_refused(shop: Shop) -> None:
    """Its run has ended; what is new belongs into a new turn, and the error says so."""
    with shop.governor() as governor:
        agent = shop.agent(governor, ScriptedChat(script=[act("it"), "Done."]))
        agent.invoke(user("go"), on("t"))
        edited = agent.update_state(at(agent, "t", "tools"), {"messages": [_call("other", "call_0")]}, as_node="model")
        with pytest.raises((RunEndedError, KeyReusedError)):
            agent.invoke(None, edited)
        assert shop.done == ["it"]


def _call(what: str, call_id: str) -> AIMessage:
    return AIMessage("", tool_calls=[{"name": "act", "args": {"what": what}, "id": call_id, "type": "tool_call"}])


@pytest.mark.parametrize("kind", ["agent", "graph"])
def test_an_edited_state_does_not_repeat_what_was_done_beside_a_question(shop: Shop, kind: str) -> None:
    """Somebody writes into a paused thread: the calls of the same message keep their keys in the steps that follow."""
    with shop.governor(need.approval("boss", "act", when=arg.what == "big")) as governor:
        model = ScriptedChat(script=[[*act("small"), *act("big")], "Done."])
        made = (shop.agent if kind == "agent" else shop.graph)(governor, model)
        made.invoke(user("go"), on("t"))
        assert shop.done == ["small"]
        asked = made.get_state(on("t")).values["messages"][1]
        made.update_state(on("t"), {"messages": [asked]}, as_node="model")
        made.invoke(None, on("t"))
        (question,) = governor.runtime.questions()
        question.approve(by="ana")
        said = {one.id: "go on" for one in made.get_state(on("t")).interrupts}
        result = made.invoke(Command(resume=said), on("t"))
        assert shop.done == ["small", "big"]
        assert {text for _, text in answers(result)} == {"did small as number 1", "did big as number 2"}


# messages that go away


@both
def test_a_shortened_history_makes_no_two_turns_the_same(shop: Shop, invoke: Invoke) -> None:
    """Only the last message is kept, and the user says the same again: each is a turn of its own."""

    @before_model
    def shorten(state: Any, runtime: Any) -> Any:
        last = state["messages"][-1]
        if isinstance(last, HumanMessage):
            return {"messages": [RemoveMessage(id=REMOVE_ALL_MESSAGES), last]}
        return None

    with shop.governor() as governor:
        agent = shop.agent(governor, ScriptedChat(script=[act("it"), "Done."]), middleware=[shorten])
        for number in range(1, 4):
            result = invoke(agent, user("once more"), on("t"))
            assert answers(result) == [("success", f"did it as number {number}")]
        assert len(runs(governor, "t")) == 3


def test_a_summary_in_the_middle_of_a_turn_makes_no_two_calls_the_same(shop: Shop) -> None:
    """The messages are replaced between two calls of the model; the turn stays one run, and each call is performed."""

    class Going(ScriptedChat):
        def _generate(self, messages: Any, *args: Any, **kwargs: Any) -> Any:
            self.script = [act("it") if len(shop.done) < 4 else "Done."] * 20
            return super()._generate(messages, *args, **kwargs)

    with shop.governor() as governor:
        summary = SummarizationMiddleware(
            ScriptedChat(script=["So far."] * 20), trigger=("messages", 4), keep=("messages", 2)
        )
        agent = shop.agent(governor, Going(script=[]), middleware=[summary])
        agent.invoke(user("go"), on("t"))
        assert shop.done == ["it"] * 4
        (run,) = runs(governor, "t")
        assert governor.runtime.run(run).status() == "done"


# graphs within graphs


@both
def test_an_agent_that_another_one_calls_has_runs_of_its_own(shop: Shop, invoke: Invoke) -> None:
    """The same question twice is two pieces of work; each is governed, in the same conversation."""
    with shop.governor() as governor:
        inner = create_agent(
            ScriptedChat(script=[act("it"), "Done within."]),
            [langchain_tool(shop.act)],
            middleware=[GovernorMiddleware(governor)],
        )

        @langchain_tool
        def ask_expert(question: str) -> str:
            """Ask the expert."""
            return inner.invoke(user(question))["messages"][-1].text

        asking = tool.read("ask_expert")
        outer_governor = Governor(":memory:", [asking], policy=Policy(permit(asking)))
        model = ScriptedChat(
            script=[[("ask_expert", {"question": "how?"})], [("ask_expert", {"question": "how?"})], "Ok."]
        )
        outer = create_agent(
            model, [ask_expert], middleware=[GovernorMiddleware(outer_governor)], checkpointer=InMemorySaver()
        )
        with outer_governor:
            result = invoke(outer, user("go"), on("t"))
            assert [text for _, text in answers(result)] == ["Done within.", "Done within."]
            assert shop.done == ["it", "it"]
            assert len(runs(governor, "t")) == 2
            assert len(runs(outer_governor, "t")) == 1


@both
def test_an_agent_as_a_node_of_a_graph_is_governed_and_paused_with_it(shop: Shop, invoke: Invoke) -> None:
    """A question within it pauses the outer graph, and its answer goes down to it."""
    with shop.governor(need.approval("boss", "act")) as governor:
        agent = create_agent(
            ScriptedChat(script=[act("it"), "Done."]),
            [langchain_tool(shop.act)],
            middleware=[GovernorMiddleware(governor)],
        )
        built = StateGraph(MessagesState)
        built.add_node("agent", agent)
        built.add_edge(START, "agent")
        outer = built.compile(checkpointer=InMemorySaver())
        assert invoke(outer, user("go"), on("t"))["__interrupt__"]
        result = invoke(outer, Command(resume={"decision": "approve", "by": "ana"}), on("t"))
        assert answers(result) == [("success", "did it as number 1")]
        assert shop.done == ["it"]
