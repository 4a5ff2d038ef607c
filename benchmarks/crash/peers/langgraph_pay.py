"""LangGraph with SqliteSaver, as a careful reader of its documentation would write a payment agent.

- Each step is a node; the graph is invoked with `durability="sync"` ("persists changes synchronously before
  the next step starts") and a thread id for each run. After a crash the same thread is invoked with `None` as
  its input, or with the input again if nothing of it was stored yet.
- The durable execution guide says: "Use idempotency keys or verify existing results to avoid unintended
  duplication." So `keys` passes the thread id as the key, and `probe` looks for the payment before it pays.
- A hang-up is retried by the node's `RetryPolicy`: ten attempts; with a probe each after the time in which
  the service commits, so that a retry in the same process can't pay twice. Where the service has neither,
  nothing is retried: the graph asks a person through `interrupt`, and the answer comes with
  `Command(resume=…)`.

So what this peer does twice, it does because after a kill the unfinished node is run again. An event is
acknowledged where the documentation promises it: what the earlier nodes wrote when the next node starts, and
the end when `invoke` returns.
"""

# pyright: basic, reportMissingImports=false
from __future__ import annotations

import operator
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Any, TypedDict

from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, RetryPolicy, interrupt

from benchmarks.crash.client import NoAnswerError, find, pay
from benchmarks.crash.contract import ENDED, WAITING, Options, acknowledge, amount, has, names, think_time

ATTEMPTS = 10


class Payment(TypedDict):
    """The state of one run; `done` names the events in their order."""

    run: str
    receipt: str | None
    done: Annotated[list[str], operator.add]


class Nodes:
    """The steps of the agent."""

    def __init__(self, options: Options) -> None:
        self._options = options

    def think(self, state: Payment) -> dict[str, Any]:
        time.sleep(think_time(state["run"], "first", self._options.think))
        return {"done": ["model"]}

    def pay(self, state: Payment) -> dict[str, Any]:
        _acknowledge(state)
        try:
            return {"receipt": self._receipt(state["run"]), "done": ["outcome"]}
        except NoAnswerError:
            if self._options.mode != "neither":
                raise
            return {"receipt": None, "done": ["ask"]}

    def ask(self, state: Payment) -> dict[str, Any]:
        _acknowledge(state)
        answer = interrupt({"question": f"was {state['run']} paid?"})
        return {"receipt": answer["receipt"], "done": ["answer"]}

    def say(self, state: Payment) -> dict[str, Any]:
        _acknowledge(state)
        time.sleep(think_time(state["run"], "last", self._options.think))
        return {"done": ["end"]}

    def _receipt(self, run: str) -> str:
        service = self._options.service
        if self._options.mode == "keys":
            return pay(service, run, amount(run), key=run)
        found = find(service, run) if self._options.mode == "probe" else None
        return found or pay(service, run, amount(run))


def build(options: Options, saver: SqliteSaver) -> Any:
    nodes = Nodes(options)
    graph = StateGraph(Payment)
    graph.add_node("think", nodes.think)
    graph.add_node("pay", nodes.pay, retry_policy=_retries(options))
    graph.add_node("ask", nodes.ask)
    graph.add_node("say", nodes.say)
    graph.add_edge(START, "think")
    graph.add_edge("think", "pay")
    graph.add_conditional_edges("pay", lambda state: "say" if state["receipt"] else "ask", ["say", "ask"])
    graph.add_conditional_edges("ask", lambda state: "say" if state["receipt"] else "pay", ["say", "pay"])
    graph.add_edge("say", END)
    return graph.compile(checkpointer=saver)


def advance(graph: Any, run: str, answers: dict[str, str | None]) -> bool:
    """Take one run as far as it goes without a person; true if it has ended."""
    config = {"configurable": {"thread_id": run}}
    state = graph.get_state(config)
    if not _ended(state):
        graph.invoke(_input(run, state, answers), config, durability="sync")
        state = graph.get_state(config)
    _acknowledge(state.values)
    return _ended(state)


def main(argv: list[str]) -> int:
    options = Options.parse(argv)
    with SqliteSaver.from_conn_string(str(options.directory / "checkpoints.sqlite")) as saver:
        saver.setup()
        graph = build(options, saver)
        if options.check:
            return _check(graph, options)
        answers = options.answers()
        with ThreadPoolExecutor(options.runs) as threads:
            ended = list(threads.map(lambda run: advance(graph, run, answers), names(options.runs)))
    return ENDED if all(ended) else WAITING


def _ended(state: Any) -> bool:
    """Tell by the state: `next` is empty also when a kill came between a node's writes and its checkpoint."""
    return "end" in state.values.get("done", [])


def _retries(options: Options) -> RetryPolicy | None:
    """Return the default policy with more attempts; with a probe, wait until a look-up tells the truth."""
    match options.mode:
        case "keys":
            return RetryPolicy(max_attempts=ATTEMPTS)
        case "probe":
            return RetryPolicy(initial_interval=options.settle, backoff_factor=1.0, jitter=False, max_attempts=ATTEMPTS)
        case _:
            return None


def _input(run: str, state: Any, answers: dict[str, str | None]) -> Any:
    """Return what to invoke the graph with: a new run's input, the person's answer, or `None` to go on."""
    if not state.values:
        return {"run": run, "receipt": None, "done": []}
    question = f"{run} {len(state.values['done']) - 1}"
    if state.interrupts and question in answers:
        return Command(resume={"receipt": answers[question]})
    return None


def _acknowledge(state: Any) -> None:
    for seq, kind in enumerate(state["done"]):
        acknowledge(state["run"], seq, kind)


def _check(graph: Any, options: Options) -> int:
    for run in names(options.runs):
        state = graph.get_state({"configurable": {"thread_id": run}})
        for seq, kind in enumerate(state.values.get("done", [])):
            has(run, seq, kind)
    return ENDED
