"""A scripted chat model and small helpers for the tests of the LangGraph adapter."""

from collections.abc import Sequence
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langgraph.checkpoint.memory import InMemorySaver
from pydantic import Field

from interlock import Governor
from interlock.kernel import events as ev

Said = str | list[tuple[str, dict[str, Any]]] | AIMessage


class ScriptedChat(BaseChatModel):
    """Says what was written: the n-th answer to a conversation that holds n answers. Its ids repeat in every turn."""

    script: Sequence[Any]
    asked: list[list[AnyMessage]] = Field(default_factory=list)
    usage: bool = True

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def bind_tools(self, tools: Any, **_: Any) -> "ScriptedChat":
        return self

    def _generate(self, messages: list[AnyMessage], *_: Any, **__: Any) -> ChatResult:
        self.asked.append(messages)
        said = self.script[sum(isinstance(one, AIMessage) for one in messages)]
        return ChatResult(generations=[ChatGeneration(message=self._message(said))])

    def _message(self, said: Said) -> AIMessage:
        if isinstance(said, AIMessage):
            return said.model_copy()
        usage = {"input_tokens": 7, "output_tokens": 3, "total_tokens": 10} if self.usage else None
        if isinstance(said, str):
            return AIMessage(said, usage_metadata=usage)
        calls = [
            {"name": name, "args": args, "id": f"call_{number}", "type": "tool_call"}
            for number, (name, args) in enumerate(said)
        ]
        return AIMessage("", tool_calls=calls, usage_metadata=usage)


class KeptSaver(InMemorySaver):
    """Stands for a checkpointer that outlives the process; one that is made anew has lost everything."""


def user(text: str) -> dict[str, Any]:
    return {"messages": [HumanMessage(text)]}


def on(thread: str, **more: Any) -> dict[str, Any]:
    return {"configurable": {"thread_id": thread, **more}}


def answers(result: Any) -> list[tuple[str, str]]:
    """Status and text of each tool message."""
    return [(one.status, str(one.content)) for one in result["messages"] if isinstance(one, ToolMessage)]


def history(governor: Governor, run: str) -> list[ev.Event]:
    inner = governor.runtime.inner
    return [one.event for one in governor.runtime.portal.run(inner.run(run).history())]


def runs(governor: Governor, thread: str) -> list[str]:
    inner = governor.runtime.inner
    return [row.id for row in governor.runtime.portal.run(inner.journal.conversation("", thread))]


def kinds(governor: Governor, run: str) -> list[str]:
    return [type(one).__name__ for one in history(governor, run)]
