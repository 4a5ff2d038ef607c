"""Arguments and results of an action: their schema for the model, their validation, their types.

pydantic is imported here and only here, when the first schema is needed: `import interlock` stays cheap.
"""

# ruff: noqa: PLC0415  # see above

import difflib
import inspect
import reprlib
import typing
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import msgspec

from interlock.actions.context import Ctx
from interlock.errors import DeclarationError

MOST_PROBLEMS = 20
"""How many things wrong with one proposal are told at once."""

_shown = reprlib.Repr()
_shown.maxstring = _shown.maxother = _shown.maxlong = 80


class MisfitError(ValueError):
    """Arguments that don't fit: in full, and by the kinds of what is wrong, in which nothing of them is repeated."""

    def __init__(self, says: str, kinds: tuple[str, ...]) -> None:
        super().__init__(says)
        self.kinds = kinds


class Signature:
    """What an action's function takes and returns, read from its hints, defaults and docstring.

    Attributes:
        names: The names of the arguments, in order.
        doc: What the action does: the docstring without its section on arguments.

    Args:
        name: The action's name.
        function: The author's function.
        has_context: Whether its first parameter is the context of the call, which no model gives.

    Raises:
        DeclarationError: the hints give no schema; the message names the parameter and says what to write.
    """

    def __init__(self, name: str, function: Callable[..., Any], *, has_context: bool = True) -> None:
        self._action = name
        parameters = _parameters(name, function, has_context=has_context)
        self.names = tuple(one.name for one in parameters)
        hints = _hints(name, function, has_context=has_context)
        self.doc, described = _documented(function)
        self._fields = tuple((f"a_{one}", one) for one in self.names)
        self._model = _model(name, parameters, hints, described)
        self._validate = self._model.__pydantic_validator__.validate_python
        self._returns = _returns(name, hints)
        self._check_defaults()
        self._schema: dict[str, Any] | None = None

    def _check_defaults(self) -> None:
        from pydantic import ValidationError

        try:
            self._validate({})
        except ValidationError as error:
            wrong = [str(one["loc"][0])[2:] for one in error.errors() if one["type"] != "missing"]
            if wrong:
                raise DeclarationError(
                    f"action {self._action!r}: the default of {wrong[0]!r} does not have its type"
                ) from None

    def json_schema(self) -> dict[str, Any]:
        """Return the JSON schema of the arguments, as model APIs want it.

        Raises:
            DeclarationError: a type has none.
        """
        if self._schema is None:
            self._schema = self._described()
        return self._schema

    def _described(self) -> dict[str, Any]:
        try:
            schema: dict[str, Any] = self._model.model_json_schema()
        except Exception as error:
            raise DeclarationError(
                f"action {self._action!r}: its parameters have no JSON schema ({_line(error)}); "
                "use plain data, dataclasses or pydantic models"
            ) from error
        schema.pop("title", None)
        for field in schema.setdefault("properties", {}).values():
            field.pop("title", None)
        _refuse_bytes(self._action, schema, "a parameter")
        return schema

    def result_schema(self) -> dict[str, Any]:
        """Return the JSON schema of the result; an empty one where its type says nothing of it."""
        from pydantic.errors import PydanticInvalidForJsonSchema

        with suppress(PydanticInvalidForJsonSchema):
            return {} if self._returns is None else self._returns.json_schema()
        return {}

    def arguments(self, raw: object) -> dict[str, Any]:
        """Return the arguments as typed values with the defaults filled in.

        Raises:
            ValueError: they don't fit; the message names each argument and what is wrong with it.
        """
        from pydantic import ValidationError

        try:
            valid = self._validate(raw)
        except ValidationError as error:
            raise ValueError(self._problems(error)) from None
        return self._named(valid)

    def strictly(self, given: bytes) -> dict[str, Any]:
        """Return the arguments from JSON as typed values, none of them converted from another type ("7" is no number).

        Raises:
            MisfitError: they don't fit.
        """
        from pydantic import ValidationError

        try:
            return self._named(self._model.__pydantic_validator__.validate_json(given, strict=True))
        except ValidationError as error:
            kinds = dict.fromkeys(one["type"] for one in error.errors(include_url=False, include_input=False))
            raise MisfitError(self._problems(error), tuple(kinds)) from None

    def _named(self, valid: Any) -> dict[str, Any]:
        values = valid.__dict__
        return {name: values[field] for field, name in self._fields}

    def result(self, recorded: bytes) -> Any:
        """Return a recorded result as the declared type, or as plain data where it doesn't fit that."""
        if self._returns is not None:
            try:
                return self._returns.validate_json(recorded)
            except ValueError:
                pass
        return msgspec.json.decode(recorded)

    def _problems(self, error: Any) -> str:
        """Say what is wrong with each argument, in a line that a model can act on."""
        lines: list[str] = []
        for one in error.errors(include_url=False, include_context=False)[:MOST_PROBLEMS]:
            where = _where(one["loc"])
            if one["type"] == "extra_forbidden" and len(one["loc"]) == 1:
                lines.append(f"{where}: there is no such argument; {self._hint(str(one['loc'][0]))}")
            elif one["type"] == "missing":
                lines.append(f"{where}: {one['msg']}")
            else:
                lines.append(f"{where or 'arguments'}: {one['msg']} (got {_short(one['input'])})")
        return "; ".join(lines)

    def _hint(self, name: str) -> str:
        near = difflib.get_close_matches(name, self.names, 1)
        if near:
            return f"did you mean {near[0]!r}?"
        return f"there are: {', '.join(self.names)}" if self.names else "it takes none"


