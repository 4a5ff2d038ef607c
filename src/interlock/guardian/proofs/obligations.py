"""Obligations that no permitted call can meet, and obligations that no one call can meet together.

"There is a situation in which no call is permitted" holds two quantifiers. A solver proposes the situation; that no
call is permitted in it is then proved again, without quantifiers, for exactly this situation.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from interlock.guardian.proofs.asking import Answer, Assumed, Question, Ruled, permission, permitted
from interlock.guardian.proofs.logic import Term, both, every, negated, some, unknowns, z3
from interlock.guardian.proofs.report import Finding, Place, Undecided
from interlock.guardian.tree import And, Path, Tree, Window, walk

_QUANTIFIED_MS = 1_500
_CANDIDATES = 12


class _Owed:
    """An obligation taken apart: the situation in which it holds, and what it asks of the call."""

    def __init__(self, question: Question, each: Ruled) -> None:
        self.id = each.id
        tree = each.tree
        parts = tree.parts if isinstance(tree, And) else () if tree is None else (tree,)
        self.when = every(question.encoding.condition(part)[0] for part in parts if not _reads_call(part))
        self.which = every(question.encoding.condition(part)[0] for part in parts if _reads_call(part))


def _reads_call(tree: Tree) -> bool:
    return any(
        (isinstance(node, Path) and node.root == "arg") or (isinstance(node, Window) and bool(node.same))
        for node in walk(tree)
    )


def obligations(
    question: Question, rules: Sequence[Ruled], place: Callable[[str], Place]
) -> tuple[list[Finding], list[Undecided]]:
    """Return the paradoxes and contradictions among the obligations of one action."""
    found = [each for each in rules if each.rule.clause.kind == "must" and not each.rule.clause.shadow]
    clear = [_Owed(question, each) for each in found if each.id not in question.unclear]
    looking = _Looking(question, rules, place)
    for owed in clear:
        looking.paradox(owed)
    for at, one in enumerate(clear):
        for other in clear[:at]:
            if one.which is not True and other.which is not True:
                looking.contradiction(other, one)
    return looking.findings, looking.undecided


class _Looking:
    def __init__(self, question: Question, rules: Sequence[Ruled], place: Callable[[str], Place]) -> None:
        self._question, self._rules, self._place = question, rules, place
        self._fixed = _situation(question)
        self._names = {one.get_id() for one in self._fixed}
        self._permitted = permission(question, rules, question.layers)
        self.findings: list[Finding] = []
        self.undecided: list[Undecided] = []

    def paradox(self, owed: _Owed) -> None:
        """Look for a situation in which no call that the obligation asks for is permitted."""
        wanted = [Assumed(owed.which), *permitted(self._question, self._rules)]
        found = self._situation(owed.when, both(owed.which, self._permitted), wanted)
        if isinstance(found, str):
            if found:
                self.undecided.append(Undecided(f"whether {owed.id} can always be met", found, (self._place(owed.id),)))
            return
        situation, proof = found
        example = self._question.ask([Assumed(owed.when), Assumed(owed.which), *situation])
        others = sorted(proof.core - {owed.id})
        if example.case is None:
            self.undecided.append(
                Undecided(f"whether {owed.id} can always be met", _no_call(example), (self._place(owed.id),))
            )
            return
        words = f"{owed.id} obliges {self._question.action}, but in such a case no call that it asks for is permitted"
        words += (
            f": {', '.join(others)} prevent{'s' if len(others) == 1 else ''} it"
            if others
            else ", for no rule permits it"
        )
        self._add("paradox", (owed.id, *others), words, example)

    def contradiction(self, one: _Owed, other: _Owed) -> None:
        """Look for a situation in which both hold, each can be asked, and no call is what both ask for."""
        when, which = both(one.when, other.when), both(one.which, other.which)
        found = self._situation(when, which, [Assumed(which)])
        names = f"{one.id} and {other.id}"
        if isinstance(found, str):
            if found:
                places = (self._place(one.id), self._place(other.id))
                self.undecided.append(Undecided(f"whether {names} can be met together", found, places))
            return
        situation, _ = found
        examples = [self._question.ask([Assumed(when), Assumed(owed.which), *situation]) for owed in (one, other)]
        if all(example.case is not None for example in examples):
            words = f"{names} hold in one situation, and no call of {self._question.action} is what both ask for"
            self._add("contradiction", (one.id, other.id), words, examples[0])

    def _add(self, kind: Any, names: Sequence[str], words: str, example: Answer) -> None:
        places = tuple(self._place(name) for name in names)
        self.findings.append(Finding(kind, places, (self._question.action,), words, example.case))

    def _situation(self, when: Term, call: Term, wanted: Sequence[Assumed]) -> tuple[list[Assumed], Answer] | str:
        """Return a situation in which *when* holds and no *call* is possible, with the proof of that.

        Nothing ("") where there is none, or why that can't be told.
        """
        question = self._question
        inner, outer = _parted(question.encoding.cells.always, self._names)
        impossible = negated(every([*inner, call]))
        bound = [one for one in unknowns([impossible]) if one.get_id() not in self._names]
        solver = z3.Solver()
        solver.set("timeout", min(_QUANTIFIED_MS, max(question.budget.left_ms, 1)))
        solver.add(*outer, when, question.usual_situation(self._names))
        quick = solver.check()
        if quick == z3.unsat:
            return ""
        solver.add(z3.ForAll(bound, impossible) if bound and not isinstance(impossible, bool) else impossible)
        found = solver.check()
        if found == z3.unsat:
            return ""
        return self._proved(solver.model(), wanted) if found == z3.sat else self._tried(outer, when, wanted)

    def _proved(self, model: Any, wanted: Sequence[Assumed]) -> tuple[list[Assumed], Answer] | str:
        situation = [Assumed(one == model.eval(one, model_completion=True)) for one in self._fixed]
        answer = self._question.ask([*wanted, *situation])
        return (situation, answer) if answer.is_proof else "a situation was found, but not proved"

    def _tried(
        self, outer: Iterable[Term], when: Term, wanted: Sequence[Assumed]
    ) -> tuple[list[Assumed], Answer] | str:
        """Try some situations, where the solver can't tell for all of them."""
        solver = z3.SimpleSolver()
        solver.set("timeout", min(_QUANTIFIED_MS, max(self._question.budget.left_ms, 1)))
        solver.add(*outer, when, self._question.usual_situation(self._names))
        for _ in range(_CANDIDATES):
            if solver.check() != z3.sat:
                break
            model = solver.model()
            found = self._proved(model, wanted)
            if not isinstance(found, str):
                return found
            solver.add(some(one != model.eval(one, model_completion=True) for one in self._fixed))
        return "it took too long to look at every situation"


def _no_call(example: Answer) -> str:
    return "no call is what it asks for there" if example.is_proof else example.why


def _situation(question: Question) -> list[Term]:
    """Return the unknowns that no call can choose: facts, who asks in which state, the time, what was done."""
    encoding = question.encoding
    found: list[Term] = [encoding.at, encoding.told] if encoding.offsets else []
    found += [offset for offset in encoding.offsets.values() if not z3.is_int_value(offset)]
    found += [term for pair in encoding.windows.values() for term in pair]
    for cell in encoding.cells.all.values():
        if cell.place is not None and cell.place[0] != "arg":
            found += [one for one in (cell.which, cell.size, cell.length) if one is not None]
            found += list(cell.of.values())
    return found


def _parted(terms: Iterable[Term], names: set[int]) -> tuple[list[Term], list[Term]]:
    """Return the terms that depend on the call, and those that don't."""
    inner: list[Term] = []
    outer: list[Term] = []
    for term in terms:
        depends = any(one.get_id() not in names for one in unknowns([term]))
        (inner if depends else outer).append(term)
    return inner, outer
