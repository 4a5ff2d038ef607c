"""What a LangChain tool returns, as plain data for the journal, and back."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple, cast

from langchain_core.messages import BaseMessage, ToolCall, ToolMessage, messages_from_dict
from langgraph.types import Command, Send

from interlock.adapters.showing import Showing
from interlock.canonical import canonical
from interlock.errors import CanonicalError

Result = ToolMessage | Command[Any] | list[Any]
"""What a tool node takes for the result of a call."""

_COMMAND = ("graph", "update", "resume", "goto")

_FILES = ("image", "image_url", "audio", "video", "file")
"""The types of blocks in a message that hold no text."""


class Lost(NamedTuple):
    """A result that has no plain form: it was there once, for the graph that the call was made in."""

    why: str


class _FormlessError(Exception):
    """A value has no plain form."""


def kept(result: Any, call: ToolCall) -> Any:
    """Return what the journal keeps of a result: its text where there is no more to it, else its parts."""
    if _is_plain_text(result):
        return result.content
    try:
        return _plain(result, call)
    except (_FormlessError, CanonicalError, RecursionError) as error:
        return {"$lost": f"it can't be kept: {error}"}


def restored(recorded: Any, call: ToolCall) -> Result | Lost:
    """Return a result that stands in the journal, for the call as it is now; its id may be another one.

    A probe's answer and a person's are data of any kind: the model is shown them as its tool would have shown them.
    """
    if isinstance(recorded, Mapping) and "$lost" in recorded:
        return Lost(str(cast("Mapping[str, Any]", recorded)["$lost"]))
    found = _made(recorded, call)
    if isinstance(found, (ToolMessage, Command)) or _is_of_results(found):
        return cast("Result", found)
    return message(recorded if isinstance(recorded, str) else json.dumps(recorded, ensure_ascii=False), call)


def message(text: str, call: ToolCall, *, failed: bool = False) -> ToolMessage:
    """Return what the model is told about a call."""
    return ToolMessage(text, name=call["name"], tool_call_id=call["id"], status="error" if failed else "success")


def shown(result: Any, showing: Showing) -> Any:
    """Return a result with the texts of its messages as the model may see them; what else it changes stays."""
    if not showing.is_traced:
        return result
    if isinstance(result, BaseMessage):
        return result.model_copy(update={"content": _shown_content(result.content, showing)})
    if isinstance(result, Command):
        changed = cast("Command[Any]", result)
        return replace(changed, update=shown(changed.update, showing))
    if type(result) is list or type(result) is tuple:
        parts = [shown(one, showing) for one in cast("list[Any]", result)]
        return parts if isinstance(result, list) else tuple(parts)
    if type(result) is dict:
        return {name: shown(one, showing) for name, one in cast("dict[str, Any]", result).items()}
    return result


def _shown_content(content: str | list[Any], showing: Showing) -> str | list[Any]:
    """Return the content of a message with its texts cleaned; of its blocks, images and files stay as they are."""
    if isinstance(content, str):
        return showing.text(content)
    return [_shown_block(one, showing) for one in content]


def _shown_block(block: Any, showing: Showing) -> Any:
    if isinstance(block, str):
        return showing.text(block)
    parts = cast("dict[str, Any]", block)
    if parts.get("type") in _FILES:
        return parts
    text = parts.get("text") if parts.get("type") == "text" else None
    return {"type": "text", "text": showing.data(text if isinstance(text, str) else parts)}


def _is_plain_text(result: Any) -> bool:
    return (
        isinstance(result, ToolMessage)
        and isinstance(result.content, str)
        and result.artifact is None
        and result.status == "success"
        and not (result.additional_kwargs or result.response_metadata or result.id)
    )


def _is_of_results(found: Any) -> bool:
    items = cast("list[Any]", found) if isinstance(found, list) else []
    return bool(items) and all(isinstance(one, (ToolMessage, Command)) for one in items)


def _plain(value: Any, call: ToolCall) -> Any:  # noqa: PLR0911 - one return for each kind of value
    if value is None or type(value) in {bool, int, float, str}:
        canonical(value)
        return value
    if isinstance(value, BaseMessage):
        return {"$message": _plain_message(value, call)}
    if isinstance(value, Command):
        parts = cast("Command[Any]", value)
        return {"$command": {part: _plain(getattr(parts, part), call) for part in _COMMAND}}
    if isinstance(value, Send):
        return {"$send": [value.node, _plain(value.arg, call)]}
    if type(value) is list:
        return [_plain(one, call) for one in cast("list[Any]", value)]
    if type(value) is tuple:
        return {"$tuple": [_plain(one, call) for one in cast("tuple[Any, ...]", value)]}
    if type(value) is dict:
        return _plain_mapping(cast("dict[Any, Any]", value), call)
    raise _FormlessError(f"a {type(value).__qualname__} in it has no form as JSON")


def _plain_mapping(value: dict[Any, Any], call: ToolCall) -> dict[str, Any]:
    if any(type(name) is not str or name.startswith("$") for name in value):
        raise _FormlessError("its names have no form as JSON")
    return {name: _plain(one, call) for name, one in value.items()}


def _plain_message(value: BaseMessage, call: ToolCall) -> dict[str, Any]:
    """Return a message's parts; an artifact that is no data is left out, for the model never sees it."""
    parts = value.model_dump(exclude_defaults=True, exclude={"artifact", "type"})
    if parts.get("tool_call_id") == call["id"]:
        del parts["tool_call_id"]
    found = {"type": value.type, **_plain_mapping(parts, call)}
    if isinstance(value, ToolMessage) and value.artifact is not None:
        try:
            found["artifact"] = _plain(value.artifact, call)
        except (_FormlessError, CanonicalError, RecursionError):
            return found
    return found


def _made(value: Any, call: ToolCall) -> Any:
    if isinstance(value, list):
        return [_made(one, call) for one in cast("list[Any]", value)]
    if not isinstance(value, dict):
        return value
    parts = cast("dict[str, Any]", value)
    if len(parts) == 1:
        ((kind, inner),) = parts.items()
        if kind in _KINDS:
            return _KINDS[kind](_made(inner, call), call)
    return {name: _made(one, call) for name, one in parts.items()}


def _made_message(parts: dict[str, Any], call: ToolCall) -> BaseMessage:
    kind = parts.pop("type")
    if kind == "tool":
        parts.setdefault("tool_call_id", call["id"])
    return messages_from_dict([{"type": kind, "data": parts}])[0]


def _made_command(parts: dict[str, Any], call: ToolCall) -> Command[Any]:
    return Command(**parts)


def _made_send(parts: list[Any], call: ToolCall) -> Send:
    return Send(*parts)


def _made_tuple(parts: list[Any], call: ToolCall) -> tuple[Any, ...]:
    return tuple(parts)


_KINDS: Mapping[str, Callable[[Any, ToolCall], Any]] = {
    "$message": _made_message,
    "$command": _made_command,
    "$send": _made_send,
    "$tuple": _made_tuple,
}
