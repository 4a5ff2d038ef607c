"""Between our requests and responses and those of pydantic-ai's model classes.

A history has to be one that every provider takes: each proposal with an id of its own and with its result right
behind the turn that made it, no text that is empty, the user first and last. What a history lacks for that is made
here, and always the same way, so that it never moves what stands before it.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import msgspec
from msgspec import Struct
from pydantic import ValidationError
from pydantic_ai.messages import (
    InstructionPart,
    ModelMessage,
    ModelMessagesTypeAdapter,
    ModelRequest,
    ModelResponse,
    TextPart,
    ThinkingPart,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
)
from pydantic_ai.models import ModelRequestParameters
from pydantic_ai.tools import ToolDefinition

from interlock.models.messages import (
    Definition,
    Exchange,
    Finish,
    Message,
    ModelSaid,
    Note,
    Proposal,
    Request,
    Response,
    Result,
    UserSaid,
)
from interlock.models.recording import bare

FINISHES: dict[str, Finish] = {"length": "length", "content_filter": "filtered"}
"""How pydantic-ai calls what ended a response, where its proposals don't say it already."""

LONGEST_ID = 64
"""How many characters of a tool-call id OpenAI takes."""

_STRANGE = re.compile(r"[^a-zA-Z0-9_-]")
_MARK = re.compile(r"\[\s*runtime\s*\]", re.IGNORECASE)


def parameters(request: Request) -> ModelRequestParameters:
    """Return what a request holds beside its messages."""
    return ModelRequestParameters(
        function_tools=[_tool(one) for one in request.actions],
        allow_text_output=not (request.must_propose and request.actions),
        instruction_parts=[InstructionPart(request.instructions)] if request.instructions.strip() else [],
    )


def history(messages: Sequence[Message], family: str) -> list[ModelMessage]:
    """Return the messages as a provider takes them.

    What a model of the same *family* (the provider's name before the colon) said goes back in its native form.
    """
    turns = _Turns(family)
    for message in messages:
        turns.add(message)
    return turns.told()


def response(answer: ModelResponse, wire: tuple[Exchange, ...], unrecorded: str) -> Response:
    """Return what a model answered as our `Response`."""
    proposals = tuple(_proposal(part) for part in answer.parts if isinstance(part, ToolCallPart))
    return Response(
        text="".join(part.content for part in answer.parts if isinstance(part, TextPart)) + refusal(answer),
        proposals=proposals,
        reasoning="\n\n".join(part.content for part in answer.parts if isinstance(part, ThinkingPart) and part.content),
        finish=FINISHES.get(answer.finish_reason or "", "calls" if proposals else "stop"),
        model=answer.model_name or "",
        input_tokens=answer.usage.input_tokens,
        output_tokens=answer.usage.output_tokens,
        cached_tokens=answer.usage.cache_read_tokens,
        cost=_cost(answer),
        native=_as_data(answer),
        wire=wire,
        unrecorded=unrecorded,
    )


def refusal(answer: ModelResponse) -> str:
    """Return the words with which OpenAI's models refuse, which stand apart from their text."""
    said = (answer.provider_details or {}).get("refusal")
    return said if isinstance(said, str) else ""


class _Call(Struct):
    """A proposal of the last turn: its id for the provider, and what became of it."""

    key: str
    action: str
    id: str
    result: ToolReturnPart | None = None