def _parameters(name: str, function: Callable[..., Any], *, has_context: bool) -> list[inspect.Parameter]:
    """Return the parameters behind the context, each of which a model can give by name."""
    parameters = list(inspect.signature(function).parameters.values())
    if not has_context:
        return _nameable(name, parameters)
    if not parameters or parameters[0].kind not in (
        inspect.Parameter.POSITIONAL_ONLY,
        inspect.Parameter.POSITIONAL_OR_KEYWORD,
    ):
        raise DeclarationError(f"action {name!r}: its first parameter is the context; write def {name}(ctx: Ctx[…], …)")
    return _nameable(name, parameters[1:])


def _nameable(name: str, parameters: list[inspect.Parameter]) -> list[inspect.Parameter]:
    for parameter in parameters:
        if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
            raise DeclarationError(
                f"action {name!r}: parameter {str(parameter)!r} has no name that a model could give; "
                "use named parameters only"
            )
        if parameter.annotation is parameter.empty:
            raise DeclarationError(
                f"action {name!r}: parameter {parameter.name!r} has no type; write for example {parameter.name}: str"
            )
    return parameters


def _hints(name: str, function: Callable[..., Any], *, has_context: bool) -> dict[str, Any]:
    """Return the types of arguments and result; the context's may be known to type checkers only."""
    function = inspect.unwrap(function)
    written = dict(function.__annotations__)
    if has_context:
        first = next(iter(inspect.signature(function).parameters))
        _check_context(name, first, written.pop(first, Ctx), function.__globals__)
    holder = SimpleNamespace(__annotations__=written)
    try:
        return typing.get_type_hints(holder, function.__globals__, include_extras=True)
    except (NameError, AttributeError, SyntaxError, TypeError) as error:
        raise DeclarationError(
            f"action {name!r}: a type in its signature can't be resolved ({error}); "
            "define or import it at the top of the module"
        ) from error


def _check_context(name: str, first: str, hint: Any, known: dict[str, Any]) -> None:
    """Refuse a first parameter that is not the context, as far as its type can be told."""
    try:
        hint = typing.get_type_hints(SimpleNamespace(__annotations__={first: hint}), known)[first]
    except (NameError, AttributeError, SyntaxError, TypeError):
        return
    kind = typing.get_origin(hint) or hint
    if isinstance(kind, type) and not issubclass(kind, Ctx):
        raise DeclarationError(
            f"action {name!r}: its first parameter is the context, but {first!r} is a {kind.__name__}; "
            f"write def {name}(ctx: Ctx[…], {first}: {kind.__name__}, …)"
        )


