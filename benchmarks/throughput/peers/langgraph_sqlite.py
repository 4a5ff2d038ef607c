"""LangGraph: a model node and an action node, `AsyncSqliteSaver`, each step durable before the next.

Configured in its favour: plain dictionaries with the `operator.add` reducer instead of message objects
(faster), one graph compiled once, one saver for the process. The saver turns on WAL; SQLite's `synchronous`
is FULL by default.
"""

from __future__ import annotations

import asyncio
import operator
from decimal import Decimal
from typing import Annotated, Any, TypedDict

from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.graph import END, START, StateGraph  # pyright: ignore[reportMissingTypeStubs]
from pydantic import BaseModel

from benchmarks.throughput import closed_loop, workload

_COUNTED = 20


class Refund(BaseModel):
    """The action's arguments, validated."""

    ref: str
    amount: Decimal
    note: str


class Conversation(TypedDict):
    """The graph's state: the messages so far, and how many turns are done."""

    run: int
    turn: int
    messages: Annotated[list[dict[str, Any]], operator.add]


async def model(state: Conversation) -> dict[str, Any]:
    run, turn = state["run"], state["turn"]
    message = {"role": "model", "text": workload.answer(run, turn), "action": workload.arguments(run, turn)}
    return {"messages": [message]}


async def action(state: Conversation) -> dict[str, Any]:
    refund = Refund.model_validate(state["messages"][-1]["action"])
    return {"messages": [{"role": "action", "text": f"refunded {refund.ref}"}], "turn": state["turn"] + 1}


def _next(state: Conversation) -> str:
    return "model" if state["turn"] < workload.TURNS else END


def _graph(saver: AsyncSqliteSaver) -> Any:
    graph: Any = StateGraph(Conversation)
    graph.add_node("model", model)
    graph.add_node("action", action)
    graph.add_edge(START, "model")
    graph.add_edge("model", "action")
    graph.add_conditional_edges("action", _next, ["model", END])
    return graph.compile(checkpointer=saver)


async def _count(saver: AsyncSqliteSaver, perform: Any) -> closed_loop.Counts:
    """Count rows and commits of a few more runs, after the clock has stopped."""
    before, commits = await _rows(saver), 0

    def traced(statement: str) -> None:
        nonlocal commits
        commits += statement == "COMMIT"

    connection: Any = saver.conn
    await connection.set_trace_callback(traced)
    await asyncio.gather(*(perform(-1 - run) for run in range(_COUNTED)))
    return closed_loop.Counts(_COUNTED, await _rows(saver) - before, commits)


async def _rows(saver: AsyncSqliteSaver) -> int:
    query = "SELECT (SELECT count(*) FROM checkpoints) + (SELECT count(*) FROM writes)"
    async with saver.conn.execute(query) as cursor:
        found = await cursor.fetchone()
    assert found
    return int(found[0])


async def _main(sizes: closed_loop.Sizes) -> None:
    async with AsyncSqliteSaver.from_conn_string(str(sizes.dir / "langgraph.db")) as saver:
        graph = _graph(saver)

        async def perform(run: int) -> None:
            thread = {"configurable": {"thread_id": str(run)}}
            end = await graph.ainvoke({"run": run, "turn": 0, "messages": []}, thread, durability="sync")
            assert len(end["messages"]) == workload.STEPS

        wall_s = await closed_loop.measure(sizes, perform)
        counts = await _count(saver, perform)
    closed_loop.report(sizes, wall_s, counts, ["langgraph", "langgraph-checkpoint-sqlite", "aiosqlite"])


if __name__ == "__main__":
    asyncio.run(_main(closed_loop.sizes(__doc__)))
