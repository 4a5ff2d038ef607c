"""The one door to z3: terms whose constants are folded away while they are built."""

from collections.abc import Iterable
from fractions import Fraction
from importlib import import_module
from typing import Any

from interlock.errors import DeclarationError

try:
    z3: Any = import_module("z3")
except ImportError as error:
    raise DeclarationError("proofs of policies need z3: pip install 'interlock[prove]'") from error

Term = Any
"""A term of z3, or a Python bool where it is known already."""


def both(*parts: Term) -> Term:
    """Return the conjunction."""
    return every(parts)


def either(*parts: Term) -> Term:
    """Return the disjunction."""
    return some(parts)


def every(parts: Iterable[Term]) -> Term:
    """Return the conjunction of *parts*; true of none."""
    kept: list[Term] = []
    for part in parts:
        if part is False:
            return False
        if part is not True:
            kept.append(part)
    return True if not kept else kept[0] if len(kept) == 1 else z3.And(kept)


def some(parts: Iterable[Term]) -> Term:
    """Return the disjunction of *parts*; false of none."""
    kept: list[Term] = []
    for part in parts:
        if part is True:
            return True
        if part is not False:
            kept.append(part)
    return False if not kept else kept[0] if len(kept) == 1 else z3.Or(kept)


def negated(part: Term) -> Term:
    """Return the negation."""
    return (not part) if isinstance(part, bool) else z3.Not(part)


def implies(one: Term, other: Term) -> Term:
    """Return that *one* entails *other*."""
    return either(negated(one), other)


def same_truth(one: Term, other: Term) -> Term:
    """Return that two truths are equal."""
    if isinstance(one, bool):
        return other if one else negated(other)
    if isinstance(other, bool):
        return one if other else negated(one)
    return one == other


def chosen(condition: Term, one: Term, other: Term) -> Term:
    """Return *one* where the condition holds, else *other*; both numbers of one sort."""
    if isinstance(condition, bool):
        return one if condition else other
    return z3.If(condition, one, other)


def real(value: Any) -> Term:
    """Return an exact number as a term."""
    fraction = Fraction(value)
    return z3.RealVal(f"{fraction.numerator}/{fraction.denominator}")


def as_real(term: Term) -> Term:
    """Return a whole number among the others."""
    return z3.ToReal(term) if z3.is_int(term) else term


def unknowns(terms: Iterable[Term]) -> list[Term]:
    """Return the unknowns that occur in *terms*, each once."""
    found: dict[int, Term] = {}
    seen = set[int]()
    waiting = [term for term in terms if not isinstance(term, bool)]
    while waiting:
        term = waiting.pop()
        if term.get_id() in seen:
            continue
        seen.add(term.get_id())
        if z3.is_const(term) and term.decl().kind() == z3.Z3_OP_UNINTERPRETED:
            found[term.get_id()] = term
        waiting.extend(term.children())
    return list(found.values())


def checked(solver: Any, assumed: list[Term]) -> Any:
    """Return whether *assumed* has a solution; `solver.check` looks at the sort of each term, which takes longer."""
    array = (z3.Ast * len(assumed))(*(term.as_ast() for term in assumed))
    return z3.CheckSatResult(z3.Z3_solver_check_assumptions(solver.ctx.ref(), solver.solver, len(assumed), array))
