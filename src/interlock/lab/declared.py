"""A declaration of labels beside the actions that it is about: what each argument and field is taken for."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, Literal, cast

from msgspec import Struct

from interlock.actions.action import Action
from interlock.actions.schema import Signature
from interlock.agents import Agent
from interlock.lab.given import nearest
from interlock.provenance import Labels
from interlock.provenance.defaults import role_of
from interlock.provenance.leaves import Fields

DEEPEST: Final = 8
"""How deep fields of a declared result are looked into."""

By = Literal["declared", "its name", "its type", "open world"]


class Part(Struct, frozen=True):
    """An argument or a field of a result: its role or level, and where that comes from.

    `least` is how far an argument's value has to be trusted, where that was declared; `secret`: it may not leave.
    """

    action: str
    part: Literal["argument", "result"]
    name: str
    taken: str
    by: By
    least: str = ""
    secret: bool = False


def parts(agent: Agent) -> Iterator[Part]:
    """Yield what the arguments and the declared results of an agent's actions are taken for."""
    labels = agent.labels if agent.labels is not None else Labels()
    for action in agent.actions.values():
        yield from _arguments(action, labels)
        yield from _fields(action, labels)


def _arguments(action: Action[Any, Any, Any], labels: Labels) -> Iterator[Part]:
    least = labels.least.get(action.name, {})
    declared = labels.arguments.get(action.name, {})
    schema = cast("Mapping[str, Any]", action.schema()["parameters"])
    for name, one in schema.get("properties", {}).items():
        kind = _kind(one)
        named = role_of(name) if kind != "boolean" else None
        by = "declared" if name in declared else "its name" if named is not None else "its type"
        role = declared.get(name) or named or _BY_TYPE.get(kind, "told by each value")
        yield Part(action.name, "argument", name, role, by, least[name].name.lower() if name in least else "")


_BY_TYPE: Final = {"boolean": "selector", "integer": "amount", "number": "amount"}


def _kind(one: Mapping[str, Any]) -> str:
    kinds = {one.get("type"), *(each.get("type") for each in one.get("anyOf", ()))} - {None, "null"}
    return str(kinds.pop()) if len(kinds) == 1 else ""


def _fields(action: Action[Any, Any, Any], labels: Labels) -> Iterator[Part]:
    signature: Any = action.signature
    schema = signature.result_schema() if isinstance(signature, Signature) else {}
    sample = _sample(schema, schema.get("$defs", {}), DEEPEST)
    told = Fields(action.name, labels, egress=action.egress, open_world=action.open_world)
    plain = Fields(action.name, Labels(), egress=action.egress, open_world=action.open_world)
    declared = bool(labels.results.get(action.name))
    for one, default in zip(told.leaves(sample), plain.leaves(sample), strict=True):
        if "{}" in one.path:
            continue
        by = "declared" if declared and one.trust != default.trust else _by(one.value, action)
        yield Part(action.name, "result", one.path or "*", one.trust.name.lower(), by, secret=one.secret)


def _by(value: Any, action: Action[Any, Any, Any]) -> By:
    if not isinstance(value, str) or value != _WORD:
        return "its type"
    return "open world" if action.open_world else "its name"


_WORD: Final = "word"
_DAY: Final = "2026-01-02"
_SAMPLES: Final = {"string": _WORD, "integer": 1, "number": 1, "boolean": True}


def _sample(schema: Mapping[str, Any], defined: Mapping[str, Any], left: int) -> Any:
    """Return a value of a JSON schema's type: what its fields are taken for is what this one's are."""
    if "$ref" in schema and left:
        return _sample(defined.get(str(schema["$ref"]).rpartition("/")[2], {}), defined, left - 1)
    some = [one for one in schema.get("anyOf", ()) if one.get("type") != "null"]
    if some and left:
        return _sample(some[0], defined, left - 1)
    kind = schema.get("type")
    if kind == "object" and left:
        fields = cast("Mapping[str, Any]", schema.get("properties", {}))
        return {name: _sample(one, defined, left - 1) for name, one in fields.items()}
    if kind == "array" and left:
        return [_sample(schema.get("items", {}), defined, left - 1)]
    return _DAY if str(schema.get("format")).startswith("date") else _SAMPLES.get(str(kind))


def problems(agent: Agent) -> list[str]:
    """Return what an agent's labels name that its actions don't have, each with the nearest that they have."""
    labels = agent.labels
    if labels is None:
        return []
    about: tuple[tuple[str, Iterable[str]], ...] = (
        ("results", labels.results),
        ("arguments", labels.arguments),
        ("phrases", labels.phrases),
        ("secret", labels.secret),
        ("cleared", labels.cleared),
        ("relaxed", sorted(labels.relaxed)),
        ("least", labels.least),
    )
    found = [
        f"{part}: there is no action {name!r}{nearest(name, agent.reach)}"
        for part, names in about
        for name in names
        if name not in agent.reach
    ]
    for part, declared in (("arguments", labels.arguments), ("least", labels.least)):
        for action, names in declared.items():
            if action in agent.reach:
                found += _unknown(part, agent.reach[action], names)
    return found


def _unknown(part: str, action: Action[Any, Any, Any], names: Iterable[str]) -> Iterator[str]:
    known = argument_names(action)
    for name in names:
        if known is not None and name not in known:
            yield f"{part}: {action.name} has no argument {name!r}{nearest(name, dict.fromkeys(known))}"


def argument_names(action: Action[Any, Any, Any]) -> frozenset[str] | None:
    """Return the names of an action's arguments and of all fields within them; None where it may take others."""
    if action.argument_names is None:
        return None
    found: set[str] = set()
    stack: list[Any] = [action.schema()["parameters"]]
    while stack:
        node = stack.pop()
        if isinstance(node, list):
            stack += cast("list[Any]", node)
        elif isinstance(node, dict):
            schema = cast("dict[str, Any]", node)
            if schema.get("type") == "object" and schema.get("additionalProperties", "properties" not in schema):
                return None
            found |= set(cast("dict[str, Any]", schema.get("properties", {})))
            stack += schema.values()
    return frozenset(found)
