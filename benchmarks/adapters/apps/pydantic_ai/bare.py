"""An office assistant on Pydantic AI, as its documentation has one.

After a crash it begins anew: without one of the durability engines, nothing of a run is kept.
"""

from pydantic_ai import (
    Agent,
    ModelMessage,
    ModelRequest,
    ModelResponse,
    TextPart,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
)
from pydantic_ai.models.function import AgentInfo, FunctionModel

from benchmarks.adapters.script import next_turn
from benchmarks.adapters.world import TOOLS


def scripted(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
    """Stand for the model."""
    parts = [part for message in messages if isinstance(message, ModelRequest) for part in message.parts]
    task = next(str(part.content) for part in parts if isinstance(part, UserPromptPart))
    turn = next_turn(task, [part.model_response_str() for part in parts if isinstance(part, ToolReturnPart)])
    if isinstance(turn, str):
        return ModelResponse([TextPart(turn)])
    return ModelResponse([ToolCallPart(call.action, call.args) for call in turn])


agent = Agent(FunctionModel(scripted), instructions="You do office work.", tools=TOOLS)


def work(task: str, run: str) -> str:
    """Perform a task to its end."""
    return agent.run_sync(task).output