class _Turns:
    """The history as it grows.

    The mutable state: the messages, the ids that are taken, the last turn's calls, and what was said since it.
    """

    def __init__(self, family: str) -> None:
        self._family = family
        self._messages: list[ModelMessage] = []
        self._taken: set[str] = set()
        self._calls: list[_Call] = []
        self._since: list[ModelMessage] = []

    def add(self, message: Message) -> None:
        match message:
            case UserSaid(text):
                self._since.append(_said(text))
            case Note(text):
                self._since.append(_noted(text))
            case Result():
                self._result(message)
            case ModelSaid():
                self._close()
                if message.text.strip() or message.proposals:
                    self._messages.append(self._turn(message))

    def told(self) -> list[ModelMessage]:
        self._close()
        if not self._messages or isinstance(self._messages[0], ModelResponse):
            self._messages.insert(0, _noted("The conversation begins here."))
        if isinstance(self._messages[-1], ModelResponse):
            self._messages.append(_noted("Go on."))
        return self._messages

    def _close(self) -> None:
        """Put down the results of the last turn's calls, and then what was said meanwhile."""
        if self._calls:
            self._messages.append(ModelRequest([call.result or _missing(call) for call in self._calls]))
        self._messages += self._since
        self._calls, self._since = [], []

    def _result(self, result: Result) -> None:
        waiting = [call for call in self._calls if call.result is None and call.action == result.action]
        call = next((call for call in waiting if call.key == result.key), None)
        if call is None:
            self._since.append(_noted(f"The result of {result.action}: {result.text}"))
            return
        call.result = ToolReturnPart(
            call.action,
            result.text if result.text.strip() else "[runtime] It returned nothing.",
            call.id,
            outcome="failed" if result.failed else "success",
        )

    def _turn(self, said: ModelSaid) -> ModelResponse:
        """Return a turn in the form in which the provider gave it, or else from its text and proposals."""
        native = _native(said) if said.by.partition(":")[0] == self._family else None
        turn = native or _plain(said)
        proposals = iter(said.proposals)
        parts = [
            self._called(part, next(proposals)) if isinstance(part, ToolCallPart) else part
            for part in turn.parts
            if not (isinstance(part, TextPart) and not part.content.strip())
        ]
        return replace(turn, parts=parts)

    def _called(self, part: ToolCallPart, proposal: Proposal) -> ToolCallPart:
        """Note a call of the last turn, under an id that no other call of the history has."""
        place = str(len(self._calls))
        identity = wanted = part.tool_call_id or "call"
        number = len(self._taken)
        while identity in self._taken:
            number += 1
            identity = f"{wanted[: LONGEST_ID - 8]}-{number}"
        self._taken.add(identity)
        self._calls.append(_Call(proposal.key or place, proposal.action, identity))
        return part if identity == part.tool_call_id else replace(part, tool_call_id=identity)


def _said(text: str) -> ModelRequest:
    """Return words of the user, who can't pass for the runtime."""
    if not text.strip():
        return _noted("The user sent an empty message.")
    return ModelRequest([UserPromptPart(_MARK.sub("(runtime)", text))])


def _noted(text: str) -> ModelRequest:
    return ModelRequest([UserPromptPart(f"[runtime] {text}")])


def _missing(call: _Call) -> ToolReturnPart:
    text = "[runtime] No result is known; do not take it for done."
    return ToolReturnPart(call.action, text, call.id, outcome="failed")


def _native(said: ModelSaid) -> ModelResponse | None:
    """Return the provider's own form of a turn, if it is there, can be read and says the same."""
    if said.native is None:
        return None
    try:
        (turn,) = ModelMessagesTypeAdapter.validate_python([said.native])
    except ValidationError:
        return None
    called = [(part.tool_name, part.tool_call_id) for part in turn.parts if isinstance(part, ToolCallPart)]
    same = called == [(one.action, one.key) for one in said.proposals]
    return turn if same and isinstance(turn, ModelResponse) else None


def _plain(said: ModelSaid) -> ModelResponse:
    calls = [ToolCallPart(one.action, _given(one), _fitting(one.key)) for one in said.proposals]
    return ModelResponse([TextPart(said.text), *calls])


def _given(proposal: Proposal) -> str | dict[str, Any]:
    return proposal.args if isinstance(proposal.args, str) else dict(proposal.args)


def _fitting(key: str) -> str:
    """Return a key as an id that every provider takes."""
    return _STRANGE.sub("_", key)[:LONGEST_ID]


def _tool(definition: Definition) -> ToolDefinition:
    return ToolDefinition(
        name=definition.name, description=definition.description, parameters_json_schema=definition.schema
    )


def _proposal(part: ToolCallPart) -> Proposal:
    return Proposal(part.tool_name, _arguments(part.args), part.tool_call_id)


def _arguments(args: str | dict[str, Any] | None) -> Mapping[str, Any] | str:
    """Return the arguments that a model gave, or their text where that is no JSON object."""
    if not isinstance(args, str):
        return args or {}
    if not args.strip():
        return {}
    try:
        return msgspec.json.decode(args, type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeEncodeError, RecursionError):
        return args


def _as_data(answer: ModelResponse) -> Any:
    url = bare(answer.provider_url) if answer.provider_url else None
    return ModelMessagesTypeAdapter.dump_python([replace(answer, provider_url=url)], mode="json")[0]


def _cost(answer: ModelResponse) -> str:
    try:
        return format(answer.cost().total_price, "f")
    except Exception:  # noqa: BLE001 - a price list that fails must not lose an answer that was paid for
        return ""
