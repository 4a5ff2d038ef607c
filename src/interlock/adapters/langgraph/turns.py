"""Model turns as the journal keeps them: what was new in the request, and an answer that can be given again."""

from collections.abc import Callable
from typing import Any, NamedTuple, cast

from langchain.agents.middleware.types import ModelRequest, ModelResponse
from langchain_core.messages import AIMessage, AnyMessage, BaseMessage, messages_from_dict
from langchain_core.runnables import RunnableConfig

from interlock.adapters.governor import Where
from interlock.adapters.langgraph.places import STAMP, step_of
from interlock.canonical import canonical, digest
from interlock.errors import CanonicalError
from interlock.runtime.outcomes import Turn

_SHOWN = {"type", "content", "tool_calls", "tool_call_id", "name", "status"}
"""What of a message a model is shown. Its id is not among it: it may be made anew when a step is repeated."""

Redacted = Callable[[bytes], tuple[bytes, tuple[str, ...]]]
"""What a journal makes of bytes, and the names of the credentials that it found in them."""


class Asked(NamedTuple):
    """A request to a model: the run, the key of the turn, the step of the graph, what the journal keeps of it."""

    where: Where
    key: str
    step: int
    model: str
    shown: dict[str, Any]


def asked(request: ModelRequest[Any], where: Where, config: RunnableConfig) -> Asked:
    """Return a request under a key that is the same when the same step asks for the same."""
    messages = [_shown(one) for one in request.messages]
    step = step_of(config)
    key = f"{step}/model/{digest(_canonical(messages))[:16]}"
    return Asked(where, key, step, _name(request.model), _request(request))


def is_of_step(key: str, asked: Asked) -> bool:
    """Whether a turn of this key was asked for in the step of this one."""
    return key.startswith(f"{asked.step}/model/")


def answered(
    asked: Asked, response: ModelResponse[Any], seconds: float, redacted: Redacted
) -> tuple[Turn, ModelResponse[Any]]:
    """Return the turn for the journal, and the response with the turn's place written on its message.

    An answer with a credential in it is not kept whole: what stands in the journal is another one.
    """
    result = [_stamped(one, asked.step) for one in response.result]
    message = next((one for one in result if isinstance(one, AIMessage)), AIMessage(""))
    usage = message.usage_metadata or {}
    kept = _written(_response(message))
    turn = Turn(
        model=str(message.response_metadata.get("model_name") or asked.model),
        request=_written(asked.shown),
        response=kept if isinstance(kept, str) or not redacted(canonical(kept))[1] else {**kept, "message": None},
        input_tokens=usage.get("input_tokens", 0),
        output_tokens=usage.get("output_tokens", 0),
        latency=seconds,
        key=asked.key,
    )
    return turn, ModelResponse(result=result, structured_response=response.structured_response)


def is_repeatable(request: ModelRequest[Any]) -> bool:
    """Whether an answer to it can be given again from the journal: a structured one is parsed by LangChain."""
    return request.response_format is None


def again(turn: Turn | None) -> ModelResponse[Any] | None:
    """Return a recorded answer as the model gave it; None where there is none, or it could not be kept whole."""
    if turn is None or not isinstance(turn.response, dict):
        return None
    whole = cast("dict[str, Any]", turn.response)["message"]
    return None if whole is None else ModelResponse(result=messages_from_dict([{"type": "ai", "data": whole}]))


def _request(request: ModelRequest[Any]) -> dict[str, Any]:
    """Return what is new: the messages since the model's last, and at the beginning of a run its instructions."""
    since = next((at for at, one in enumerate(reversed(request.messages)) if isinstance(one, AIMessage)), None)
    new = request.messages if since is None else request.messages[len(request.messages) - since :]
    shown: dict[str, Any] = {"messages": [_shown(one) for one in new]}
    if request.system_message is not None and any(one.type == "human" for one in new):
        shown["system"] = request.system_message.text
    return shown


def _stamped(message: BaseMessage, step: int) -> BaseMessage:
    if not isinstance(message, AIMessage):
        return message
    return message.model_copy(update={"response_metadata": {**message.response_metadata, STAMP: str(step)}})


def _shown(message: AnyMessage) -> dict[str, Any]:
    return message.model_dump(include=_SHOWN, exclude_defaults=True) | {"type": message.type}


def _response(message: AIMessage) -> dict[str, Any]:
    """Return an answer in the form of our own models, for who reads the journal, and whole, to be given again."""
    whole = message.model_dump(exclude_defaults=True, exclude={"type"}) | {"content": message.content}
    proposals = [{"action": call["name"], "args": call["args"]} for call in message.tool_calls]
    return {"text": str(message.text), "proposals": proposals, "message": whole}


def _name(model: Any) -> str:
    return str(getattr(model, "model_name", None) or getattr(model, "model", None) or type(model).__name__)


def _written(value: Any) -> Any:
    """Return the value, or what can be written of it: a message may hold what has no form as JSON."""
    try:
        canonical(value)
    except CanonicalError:
        return ascii(value)
    return value


def _canonical(value: Any) -> bytes:
    try:
        return canonical(value)
    except CanonicalError:
        return ascii(value).encode()
