"""What is left of a condition when some places of the case are known: a smaller condition, or its answer."""

from typing import Literal

import msgspec

from interlock.guardian import Case
from interlock.guardian.evaluate import evaluator, quantifiers
from interlock.guardian.scope import scope_of
from interlock.guardian.tree import And, Not, Or, Path, Tree, Window, is_never_truth, walk
from interlock.guardian.values import Unjudgeable

Root = Literal["agent", "tenant", "state"]
Folded = Tree | bool


def folded(tree: Tree, case: Case, known: frozenset[Root]) -> Folded:
    """Return what is left of the condition *tree* when the *known* places are as in *case*.

    Where it can't be told, the condition stays as it is: what is left is never false where *tree* could hold, and
    never true where it might not.
    """
    match tree:
        case And(parts) | Or(parts):
            return _of_parts(tree, [folded(part, case, known) for part in parts])
        case Not(part):
            inner = folded(part, case, known)
            return not inner if isinstance(inner, bool) else Not(inner)
        case _ if is_never_truth(tree) or not _is_known(tree, known):
            return tree
        case _:
            return _answer(tree, case)


def _of_parts(tree: And | Or, parts: list[Folded]) -> Folded:
    """Leave out what changes nothing; what can't be judged denies, so that the order of the parts does not matter."""
    deciding = isinstance(tree, Or)
    if any(part is deciding for part in parts):
        return deciding
    left = tuple(part for part in parts if not isinstance(part, bool))
    if not left:
        return not deciding
    return left[0] if len(left) == 1 else msgspec.structs.replace(tree, parts=left)


def _is_known(tree: Tree, known: frozenset[Root]) -> bool:
    """Whether the tree reads known places, and nothing else of the case."""
    places = [node for node in walk(tree) if isinstance(node, (Path, Window))]
    return bool(places) and all(isinstance(one, Path) and one.root in known for one in places)


def _answer(tree: Tree, case: Case) -> Folded:
    try:
        return evaluator(tree)(scope_of(case, quantifiers(tree)))
    except Unjudgeable:
        return tree
