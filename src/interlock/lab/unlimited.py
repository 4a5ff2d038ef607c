"""Which arguments the rules don't limit: those that no rule looks at, and numbers that may be of any size."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, cast

from interlock.actions.action import Action
from interlock.guardian import Opaque
from interlock.guardian.check import named
from interlock.guardian.rules import Clause
from interlock.guardian.tree import And, Compare, In, Math, Not, Or, Path, Tree, walk

_NUMBERS: Final = frozenset({"number", "integer"})
_BOUND_ABOVE: Final = frozenset({"<", "<=", "=="})
_BOUND_ABOVE_MIRRORED: Final = frozenset({">", ">=", "=="})
_NEGATED: Final = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "==": "!=", "!=": "=="}
_EFFECTIVE: Final = ("permit", "forbid")


def unlimited(action: Action[Any, Any, Any], layers: Sequence[Sequence[Clause]]) -> Iterator[tuple[str, str]]:
    """Yield the arguments of *action* that may be anything, or any number, under the rules that concern it, and why.

    Needs don't limit: they put a person in the way. A rule that is Python code may look at anything, and nothing is
    said where there is one. Look-ups get all arguments, so that a rule over a fact may limit them in its own way.

    Args:
        action: The action.
        layers: The rules that concern it: those of its policy, then those of each policy around that.
    """
    limiting = [[clause for clause in clauses if clause.kind in _EFFECTIVE] for clauses in layers]
    effective = [clause for clauses in limiting for clause in clauses]
    if any(isinstance(clause.when, Opaque) for clause in effective):
        return
    read = set[str]().union(*(named(clause, "arg") for clause in effective))
    facts = sorted(set[str]().union(*(named(clause, "fact") for clause in effective)))
    through = f", but through the fact {' or '.join(facts)}" if facts else ""
    numbers = {one for one, schema in _properties(action).items() if _is_number(schema)}
    for name in action.signature.names:
        if name not in read:
            yield name, f"no rule looks at it{through}"
        elif name in numbers and not any(_is_bounded(name, clauses) for clauses in limiting):
            yield name, "no rule limits how large it is"


def _properties(action: Action[Any, Any, Any]) -> dict[str, dict[str, Any]]:
    return action.schema()["parameters"].get("properties", {})


def _is_number(schema: dict[str, Any]) -> bool:
    kinds = {schema.get("type"), *(one.get("type") for one in schema.get("anyOf", ()))}
    return bool(kinds & _NUMBERS)


def _is_bounded(name: str, clauses: Iterable[Clause]) -> bool:
    """Whether each permit holds only up to some size of the argument, or a forbid holds from some size on."""
    permits = [clause.when for clause in clauses if clause.kind == "permit"]
    forbids = [clause.when for clause in clauses if clause.kind == "forbid"]
    if any(when is not None and _bounds(cast("Tree", when), name, holds=False) for when in forbids):
        return True
    return all(when is not None and _bounds(cast("Tree", when), name, holds=True) for when in permits)


def _bounds(tree: Tree, name: str, *, holds: bool) -> bool:
    """Whether the argument has an upper end wherever *tree* holds (or wherever it does not)."""
    match tree:
        case Not(part):
            return _bounds(part, name, holds=not holds)
        case And(parts) | Or(parts):
            one_is_enough = isinstance(tree, And) is holds
            ends = (_bounds(part, name, holds=holds) for part in parts)
            return any(ends) if one_is_enough else all(ends)
        case In(part, _):
            return holds and _grows(part, name)
        case Compare(op, left, right):
            op = op if holds else _NEGATED[op]
            above = op in _BOUND_ABOVE and _grows(left, name) and not _mentions(right, name)
            return above or (op in _BOUND_ABOVE_MIRRORED and _grows(right, name) and not _mentions(left, name))
        case _:
            return False


def _grows(tree: Tree, name: str) -> bool:
    """Whether *tree* is the argument, more or less what no argument has a say in."""
    match tree:
        case Path("arg", (str() as first,)):
            return first == name
        case Math("+", left, right):
            return (_grows(left, name) and not _reads(right)) or (_grows(right, name) and not _reads(left))
        case Math("-", left, right):
            return _grows(left, name) and not _reads(right)
        case _:
            return False


def _mentions(tree: Tree, name: str) -> bool:
    return any(isinstance(node, Path) and node.root == "arg" and node.steps[0] == name for node in walk(tree))


def _reads(tree: Tree) -> bool:
    return any(isinstance(node, Path) and node.root == "arg" for node in walk(tree))
