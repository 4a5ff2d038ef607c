"""Cuts the body of a request to a model so that what repeats from request to request is the same bytes."""

import msgspec
from msgspec import Raw

CONVERSATIONS = ("messages", "input", "contents")
"""Under which name each provider's API takes the conversation."""

_fields = msgspec.json.Decoder(dict[str, Raw])
_elements = msgspec.json.Decoder(list[Raw])


def pieces(body: bytes) -> tuple[bytes, ...]:
    """Return the head, one piece a message (with the comma before it), and the tail: together they are *body*.

    A message that is appended leaves the pieces before it as they are. Whatever is no request with messages is one
    piece; nothing at all is none.
    """
    conversation = _conversation(body)
    array = b"" if conversation is None else bytes(conversation)
    try:
        messages = _elements.decode(array) if array.startswith(b"[") else []
    except (msgspec.MsgspecError, RecursionError):
        messages = []
    if not messages:
        return (body,) if body else ()
    end = body.index(array) + 1
    cuts: list[int] = []
    for message in messages:
        data = bytes(message)
        start = body.index(data, end)
        if not cuts:
            cuts.append(start)
        end = start + len(data)
        cuts.append(end)
    return tuple(body[start:end] for start, end in zip((0, *cuts), (*cuts, len(body)), strict=True))


def is_conversation(body: bytes) -> bool:
    """Return whether *body* is a request to a model, and not, say, one for a token."""
    return _conversation(body) is not None


def _conversation(body: bytes) -> Raw | None:
    """Return the conversation's bytes as they stand in the body."""
    try:
        fields = _fields.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    return next((fields[name] for name in CONVERSATIONS if name in fields), None)
