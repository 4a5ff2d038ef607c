"""Objects that an effect changed, in a few lines each: as they were, as it left them, and as they are now."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, cast

from interlock.actions.way import Change
from interlock.cli import text

MOST = 5
"""How many objects of one effect are shown; `--json` has them all."""

FIELDS = 4
"""How many fields of one object are shown."""

SHORT = 60
"""How many characters of a value are shown."""


class Line(NamedTuple):
    """A line and its colour."""

    text: str
    colour: str = "dim"


def changed_since(one: Change) -> bool:
    """Whether the object is neither as the effect left it nor as it was before."""
    return one.now not in (one.after, one.before)


def lines(changes: Sequence[Change]) -> Iterator[Line]:
    """Yield how objects were changed, and those first that stand in the way: they were changed since."""
    for one in sorted(changes, key=lambda one: not changed_since(one))[:MOST]:
        yield from _in_the_way(one) if changed_since(one) else (_changed(one),)
    yield from _more(changes)


def steps(changes: Sequence[Change]) -> Iterator[Line]:
    """Yield how objects were changed where nothing stands in the way: what changed them since is taken back first."""
    for one in changes[:MOST]:
        again = f", and again since: {_step(one.after, one.now)}" if changed_since(one) else ""
        yield _changed(one) if not again else Line(f"{_name(one)}: {_step(one.before, one.after)}{again}")
    yield from _more(changes)


def _more(changes: Sequence[Change]) -> Iterator[Line]:
    if len(changes) > MOST:
        yield Line(f"and {text.counted(len(changes) - MOST, 'object')} more; --json has all")


def _name(one: Change) -> str:
    return text.visible(text.cut(one.object, SHORT * 2))


def _in_the_way(one: Change) -> Iterator[Line]:
    yield Line(f"{_name(one)} changed since", "red")
    fields = _differing(one.before, one.after, one.now)
    for title, image in (("before", one.before), ("after", one.after), ("now", one.now)):
        yield Line(f"  {title:<6}  {_image(image, fields)}", "red")


def _changed(one: Change) -> Line:
    if one.now == one.before:
        return Line(f"{_name(one)} is as it was before")
    return Line(f"{_name(one)}: {_step(one.before, one.now)}")


def _step(before: Any, now: Any) -> str:
    """Return how an object stood before and how it stands after that, field by field where it has fields in both."""
    if not isinstance(before, dict) or not isinstance(now, dict):
        fields = _differing(before, now)
        return f"{_image(before, fields)} → {_image(now, fields)}"
    was, became = cast("dict[str, Any]", before), cast("dict[str, Any]", now)
    fields = _differing(was, became)
    steps = [
        f"{text.visible(text.cut(name, SHORT))} {_field(was, name)} → {_field(became, name)}"
        for name in fields[:FIELDS]
    ]
    more = f", and {text.counted(len(fields) - FIELDS, 'field')} more" if len(fields) > FIELDS else ""
    return f"{', '.join(steps)}{more}"


def _field(of: dict[str, Any], name: str) -> str:
    return text.value(of[name], SHORT) if name in of else "none"


def _differing(*images: Any) -> list[str]:
    """Return the fields in which objects differ; all of them where one is not there."""
    having = [cast("dict[str, Any]", one) for one in images if isinstance(one, dict)]
    names = dict.fromkeys(name for one in having for name in one)
    if len(having) < len(images):
        return list(names)
    return [name for name in names if any(one.get(name, _NONE) != having[0].get(name, _NONE) for one in having[1:])]


_NONE = object()


def _image(image: Any, fields: list[str]) -> str:
    if image is None:
        return "not there"
    if isinstance(image, dict):
        image = {name: one for name, one in cast("dict[str, Any]", image).items() if name in fields}
    return text.value(image, SHORT * 2)
