"""What clients send: read with a limit, checked to the letter."""

from typing import Annotated, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request

LONGEST_BODY = 256 * 1024
"""How many bytes a body may have."""

LAST_PLACE = 2**63 - 1
"""The largest seq that a journal can hold."""

Name = Annotated[str, Meta(min_length=1, max_length=200)]


class ChatBody(Struct, forbid_unknown_fields=True):
    """A message to an agent; `message_id` is the client's own, so that it can be sent again."""

    text: Annotated[str, Meta(max_length=100_000, pattern=r"\S")]
    conversation: Name | None = None
    message_id: Name | None = None


class DecisionBody(Struct, forbid_unknown_fields=True):
    """The user's answer to a question; `text` is the answer, or a note with a yes or a no."""

    decision: Literal["approve", "deny", "answer"]
    text: Annotated[str, Meta(max_length=100_000)] = ""


B = TypeVar("B", ChatBody, DecisionBody)


async def read(request: Request, body: type[B]) -> B:
    """Return the request's body.

    Raises:
        HTTPException: it is too large, not JSON, or not of this shape.
    """
    # A page of another site can send forms and plain text with the user's cookies, but not this without being asked.
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise HTTPException(415, "send JSON, with Content-Type: application/json")
    content = await _content(request)
    try:
        return msgspec.json.decode(content, type=body)
    except (msgspec.DecodeError, RecursionError) as error:
        raise HTTPException(400, f"the body is not as it should be: {error}") from None


async def _content(request: Request) -> bytes:
    content = bytearray()
    try:
        async for piece in request.stream():
            content += piece
            if len(content) > LONGEST_BODY:
                raise HTTPException(413, f"the body has more than {LONGEST_BODY:,} bytes")
    except ClientDisconnect:
        raise HTTPException(400, "the body did not arrive whole") from None
    return bytes(content)


def place(request: Request) -> int:
    """Return the last event that the client has seen, 0 where it has seen none.

    The header wins: a browser that connects again sends it beside the address with which it first connected.

    Raises:
        HTTPException: it is no number.
    """
    given = request.headers.get("last-event-id") or request.query_params.get("after") or "0"
    # Not isdigit: int() reads digits of every script, and a client that sends those has something else in mind.
    if not (given.isascii() and given.isdigit() and len(given) <= len(str(LAST_PLACE)) and int(given) <= LAST_PLACE):
        raise HTTPException(400, "Last-Event-ID (or after=) is not the id of an event")
    return int(given)


def wants_drafts(request: Request) -> bool:
    """Whether the client asked for the model's words as they come."""
    return request.query_params.get("drafts") == "1"
