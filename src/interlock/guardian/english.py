"""A condition and a rule in plain English, for the person who has to approve or to read them."""

from typing import Any, Final

from interlock.durations import written
from interlock.guardian.tree import (
    And,
    Clock,
    Compare,
    Each,
    In,
    IsAbsent,
    Item,
    Length,
    Many,
    Matches,
    Math,
    Not,
    Or,
    Path,
    Step,
    Tree,
    Value,
    Window,
)

_COMPARED: Final = {
    "==": "is",
    "!=": "is not",
    "<": "is under",
    "<=": "is at most",
    ">": "is over",
    ">=": "is at least",
}
_CALCULATED: Final = {"+": "plus", "-": "minus", "*": "times"}
_NAMES: Final = ("it", "x", "y", "z")
_MOST_LISTED: Final = 12
_OF_THE_CASE: Final = {"agent": "the agent", "tenant": "the tenant", "state": "the state"}


def label(tree: Tree) -> str:
    """Return *tree* as its author wrote it if it is a path or a window, else as English; no two read the same."""
    if isinstance(tree, Path):
        return tree.root + "".join(map(_step, tree.steps))
    return _written(tree) if isinstance(tree, Window) else english(tree)


def _written(tree: Window) -> str:
    parts = ["+".join(tree.actions)]
    parts += [f"of={tree.of}"] if tree.of else []
    parts.append(f"per={tree.per}")
    parts += [f"within={written(tree.within)}"] if tree.within else []
    parts += [f"same={'+'.join(_pair(pair) for pair in tree.same)}"] if tree.same else []
    parts += [f"since={'+'.join(tree.since)}"] if tree.since else []
    parts += ["settled"] if tree.settled else []
    return f"{tree.op}({', '.join(parts)})"


def _pair(pair: tuple[str, str]) -> str:
    return pair[0] if pair[0] == pair[1] else f"{pair[0]}:{pair[1]}"


def _step(step: Step) -> str:
    if isinstance(step, int):
        return f"[{step}]"
    return f".{step}" if step.isidentifier() else f'["{step}"]'


def english(tree: Tree) -> str:
    """Return what *tree* says as a clause."""
    return _CLAUSES[type(tree)](tree)


def _value(tree: Value) -> str:
    if tree.kind == "text":
        return f'"{tree.text}"'
    return written(int(tree.text)) if tree.kind == "duration" else str(tree.python())


def _many(tree: Many) -> str:
    shown = [_value(value) for value in tree.values[:_MOST_LISTED]]
    left_out = len(tree.values) - len(shown)
    return _listed([*shown, f"{left_out} more"] if left_out else shown, "or") or "nothing"


def _listed(words: list[str], last: str) -> str:
    return f" {last} ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))


def _path(tree: Path) -> str:
    if not tree.steps:
        return _OF_THE_CASE[tree.root]
    if tree.root == "origin":
        return _origin(tree.steps)
    return _owned("the user's" if tree.root == "user" else "the", tree.steps)


def _origin(steps: tuple[Step, ...]) -> str:
    name, *told = steps
    return _TOLD[told[0] if told else ""].format(_spoken(name))


_TOLD: Final[dict[Step, str]] = {
    "": "where the {} came from",
    "trust": "the trust (0 to 7) of where the {} came from",
    "label": "the kind of source that the {} came from",
    "source": "the source that the {} came from",
    "how": "the way in which the {} was found where it came from",
    "role": "the role of the {}",
}


def _item(tree: Item) -> str:
    name = _name(tree.number)
    owner = "its" if name == "it" else f"{name}'s"
    return _owned(owner, tree.steps) if tree.steps else name


def _name(number: int) -> str:
    """Return what the element of the quantifier *number* is called."""
    return _NAMES[number] if 0 <= number < len(_NAMES) else f"x{number}"


def _owned(start: str, steps: tuple[Step, ...]) -> str:
    return f"{start} " + "'s ".join(map(_spoken, steps))


def _spoken(step: Step) -> str:
    return step.replace("_", " ") if isinstance(step, str) else f"item {step + 1}"


def _compare(tree: Compare) -> str:
    return f"{_tight(tree.left)} {_COMPARED[tree.op]} {_tight(tree.right)}"


