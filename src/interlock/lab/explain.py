"""A verdict taken apart: each rule that concerns the action, whether it applies, and the part of it that decided."""

from collections.abc import Callable, Iterator
from typing import Any, Literal

import msgspec

from interlock.guardian import ABSENT, Case, Failed, Opaque, Policy, Rule, Verdict
from interlock.guardian.compile import compiled, described
from interlock.guardian.english import label
from interlock.guardian.evaluate import quantifiers
from interlock.guardian.scope import scope_of
from interlock.guardian.tree import Clock, Path, Tree, Window, walk
from interlock.lab.reasons import reason

Standing = Literal["applies", "does not apply", "can't be judged"]


class Ruled(msgspec.Struct, frozen=True):
    """One rule before a case: its id in the policy, itself in English, and how it stands."""

    id: str
    rule: str
    kind: str
    place: str
    standing: Standing
    why: str
    """The part of its condition that decided, with the values found; what is wrong where it can't be judged."""
    because: str = ""
    instead: str = ""
    shadow: bool = False
    """Whether it is only reported, without effect."""


class Explained(msgspec.Struct, frozen=True):
    """A verdict with every rule that concerns the action, and what nobody has told.

    `facts` are those that rules about the action read, by the name of the look-up. `missing` says in words what they
    need and the case does not hold.
    """

    verdict: Verdict
    rules: tuple[Ruled, ...]
    facts: dict[str, Any]
    missing: tuple[str, ...]


def explain(policy: Policy, case: Case) -> Explained:
    """Return the verdict of *policy* on *case* with its reasons, rule by rule."""
    rules = tuple(_ruled(name, rule, case) for name, rule in concerning(policy, case.action))
    facts = {name: value for name, value in case.facts.items() if not isinstance(value, Failed)}
    return Explained(policy.judge(case), rules, facts, tuple(_missing(policy, case)))


def layers(policy: Policy) -> list[tuple[str, Policy]]:
    """Return the policy and those around it, each with what stands before the ids of its rules in a verdict."""
    found = [("", policy)]
    while (outer := found[-1][1].outer) is not None:
        found.append((f"{found[-1][0]}outer ", outer))
    return found


def concerning(policy: Policy, action: str) -> Iterator[tuple[str, Rule]]:
    """Yield each rule that can concern *action* with its id in a verdict."""
    for before, one in layers(policy):
        for number, rule in enumerate(one.rules, 1):
            if rule.concerns(action):
                yield f"{before}r{number}", rule


def conditions(policy: Policy, action: str) -> list[Tree]:
    """Return the conditions of all rules that can concern *action*, as far as they are data."""
    found = (rule.clause.when for _, rule in concerning(policy, action))
    return [when for when in found if when is not None and not isinstance(when, Opaque)]


def _ruled(name: str, rule: Rule, case: Case) -> Ruled:
    clause = rule.clause
    standing, why = _standing(rule, case)
    return Ruled(
        id=name,
        rule=str(rule),
        kind=clause.kind,
        place=rule.place,
        standing=standing,
        why=why,
        because=clause.because,
        instead=clause.instead,
        shadow=clause.shadow,
    )


def tester(rule: Rule) -> Callable[[Case], bool | None]:
    """Return the function that tells whether *rule* applies to a case; None where it can't be judged."""
    asked = _asking(rule)

    def test(case: Case) -> bool | None:
        try:
            return asked(case)
        except Exception:  # noqa: BLE001 - as for the guardian: whatever goes wrong, the rule can't be judged
            return None

    return test


def _asking(rule: Rule) -> Callable[[Case], bool]:
    when, test = rule.clause.when, compiled(rule, 1).test
    deepest = 0 if when is None or isinstance(when, Opaque) else quantifiers(when)
    return lambda case: test is None or test(scope_of(case, deepest))


def _standing(rule: Rule, case: Case) -> tuple[Standing, str]:
    when = rule.clause.when
    if when is None:
        return "applies", "it has no condition"
    try:
        applies = _asking(rule)(case)
        why = f"its Python code says {'yes' if applies else 'no'}" if isinstance(when, Opaque) else reason(when, case)
    except Exception as error:  # noqa: BLE001 - as above
        return "can't be judged", described(error)
    return "applies" if applies else "does not apply", why


def _missing(policy: Policy, case: Case) -> Iterator[str]:
    """Yield what the rules about the action read and the case does not hold."""
    nodes = [node for tree in conditions(policy, case.action) for node in walk(tree)]
    for path in dict.fromkeys(node for node in nodes if isinstance(node, Path) and node.root == "fact"):
        if case.facts.get(str(path.steps[0]), ABSENT) is ABSENT:
            yield f"the fact {label(path).removeprefix('fact.')}"
    for name in dict.fromkeys(str(one.steps[0]) for one in nodes if isinstance(one, Path) and one.root == "origin"):
        if name in case.args and name not in case.origins:
            yield f"where the value of {name} came from"
    for window in dict.fromkeys(node for node in nodes if isinstance(node, Window)):
        if label(window) not in case.windows:
            yield f"the count {label(window)}"
    if case.at is None and any(isinstance(node, Clock) for node in nodes):
        yield "the time"
