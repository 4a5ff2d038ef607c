"""Where a tool call stands: the run that it belongs to, and a key that is the same when the graph runs again."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast
from uuid import uuid4
from weakref import WeakKeyDictionary

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolCall
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.memory import InMemorySaver

from interlock.adapters.governor import Where
from interlock.canonical import canonical, digest
from interlock.errors import CanonicalError
from interlock.runtime.records import writable

User = Callable[[RunnableConfig, Any], str | Mapping[str, Any] | None]
"""Says whom a graph runs for, from its config and its runtime context; rules read it as `user.…`."""

RUN = "interlock_run"
"""Where the middleware keeps the run's id in the state of its graph."""

STAMP = "interlock"
"""Where the middleware writes a model's turn on its message, in `response_metadata`."""

_IN_MEMORY: WeakKeyDictionary[InMemorySaver, str] = WeakKeyDictionary()
"""What tells the threads of one checkpointer in memory from those of another, which may have the same ids."""


def configured_user(config: RunnableConfig, context: Any) -> str | None:
    """Return `config["configurable"]["user_id"]`, if it is there."""
    user = config.get("configurable", {}).get("user_id")
    return None if user is None else str(user)


def is_resumable(config: RunnableConfig) -> bool:
    """Whether the graph has a checkpointer, so that it can be paused and goes on later."""
    return _saver(config) is not None


def step_of(config: RunnableConfig) -> int:
    """Return the super-step of the graph: it counts through the whole thread, and a repeated one has its old number."""
    return config.get("metadata", {}).get("langgraph_step", 0)


def task_of(config: RunnableConfig) -> str:
    """Return the id of the task of the graph: the same when it is resumed from its checkpoint."""
    return str(config.get("configurable", {}).get("__pregel_task_id", ""))


def run_begun(config: RunnableConfig, messages: Sequence[AnyMessage]) -> str:
    """Return the id of the run that begins with this step of the graph.

    With a checkpointer it is the same when the step is repeated, even if no checkpoint of it is left.
    """
    if not is_resumable(config):
        return _joined(config, uuid4().hex[:12])
    return _joined(config, f"{step_of(config)}-{_said(_asked_for(messages)[-1:])}")


def branch_of(run: str, config: RunnableConfig) -> str:
    """Return the id of a run that begins in this task, within what was the turn of another."""
    return f"{run}~{digest(task_of(config).encode())[:8]}"


def where_of(config: RunnableConfig, context: Any, state: Any, *, user: User, messages_key: str = "messages") -> Where:
    """Return the run of what happens in this state of a graph: the one that the middleware began, or one by turn."""
    run = _field(state, RUN) or _run_by_turn(config, messages_of(state, messages_key))
    return Where(run, user(config, context), _thread(config))


def key_of(call: ToolCall, config: RunnableConfig, messages: Sequence[AnyMessage]) -> str:
    """Return the key of a tool call in its run: the turn of the model that asked for it, and its place there.

    The turn is the one that the middleware wrote on the message, or else the number of the model's messages since the
    user's last. A provider's ids are not relied on: they repeat, and are made anew when it is asked again.
    """
    for place in range(len(messages) - 1, -1, -1):
        message = messages[place]
        if isinstance(message, AIMessage) and (index := _index(call, message.tool_calls)) is not None:
            stamp = message.response_metadata.get(STAMP)
            return f"{stamp}/{index}" if stamp else f"m{_answers(messages[: place + 1])}/{index}"
    return f"{task_of(config)}/{call['id']}"


def is_sent(config: RunnableConfig) -> bool:
    """Whether this task was sent to its node by itself, as an agent sends each call."""
    path = cast("tuple[Any, ...]", config.get("metadata", {}).get("langgraph_path") or ("",))
    return path[0] == "__pregel_push"


def is_only_one(messages: Sequence[AnyMessage]) -> bool:
    """Whether the model's last message asks for one tool call."""
    asked = next((one for one in reversed(messages) if isinstance(one, AIMessage)), None)
    return asked is not None and len(asked.tool_calls) == 1


def messages_of(state: Any, key: str = "messages") -> Sequence[AnyMessage]:
    """Return the messages of a graph's state, whatever it is; none where it has none."""
    found = cast("Any", state) if isinstance(state, list) else _field(state, key)
    return cast("list[AnyMessage]", found) if isinstance(found, list) else []


def _run_by_turn(config: RunnableConfig, messages: Sequence[AnyMessage]) -> str:
    asked = _asked_for(messages)
    if is_resumable(config) and asked:
        return _joined(config, f"{len(asked)}-{_said(asked)}")
    # Nothing is resumed without a checkpointer, so each invocation is a run; without messages, each task.
    return _joined(config, (asked[-1].id if asked else None) or task_of(config) or uuid4().hex)


def _asked_for(messages: Sequence[AnyMessage]) -> list[HumanMessage]:
    return [one for one in messages if isinstance(one, HumanMessage)]


def _answers(messages: Sequence[AnyMessage]) -> int:
    """Return how many messages of the model there are since the user's last."""
    count = 0
    for message in messages:
        count = 0 if isinstance(message, HumanMessage) else count + isinstance(message, AIMessage)
    return count


def _index(call: ToolCall, asked: Sequence[ToolCall]) -> int | None:
    """Return which of the calls of a message this is; arguments that somebody has changed since don't hide it."""
    ways: tuple[Callable[[ToolCall], bool], ...] = (
        lambda one: (one["id"], one["name"], one["args"]) == (call["id"], call["name"], call["args"]),
        lambda one: (one["id"], one["name"]) == (call["id"], call["name"]),
        lambda one: one["id"] == call["id"],
    )
    for way in ways:
        for index, one in enumerate(asked):
            if way(one):
                return index
    return None


def _joined(config: RunnableConfig, turn: str) -> str:
    """Return a run's id: its thread, the graph that this one is called by (if there is one), its turn."""
    outer = str(config.get("configurable", {}).get("checkpoint_ns", "")).rpartition("|")[0]
    parts = (_kept_thread(config), digest(outer.encode())[:8] if outer else "", turn)
    return writable("/".join(part for part in parts if part))


def _kept_thread(config: RunnableConfig) -> str:
    """Return the thread as far as it is kept: one in memory is another after the process has ended."""
    thread, saver = _thread(config) or "graph", _saver(config)
    if type(saver) is not InMemorySaver:
        return thread
    return f"{thread}@{_IN_MEMORY.setdefault(saver, uuid4().hex[:8])}"


def _saver(config: RunnableConfig) -> BaseCheckpointSaver[Any] | None:
    found = config.get("configurable", {}).get("__pregel_checkpointer")
    return cast("BaseCheckpointSaver[Any]", found) if isinstance(found, BaseCheckpointSaver) else None


def _thread(config: RunnableConfig) -> str | None:
    thread = config.get("configurable", {}).get("thread_id")
    return None if thread is None else writable(str(thread))


def _said(messages: Sequence[HumanMessage]) -> str:
    """Return a short digest of what the user said; the ids of messages don't count, they may be made anew."""
    contents = [one.content for one in messages]
    try:
        said = canonical(contents)
    except CanonicalError:
        said = ascii(contents).encode()
    return digest(said)[:8]


def _field(state: Any, name: str) -> Any:
    return cast("Mapping[str, Any]", state).get(name) if isinstance(state, Mapping) else getattr(state, name, None)
