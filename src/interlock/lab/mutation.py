"""Coverage of a policy by its examples: each rule is changed in every small way, and some example has to notice."""

from collections.abc import Container, Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Any, Final, cast

import msgspec

from interlock.errors import PolicyError
from interlock.guardian import Opaque, Policy, Rule
from interlock.guardian.english import english
from interlock.guardian.rules import Clause, checked
from interlock.guardian.tree import And, Compare, Each, In, Many, Node, Not, Or, Tree, Value, is_never_truth, literal
from interlock.lab.candidates import numbers_beside
from interlock.lab.examples import Example
from interlock.lab.explain import layers, tester

MOST: Final = 5_000
"""So many changed policies are tried at most."""

_WEAKER: Final = {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "=="}
_NEVER: Final = Compare("==", literal(0), literal(1))
_LEFT_OUT: Final = Rule(Clause("forbid", ("(left out)",)))


class Mutant(msgspec.Struct, frozen=True):
    """A policy with one rule changed in one small way.

    `rule` is the id of the rule, `place` where it was written, `words` what was done to it, `number` its number in its
    policy, from 1.
    """

    rule: str
    place: str
    words: str
    number: int
    clause: Clause

    def policy(self, of: Policy, keeping: Container[int] | None = None) -> Policy:
        """Return the policy *of* which this is a change, changed; the other rules keep their ids.

        Args:
            of: The policy.
            keeping: The numbers of the rules that matter; the others are left out. All matter where this isn't given.
        """
        rules = [rule if keeping is None or number in keeping else _LEFT_OUT for number, rule in enumerate(of.rules, 1)]
        rules[self.number - 1] = self.changed(of)
        changed, (_, *around) = Policy(*rules), layers(of)
        return changed.within(around[0][1]) if around else changed

    def changed(self, of: Policy) -> Rule:
        """Return the rule as it is changed."""
        old = of.rules[self.number - 1]
        return Rule(self.clause, old.place, old.predicate)


class Covered(msgspec.Struct, frozen=True):
    """How many changes of the policy some example notices, and which none does."""

    noticed: int
    unnoticed: tuple[Mutant, ...]
    left_out: int = 0
    """Changes that were not tried, there being more than `MOST`."""

    @property
    def total(self) -> int:
        """How many changes were tried."""
        return self.noticed + len(self.unnoticed)

    @property
    def score(self) -> float:
        """The share of changes that were noticed; 1 where there was nothing to change."""
        return self.noticed / self.total if self.total else 1.0


def coverage(policy: Policy, examples: Sequence[Example]) -> Covered:
    """Return which changes of *policy* the examples notice: those that hold now and would not any more."""
    bench = _Bench(policy, examples)
    noticed, unnoticed, left_out = 0, list[Mutant](), 0
    for number, mutant in enumerate(mutants(policy)):
        if number >= MOST:
            left_out += 1
        elif bench.notices(mutant):
            noticed += 1
        else:
            unnoticed.append(mutant)
    return Covered(noticed, tuple(unnoticed), left_out)


class _Bench:
    """The examples that hold, each with how the rules stand before it: only what applies is judged again."""

    def __init__(self, policy: Policy, examples: Iterable[Example]) -> None:
        self._policy = policy
        tests = [(number, rule, tester(rule)) for number, rule in enumerate(policy.rules, 1)]
        self._standing = [
            (one, {number: test(one.case) for number, rule, test in tests if rule.concerns(one.case.action)})
            for one in examples
            if one.holds(policy)
        ]

    def notices(self, mutant: Mutant) -> bool:
        """Tell whether an example that holds would not hold any more."""
        old = self._policy.rules[mutant.number - 1].clause
        only_when = msgspec.structs.replace(mutant.clause, when=old.when) == old
        test = tester(mutant.changed(self._policy))
        for one, standing in self._standing:
            if mutant.number not in standing or (only_when and test(one.case) is standing[mutant.number]):
                continue
            # A rule that does not apply has no part in a verdict.
            applying = {number for number, applies in standing.items() if applies is not False}
            if not one.holds(mutant.policy(self._policy, applying)):
                return True
        return False


def mutants(policy: Policy) -> Iterator[Mutant]:
    """Yield the policy with each rule changed in each small way; what has no effect anyway is left alone."""
    for number, rule in enumerate(policy.rules, 1):
        if rule.clause.shadow or rule.clause.kind == "must":
            continue
        for words, clause in _changed(rule.clause):
            with suppress(PolicyError):  # what can't be a rule any more can't be written by mistake either
                yield Mutant(f"r{number}", rule.place, words, number, checked(clause))


def _changed(clause: Clause) -> Iterator[tuple[str, Clause]]:
    replace = msgspec.structs.replace
    yield "were dropped", replace(clause, when=_NEVER)
    if len(clause.actions) > 1:
        for name in clause.actions:
            rest = tuple(one for one in clause.actions if one != name)
            yield f"no longer named {name}", replace(clause, actions=rest)
    if clause.kind == "approval":
        yield "needed only a confirmation", replace(clause, kind="confirmation", level="")
    when = clause.when
    if when is None:
        return
    yield "had no condition", replace(clause, when=None)
    if isinstance(when, Opaque):
        return
    yield "held when its condition does not", replace(clause, when=Not(when))
    for old, new, tree in variants(when):
        yield f"said “{new}” for “{old}”", replace(clause, when=tree)


def variants(tree: Tree) -> Iterator[tuple[str, str, Tree]]:
    """Yield *tree* with one node changed: the node in English before and after, and the whole."""
    for new in _altered(tree):
        yield english(tree), english(new), new
    for name in tree.__struct_fields__:
        found = getattr(tree, name)
        if isinstance(found, Node) and not isinstance(found, Many):
            for old, new, inner in variants(cast("Tree", found)):
                yield old, new, msgspec.structs.replace(tree, **{name: inner})
        elif isinstance(found, tuple) and isinstance(tree, (And, Or)):
            yield from _of_parts(tree, name, cast("tuple[Tree, ...]", found))


def _of_parts(tree: And | Or, name: str, parts: tuple[Tree, ...]) -> Iterator[tuple[str, str, Tree]]:
    for place, part in enumerate(parts):
        for old, new, inner in variants(part):
            changed = (*parts[:place], inner, *parts[place + 1 :])
            yield old, new, msgspec.structs.replace(tree, **{name: changed})


def _altered(tree: Tree) -> Iterator[Tree]:
    """Yield what *tree* itself could be by mistake; what is below it is not looked at."""
    match tree:
        case Compare(op, left, right):
            yield Compare(cast("Any", _WEAKER[op]), left, right)
            yield from (Compare(op, one, right) for one in _moved(left))
            yield from (Compare(op, left, one) for one in _moved(right))
        case And(parts) | Or(parts) if len(parts) > 1:
            for place in range(len(parts)):
                rest = (*parts[:place], *parts[place + 1 :])
                yield rest[0] if len(rest) == 1 else type(tree)(rest)
        case In(part, Many(values)) if len(values) > 1:
            for place in range(len(values)):
                yield In(part, Many((*values[:place], *values[place + 1 :])))
        case Each("any" | "all" as op, over, number, body) if not is_never_truth(tree):
            yield Each("all" if op == "any" else "any", over, number, body)
        case _:
            return


def _moved(tree: Tree) -> Iterator[Value]:
    """Yield a number one step up and one step down."""
    if isinstance(tree, Value) and tree.kind == "number":
        yield from map(literal, numbers_beside(tree.python()))
