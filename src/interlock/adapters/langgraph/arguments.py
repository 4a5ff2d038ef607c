"""What a LangChain tool takes: its JSON schema, and its own validation of what a model sends."""

from collections.abc import Mapping
from typing import Any, cast

from langchain_core.tools import BaseTool, Tool
from pydantic import BaseModel, ValidationError, create_model
from pydantic.fields import FieldInfo

from interlock.actions.foreign import Validate
from interlock.canonical import canonical

_VARIADIC = frozenset({"args", "kwargs"})
"""Fields that LangChain makes of `*args` and `**kwargs`; they are no arguments unless they are given."""


def schema_of(tool: BaseTool) -> Mapping[str, Any]:
    """Return the JSON schema of the arguments that a model may send; injected ones are not among them."""
    if _is_of_one_text(tool):
        return {"type": "object"}
    shown: Any = tool.tool_call_schema
    if isinstance(shown, dict):
        return cast("dict[str, Any]", shown)
    return shown.model_json_schema() if issubclass(shown, BaseModel) else shown.schema()


def validation_of(tool: BaseTool) -> Validate | None:
    """Return the tool's own validation of a model's arguments; None where it has only a JSON schema.

    What it returns is validated once more by the tool itself when it is performed. So arguments that come out
    differently the second time are refused: what is judged would not be what is performed.
    """
    shown: Any = tool.tool_call_schema
    full: Any = tool.get_input_schema()
    if _is_of_one_text(tool) or isinstance(shown, dict) or not issubclass(full, BaseModel):
        return None
    hidden = frozenset(full.model_fields) - frozenset(shown.model_fields)
    model = _without(full, hidden)

    def validate(raw: Mapping[str, Any]) -> Mapping[str, Any]:
        once = _validated(model, hidden, raw)
        if canonical(once) != canonical(_validated(model, hidden, once)):
            raise ValueError("its schema changes what it has already validated, so what is judged is not what is done")
        return once

    return validate


def _is_of_one_text(tool: BaseTool) -> bool:
    """Whether it is the old kind of tool: one text, under a name that nobody declares."""
    return isinstance(tool, Tool) and tool.args_schema is None


def _without(full: type[BaseModel], hidden: frozenset[str]) -> type[BaseModel]:
    """Return the model, with its validators, to which nothing is injected."""
    optional: dict[str, Any] = dict.fromkeys(hidden, (Any, None))
    return create_model(full.__name__, __base__=full, **optional) if hidden else full


def _validated(model: type[BaseModel], hidden: frozenset[str], raw: Mapping[str, Any]) -> dict[str, Any]:
    try:
        made = model.model_validate({name: value for name, value in raw.items() if name not in hidden})
    except ValidationError as error:
        raise ValueError("; ".join(_problem(one) for one in error.errors(include_url=False))) from None
    found = {
        _given_as(name, field): getattr(made, name)
        for name, field in model.model_fields.items()
        if name not in hidden and (name in made.model_fields_set or _has_default(name, field))
    }
    return {**found, **(made.model_extra or {})}


def _given_as(name: str, field: FieldInfo) -> str:
    """Return the name under which the argument is given."""
    return field.validation_alias if isinstance(field.validation_alias, str) else field.alias or name


def _has_default(name: str, field: FieldInfo) -> bool:
    return name not in _VARIADIC and not field.is_required()


def _problem(error: Mapping[str, Any]) -> str:
    where = ".".join(str(part) for part in error["loc"][:8])
    return f"{where}: {error['msg']}" if where else str(error["msg"])
