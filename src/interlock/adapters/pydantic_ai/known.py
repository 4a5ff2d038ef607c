"""What is known of a tool of Pydantic AI: what it is called, what it takes, and whose it is to perform it."""

from collections.abc import Mapping
from typing import Any

from pydantic_ai.toolsets import FunctionToolset, ToolsetTool
from pydantic_ai.toolsets.abstract import SchemaValidatorProt
from pydantic_ai.toolsets.function import FunctionToolsetTool

from interlock.adapters.governor import Governor


class Valid(dict[str, Any]):
    """Arguments that the tool's own validator has let through; they are not validated a second time."""


class Known(SchemaValidatorProt):
    """Stands in the place of a tool's validator, and tells toolsets on the way that somebody owns the tool's body.

    The mutable state: the name, which toolsets on the way to the model may change.

    Args:
        tool: The tool, as the toolset below has it.
        owner: What the toolset that performs it is known by.
    """

    def __init__(self, tool: ToolsetTool[Any], owner: object) -> None:
        self.owner = owner
        self.name = tool.tool_def.name
        self._validator: Any = tool.args_validator
        self._function = _function(tool)
        self._is_typed = not _takes_anything(self._validator)

    def validate_json(self, input: str | bytes | bytearray, **options: Any) -> Any:  # noqa: A002 - the protocol's word
        """Validate arguments, as the tool's own validator does."""
        return self._validator.validate_json(input, **options)

    def validate_python(self, input: Any, **options: Any) -> Any:  # noqa: A002 - the protocol's word
        """Validate arguments, as the tool's own validator does."""
        return self._validator.validate_python(input, **options)

    def bind(self, governor: Governor, tool: ToolsetTool[Any]) -> None:
        """Tell a governor what the tool takes.

        Raises:
            DeclarationError: the schema is none, or a function attached to the tool does not take the arguments.
            PolicyError: a rule names an argument that the tool does not have.
        """
        schema = tool.tool_def.parameters_json_schema
        alone = None if self._function is None else self._function.single_arg_name
        if alone is not None:
            # A lone model is shown to the LLM without the name of its parameter; rules and undo functions name it.
            definitions = {"$defs": schema["$defs"]} if "$defs" in schema else {}
            inner = {name: part for name, part in schema.items() if name != "$defs"}
            schema = {"type": "object", "properties": {alone: inner}, "required": [alone], **definitions}
        doc = tool.tool_def.description or ""
        governor.bind(self.name, doc, schema, validate=self._validate if self._is_typed else None)

    def _validate(self, raw: Mapping[str, Any]) -> Mapping[str, Any]:
        if isinstance(raw, Valid):
            return raw
        if self._function is not None:
            return self._function.revalidate(dict(raw))
        return self._validator.validate_python(dict(raw))


def _function(tool: ToolsetTool[Any]) -> Any:
    if isinstance(tool, FunctionToolsetTool) and isinstance(tool.toolset, FunctionToolset):
        return tool.toolset.tools[tool.original_name or tool.tool_def.name].function_schema
    return None


def _takes_anything(validator: Any) -> bool:
    """Whether a validator lets everything through, as that of an MCP tool does: the server is to look."""
    nonsense = object()
    try:
        return validator.validate_python(nonsense) is nonsense
    except Exception:  # noqa: BLE001 - whatever it raises, it does not let it through
        return False
