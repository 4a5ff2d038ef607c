"""What a model is shown and what it answers, in one shape for every provider."""

from collections.abc import Mapping
from typing import Any, Literal

from msgspec import Struct

Finish = Literal["stop", "calls", "length", "filtered"]
"""Why a response ended: it was complete · it proposes actions · it reached its limit of tokens · the provider
withheld it."""


class Proposal(Struct, frozen=True):
    """One call of an action that a model asks for.

    `key` is the framework's tool-call id: within one run it names this proposal for ever, so that a loop that tries
    again gets the recorded outcome. Without one, each `perform` is a proposal of its own. `args` are what the model
    gave; where that was no JSON object, it is the text itself, and the guardian turns it down.
    """

    action: str
    args: Mapping[str, Any] | str = {}
    key: str = ""


class UserSaid(Struct, frozen=True, tag="user", tag_field="who"):
    """Words of the user."""

    text: str


class ModelSaid(Struct, frozen=True, omit_defaults=True, tag="model", tag_field="who"):
    """An earlier response of the model.

    `native` is the provider's own form of it as plain data (signatures of its reasoning among it), which only the
    model class that made it (`by`) can read; everyone else goes by text and proposals.
    """

    text: str = ""
    proposals: tuple[Proposal, ...] = ()
    native: Any = None
    by: str = ""


class Result(Struct, frozen=True, omit_defaults=True, tag="result", tag_field="who"):
    """What became of a proposal; `key` and `action` are the proposal's."""

    key: str
    action: str
    text: str
    failed: bool = False


class Note(Struct, frozen=True, tag="note", tag_field="who"):
    """Words of the runtime, such as that an effect was taken back; providers are given them as marked user text."""

    text: str


Message = UserSaid | ModelSaid | Result | Note


class Definition(Struct, frozen=True):
    """An action as a model is told of it; `schema` is the JSON Schema of its arguments."""

    name: str
    description: str
    schema: dict[str, Any]


class Example(Struct, frozen=True, omit_defaults=True):
    """A few-shot example: what a user may say, what to propose, what to answer.

    The model is told that its names and numbers are invented, and the journal says which texts were examples.
    """

    user: str
    answer: str = ""
    proposals: tuple[Proposal, ...] = ()


class Request(Struct, frozen=True):
    """What a model is asked: everything that it knows stands here."""

    instructions: str = ""
    messages: tuple[Message, ...] = ()
    actions: tuple[Definition, ...] = ()
    must_propose: bool = False
    """Whether the answer has to be a proposal, as where structured output is wanted."""


class Exchange(Struct, frozen=True, omit_defaults=True):
    """One HTTP request and its response as they went over the wire, without headers.

    Bodies are pieces that concatenate to what was sent or received: of a request the head, one a message, and the
    tail, so that the pieces of a long conversation repeat and are stored once. `request_digest` and
    `response_digest` are SHA-256 over `salt` and the exact bytes, in hex, also where a piece was redacted.
    """

    method: str
    url: str
    status: int
    request: tuple[bytes, ...]
    request_digest: str
    response: tuple[bytes, ...]
    response_digest: str
    salt: str
    redacted: tuple[str, ...] = ()
    """The redaction rules that changed a piece; empty where the pieces are the exact bytes."""
    cut: bool = False
    """Whether the response ended before its end was seen."""


class Response(Struct, frozen=True, omit_defaults=True):
    """What a model answered, once it is complete.

    Tokens are as the provider counted them: `input_tokens` include `cached_tokens`, `output_tokens` include those of
    its reasoning. `cost` is in US dollars, a decimal in text, empty where no price is known. `unrecorded` says why
    `wire` is empty where the provider can't be recorded.
    """

    text: str = ""
    proposals: tuple[Proposal, ...] = ()
    reasoning: str = ""
    finish: Finish = "stop"
    model: str = ""
    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    cost: str = ""
    native: Any = None
    wire: tuple[Exchange, ...] = ()
    unrecorded: str = ""
