"""Between what a tool of Pydantic AI returns or raises, and what the journal keeps of it."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, cast

from pydantic_ai.durable_exec import JSON_CODEC
from pydantic_ai.exceptions import ApprovalRequired, CallDeferred, ModelRetry, ToolFailed
from pydantic_ai.messages import MULTI_MODAL_CONTENT_TYPES, ToolReturn, ToolReturnContent
from pydantic_ai.toolsets import ToolsetTool
from pydantic_ai.toolsets.function import FunctionToolsetTool

from interlock.adapters.showing import Showing

_RETURN = "pydantic_ai.ToolReturn"
_DEFERRED = "pydantic_ai.CallDeferred"
_CONTENT = "pydantic_ai.content"
_TAGS = {_RETURN, _DEFERRED, _CONTENT}


class NothingHappenedError(Exception):
    """A tool says that it has not done what it was asked for.

    Attributes:
        error: What it raised, which goes on to the framework.
    """

    def __init__(self, error: Exception) -> None:
        self.error = error
        super().__init__(str(error))


def says_nothing_happened(error: Exception, tool: ToolsetTool[Any]) -> bool:
    """Whether a tool's author says by an exception that nothing has happened.

    Of a tool that ran out of its time, and of the error of a server, the framework makes the very exception with which
    a tool asks for better arguments: that says nothing.
    """
    if isinstance(error, ApprovalRequired):
        return True
    said = isinstance(error, (ModelRetry, ToolFailed)) and isinstance(tool, FunctionToolsetTool)
    return said and not isinstance(error.__context__, (TimeoutError, ConnectionError))


def kept(value: Any) -> Any:
    """Return what the journal keeps of a result: its JSON form, as the model is shown it; itself where it has none."""
    try:
        return _kept(value)
    except (ValueError, TypeError):
        return value  # The journal will say that it could not be recorded; what happened has happened.


def _kept(value: Any) -> Any:
    if isinstance(value, CallDeferred):
        return {_DEFERRED: {"metadata": value.metadata, "kind": value.kind}}
    if isinstance(value, ToolReturn):
        return {_RETURN: JSON_CODEC.dump(ToolReturn, value)}
    plain = JSON_CODEC.dump(ToolReturnContent, value)
    return {_CONTENT: plain} if _is_tagged(plain) or _has_files(value) else plain


def restored(recorded: Any) -> Any:
    """Return a result again from what the journal has kept."""
    if not _is_tagged(recorded):
        return recorded
    ((tag, held),) = recorded.items()
    if tag == _DEFERRED:
        return CallDeferred(held["metadata"], kind=held["kind"])
    return JSON_CODEC.load(ToolReturn if tag == _RETURN else ToolReturnContent, held)


def shown(value: Any, showing: Showing) -> Any:
    """Return a result as the model may see it: its texts cleaned, its files as they are."""
    if not showing.is_traced:
        return value
    if isinstance(value, ToolReturn):
        returned = cast("ToolReturn[Any]", value)
        return replace(
            returned, return_value=_shown(returned.return_value, showing), content=_shown(returned.content, showing)
        )
    return _shown(value, showing)


def _shown(value: Any, showing: Showing) -> Any:
    if isinstance(value, MULTI_MODAL_CONTENT_TYPES):
        return value
    if isinstance(value, (list, tuple)) and _has_files(value):
        return [_shown(one, showing) for one in cast("Iterable[Any]", value)]
    if isinstance(value, dict) and _has_files(value):
        return {name: _shown(one, showing) for name, one in cast("dict[Any, Any]", value).items()}
    try:
        return showing.data(JSON_CODEC.dump(ToolReturnContent, value))
    except (ValueError, TypeError):
        return showing.text(str(cast("object", value)))


def _is_tagged(value: Any) -> bool:
    return isinstance(value, dict) and list(cast("dict[Any, Any]", value)) in ([tag] for tag in _TAGS)


def _has_files(value: Any) -> bool:
    parts: Iterable[Any] = ()
    if isinstance(value, dict):
        parts = cast("dict[Any, Any]", value).values()
    elif isinstance(value, (list, tuple)):
        parts = cast("Iterable[Any]", value)
    return isinstance(value, MULTI_MODAL_CONTENT_TYPES) or any(map(_has_files, parts))
