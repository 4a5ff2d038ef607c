"""Function tools of the SDK whose every call takes the path of an action."""

import copy
from collections.abc import Mapping
from typing import Any, NamedTuple, cast

from agents import FunctionTool, RunContextWrapper, ToolOriginType, ToolTimeoutError
from agents.function_schema import function_schema
from agents.tool import (
    ToolOutputFileContent,
    ToolOutputImage,
    ToolOutputText,
    default_tool_timeout_error_message,
    get_function_tool_origin,
    invoke_function_tool,
    maybe_invoke_function_tool_failure_error_function,
    set_function_tool_failure_error_function,
)
from agents.tool_context import ToolContext
from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import to_json, to_jsonable_python

from interlock.actions.foreign import Validate
from interlock.actions.tool import Tool
from interlock.adapters.governor import Governor
from interlock.adapters.openai_agents.places import CallId, Place
from interlock.adapters.openai_agents.responses import arguments_of, plain
from interlock.adapters.showing import Showing
from interlock.errors import DeclarationError, InterlockError
from interlock.models import Proposal
from interlock.runtime.outcomes import Done, Outcome, Waiting

_part = TypeAdapter[Any](ToolOutputText | ToolOutputImage | ToolOutputFileContent)


class Standing(NamedTuple):
    """Where a call stands."""

    place: Place
    call: CallId


def standing(governor: Governor, name: str, call_id: str) -> Standing:
    """Return where a call of a tool stands.

    Raises:
        DeclarationError: it stands in no run, or no governed model has made it.
    """
    place = Place.current(governor, f"tool {name!r}")
    call = CallId.parse(call_id)
    if call is None or place.seen(call_id) is None:
        raise DeclarationError(
            f"tool {name!r}: call {call_id!r} does not come from a model that `govern` has seen, or from another run; "
            "set models on the agents, not in RunConfig, and go on with a state in the run that it was made in"
        )
    return Standing(place, call)


class GovernedInvoker:
    """What stands in the place of a tool's `on_invoke_tool`, and asks the governor first.

    Args:
        tool: The tool as it was.
        governor: Who judges its calls.

    Attributes:
        own_approval: Whether the tool asks for approvals by itself.
        is_for_programs: Whether its results have a schema, for the code that a model writes.

    Raises:
        DeclarationError: the governor can't take the tool's schema.
        PolicyError: a rule names an argument that the tool does not have.
    """

    def __init__(self, tool: FunctionTool, governor: Governor) -> None:
        self.governor = governor
        self.own_approval = tool.needs_approval
        self.is_for_programs = "programmatic" in (tool.allowed_callers or ()) and tool.output_json_schema is not None
        self._told = tool
        # An exception has to reach the governor before anybody makes words of it: it may come after the effect.
        self._tool = set_function_tool_failure_error_function(copy.copy(tool), None)
        self._tool.timeout_behavior = "raise_exception"
        self._validate = _validation(tool)
        _alone(tool, governor)
        governor.bind(tool.qualified_name, tool.description, tool.params_json_schema, validate=self._validate)

    async def __call__(self, ctx: ToolContext[Any], arguments: str) -> Any:
        """Perform a call, if it may be, and return its result or what the model is told instead."""
        place, call = standing(self.governor, ctx.tool_name, ctx.tool_call_id)

        async def body(judged: dict[str, Any]) -> Any:
            text = to_json(judged, by_alias=True).decode()
            ctx.tool_arguments = text
            with place.body_of(call):
                return plain(await invoke_function_tool(function_tool=self._tool, context=ctx, arguments=text))

        try:
            outcome = await self.governor.perform(place.block.where, self._proposal(call, arguments), body)
        except InterlockError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever the body raised, the tool has words for it
            words = await self._words(ctx, error)
            return self.governor.showing(call.key).text(words) if isinstance(words, str) else words
        showing = self.governor.showing(call.key)
        if not isinstance(outcome, Done) or outcome.problem:
            return showing.told(outcome)
        return outcome.result if self.is_for_programs else _shown(outcome.result, showing)

    async def waits(self, ctx: RunContextWrapper[Any], given: dict[str, Any], call_id: str) -> bool:
        """Tell whether a call waits for a person: as the policy has it, or as the tool itself does."""
        place, call = standing(self.governor, self._told.qualified_name, call_id)
        outcome = await self.weigh(place, call, given)
        if outcome is not None:
            waiting = isinstance(outcome, Waiting) and bool(outcome.questions)
        elif callable(self.own_approval):
            waiting = bool(await self.own_approval(ctx, self._judged(given), call_id))
        else:
            waiting = self.own_approval
        if waiting:
            place.waits(True)
        return waiting

    async def weigh(self, place: Place, call: CallId, given: dict[str, Any]) -> Outcome | None:
        """Return what a call waits for or came to; None if it may be performed."""
        return await self.governor.weigh(place.block.where, self._proposal(call, to_json(given).decode()))

    def _proposal(self, call: CallId, arguments: str) -> Proposal:
        return Proposal(self._told.qualified_name, arguments_of(arguments), key=call.key)

    def _judged(self, given: dict[str, Any]) -> dict[str, Any]:
        judged = given if self._validate is None else self._validate(given)
        return cast("dict[str, Any]", to_jsonable_python(judged, by_alias=True))

    async def _words(self, ctx: ToolContext[Any], error: Exception) -> Any:
        """Return what the tool tells the model of a failure after which nothing has happened, or raise it."""
        if isinstance(error, ToolTimeoutError):
            return await self._late(ctx, error)
        words = await maybe_invoke_function_tool_failure_error_function(
            function_tool=self._told, context=ctx, error=error
        )
        if words is None:
            raise error
        return words

    async def _late(self, ctx: ToolContext[Any], error: ToolTimeoutError) -> Any:
        if self._told.timeout_behavior == "raise_exception":
            raise error
        say = self._told.timeout_error_function
        if say is None:
            return default_tool_timeout_error_message(tool_name=error.tool_name, timeout_seconds=error.timeout_seconds)
        words = say(ctx, error)
        return words if isinstance(words, str) else await words