def _math(tree: Math) -> str:
    return f"{_tight(tree.left)} {_CALCULATED[tree.op]} {_tight(tree.right)}"


def _tight(tree: Tree) -> str:
    """Return *tree* in brackets where it could be read in two ways."""
    return f"({english(tree)})" if isinstance(tree, (And, Or, Compare, Math, Each, Not)) else english(tree)


def _joined(parts: tuple[Tree, ...], word: str) -> str:
    return f" {word} ".join(
        f"({english(each)})" if isinstance(each, (And, Or, Each)) else english(each) for each in parts
    )


def _and(tree: And) -> str:
    return _joined(tree.parts, "and")


def _or(tree: Or) -> str:
    return _joined(tree.parts, "or")


def _not(tree: Not) -> str:
    match tree.part:
        case IsAbsent(part):
            return f"{_tight(part)} is given"
        case In(part, among):
            return f"{_tight(part)} is not {_among(among)}"
        case Matches(part, pattern):
            return f'{_tight(part)} does not match "{pattern}"'
        case part:
            return f"not ({english(part)})"


def _in(tree: In) -> str:
    return f"{_tight(tree.part)} is {_among(tree.among)}"


def _among(tree: Tree) -> str:
    return english(tree) if isinstance(tree, Many) else f"in {_tight(tree)}"


def _matches(tree: Matches) -> str:
    return f'{_tight(tree.part)} matches "{tree.pattern}"'


def _is_absent(tree: IsAbsent) -> str:
    return f"{_tight(tree.part)} is not given"


def _length(tree: Length) -> str:
    return f"the length of {_tight(tree.part)}"


def _each(tree: Each) -> str:
    name, over = _name(tree.number), _tight(tree.over)
    match tree.op:
        case "any" | "all":
            quantifier = "some" if tree.op == "any" else "every"
            return f"for {quantifier} {name} in {over}, {english(tree.body)}"
        case "count":
            return f"the number of those in {over} for which, called {name}, {_tight(tree.body)}"
        case "sum":
            return f"the sum of {_tight(tree.body)} over every {name} in {over}"


def _clock(tree: Clock) -> str:
    zone = "" if tree.zone == "UTC" else f" in {tree.zone}"
    return f"{_SHOWN[tree.part]}{zone}"


_SHOWN: Final = {
    "datetime": "the time now",
    "date": "today's date",
    "time": "the time of day",
    "hour": "the hour of the day",
    "weekday": "the day of the week (1 is Monday)",
}


def _window(tree: Window) -> str:
    actions = _listed(list(tree.actions), "or")
    done = "done" if tree.settled else "done or under way"
    if tree.op == "surge":
        bucket = written(tree.within)
        return f"the deviations of {actions} {_WHOSE[tree.per]} above the usual rate per {bucket}"
    what = f"the sum of the {_spoken(tree.of)} of every" if tree.op == "sum" else "the number of times that"
    verb = f"{actions} that is {done}" if tree.op == "sum" else f"{actions} is {done}"
    return " ".join(filter(None, [what, verb, _WHOSE[tree.per], *_restricted(tree)]))


def _restricted(tree: Window) -> list[str]:
    said: list[str] = []
    if tree.same:
        said.append(f"with the same {_listed([_pair(pair).replace('_', ' ') for pair in tree.same], 'and')}")
    if tree.within:
        said.append(f"within {written(tree.within)}")
    if tree.since:
        said.append(f"since the last {_listed(list(tree.since), 'or')}")
    return said


_WHOSE: Final = {
    "run": "in this run",
    "conversation": "in this conversation",
    "user": "for this user",
    "agent": "by this agent",
    "tenant": "for this tenant",
    "everyone": "by anybody",
}


_CLAUSES: Final[dict[type, Any]] = {
    Value: _value,
    Many: _many,
    Path: _path,
    Item: _item,
    Compare: _compare,
    Math: _math,
    And: _and,
    Or: _or,
    Not: _not,
    In: _in,
    Matches: _matches,
    IsAbsent: _is_absent,
    Length: _length,
    Each: _each,
    Clock: _clock,
    Window: _window,
}
