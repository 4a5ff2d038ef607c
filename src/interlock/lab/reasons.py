"""Why a condition holds or not: its first part that decided, with the values that it looked at."""

from collections.abc import Iterable
from typing import Any, Final

from interlock.guardian.english import english
from interlock.guardian.evaluate import Evaluator, evaluator, quantifiers, value_of
from interlock.guardian.scope import Scope, scope_of
from interlock.guardian.tree import And, Compare, Each, In, IsAbsent, Many, Matches, Not, Or, Tree, Value
from interlock.guardian.values import ABSENT
from interlock.guardian.verdict import Case

MOST_PARTS: Final = 4
"""So many parts of a condition are told; of the rest, how many there are."""

_LONGEST: Final = 80
_MIRRORED: Final = {"==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_ORDERED: Final = {"<": "under", "<=": "at most", ">": "over", ">=": "at least"}


def value_in(tree: Tree, case: Case) -> Any:
    """Return what *tree* evaluates to in *case*.

    Raises:
        Unjudgeable: it has no value there.
    """
    ask: Evaluator = value_of(tree)
    return ask(scope_of(case, quantifiers(tree)))


def reason(tree: Tree, case: Case) -> str:
    """Return in words why the condition *tree* holds in *case*, or why it does not.

    Raises:
        Unjudgeable: it can't be judged; the message says why.
    """
    return _reason(tree, scope_of(case, quantifiers(tree)))


def shown(value: Any) -> str:
    """Return a value of a case in words, cut where it is long."""
    match value:
        case str():
            said = f'"{value}"'
        case None | bool():
            said = str(value)
        case list() | tuple() | set() | frozenset() | dict():
            many = len(value)  # pyright: ignore[reportUnknownArgumentType]
            return f"a list of {many}" if not isinstance(value, dict) else f"a table of {many}"
        case _ if value is ABSENT:
            return "nothing"
        case _:
            said = _written(value)
    return said if len(said) <= _LONGEST else f"{said[:_LONGEST]}… ({len(said):,} characters)"


def _written(value: Any) -> str:
    try:
        return str(value)
    except Exception:  # noqa: BLE001 - whatever a foreign value does when printed, its type can be told
        return f"a value of type {type(value).__name__}"


def _reason(tree: Tree, scope: Scope) -> str:  # noqa: PLR0911 - one for each kind of node
    match tree:
        case And(parts) | Or(parts):
            return _of_parts(tree, parts, scope)
        case Not(part):
            return _reason(part, scope)
        case Compare():
            return _compared(tree, scope)
        case In(part, among):
            member = evaluator(tree)(scope)
            within = english(among) if isinstance(among, Many) else f"in {english(among)}"
            return f"{_found(part, scope)}, {'' if member else 'not '}{within}"
        case Matches(part, pattern):
            fits = evaluator(tree)(scope)
            return f'{_found(part, scope)}, which {"matches" if fits else "does not match"} "{pattern}"'
        case IsAbsent(part):
            return f"{english(part)} is not given" if evaluator(tree)(scope) else _found(part, scope)
        case Each(op="any" | "all"):
            return _counted(tree, scope)
        case _:
            return _found(tree, scope)


def _of_parts(tree: And | Or, parts: tuple[Tree, ...], scope: Scope) -> str:
    """Return the part that decided; where all of them did, all of them."""
    deciding = isinstance(tree, Or)
    for part in parts:
        if evaluator(part)(scope) is deciding:
            return _reason(part, scope)
    return _joined(_reason(part, scope) for part in parts)


def _joined(said: Iterable[str]) -> str:
    each = list(dict.fromkeys(said))
    left_out = len(each) - MOST_PARTS
    return " and ".join([*each[:MOST_PARTS], *([f"{left_out} more"] if left_out > 0 else [])])


def _found(tree: Tree, scope: Scope) -> str:
    value = value_of(tree)(scope)
    return f"{english(tree)} is not there" if value is ABSENT else f"{english(tree)} is {shown(value)}"


def _compared(tree: Compare, scope: Scope) -> str:
    """Return what was found, and how it stands to what it was compared with."""
    op, left, right = tree.op, tree.left, tree.right
    if isinstance(left, Value):
        op, left, right = _MIRRORED[op], right, left
    found, holds = _found(left, scope), evaluator(tree)(scope)
    beside = english(right) if isinstance(right, Value) else f"{english(right)} ({shown(value_of(right)(scope))})"
    if op in _ORDERED:
        return f"{found}, {'' if holds else 'not '}{_ORDERED[op]} {beside}"
    if (op == "==") is holds:
        return found if isinstance(right, Value) else f"{found}, as is {english(right)}"
    return f"{found}, not {beside}"


def _counted(tree: Each, scope: Scope) -> str:
    evaluator(tree)(scope)
    held = value_of(Each("count", tree.over, tree.number, tree.body))(scope)
    elements = len(value_of(tree.over)(scope))
    return f"{english(tree.body)}: true for {held} of {elements} in {english(tree.over)}"
