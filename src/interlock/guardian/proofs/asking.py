"""Questions about one action: is there a case in which these rules apply and those don't?

The answer is an example that the evaluator has judged, or a proof that there is none, or why it can't be told.
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import msgspec

from interlock.guardian.evaluate import evaluator, quantifiers
from interlock.guardian.policy import Policy
from interlock.guardian.proofs.encode import Encoding, Pair
from interlock.guardian.proofs.examples import Unwritable, case_of
from interlock.guardian.proofs.logic import Term, checked, every, implies, negated, some, unknowns, z3
from interlock.guardian.proofs.shapes import Shape, Shapes
from interlock.guardian.rules import Opaque, Rule
from interlock.guardian.scope import scope_of
from interlock.guardian.tree import Tree
from interlock.guardian.values import ABSENT
from interlock.guardian.verdict import Case

Outcome = Literal["applies", "not", "bad"]
_QUERY_MS = 1_000
_MOST_SHRUNK = 30


class Ruled(msgspec.Struct, frozen=True, eq=False):
    """A rule with its name in the policy; `layer` counts the policies around it, the innermost is 0."""

    id: str
    rule: Rule
    layer: int

    @property
    def tree(self) -> Tree | None:
        """Its condition, if that is data."""
        when = self.rule.clause.when
        return None if isinstance(when, Opaque) else when

    @property
    def need(self) -> tuple[str, str, float] | None:
        """What it needs, if it needs something."""
        clause = self.rule.clause
        return None if clause.kind in ("permit", "forbid", "must") else (clause.kind, clause.level, clause.seconds)


def ruled(policy: Policy) -> list[Ruled]:
    """Return all rules of a policy and of those around it."""
    found: list[Ruled] = []
    one: Policy | None = policy
    layer = 0
    while one is not None:
        prefix = "outer " * layer
        found += [Ruled(f"{prefix}r{number}", rule, layer) for number, rule in enumerate(one.rules, 1)]
        one, layer = one.outer, layer + 1
    return found


class Budget:
    """How long all questions together may take."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    @property
    def left_ms(self) -> int:
        """The time that is left, in milliseconds."""
        return max(int((self._end - time.monotonic()) * 1000), 0)


class Answer(msgspec.Struct):
    """What came of a question: an example (with what each rule says of it), or the rules that exclude one, or why not.

    `is_proof` says that there is none for sure.
    """

    case: Case | None = None
    outcomes: Mapping[str, Outcome] = {}
    is_proof: bool = False
    core: frozenset[str] = frozenset()
    why: str = ""


class Assumed(msgspec.Struct, frozen=True, eq=False):
    """Something that a question assumes, and the rule that it is about."""

    term: Term
    owner: str = ""


