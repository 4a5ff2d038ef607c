"""Arguments and results of an action: their schema for the model, their validation, their bytes.

pydantic lives here and only here, and is imported when the first schema is needed.
"""

import inspect
import typing
from collections.abc import Callable, Mapping
from typing import Any

from interlock.canonical import canonical
from interlock.errors import DeclarationError


class Signature:
    """What an action's function takes and returns, read from its hints, defaults and docstring."""

    def __init__(self, name: str, function: Callable[..., Any]) -> None:
        from pydantic import ConfigDict, Field, TypeAdapter, create_model

        hints = _hints(name, function)
        parameters = list(inspect.signature(function).parameters.values())[1:]
        described = _descriptions(function)
        fields: dict[str, Any] = {}
        for parameter in parameters:
            if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD, parameter.POSITIONAL_ONLY):
                raise DeclarationError(
                    f"action {name!r}: parameter {parameter} has no name that a model could give; "
                    "use named parameters only"
                )
            if parameter.name not in hints:
                raise DeclarationError(
                    f"action {name!r}: parameter {parameter.name!r} has no type; write for example {parameter.name}: str"
                )
            default = ... if parameter.default is parameter.empty else parameter.default
            info = Field(default=default, description=described.get(parameter.name))
            # A field may not begin with an underscore or shadow a method of the model: the alias carries the name.
            fields[f"a_{parameter.name}"] = (hints[parameter.name], info)
        config = ConfigDict(extra="forbid", alias_generator=lambda field: field[2:], arbitrary_types_allowed=False)
        self.names = tuple(parameter.name for parameter in parameters)
        self._fields = tuple((f"a_{one}", one) for one in self.names)
        try:
            self._model = create_model(name, __config__=config, **fields)
        except Exception as error:
            raise DeclarationError(f"action {name!r}: its parameters have no schema: {error}") from error
        self._validate = self._model.__pydantic_validator__.validate_python
        self._returns: Any = TypeAdapter(hints["return"]) if "return" in hints else None

    def json_schema(self) -> dict[str, Any]:
        """Return the JSON schema of the arguments, as model APIs want it."""
        schema = self._model.model_json_schema()
        schema.pop("title", None)
        for field in schema.get("properties", {}).values():
            field.pop("title", None)
        return schema

    def arguments(self, raw: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments as typed values with the defaults filled in.

        Raises:
            ValueError: they don't fit; the message names each argument and what is wrong with it.
        """
        from pydantic import ValidationError

        try:
            valid = self._validate(raw)
        except ValidationError as error:
            raise ValueError(_problems(error)) from None
        values = valid.__dict__
        return {name: values[field] for field, name in self._fields}

    def result(self, recorded: bytes) -> Any:
        """Return a recorded result as the type that the action declares, or as plain data where it doesn't fit it."""
        import msgspec

        if self._returns is not None:
            try:
                return self._returns.validate_json(recorded)
            except ValueError:
                pass
        return msgspec.json.decode(recorded)


def _hints(name: str, function: Callable[..., Any]) -> dict[str, Any]:
    try:
        return typing.get_type_hints(function, include_extras=True)
    except NameError as error:
        raise DeclarationError(
            f"action {name!r}: a type in its signature can't be resolved ({error}); "
            "define or import it at the top of the module"
        ) from error


def _descriptions(function: Callable[..., Any]) -> dict[str, str]:
    text = inspect.getdoc(function)
    if not text or ":" not in text:
        return {}
    import docstring_parser

    return {one.arg_name: one.description for one in docstring_parser.parse(text).params if one.description}


def _problems(error: Any) -> str:
    """Say what is wrong with each argument, in a line that a model can act on."""
    lines: list[str] = []
    for one in error.errors(include_url=False, include_context=False):
        where = ".".join(str(part) for part in one["loc"]) or "arguments"
        given = "" if one["type"] == "missing" else f" (got {_short(one['input'])})"
        lines.append(f"{where}: {one['msg']}{given}")
    return "; ".join(lines)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}…"


def plain(arguments: Mapping[str, Any]) -> bytes:
    """Return arguments as canonical JSON: what is digested, stored and compared."""
    return canonical(arguments)
