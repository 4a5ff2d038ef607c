"""Whether a model's answer can be kept: written as JSON and read again, whatever a model gives."""

import reprlib
from collections.abc import Mapping
from typing import Any, cast

import msgspec

from interlock.models import ModelError, Proposal, Response

DEEPEST = 100
"""How deep arguments may be nested; what is deeper could be written here and not be read there."""


def kept(response: Response, model: str) -> Response:
    """Return an answer of the model of this name as it can be kept.

    Arguments that have no JSON form become a text that shows them, which the guardian turns down.

    Raises:
        ModelError: something else of it has no JSON form.
    """
    try:
        answer = msgspec.structs.replace(response, proposals=tuple(map(_fitting, response.proposals)))
        msgspec.json.decode(written(answer), type=Response)
    except Exception as error:
        raise ModelError(
            f"the answer of model {model} can't be recorded: {error}", transient=True, wire=response.wire
        ) from error
    return answer


def written(answer: Response) -> bytes:
    """Return an answer as JSON, without what went over the wire."""
    native = _in_bounds(answer.native)
    return msgspec.json.encode(msgspec.structs.replace(answer, native=native, wire=()), order="deterministic")


def _fitting(proposal: Proposal) -> Proposal:
    args: Any = proposal.args
    try:
        msgspec.json.encode(_in_bounds(args), order="deterministic")
    except Exception:  # noqa: BLE001 - whatever is in it, it has no JSON form
        args = None
    if isinstance(args, (str, dict)):
        return proposal
    return msgspec.structs.replace(proposal, args=f"(no object of JSON: {reprlib.repr(proposal.args)})")


def _in_bounds(value: Any) -> Any:
    """Return the value.

    Raises:
        RecursionError: it is nested too deeply.
    """
    if _is_deep(value):
        raise RecursionError(f"it is nested more than {DEEPEST} levels deep")
    return value


def _is_deep(value: Any, left: int = DEEPEST) -> bool:
    """Whether a value is nested deeper than *left* levels."""
    parts: Any = ()
    if isinstance(value, Mapping):
        parts = cast("Mapping[Any, Any]", value).values()
    elif isinstance(value, (list, tuple)):
        parts = cast("list[Any]", value)
    return not left or any(_is_deep(part, left - 1) for part in parts)
