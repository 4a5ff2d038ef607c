"""Labels that follow from what recorded runs show of fields and arguments.

Trust is suggested by shape alone. That an agent used a value, and that it went well, says nothing: whoever steers an
agent has it use his value, too.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, Literal

from msgspec import Struct

from interlock.actions.action import Action
from interlock.agents import Agent
from interlock.lab.observed import ROOT, ActionSeen, ArgumentSeen, FieldSeen
from interlock.provenance import Labels, Role, Trust
from interlock.provenance.defaults import role_of, trust_of_key
from interlock.runtime.tracing import values_listed

FEWEST: Final = 5
"""How many values a field has at least that is taken for typed."""

FEWEST_DISTINCT: Final = 3
"""How many of them are different at least."""

_TYPED: Final = frozenset({"number", "day", "truth", "code"})


class Suggestion(Struct, frozen=True):
    """What is said of one field or argument: what it is by default, what was declared, what is suggested.

    `name` is the pattern of a field or the name of an argument. `suggested` is empty where the default, or what was
    declared, may stay. `asks` is a question that shape can't answer, with what would be declared then.
    """

    action: str
    part: Literal["results", "arguments"]
    name: str
    default: str
    seen: str
    declared: str = ""
    suggested: str = ""
    why: str = ""
    asks: str = ""


def suggestions(seen: Mapping[str, ActionSeen], agent: Agent) -> list[Suggestion]:
    """Return what is said of all fields and arguments that were seen, by action.

    Trust is raised only where every value, of at least `FEWEST`, is a number, a day or a code, and the field is by its
    name neither words nor somebody's own name for himself. How often a value was used counts for nothing.
    """
    labels = agent.labels if agent.labels is not None else Labels()
    found: list[Suggestion] = []
    for name in sorted(seen):
        action = agent.reach.get(name)
        levels, roles = labels.results.get(name, {}), labels.arguments.get(name, {})
        found += [_of_field(name, one, levels) for one in seen[name].fields.values()]
        found += [_of_argument(name, one, roles, action) for one in seen[name].arguments.values()]
    return found


def _of_field(action: str, one: FieldSeen, levels: Mapping[str, Trust]) -> Suggestion:
    usual = one.trust.most_common(1)[0][0]
    declared = next((levels[name] for name in (one.pattern, f"*.{one.key}", one.key, ROOT) if name in levels), None)
    suggested, why = (None, "") if declared is not None else _level(one, usual)
    return Suggestion(
        action,
        "results",
        one.pattern,
        _levels(one),
        _field_seen(one),
        "" if declared is None else declared.name.lower(),
        "" if suggested is None else suggested.name.lower(),
        why,
    )


def _level(one: FieldSeen, usual: Trust) -> tuple[Trust | None, str]:
    free = one.shapes["free text"]
    if free and usual > Trust.COLLEAGUE:
        return (
            Trust.THIRD_PARTY,
            f"{free:,} of {one.values:,} values are free text, so the short ones may be written too",
        )
    # A name behind one that is data may be a part of that.
    has_name = one.key and "{}" not in one.pattern and not one.pattern.startswith("*")
    typed = has_name and not one.unsure and set(one.shapes) <= _TYPED
    enough = one.values >= FEWEST and len(one.distinct) >= FEWEST_DISTINCT
    if typed and enough and usual < Trust.DIRECTORY <= trust_of_key(one.key):
        return Trust.SYSTEM, f"all {one.values:,} values are {' or '.join(_named(one))}: a system makes these"
    return None, ""


def _levels(one: FieldSeen) -> str:
    """Return the level that most values have by default, and how many are lowered by their grammar."""
    (usual, _), *others = one.trust.most_common()
    lower = sum(number for trust, number in others if trust < usual)
    return f"{usual.name.lower()}{f', {lower:,} of {one.values:,} lower by their grammar' if lower else ''}"


def _named(one: FieldSeen | ArgumentSeen) -> Iterator[str]:
    for shape, _ in one.shapes.most_common():
        yield _MANY[shape]


_MANY: Final = {
    "number": "numbers",
    "day": "days",
    "truth": "truths",
    "code": "codes",
    "address": "addresses",
    "short text": "short texts",
    "free text": "free texts",
}


def _field_seen(one: FieldSeen) -> str:
    used = ", ".join(f"{role} {number:,}x" for role, number in one.used.most_common())
    secret = "; may not leave" if one.secret else ""
    return f"{_counted(one)}; {f'came as {used} later' if used else 'never used as an argument'}{secret}"


def _counted(one: FieldSeen | ArgumentSeen) -> str:
    kinds = ", ".join(f"{number:,} {_MANY[shape]}" for shape, number in one.shapes.most_common())
    return f"{kinds}; {len(one.distinct):,} different"


def _of_argument(
    action: str, one: ArgumentSeen, roles: Mapping[str, Role], known: Action[Any, Any, Any] | None
) -> Suggestion:
    usual = one.roles.most_common(1)[0][0]
    declared = roles.get(one.name)
    listed = dict(values_listed(known)).get(one.name, 0) if known is not None else 0
    suggested, why, asks = "", "", ""
    if declared is not None:
        pass
    elif usual != "sink" and set(one.shapes) == {"address"} and _acts(known):
        suggested, why = "sink", f"all {one.values:,} values are addresses"
    elif listed and role_of(one.name) is None and usual == "reference":
        suggested, why = "selector", f"it takes one of {listed:,} values that the action's author listed"
    elif one.shapes["free text"] and role_of(one.name) is None and usual != "content":
        asks = "content, if these are words that are sent or stored; a reference is checked, content is not"
    return Suggestion(action, "arguments", one.name, usual, _counted(one), declared or "", suggested, why, asks)


def _acts(known: Action[Any, Any, Any] | None) -> bool:
    return known is None or known.effect != "read" or known.egress


def with_suggested(labels: Labels, found: Iterable[Suggestion]) -> Labels:
    """Return labels with what is suggested added to what they say."""
    data = labels.data()
    for one in found:
        if one.suggested:
            data[one.part] = {**data[one.part]}
            data[one.part][one.action] = {**data[one.part].get(one.action, {}), one.name: one.suggested}
    return Labels(**data, detectors=labels.detectors, planner=labels.planner)
