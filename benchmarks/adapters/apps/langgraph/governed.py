"""An office assistant on LangChain and LangGraph, governed.

Its thread is checkpointed before each next step; after a crash it goes on from there, and nothing is done twice.
"""

# LangChain's own hints have holes.
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false

import sqlite3
from typing import Any

from langchain.agents import create_agent
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, ToolCall, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.sqlite import SqliteSaver

from benchmarks.adapters.guard import governor
from benchmarks.adapters.script import next_turn
from benchmarks.adapters.world import STORE, TOOLS
from interlock.adapters.langgraph import GovernorMiddleware


class ScriptedModel(BaseChatModel):
    """Stands for the model."""

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def bind_tools(self, tools: Any, **options: Any) -> "ScriptedModel":
        return self

    def _generate(self, messages: list[BaseMessage], *args: Any, **options: Any) -> ChatResult:
        task = next(str(message.text) for message in messages if message.type == "human")
        turn = next_turn(task, [str(message.text) for message in messages if isinstance(message, ToolMessage)])
        if isinstance(turn, str):
            said = AIMessage(turn)
        else:
            calls = [ToolCall(name=call.action, args=call.args, id=f"call_{n}") for n, call in enumerate(turn)]
            said = AIMessage("", tool_calls=calls)
        return ChatResult(generations=[ChatGeneration(message=said)])


agent = create_agent(
    ScriptedModel(),
    TOOLS,
    system_prompt="You do office work.",
    middleware=[GovernorMiddleware(governor)],
    checkpointer=SqliteSaver(sqlite3.connect(STORE / "checkpoints.db", check_same_thread=False)),
)


def work(task: str, run: str) -> str:
    """Perform a task to its end."""
    config: RunnableConfig = {"configurable": {"thread_id": run}}
    begun = agent.get_state(config).created_at is not None
    given: Any = None if begun else {"messages": [{"role": "user", "content": task}]}
    return str(agent.invoke(given, config, durability="sync")["messages"][-1].text)