def governed(tool: FunctionTool, governor: Governor) -> FunctionTool:
    """Return a tool like *tool* whose calls go through the governor; one that is governed comes back as it is.

    Raises:
        DeclarationError: another governor has it, or its schema can't be taken.
        PolicyError: a rule names an argument that the tool does not have.
    """
    if isinstance(tool.on_invoke_tool, (GovernedInvoker, Refusing)):
        if tool.on_invoke_tool.governor is not governor:
            raise DeclarationError(f"tool {tool.qualified_name!r} has another governor already")
        return tool
    invoker = GovernedInvoker(tool, governor)
    made = copy.copy(tool)
    made.on_invoke_tool = invoker
    made.needs_approval = invoker.waits
    made.timeout_seconds = None  # It is kept where the body is performed: an effect that is late is not known.
    if "programmatic" not in (made.allowed_callers or ()):
        made.output_json_schema = None  # A refusal is words, whatever the tool's results are.
        made._output_type_adapter = None  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - it has no other door
    return made


class Refusing:
    """What stands behind a name that the model made up."""

    def __init__(self, governor: Governor, agent: str, name: str, there: list[str]) -> None:
        self.governor = governor
        self._name = name
        self._reason = f"agent {agent!r} has no tool {name[:200]!r}"
        self._instead = f"there are: {', '.join(there) or 'none'}"

    async def __call__(self, ctx: ToolContext[Any], arguments: str) -> str:
        """Record that there is no such tool, and say what there is."""
        place, call = standing(self.governor, self._name, ctx.tool_call_id)
        proposal = Proposal(self._name, arguments_of(arguments), key=call.key)
        await self.governor.refuse(place.block.where, proposal, self._reason, self._instead)
        return f"It was not done: {self._reason}; {self._instead}."


def refusing(governor: Governor, agent: str, name: str, there: list[str]) -> FunctionTool:
    """Return a tool of a name that the model made up; it does nothing but tell it so."""
    return FunctionTool(
        name=name,
        description="",
        params_json_schema={},
        on_invoke_tool=Refusing(governor, agent, name, there),
        strict_json_schema=False,
    )


def _alone(tool: FunctionTool, governor: Governor) -> None:
    """Raise if another tool has the name: rules go by it. What a server lists may change."""
    found = governor.agent.actions.get(tool.qualified_name)
    origin = get_function_tool_origin(tool)
    if not isinstance(found, Tool) or not found.is_bound or (origin and origin.type is ToolOriginType.MCP):
        return
    if found.signature.json_schema() != tool.params_json_schema:
        raise DeclarationError(
            f"two tools are named {tool.qualified_name!r} and take different things; give one another name "
            "(name_override=)"
        )


def _validation(tool: FunctionTool) -> Validate | None:
    """Return the validation of a decorated function, as the SDK does it; None for tools with a schema only."""
    function = getattr(tool, "__wrapped__", None)
    if function is None:
        return None
    try:
        model = function_schema(function, strict_json_schema=tool.strict_json_schema).params_pydantic_model
    except Exception:  # noqa: BLE001 - some callables that the SDK takes it can't describe; their schema is there
        return None

    def validate(raw: Mapping[str, Any]) -> Mapping[str, Any]:
        try:
            return _values(model(**raw))
        except ValidationError as error:
            raise ValueError(_problems(error)) from None

    return validate


def _shown(result: Any, showing: Showing) -> Any:
    """Return a result as the model may see it; of what the SDK sends in parts, images and files stay as they are."""
    parts = cast("list[Any]", result) if isinstance(result, list) else [result]
    if not parts or not all(_is_part(one) for one in parts):
        return showing.data(result)
    return [{**one, "text": showing.text(one["text"])} if one["type"] == "text" else one for one in parts]


def _is_part(value: Any) -> bool:
    """Whether the SDK sends this to the model as it is, and not as a text."""
    try:
        return isinstance(value, dict) and "type" in value and bool(_part.validate_python(value))
    except ValidationError:
        return False


def _values(valid: BaseModel) -> dict[str, Any]:
    fields = type(valid).model_fields
    return {fields[name].alias or name: value for name, value in vars(valid).items()}


def _problems(error: ValidationError) -> str:
    return "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors(include_url=False)[:20])
