"""The check of a policy when it is loaded: every name in its rules has to be known."""

from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet

import msgspec

from interlock.errors import PolicyError
from interlock.guardian.rules import Clause, Opaque, Rule
from interlock.guardian.tree import Path, Window, walk


class Known(msgspec.Struct, frozen=True):
    """What a rule may name of one action; `arguments` is None where any argument may come.

    `traced` is whether it is told where the values of its arguments came from.
    """

    arguments: frozenset[str] | None = frozenset()
    facts: frozenset[str] = frozenset()
    traced: bool = False


def check(rules: Iterable[Rule], known: Mapping[str, Known], *, windows_too: bool = True) -> None:
    """Refuse *rules* that name an unknown action, argument or fact; in windows too, unless told otherwise.

    Raises:
        PolicyError: Names every such rule with its place and the nearest known name.
    """
    wrong = [
        f"{rule.place or 'policy'}: rule r{number} ({rule}): {problem}"
        for number, rule in enumerate(rules, 1)
        for problem in (*_problems(rule.clause, known), *(_miscounted(rule.clause, known) if windows_too else ()))
    ]
    if wrong:
        raise PolicyError("\n".join(wrong))


def named(clause: Clause, root: str) -> set[str]:
    """Return the names of *root* (arguments, facts or origins) that the condition of *clause* reads."""
    if clause.when is None or isinstance(clause.when, Opaque):
        return set()
    found = (node for node in walk(clause.when) if isinstance(node, Path) and node.root == root)
    return {str(path.steps[0]) for path in found}


def windows(clause: Clause) -> Iterator[Window]:
    """Yield the windows over what was done before that the condition of *clause* looks at."""
    if clause.when is not None and not isinstance(clause.when, Opaque):
        yield from (node for node in walk(clause.when) if isinstance(node, Window))


def _miscounted(clause: Clause, known: Mapping[str, Known]) -> Iterator[str]:
    for window in windows(clause):
        yield from _uncountable(window, clause, known)


def _problems(clause: Clause, known: Mapping[str, Known]) -> Iterator[str]:
    if clause.everywhere:
        yield from _problems_everywhere(clause, known)
        return
    for action in clause.actions:
        if action in known:
            arguments = known[action].arguments
            if arguments is not None:
                for root in ("arg", "origin"):
                    yield from _unknown(clause, root, arguments, f"{action} has no argument")
            yield from _untraced(clause, action, known[action])
            yield from _unknown(clause, "fact", known[action].facts, f"{action} declares no fact")
        else:
            yield f"there is no action {action}{_nearest(action, known)}"


def _uncountable(window: Window, clause: Clause, known: Mapping[str, Known]) -> Iterator[str]:
    """Yield problems of a window: what it counts has to exist, with the arguments that it looks at."""
    for action in (*window.actions, *window.since):
        if action not in known:
            yield f"there is no action {action}{_nearest(action, known)}"
    earlier = [name for name, _ in window.same] + ([window.of] if window.of else [])
    for action in window.actions:
        yield from _missing(earlier, action, known)
    for action in () if clause.everywhere else clause.actions:
        yield from _missing([name for _, name in window.same], action, known)


def _missing(names: Iterable[str], action: str, known: Mapping[str, Known]) -> Iterator[str]:
    there = known[action].arguments if action in known else None
    if there is not None:
        for name in names:
            if name not in there:
                yield f"{action} has no argument {name}{_nearest(name, there)}"


def _problems_everywhere(clause: Clause, known: Mapping[str, Known]) -> Iterator[str]:
    """Yield problems: an argument may be absent from some actions; a fact has to be there for all."""
    listed = [each.arguments for each in known.values() if each.arguments is not None]
    if len(listed) == len(known):
        for root in ("arg", "origin"):
            yield from _unknown(clause, root, frozenset[str]().union(*listed), "no action has an argument")
    for action, each in known.items():
        yield from _untraced(clause, action, each)
        yield from _unknown(clause, "fact", each.facts, f"a rule for every action, but {action} declares no fact")


def _untraced(clause: Clause, action: str, known: Known) -> Iterator[str]:
    if not known.traced and named(clause, "origin"):
        yield f"it reads where values of {action} came from, but they are not traced: give the agent labels=Labels()"


def _unknown(clause: Clause, root: str, names: AbstractSet[str], problem: str) -> Iterator[str]:
    for name in sorted(named(clause, root) - names):
        yield f"{problem} {name}{_nearest(name, names)}"


def _nearest(name: str, names: Iterable[str]) -> str:
    from difflib import get_close_matches  # noqa: PLC0415 - only a wrong policy pays for it

    near = get_close_matches(name, list(names), n=1, cutoff=0.5)
    return f"; did you mean {near[0]}?" if near else f"; there are {', '.join(sorted(names)) or 'none'}"