class Question:
    """The rules of one action over the same unknowns."""

    def __init__(
        self,
        action: str,
        rules: Sequence[Ruled],
        shapes: Shapes,
        budget: Budget,
        *,
        roots: Mapping[str, Shape] | None = None,
    ) -> None:
        self.action, self.budget = action, budget
        self.layers = sorted({each.layer for each in rules})
        self.rules = [each for each in rules if each.rule.concerns(action)]
        trees = [each.tree for each in self.rules if each.tree is not None]
        self.encoding = Encoding(trees, shapes, roots or {})
        self.unclear: dict[str, str] = {}
        self.pairs: dict[str, Pair] = {each.id: self._pair(each) for each in self.rules}
        self._tests = {each.id: evaluator(each.tree) for each in self.rules if each.tree is not None}
        self._deep = max((quantifiers(tree) for tree in trees), default=0)
        self._solver = z3.SimpleSolver()
        self.applies: dict[str, Term] = {}
        self.bad: dict[str, Term] = {}
        self.fine: dict[str, Assumed] = {}
        self.silent: dict[str, Assumed] = {}
        self._permits: dict[tuple[str, ...], Term] = {}
        for name, (true, bad) in self.pairs.items():
            self.applies[name] = self.named(f"{name} applies", true)
            self.bad[name] = self.named(f"{name} is bad", bad)
            self.silent[name] = Assumed(negated(self.applies[name]), name)
            self.fine[name] = Assumed(negated(self.bad[name]), name)
        self._nice = z3.Bool("an example that people think of first")
        encoding = self.encoding
        self._usual = [*encoding.cells.plain(encoding.scan.expected), encoding.usual_time()]
        self._usual += [counted for counted, _ in encoding.windows.values()]
        self._solver.add(*encoding.cells.always, implies(self._nice, every(self._usual)))

    def _pair(self, each: Ruled) -> Pair:
        if isinstance(each.rule.clause.when, Opaque):
            if each.rule.predicate is None:
                return False, True
            self.unclear[each.id] = "it is Python code"
            return self._anything(each)
        try:
            return self.encoding.condition(each.tree)
        except (NotImplementedError, RecursionError, z3.Z3Exception) as error:
            self.unclear[each.id] = f"it uses what no formula can say: {error}"
            return self._anything(each)

    def _anything(self, each: Ruled) -> Pair:
        when = each.rule.clause.when
        # The same code says the same, in whichever rule it stands.
        name = f"{when.name} {id(each.rule.predicate)}" if isinstance(when, Opaque) else each.id
        true, bad = z3.Bool(f"{name} may apply"), z3.Bool(f"{name} may be bad")
        return every([true, negated(bad)]), bad

    def named(self, name: str, term: Term) -> Term:
        """Return a name for *term* in this question's formulas."""
        if isinstance(term, bool):
            return term
        short = z3.Bool(f"@{name}")
        self._solver.add(short == term)
        return short

    def one_of(self, names: tuple[str, ...]) -> Term:
        """Return that one of these rules applies."""
        if names not in self._permits:
            some_apply = some(self.applies[name] for name in names)
            self._permits[names] = self.named(f"one of {len(self._permits)}", some_apply)
        return self._permits[names]

    def usual_situation(self, names: set[int]) -> Term:
        """Return that what no call can choose (the unknowns *names*) is of the kinds that rules expect."""
        return every(term for term in self._usual if all(one.get_id() in names for one in unknowns([term])))

    def ask(self, assumed: Iterable[Assumed]) -> Answer:
        """Look for a case in which all of *assumed* holds."""
        given = list(assumed)
        for one in given:
            if one.term is False:
                return Answer(is_proof=True, core=frozenset({one.owner}) - {""})
        owners = {one.term.get_id(): one.owner for one in given if one.term is not True}
        terms = [one.term for one in given if one.term is not True]
        why = ""
        for hints in ([self._nice], []):
            if not self.budget.left_ms:
                return Answer(why="the time was up")
            self._solver.set("timeout", min(_QUERY_MS, self.budget.left_ms))
            found = checked(self._solver, [*terms, *hints])
            if found == z3.sat:
                answer = self._example(self._solver.model())
                if answer.case is not None:
                    return answer
                why = answer.why
            elif found == z3.unsat and not hints:
                return self._none(owners)
            elif found == z3.unknown:
                why = "it took too long"
        return Answer(why=why)

    def _none(self, owners: Mapping[int, str]) -> Answer:
        if not self.encoding.is_enough:
            return Answer(why="there are too many texts to tell apart")
        core = list(self._solver.unsat_core())
        for term in core.copy():
            rest = [one for one in core if one.get_id() != term.get_id()]
            if owners.get(term.get_id()) and len(core) <= _MOST_SHRUNK and checked(self._solver, rest) == z3.unsat:
                core = rest
        return Answer(is_proof=True, core=frozenset({owners.get(term.get_id(), "") for term in core} - {""}))

    def _example(self, model: Any) -> Answer:
        try:
            case = case_of(self.encoding, model, self.action)
        except Unwritable as error:
            return Answer(why=f"no example could be written down: {error}")
        return Answer(case, self.outcomes(case))

    def outcomes(self, case: Case) -> dict[str, Outcome]:
        """Return what the evaluator says of each rule for *case*."""
        scope = scope_of(case, self._deep)
        return {each.id: self._outcome(each, scope, case) for each in self.rules}

    def _outcome(self, each: Ruled, scope: list[Any], case: Case) -> Outcome:
        when = each.rule.clause.when
        try:
            if isinstance(when, Opaque):
                held: Any = each.rule.predicate(case) if each.rule.predicate is not None else ABSENT
            else:
                held = when is None or self._tests[each.id](scope)
        except Exception:  # noqa: BLE001 - whatever a rule raises, it can't be judged
            return "bad"
        return "applies" if held is True else "not" if held is False else "bad"


def deciding(rules: Iterable[Ruled]) -> list[Ruled]:
    """Return the rules that take part in a verdict."""
    return [each for each in rules if not each.rule.clause.shadow and each.rule.clause.kind != "must"]


def permitted(question: Question, rules: Sequence[Ruled], but: int | None = None) -> list[Assumed]:
    """Return what has to hold so that *rules* permit the action; in the layer *but* nothing has to permit it."""
    effective = deciding(rules)
    permits = [each for each in effective if each.rule.clause.kind == "permit"]
    found = [
        Assumed(question.one_of(tuple(each.id for each in permits if each.layer == layer)))
        for layer in question.layers
        if layer != but
    ]
    found += [question.fine[each.id] for each in effective]
    return found + [question.silent[each.id] for each in effective if each.rule.clause.kind == "forbid"]


def permission(question: Question, rules: Sequence[Ruled], layers: Iterable[int]) -> Term:
    """Return that *rules*, those of *layers*, permit the action: the same as one formula."""
    effective = [each for each in deciding(rules) if each.layer in layers]
    permits = [each for each in effective if each.rule.clause.kind == "permit"]
    forbids = [each for each in effective if each.rule.clause.kind == "forbid"]
    by_layer = [some(question.pairs[each.id][0] for each in permits if each.layer == layer) for layer in layers]
    fine = [negated(question.pairs[each.id][1]) for each in effective]
    return every([*by_layer, *fine, *(negated(question.pairs[each.id][0]) for each in forbids)])
