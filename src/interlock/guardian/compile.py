"""A rule made ready to be judged: its condition as a function, and every text that a verdict may need."""

from collections.abc import Callable
from typing import Any

import msgspec

from interlock.guardian.evaluate import evaluator
from interlock.guardian.rules import Clause, Opaque, Predicate, Rule
from interlock.guardian.scope import CASE, FACTS, READ, Scope
from interlock.guardian.values import Failed, Unjudgeable, named
from interlock.guardian.verdict import Need

Test = Callable[[Scope], bool]
_LONGEST_ERROR = 300


class Compiled(msgspec.Struct, frozen=True, eq=False):
    """One rule of a policy, ready to be judged; `test` is None when it always applies."""

    id: str
    english: str
    test: Test | None
    forbids: bool
    need: Need | None
    reason: str
    instead: str
    obliges: bool = False
    shadow: bool = False


class Concerned(msgspec.Struct, frozen=True, eq=False):
    """The rules that can concern one action, and what to say when none of them permits it.

    `rules` decide; `shadows` only report; `musts` are asked when the action is denied.
    """

    rules: tuple[tuple[Test | None, Compiled], ...]
    unpermitted: str
    shadows: tuple[Compiled, ...] = ()
    musts: tuple[Compiled, ...] = ()


def compiled(rule: Rule, number: int) -> Compiled:
    """Return *rule*, the *number*-th of its policy from 1, ready to be judged."""
    clause, english = rule.clause, str(rule)
    return Compiled(
        id=f"r{number}",
        english=english,
        test=_test(rule),
        forbids=clause.kind == "forbid",
        need=_need(clause),
        reason=clause.because or ("" if clause.kind == "permit" else english.removeprefix("in shadow: ")),
        instead=clause.instead,
        obliges=clause.kind == "must",
        shadow=clause.shadow,
    )


def concerned(action: str, every: tuple[Compiled, ...]) -> Concerned:
    """Return *every* rule that can concern *action*, by what it is for, with the reason for a denial by default."""
    rules = tuple(rule for rule in every if not rule.shadow and not rule.obliges)
    shadows = tuple(rule for rule in every if rule.shadow)
    musts = tuple(rule for rule in every if rule.obliges and not rule.shadow)
    return Concerned(tuple((rule.test, rule) for rule in rules), _unpermitted(action, rules), shadows, musts)


def _unpermitted(action: str, rules: tuple[Compiled, ...]) -> str:
    permits = [rule for rule in rules if not rule.forbids and rule.need is None]
    if not permits:
        return f"no rule permits {action}"
    conditions = "; ".join(f"{rule.id}: {rule.english}" for rule in permits)
    return f"no rule permits {action} in this case ({conditions})"


def would(rule: Compiled) -> str:
    """Return what a rule in shadow would have done had it been in force, and why."""
    if rule.forbids:
        effect = f"deny: {rule.reason}"
    elif rule.need is not None:
        effect = f"need {rule.need}: {rule.reason}"
    else:
        effect = "oblige" if rule.obliges else "permit"
    return f"{rule.id} would {effect}"


def trouble(rule: Compiled, error: BaseException) -> str:
    """Return why *rule* could not be judged, as a reason for the denial."""
    return f"rule {rule.id} ({rule.english}) could not be judged: {described(error)}"


def described(error: BaseException) -> str:
    """Return *error* in words, even if its own words fail."""
    if isinstance(error, Unjudgeable):
        return str(error)
    try:
        said = str(error)[:_LONGEST_ERROR]
    except Exception:  # noqa: BLE001 - whatever a foreign exception does when printed, the verdict stands
        said = "(its message can't be shown)"
    return f"{type(error).__name__}: {said}" if said else type(error).__name__


def _need(clause: Clause) -> Need | None:
    match clause.kind:
        case "permit" | "forbid" | "must":
            return None
        case kind:
            return Need(kind, clause.level, clause.seconds)


def _test(rule: Rule) -> Test | None:
    match rule.clause.when:
        case None:
            return None
        case Opaque(name):
            return _opaque(name, rule.predicate)
        case tree:
            return evaluator(tree)


def _opaque(name: str, predicate: Predicate | None) -> Test:
    def ask(scope: Scope) -> bool:
        if predicate is None:
            raise Unjudgeable(f"{name} is Python code, which a policy read from JSON does not hold")
        scope[READ].update(scope[FACTS])
        _refuse_failed(scope[FACTS])
        return _strict(name, _asked(name, predicate, scope[CASE]))

    return ask


def _refuse_failed(facts: dict[str, Any]) -> None:
    for name, value in facts.items():
        if type(value) is Failed:
            raise Unjudgeable(f"the fact {name} could not be gathered: {value.reason}")


def _asked(name: str, predicate: Callable[[Any], Any], case: Any) -> Any:
    try:
        return predicate(case)
    except KeyboardInterrupt:  # the person at the keyboard; nothing is permitted by it either
        raise
    except BaseException as error:
        raise Unjudgeable(f"{name} raised {described(error)}") from error


def _strict(name: str, found: Any) -> bool:
    if type(found) is not bool:
        raise Unjudgeable(f"{name} returned {named(found)}, neither True nor False")
    return found