def _model(
    name: str, parameters: Iterable[inspect.Parameter], hints: dict[str, Any], described: Mapping[str, str]
) -> Any:
    from pydantic import ConfigDict, Field, create_model
    from pydantic.fields import FieldInfo

    fields: dict[str, Any] = {}
    for parameter in parameters:
        info: Any = parameter.default
        if not isinstance(info, FieldInfo):
            info = Field() if info is parameter.empty else Field(default=info)
        # A field may not begin with an underscore or hide a method of the model: the alias carries the name.
        hint = typing.Annotated[hints[parameter.name], Field(alias=parameter.name)]
        description = described.get(parameter.name)
        if description is not None and not _is_described(hint):
            hint = typing.Annotated[hint, Field(description=description)]
        fields[f"a_{parameter.name}"] = (hint, info)
    config = ConfigDict(
        extra="forbid",
        # A default has the form of a given argument, so that both have the same digest.
        validate_default=True,
        allow_inf_nan=False,
    )
    try:
        return create_model(name, __config__=config, **fields)
    except Exception as error:
        raise DeclarationError(
            f"action {name!r}: its parameters have no schema ({_line(error)}); "
            "use plain data, dataclasses or pydantic models"
        ) from error


def _is_described(hint: Any) -> bool:
    return any(getattr(one, "description", None) for one in getattr(hint, "__metadata__", ()))


def _returns(name: str, hints: Mapping[str, Any]) -> Any:
    from pydantic import TypeAdapter
    from pydantic.errors import PydanticInvalidForJsonSchema

    if "return" not in hints:
        return None
    try:
        adapter = TypeAdapter[Any](hints["return"])
    except Exception as error:
        raise DeclarationError(
            f"action {name!r}: its result can't be recorded ({_line(error)}); "
            "return plain data, a dataclass or a pydantic model"
        ) from error
    with suppress(PydanticInvalidForJsonSchema):
        _refuse_bytes(name, adapter.json_schema(), "its result")
    return adapter


def _refuse_bytes(name: str, schema: Any, what: str) -> None:
    """Refuse bytes: JSON has only text for them, and what is read back would not be what was written."""
    parts: Iterable[Any] = ()
    if isinstance(schema, dict):
        fields = typing.cast("dict[str, Any]", schema)
        parts = fields.values()
        if fields.get("format") == "binary":
            raise DeclarationError(
                f"action {name!r}: {what} holds bytes, which JSON can't say; write pydantic.Base64Bytes"
            )
    elif isinstance(schema, list):
        parts = typing.cast("list[Any]", schema)
    for part in parts:
        _refuse_bytes(name, part, what)


def _documented(function: Callable[..., Any]) -> tuple[str, dict[str, str]]:
    """Return what a docstring says of the function and of each argument, in any of the known styles."""
    text = inspect.getdoc(function) or ""
    if "\n" not in text:
        return text, {}
    import docstring_parser

    try:
        parsed = docstring_parser.parse(text)
    except docstring_parser.ParseError:
        return text, {}
    described = {one.arg_name: one.description for one in parsed.params if one.description}
    parts = (parsed.short_description, parsed.long_description)
    return ("\n\n".join(part for part in parts if part) if described else text), described


def _line(error: Exception) -> str:
    """Return the first sentence of pydantic's often long message."""
    return (str(error) or type(error).__name__).splitlines()[0].split(". ")[0].rstrip(".")


def _where(place: tuple[int | str, ...]) -> str:
    """Return a place in the arguments; what looks like a known name but is another shows its true letters."""
    shown = [ascii(part).strip("'") for part in place[:8]]
    return ".".join([*shown, "…"] if len(place) > len(shown) else shown)


def _short(value: Any) -> str:
    try:
        return _shown.repr(value)
    except (ValueError, RecursionError):
        return f"a {type(value).__name__}"
