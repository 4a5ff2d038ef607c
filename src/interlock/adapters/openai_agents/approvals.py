"""What people said in a state of the SDK, and what they said in the journal: each counts in the other."""

import json
from typing import Any, cast

from agents import Agent, FunctionTool, RunContextWrapper, Tool
from agents.items import ToolApprovalItem
from openai.types.responses import ResponseFunctionToolCall

from interlock.adapters.governor import Governor
from interlock.adapters.openai_agents import responses
from interlock.adapters.openai_agents.places import Place, key_of, path_of
from interlock.adapters.openai_agents.tools import GovernedInvoker
from interlock.kernel import events as ev
from interlock.kernel.events import Recorded


async def settle(
    governor: Governor, agent: Agent[Any], ctx: RunContextWrapper[Any], tools: list[Tool], by: str
) -> None:
    """Take a decision about a call that waits to where it is not known yet.

    The SDK asks an agent for its tools before it looks at the approvals of a state that goes on: that is when.
    """
    place = Place.current(governor, f"agent {agent.name!r}")
    if not place.may_go_on:
        return
    for path, questions in waiting(await _history(governor, place), place).items():
        item = await _call(governor, place, path)
        tool = _tool(tools, item)
        decision = ctx.is_tool_approved(item.name, item.call_id)
        if decision is not None:
            await _answer(governor, place, [one for one in questions if place.is_new(f"answer {one}")], decision, by)
            if tool is not None and not decision:
                call = place.call(path[-2], path[-1], "")
                await tool.weigh(place, call, cast("dict[str, Any]", json.loads(item.arguments)))
        elif not questions and tool is not None and tool.own_approval is False:
            # Somebody has answered in the journal, and the tool will be told what.
            ctx.approve_tool(ToolApprovalItem(agent=agent, raw_item=item, tool_name=item.name))


async def _answer(governor: Governor, place: Place, questions: list[int], decision: bool, by: str) -> None:
    for question in questions:
        await governor.answer(f"{place.block.where.run}:{question}", decision, by)


def waiting(history: list[Recorded], place: Place) -> dict[tuple[int, ...], list[int]]:
    """Return the calls of a place that people were asked about and that have not gone on, with the open questions."""
    asked: dict[str, list[int]] = {}
    for recorded in history:
        match recorded.event:
            case ev.Asked(call=call, kind="approval" | "confirmation"):
                asked.setdefault(call, []).append(recorded.seq)
            case ev.Answered(question=question) | ev.Lapsed(question=question):
                for open_ones in asked.values():
                    if question in open_ones:
                        open_ones.remove(question)
            case ev.Intended(call=call) | ev.Done(call=call) | ev.Denied(call=call) | ev.Failed(call=call):
                asked.pop(call, None)
            case _:
                pass
    paths = {path_of(call): open_ones for call, open_ones in asked.items()}
    return {path: open_ones for path, open_ones in paths.items() if place.holds(path)}


async def _history(governor: Governor, place: Place) -> list[Recorded]:
    runtime = governor.runtime
    return await runtime.portal.wait_for(runtime.inner.run(place.block.where.run).history())


async def _call(governor: Governor, place: Place, path: tuple[int, ...]) -> ResponseFunctionToolCall:
    """Return a call as the SDK knows it."""
    turn = await governor.recall(place.block.where, key_of(path[:-1]))
    assert turn is not None, "a call is judged after its turn is recorded"
    recalled = responses.recalled(turn.response)
    delivered = responses.delivered(recalled, lambda index, original: place.call(path[-2], index, original))
    item = delivered.output[path[-1]]
    assert isinstance(item, ResponseFunctionToolCall)
    return item


def _namespace(tool: FunctionTool) -> str | None:
    return tool.qualified_name.removesuffix(f".{tool.name}") if tool.qualified_name != tool.name else None


def _tool(tools: list[Tool], item: ResponseFunctionToolCall) -> GovernedInvoker | None:
    for tool in tools:
        if isinstance(tool, FunctionTool) and (tool.name, _namespace(tool)) == (item.name, item.namespace):
            return tool.on_invoke_tool if isinstance(tool.on_invoke_tool, GovernedInvoker) else None
    return None
