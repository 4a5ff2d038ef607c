"""Responses of models: as the journal keeps them, as the SDK takes them, as a stream."""

import copy
import json
from collections.abc import Callable, Generator
from itertools import count
from typing import Any, cast

from agents import ModelResponse, Usage
from agents.items import TResponseOutputItem, TResponseStreamEvent
from agents.usage import deserialize_usage, serialize_usage
from openai.types.responses import (
    Response,
    ResponseCompletedEvent,
    ResponseFunctionToolCall,
    ResponseOutputItemAddedEvent,
    ResponseOutputItemDoneEvent,
    ResponseOutputMessage,
    ResponseOutputText,
    ResponseTextDeltaEvent,
    ResponseUsage,
)
from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import to_jsonable_python

from interlock.adapters.openai_agents.places import CallId
from interlock.canonical import canonical
from interlock.errors import CanonicalError

UNREADABLE = "(unreadable arguments)"
"""Under which name arguments stand that are no JSON object; as they are, the SDK would ask a person about the call."""

_item: TypeAdapter[TResponseOutputItem] = TypeAdapter(TResponseOutputItem)


# to the journal and back


def recorded(response: ModelResponse) -> dict[str, Any]:
    """Return a response as plain data."""
    return {
        "output": plain([_item_of(item) for item in response.output]),
        "usage": serialize_usage(response.usage),
        "response_id": response.response_id,
        "request_id": response.request_id,
    }


def recalled(kept: dict[str, Any]) -> ModelResponse:
    """Return a response from what the journal keeps of it."""
    response = ModelResponse([], deserialize_usage(kept["usage"]), kept["response_id"], kept["request_id"])
    return _saying(response, [_typed(item) for item in kept["output"]])


def _saying(response: ModelResponse, output: list[Any]) -> ModelResponse:
    """Return a response with another output, whose items are not looked at again: not all are of types we know."""
    made = copy.copy(response)
    made.output = output
    return made


def plain(value: Any) -> Any:
    """Return any value as plain data that has a canonical form: what can't be said in JSON is said in words."""
    try:
        made = to_jsonable_python(value, by_alias=True, bytes_mode="base64", inf_nan_mode="strings", fallback=str)
    except ValueError:
        made = str(value)
    try:
        canonical(made)
    except CanonicalError:
        return _whole(made)
    return made


def _whole(value: Any) -> Any:
    """Return plain data without halves of surrogate pairs."""
    match value:
        case str():
            return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        case list():
            return [_whole(one) for one in cast("list[Any]", value)]
        case dict():
            return {_whole(key): _whole(one) for key, one in cast("dict[str, Any]", value).items()}
        case _:
            return value


def _item_of(item: Any) -> Any:
    if not isinstance(item, BaseModel):
        return item
    return item.model_dump(mode="json", by_alias=True, exclude_unset=True, warnings=False)


def _typed(item: Any) -> Any:
    try:
        return _item.validate_python(item)
    except ValidationError:
        return item  # The SDK does the same with what it does not know.


# to the SDK


def delivered(response: ModelResponse, name: Callable[[int, str], CallId]) -> ModelResponse:
    """Return a response whose calls have our ids, and arguments that are JSON objects."""
    return _saying(response, [delivered_item(item, index, name) for index, item in enumerate(response.output)])


def delivered_item(item: Any, index: int, name: Callable[[int, str], CallId]) -> Any:
    """Return one item of a response in the same way."""
    if not isinstance(item, ResponseFunctionToolCall):
        return item
    given = _object(item.arguments)
    ours = {
        "name": item.name or "(unnamed)",  # The SDK ends a run over a call without a name.
        "call_id": str(name(index, item.call_id)),
        "arguments": item.arguments if given is not None and UNREADABLE not in given else _wrapped(item.arguments),
    }
    return item.model_copy(update=ours)


def _wrapped(text: str) -> str:
    return json.dumps({UNREADABLE: text}) if text.strip() else "{}"


def arguments_of(text: str) -> dict[str, Any] | str:
    """Return the arguments of a call as the model gave them: an object, or the text that is none."""
    given = _object(text)
    if given is None:
        return text
    return given[UNREADABLE] if given.keys() == {UNREADABLE} else given


def _object(text: str) -> dict[str, Any] | None:
    try:
        given = json.loads(text)
        canonical(given)
    except (ValueError, RecursionError, CanonicalError):
        return None
    return cast("dict[str, Any]", given) if isinstance(given, dict) else None


# streams


def streamed_response(last: ResponseCompletedEvent, items: list[Any]) -> ModelResponse:
    """Return the response that a stream ends with; some providers leave its items to the events before, *items*."""
    return ModelResponse(last.response.output or items, _usage(last.response.usage), last.response.id)


def _usage(told: ResponseUsage | None) -> Usage:
    if told is None:
        return Usage(requests=1)
    return Usage(
        requests=1,
        input_tokens=told.input_tokens,
        output_tokens=told.output_tokens,
        total_tokens=told.total_tokens,
        input_tokens_details=told.input_tokens_details,
        output_tokens_details=told.output_tokens_details,
    )


def streamed(response: ModelResponse, model: str) -> Generator[TResponseStreamEvent]:
    """Yield a recalled response as a stream: each item, its text in one piece, and the end."""
    numbers = count()
    for index, item in enumerate(response.output):
        yield ResponseOutputItemAddedEvent(
            type="response.output_item.added", sequence_number=next(numbers), output_index=index, item=item
        )
        for part, text in _texts(item):
            yield ResponseTextDeltaEvent(
                type="response.output_text.delta",
                content_index=part,
                delta=text,
                item_id=str(item.id),
                logprobs=[],
                output_index=index,
                sequence_number=next(numbers),
            )
        yield ResponseOutputItemDoneEvent(
            type="response.output_item.done", sequence_number=next(numbers), output_index=index, item=item
        )
    whole = _response(response, model)
    yield ResponseCompletedEvent(type="response.completed", sequence_number=next(numbers), response=whole)


def _texts(item: Any) -> list[tuple[int, str]]:
    if not isinstance(item, ResponseOutputMessage):
        return []
    return [(part, one.text) for part, one in enumerate(item.content) if isinstance(one, ResponseOutputText)]


def _response(response: ModelResponse, model: str) -> Response:
    usage = response.usage
    return Response(
        id=response.response_id or "",
        created_at=0,
        model=model,
        object="response",
        output=response.output,
        parallel_tool_calls=True,
        tool_choice="auto",
        tools=[],
        usage=ResponseUsage(
            input_tokens=usage.input_tokens,
            output_tokens=usage.output_tokens,
            total_tokens=usage.total_tokens,
            input_tokens_details=usage.input_tokens_details,
            output_tokens_details=usage.output_tokens_details,
        ),
    )
