"""An example that would notice a change of a policy, found by trying."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final, cast

import msgspec

from interlock.actions.action import Action
from interlock.agents import Agent
from interlock.guardian import Case, Opaque, Policy, Verdict
from interlock.guardian.english import label
from interlock.guardian.tree import Path, Tree
from interlock.guardian.values import ABSENT, Unjudgeable
from interlock.lab.candidates import Candidate, candidates
from interlock.lab.changes import Typed, outcome, tried
from interlock.lab.examples import Example
from interlock.lab.explain import conditions
from interlock.lab.given import typed
from interlock.lab.mutation import Mutant
from interlock.lab.places import Place
from interlock.lab.reasons import value_in

MOST_TRIED: Final = 600
"""So many cases are judged at most to find one example."""

_MOST_BASES: Final = 6
_OF_TYPE: Final[dict[str, Any]] = {
    "string": "x",
    "integer": 1,
    "number": 1,
    "boolean": False,
    "array": [],
    "object": {},
}


class Noticing(msgspec.Struct, frozen=True):
    """A call that the changed policy judges otherwise: an example (or a made-up case) with some things changed."""

    base: Example | None
    changed: tuple[tuple[Place, Any], ...]
    given: Case
    case: Case
    now: Verdict
    then: Verdict


def noticing(mutant: Mutant, policy: Policy, examples: Sequence[Example], agent: Agent) -> Noticing | None:
    """Return an example that holds under *policy* and would not under the *mutant*, None where none is found."""
    changed, left = mutant.policy(policy), MOST_TRIED
    for base, given in islice(_bases(mutant, policy, examples, agent), _MOST_BASES):
        action = agent.reach[given.action]
        trees = [*_of_rule(mutant, policy), *conditions(policy, given.action)]
        for chosen in islice(_chosen(trees, given, action), left):
            left -= 1
            found = tried(given, chosen, _typing(action))
            if found is None:
                continue
            now, then = policy.judge(found[1]), changed.judge(found[1])
            if outcome(now) != outcome(then):
                places = tuple((one.place, one.value) for one in chosen)
                return Noticing(base, places, found[0], found[1], now, then)
    return None


def _typing(action: Action[Any, Any, Any]) -> Typed:
    return lambda case: typed(case, action)


def _bases(
    mutant: Mutant, policy: Policy, examples: Sequence[Example], agent: Agent
) -> Iterator[tuple[Example | None, Case]]:
    """Yield the cases to begin with: the examples of an action that the rule names, then made-up ones."""
    rule = policy.rules[mutant.number - 1]
    for one in examples:
        if rule.concerns(one.case.action):
            yield one, one.given
    # What the change is about comes first: an action that the rule no longer names.
    dropped = [name for name in rule.clause.actions if name not in mutant.clause.actions]
    names = dropped or [name for name in agent.reach if rule.concerns(name)]
    for name in names:
        made = invented(agent, policy, name) if name in agent.reach else None
        if made is not None:
            yield None, made


def _of_rule(mutant: Mutant, policy: Policy) -> Iterator[Tree]:
    for when in (policy.rules[mutant.number - 1].clause.when, mutant.clause.when):
        if when is not None and not isinstance(when, Opaque):
            yield when


def _chosen(trees: Sequence[Tree], given: Case, action: Action[Any, Any, Any]) -> Iterator[tuple[Candidate, ...]]:
    """Yield nothing, then one thing to change, then two: the second at the borders that the first has moved."""
    yield ()
    first = candidates(trees, typed(given, action))
    yield from ((one,) for one in first)
    for one in first:
        found = tried(given, (one,), _typing(action))
        for other in candidates(trees, found[1]) if found is not None else ():
            if label(other.place) != label(one.place):
                yield one, other


def invented(agent: Agent, policy: Policy, name: str) -> Case | None:
    """Return a case of the action with made-up arguments and the facts that the rules ask for; None if none fits."""
    action = agent.reach[name]
    schema = action.schema()["parameters"]
    args = {one: _made_up(schema.get("properties", {}).get(one, {}), schema) for one in schema.get("required", ())}
    case = Case(name, args, agent=agent.name)
    try:
        for _ in range(2):  # what stands at one place may draw the border for another
            case = _filled(case, candidates(conditions(policy, name), typed(case, action)))
        typed(case, action)
    except ValueError:
        return None
    return case


def _made_up(schema: Mapping[str, Any], whole: Mapping[str, Any]) -> Any:
    """Return a value that a JSON schema is likely to take."""
    if "$ref" in schema:
        schema = whole.get("$defs", {}).get(str(schema["$ref"]).rpartition("/")[2], {})
    for key in ("default", "const"):
        if key in schema:
            return schema[key]
    for key in ("enum", "examples"):
        if schema.get(key):
            return schema[key][0]
    if schema.get("anyOf"):
        return _made_up(schema["anyOf"][0], whole)
    if "properties" in schema:
        fields = cast("Mapping[str, Any]", schema["properties"])
        return {name: _made_up(fields[name], whole) for name in schema.get("required", ())}
    return _OF_TYPE.get(str(schema.get("type")), "x")


def _filled(case: Case, options: Sequence[Candidate]) -> Case:
    """Return *case* with something at each place that was empty."""
    full: set[str] = set()
    for one in options:
        name = label(one.place)
        is_argument = isinstance(one.place, Path) and one.place.root == "arg"
        if name in full or one.value is ABSENT or is_argument or not _is_empty(one.place, case):
            continue
        full.add(name)
        found = tried(case, (one,), lambda same: same)
        case = case if found is None else found[0]
    return case


def _is_empty(place: Place, case: Case) -> bool:
    try:
        return value_in(place, case) in (ABSENT, "")
    except Unjudgeable:
        return True
