"""What a tool of somebody else takes: a JSON schema, or the other side's own validation."""

# ruff: noqa: PLC0415 - jsonschema is imported when the first foreign schema is read: most programs have none

import reprlib
from collections.abc import Callable, Mapping
from typing import Any, cast

import msgspec

from interlock.errors import DeclarationError

Validate = Callable[[Mapping[str, Any]], Mapping[str, Any]]
"""Another library's validation of arguments: raw in, typed and with defaults out; ValueError where they don't fit."""

MOST_PROBLEMS = 20
"""How many things wrong with one proposal are told at once."""

_OPENING = (
    "additionalProperties",
    "patternProperties",
    "unevaluatedProperties",
    "allOf",
    "anyOf",
    "oneOf",
    "if",
    "$ref",
)
"""What in a schema says more about the arguments than their list of properties does."""

_shown = reprlib.Repr()
_shown.maxstring = _shown.maxother = _shown.maxlong = 80


class Unseen:
    """Stands for what a tool takes until somebody has said it: nothing is known, nothing is refused."""

    doc = ""
    names: tuple[str, ...] = ()
    open = True

    def json_schema(self) -> dict[str, Any]:
        """Return a schema that takes any object."""
        return {"type": "object"}

    def arguments(self, raw: object) -> dict[str, Any]:
        """Return the arguments as they were recorded, or given.

        Raises:
            ValueError: they are no object.
        """
        return dict(_mapping(raw))

    def result(self, recorded: bytes) -> Any:
        """Return a recorded result as plain data."""
        return msgspec.json.decode(recorded)


class Foreign(Unseen):
    """What a tool takes, from its JSON schema.

    An argument that the schema does not list is refused where the schema does not say what becomes of it: no rule
    could have seen it. References out of the schema are never fetched.

    Args:
        tool: The tool's name, for messages.
        doc: What it does.
        schema: The JSON schema of its arguments (an object).
        validate: The other library's own validation, used instead of the schema.

    Attributes:
        names: The names of the arguments that the schema lists.
        open: Whether it takes others too.

    Raises:
        DeclarationError: the schema is none, or describes no object.
    """

    def __init__(self, tool: str, doc: str, schema: Mapping[str, Any], validate: Validate | None = None) -> None:
        if not isinstance(schema.get("properties", {}), Mapping) or schema.get("type", "object") != "object":
            raise DeclarationError(f"tool {tool!r}: its schema describes no object of named arguments")
        self.doc = doc
        self.names = tuple(schema.get("properties", {}))
        self.open = _is_open(schema)
        self.schema = dict(schema)
        self._validate = _by_schema(tool, schema) if validate is None else validate

    def json_schema(self) -> dict[str, Any]:
        """Return the JSON schema of the arguments."""
        return self.schema

    def arguments(self, raw: object) -> dict[str, Any]:
        """Return the arguments, validated, with the defaults of the schema filled in.

        Raises:
            ValueError: they don't fit; the message names each argument and what is wrong with it.
        """
        return dict(self._validate(_mapping(raw)))


def _mapping(raw: object) -> Mapping[str, Any]:
    if not isinstance(raw, Mapping):
        raise ValueError(f"the arguments are no JSON object but {_shown.repr(raw)}")  # noqa: TRY004 - see `arguments`
    return cast("Mapping[str, Any]", raw)


def _is_open(schema: Mapping[str, Any]) -> bool:
    if "additionalProperties" in schema:
        return schema["additionalProperties"] is not False
    return "properties" not in schema or any(word in schema for word in _OPENING)


def _by_schema(tool: str, schema: Mapping[str, Any]) -> Validate:
    try:
        from jsonschema.exceptions import SchemaError
        from jsonschema.validators import validator_for
        from referencing import Registry
        from referencing.exceptions import Unresolvable
    except ImportError as error:
        raise DeclarationError(
            f"tool {tool!r}: its arguments are checked against its JSON schema, which needs a package: "
            "pip install 'interlock[mcp]' (or the extra of your framework)"
        ) from error
    kind = cast("Any", validator_for)(schema)
    try:
        kind.check_schema(schema)
    except SchemaError as error:
        raise DeclarationError(f"tool {tool!r}: its schema is not a valid JSON schema: {error.message}") from error
    closed = dict(schema) if _is_open(schema) else {**schema, "additionalProperties": False}
    # Without a registry of its own it would fetch what the schema refers to, from wherever its author says.
    nowhere = cast("Any", Registry)()
    judge = kind(closed, registry=nowhere, format_checker=kind.FORMAT_CHECKER)
    defaults = _defaults(schema)

    def validate(raw: Mapping[str, Any]) -> Mapping[str, Any]:
        given = {**defaults, **raw}
        try:
            problems = [_problem(one) for _, one in zip(range(MOST_PROBLEMS), judge.iter_errors(given), strict=False)]
        except Unresolvable as error:
            raise ValueError(f"the schema refers to something that is not in it: {error}") from error
        if problems:
            raise ValueError("; ".join(problems))
        return given

    return validate


def _defaults(schema: Mapping[str, Any]) -> dict[str, Any]:
    properties = cast("Mapping[str, Any]", schema.get("properties", {}))
    return {name: one["default"] for name, one in properties.items() if isinstance(one, dict) and "default" in one}


def _problem(error: Any) -> str:
    """Say what is wrong with one argument; long values, which jsonschema repeats whole, lose their middle."""
    where = ".".join(str(part) for part in error.absolute_path)
    said = error.message if len(error.message) <= 300 else f"{error.message[:150]}…{error.message[-150:]}"
    return f"{where}: {said}" if where else said
