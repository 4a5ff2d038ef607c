"""A desk on the OpenAI Agents SDK: a triage agent that hands over to a clerk, with a session of the SDK."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

from agents import Agent, Model, ModelResponse, Runner, SQLiteSession, Tool, Usage, function_tool, set_tracing_disabled
from agents.items import TResponseStreamEvent
from agents.testing import assistant_message, function_call

from benchmarks.adapters.script import next_turn
from benchmarks.adapters.world import STORE, TOOLS

set_tracing_disabled(True)


class Triage(Model):
    """A scripted model that hands over."""

    async def get_response(self, system_instructions: Any, input: Any, *args: Any, **more: Any) -> ModelResponse:  # noqa: A002
        return ModelResponse(self.say(input), Usage(requests=1), response_id=None)

    def say(self, told: list[dict[str, Any]]) -> list[Any]:
        return [function_call("transfer_to_clerk", {}, call_id=uuid4().hex)]

    def stream_response(self, *args: Any, **more: Any) -> AsyncIterator[TResponseStreamEvent]:
        raise NotImplementedError


class Clerk(Triage):
    """A scripted model that works."""

    def say(self, told: list[dict[str, Any]]) -> list[Any]:
        task = next(item["content"] for item in told if item.get("role") == "user")
        over = {item["call_id"] for item in told if str(item.get("name")).startswith("transfer_to_")}
        outputs = [item for item in told if item.get("type") == "function_call_output"]
        turn = next_turn(task, [item["output"] for item in outputs if item["call_id"] not in over])
        if isinstance(turn, str):
            return [assistant_message(turn)]
        return [function_call(call.action, call.args, call_id=uuid4().hex) for call in turn]


tools: list[Tool] = [function_tool(one) for one in TOOLS]
clerk = Agent("clerk", instructions="Do what you are asked.", model=Clerk(), tools=tools)
desk = Agent("desk", instructions="Hand over to the clerk.", model=Triage(), handoffs=[clerk])


def work(task: str, run: str) -> str:
    """Perform a task to its end; after a crash the session knows the turns that were finished."""
    session = SQLiteSession(run, STORE / "sessions.db")
    try:
        return Runner.run_sync(desk, task, session=session).final_output
    finally:
        session.close()
