"""Asking a model, for tests."""

from interlock.models import Definition, Message, Model, ModelSaid, Request, Response, UserSaid

REFUND = Definition(
    "refund",
    "Refund part of a booking.",
    {"type": "object", "properties": {"ref": {"type": "string"}, "amount": {"type": "string"}}, "required": ["ref"]},
)
LOOK = Definition("look", "Look a booking up.", {"type": "object", "properties": {"ref": {"type": "string"}}})


def request(*messages: Message, must_propose: bool = False) -> Request:
    return Request("Be brief.", messages or (UserSaid("hello"),), (REFUND, LOOK), must_propose=must_propose)


async def ask(model: Model, asked: Request | None = None) -> tuple[list[str], Response]:
    """Return the pieces of text and the response."""
    *pieces, last = [one async for one in model.respond(asked or request())]
    assert isinstance(last, Response)
    assert all(isinstance(one, str) for one in pieces)
    return [str(one) for one in pieces], last


def said(model: Model, response: Response) -> ModelSaid:
    """Return a response as it stands in the history of the next request."""
    return ModelSaid(response.text, response.proposals, response.native, model.name)
