"""Pydantic AI without durability: what a bare agent loop costs when nothing at all is written down.

The first four actions are tools, the fifth is the output function, which takes validated arguments like a
tool and ends the run. So a run has exactly five model turns and five actions, without a sixth turn that
nobody counts.
"""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import TYPE_CHECKING

from pydantic_ai import Agent, ModelResponse, TextPart, ToolCallPart, ToolOutput
from pydantic_ai.models.function import AgentInfo, FunctionModel

from benchmarks.throughput import closed_loop, workload

if TYPE_CHECKING:
    from pydantic_ai import ModelMessage


async def refund(ref: str, amount: Decimal, note: str) -> str:
    """Refund part of a booking."""
    return f"refunded {ref}"


async def last_refund(ref: str, amount: Decimal, note: str) -> str:
    """Refund part of a booking, then end the run."""
    return f"refunded {ref}"


async def model(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
    """Answer and propose the next action; nothing is stored, so texts needn't differ between runs."""
    turn = sum(isinstance(message, ModelResponse) for message in messages)
    name = "refund" if turn < workload.TURNS - 1 else "last_refund"
    call = ToolCallPart(name, dict(workload.arguments(0, turn)))
    return ModelResponse([TextPart(workload.answer(0, turn)), call])


async def _main(sizes: closed_loop.Sizes) -> None:
    agent = Agent(FunctionModel(model), tools=[refund], output_type=ToolOutput(last_refund, name="last_refund"))

    async def perform(run: int) -> None:
        done = await agent.run(f"run {run}")
        assert done.usage.requests == workload.TURNS
        assert done.usage.tool_calls == workload.TURNS - 1

    wall_s = await closed_loop.measure(sizes, perform)
    nothing = closed_loop.Counts(runs=1, rows=0, waits=0)
    closed_loop.report(sizes, wall_s, nothing, ["pydantic-ai-slim", "pydantic"])


if __name__ == "__main__":
    asyncio.run(_main(closed_loop.sizes(__doc__)))
