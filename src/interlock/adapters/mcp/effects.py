"""What a server's tools do to the world: as declared, else by what the server says of them."""

import difflib
from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast

from interlock.actions.tool import Body, Tool, tool
from interlock.adapters.mcp.pins import Definition
from interlock.errors import DeclarationError

AGAIN = "1m"
"""For how long a tool that calls itself idempotent is sent again when no answer came.

Its hint says that the same call has no further effect, not that a key is honoured. That holds while nobody else has
changed the same thing, so it is not relied on for long.
"""


def governed(
    definitions: Mapping[str, Definition], declared: Iterable[Tool], body: Callable[[Tool], Body]
) -> tuple[list[Tool], dict[str, str]]:
    """Return a server's tools as actions, and those that can't be governed with the reason why.

    Args:
        definitions: The tools' definitions, by name.
        declared: What is known of some of them; the others are judged by their annotations.
        body: Returns what performs a tool.

    Raises:
        DeclarationError: a tool is declared that the server does not have, or one that can't keep its word.
    """
    known = {one.name: one for one in declared}
    _check(known, definitions)
    found: list[Tool] = []
    unfit: dict[str, str] = {}
    for name, definition in definitions.items():
        try:
            annotations = definition.get("annotations")
            action = known.get(name) or hinted(name, annotations)
            action.open_world = hints_of(annotations).get("openWorldHint") is True
            schema = _sound(definition["inputSchema"])
            action.bind(str(definition.get("description", "")), schema, body=body(action))
            action.failed = _is_error
        except DeclarationError as error:
            if name in known:
                raise
            unfit[name] = str(error)
        else:
            found.append(action)
    return found, unfit


def hinted(name: str, annotations: Any) -> Tool:
    """Return a tool by what its server says of it; a way back is known only by declaration.

    A server may lie: its hints choose a class, they permit nothing. What it reads from an open world leaves this one,
    and the same call with no further effect is nothing to ask about.
    """
    hints = hints_of(annotations)
    if hints.get("readOnlyHint") is True:
        return tool.read(name, egress=hints.get("openWorldHint") is True)
    again = hints.get("idempotentHint") is True
    return tool.irreversible(name, idempotent=AGAIN if again else False, repeatable=again)


def hints_of(annotations: Any) -> dict[str, Any]:
    """Return what a server says of a tool by name; nothing where that is no object."""
    return cast("dict[str, Any]", annotations) if isinstance(annotations, dict) else {}


def _is_error(result: Any) -> bool:
    """Whether a tool's recorded result says that the call went wrong."""
    return isinstance(result, dict) and cast("dict[str, Any]", result).get("isError") is True


def _check(known: Mapping[str, Tool], definitions: Mapping[str, Definition]) -> None:
    for name in known.keys() - definitions.keys():
        near = difflib.get_close_matches(name, definitions, 1)
        hint = f"did you mean {near[0]!r}?" if near else f"it has: {', '.join(definitions) or 'none'}"
        raise DeclarationError(f"tool {name!r} is declared, and the server had none of that name when pinned; {hint}")


def _sound(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return a schema without the defaults that it would itself refuse.

    Servers write `"type": "string", "default": null` for what may be left out; filled in, it would fit nowhere.
    """
    from jsonschema.validators import validator_for  # noqa: PLC0415 - only who binds a tool needs it
    from referencing import Registry  # noqa: PLC0415 - the same

    properties: Any = schema.get("properties")
    if not isinstance(properties, dict):
        return dict(schema)
    registry: Registry[Any] = Registry()
    judge = cast("Any", validator_for)(schema)(schema, registry=registry)

    def kept(one: Any) -> Any:
        if not isinstance(one, dict) or "default" not in one:
            return cast("Any", one)
        fields = cast("dict[str, Any]", one)
        try:
            fits = judge.evolve(schema=fields).is_valid(fields["default"])
        except Exception:  # noqa: BLE001 - whatever a foreign schema does, its default is left to the server
            fits = False
        return fields if fits else {name: value for name, value in fields.items() if name != "default"}

    named = cast("dict[str, Any]", properties)
    return {**schema, "properties": {name: kept(one) for name, one in named.items()}}
