"""What is known of a value before any rule has looked at it: which kinds it may have, within which bounds."""

from collections.abc import Mapping
from typing import Any, Final, Literal, cast

import msgspec

Kind = Literal[
    "absent", "none", "truth", "number", "text", "date", "datetime", "moment", "time", "duration",
    "list", "record", "other", "bad",
]  # fmt: skip
"""The kinds of `values`, told apart further: a `moment` is a datetime with a time zone, a `record` has fields, `other`
can't be compared, and what is `bad` can't be looked at: a fact that failed, a field that its record does not declare.
"""

MOMENTS: Final[frozenset[Kind]] = frozenset[Kind]({"date", "datetime", "moment", "time", "duration"})
ANY_KIND: Final[frozenset[Kind]] = MOMENTS | frozenset[Kind](
    {"none", "truth", "number", "text", "list", "record", "other"}
)
_MOST_DEEP: Final = 12


class Shape(msgspec.Struct, frozen=True):
    """What a value may be.

    Attributes:
        kinds: Its kinds; what is left out is impossible.
        is_whole: Whether a number among them is an integer.
        least: The smallest number; None without a bound. `most` likewise.
        is_above: Whether `least` itself is left out. `is_below` likewise for `most`.
        choices: All the texts that it may be, or None.
        shortest: The fewest characters or elements. `longest` likewise, None without a bound.
        fields: The shapes of the fields of a record that are known.
        element: The shape of the elements of a list.
    """

    kinds: frozenset[Kind] = ANY_KIND
    is_whole: bool = False
    least: Any = None
    most: Any = None
    is_above: bool = False
    is_below: bool = False
    choices: tuple[str, ...] | None = None
    shortest: int = 0
    longest: int | None = None
    fields: Mapping[str, "Shape"] = {}
    element: "Shape | None" = None


ANYTHING: Final = Shape()


class Shapes(msgspec.Struct, frozen=True):
    """What is known of one action: its arguments (None where any may come) and, as a hint only, its facts.

    Nobody checks what a fact returns, so a proof never rests on a fact's shape; examples do.
    """

    arguments: Mapping[str, Shape] | None = None
    facts: Mapping[str, Shape] = {}


def plus(shape: Shape, *kinds: Kind) -> Shape:
    """Return *shape* with more *kinds*."""
    return msgspec.structs.replace(shape, kinds=shape.kinds | frozenset(kinds))


def of_arguments(schema: Mapping[str, Any]) -> dict[str, Shape] | None:
    """Return the shapes of the arguments that a JSON schema of an object lists, as JSON has them.

    None where the schema takes others too. What is not understood may be anything.
    """
    listed: Any = schema.get("properties", {})
    required = set(cast("list[str]", schema.get("required", ())))
    definitions = cast("Mapping[str, Any]", schema.get("$defs", schema.get("definitions", {})))
    found: dict[str, Shape] = {}
    for name, one in cast("Mapping[str, Any]", listed).items():
        shape = of_schema(one, definitions)
        found[name] = shape if name in required else plus(shape, "absent")
    return found


def of_schema(schema: Any, definitions: Mapping[str, Any], depth: int = 0) -> Shape:
    """Return the shape of the values of a JSON schema; only what restricts a value for sure is used."""
    if not isinstance(schema, Mapping) or depth > _MOST_DEEP:
        return ANYTHING
    one = cast("Mapping[str, Any]", schema)
    reference = one.get("$ref")
    if isinstance(reference, str):
        return of_schema(definitions.get(reference.rpartition("/")[2]), definitions, depth + 1)
    if "enum" in one or "const" in one:
        return _of_choices(one.get("enum", [one.get("const")]))
    parts = one.get("anyOf", one.get("oneOf"))
    if isinstance(parts, list):
        return either([of_schema(part, definitions, depth + 1) for part in cast("list[Any]", parts)])
    return _of_type(one, definitions, depth)


def _of_choices(values: Any) -> Shape:
    found: list[Any] = list(cast("list[Any]", values)) if isinstance(values, list) else []
    if not found or not all(isinstance(value, str) for value in found):
        return ANYTHING
    return Shape(frozenset({"text"}), choices=tuple(dict.fromkeys(found)))


def _of_type(  # noqa: PLR0911 - one answer a type
    schema: Mapping[str, Any], definitions: Mapping[str, Any], depth: int
) -> Shape:
    match schema.get("type"):
        case list():
            parts = [{**schema, "type": one} for one in cast("list[Any]", schema["type"])]
            return either([_of_type(part, definitions, depth) for part in parts])
        case "integer":
            # JSON schema counts 1.0 among the integers, and so does a rule.
            return _bounded(Shape(frozenset({"number"}), is_whole=True), schema)
        case "number":
            return _bounded(Shape(frozenset({"number"})), schema)
        case "boolean":
            return Shape(frozenset({"truth"}))
        case "null":
            return Shape(frozenset({"none"}))
        case "string":
            return Shape(frozenset({"text"}), shortest=schema.get("minLength", 0), longest=schema.get("maxLength"))
        case "array":
            element = of_schema(schema["items"], definitions, depth + 1) if _is_uniform(schema) else None
            longest = schema.get("maxItems")
            return Shape(frozenset({"list"}), shortest=schema.get("minItems", 0), longest=longest, element=element)
        case "object":
            return Shape(frozenset({"record"}), fields=_fields(schema, definitions, depth))
        case _:
            return ANYTHING


def _is_uniform(schema: Mapping[str, Any]) -> bool:
    return isinstance(schema.get("items"), Mapping) and "prefixItems" not in schema


def _fields(schema: Mapping[str, Any], definitions: Mapping[str, Any], depth: int) -> dict[str, Shape]:
    required = set(cast("list[str]", schema.get("required", ())))
    found: dict[str, Shape] = {}
    for name, one in cast("Mapping[str, Any]", schema.get("properties", {})).items():
        shape = of_schema(one, definitions, depth + 1)
        found[name] = shape if name in required else plus(shape, "absent")
    return found


def _bounded(shape: Shape, schema: Mapping[str, Any]) -> Shape:
    least, most = schema.get("minimum"), schema.get("maximum")
    above, below = schema.get("exclusiveMinimum"), schema.get("exclusiveMaximum")
    return msgspec.structs.replace(
        shape,
        least=above if least is None else least,
        most=below if most is None else most,
        is_above=least is None and above is not None,
        is_below=most is None and below is not None,
    )


def either(shapes: list[Shape]) -> Shape:
    """Return what is one of *shapes*; bounds stay only where one of them alone can have them."""
    if len(shapes) == 1:
        return shapes[0]
    kinds = frozenset[Kind]().union(*(shape.kinds for shape in shapes))
    own = {kind: [shape for shape in shapes if kind in shape.kinds] for kind in ("number", "text", "list", "record")}
    number, text, listed, record = (own[kind][0] if len(own[kind]) == 1 else ANYTHING for kind in own)
    is_long_alone = len({id(shape) for shape in (*own["text"], *own["list"])}) == 1
    long = (own["text"] or own["list"])[0] if is_long_alone else ANYTHING
    return Shape(
        kinds,
        number.is_whole,
        number.least,
        number.most,
        number.is_above,
        number.is_below,
        text.choices,
        long.shortest,
        long.longest,
        record.fields,
        listed.element,
    )
