"""The rules that a policy is made of: `permit`, `forbid` and `need`.

A rule is its `Clause`, which is data, and where it was written, which is not part of what it says. A
condition is a tree, or in need an opaque Python predicate: a pure function of the `Case` to a bool, which no
one can look into.
"""

import sys
from collections.abc import Callable, Container
from hashlib import sha256
from typing import Any, Final, Literal

import msgspec

from interlock.durations import microseconds, written
from interlock.errors import DeclarationError, PolicyError
from interlock.guardian.english import english
from interlock.guardian.expr import Expr, tree_of
from interlock.guardian.naming import EVERY, Actions, names
from interlock.guardian.tree import Node, Tree, validated
from interlock.guardian.verdict import Case

Kind = Literal["permit", "forbid", "confirmation", "approval", "delay", "must"]
Predicate = Callable[[Case], bool]
Condition = Expr | Predicate | None


class _Any:
    """The type of `ANY`."""

    def __repr__(self) -> str:
        return "ANY"


ANY: Final = _Any()
"""Every action, for `forbid` and `need`; a permit names its actions."""


class Opaque(Node, frozen=True, tag="opaque"):
    """Stands in the data for a Python predicate: its name, and the digest of its source if there is one."""

    name: str
    digest: str = ""


class Clause(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a rule says, as data."""

    kind: Kind
    actions: tuple[str, ...]
    when: Tree | Opaque | None = None
    because: str = ""
    instead: str = ""
    level: str = ""
    seconds: float = 0.0
    shadow: bool = False

    @property
    def everywhere(self) -> bool:
        """Whether the rule concerns every action."""
        return self.actions == (EVERY,)

    def __str__(self) -> str:
        when = f" when {_when(self.when)}" if self.when else ""
        because = f", because {self.because}" if self.because else ""
        shadow = "in shadow: " if self.shadow else ""
        return f"{shadow}{self._what()} {self._which()}{when}{because}"

    def _what(self) -> str:
        match self.kind:
            case "confirmation":
                return "need confirmation by the user for"
            case "approval":
                return f"need approval by {self.level} for"
            case "delay":
                return f"need a delay of {written(round(self.seconds * 1_000_000))} for"
            case "must":
                return "must be able to do"
            case kind:
                return kind

    def _which(self) -> str:
        return "every action" if self.everywhere else ", ".join(self.actions)


def _when(condition: Tree | Opaque) -> str:
    return f"{condition.name} says so" if isinstance(condition, Opaque) else english(condition)


class Rule:
    """One rule; `str(rule)` is the rule in English, `rule.place` the file and line where it was written."""

    __slots__ = ("clause", "place", "predicate")
    clause: Clause
    place: str
    predicate: Predicate | None

    def __init__(self, clause: Clause, place: str = "", predicate: Predicate | None = None) -> None:
        self.clause = checked(clause)
        self.place = place
        self.predicate = predicate

    def only(self, actions: Container[str]) -> "Rule | None":
        """Return the rule for those of its actions that are among *actions*; None where none is."""
        left = tuple(action for action in self.clause.actions if action in actions)
        return Rule(msgspec.structs.replace(self.clause, actions=left), self.place, self.predicate) if left else None

    def concerns(self, action: str) -> bool:
        """Tell whether the rule can concern *action*."""
        return self.clause.everywhere or action in self.clause.actions

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Rule) and self.clause == other.clause

    def __hash__(self) -> int:
        return hash(self.clause)

    def __str__(self) -> str:
        return str(self.clause)

    def __repr__(self) -> str:
        return f"<Rule: {self}>"


def checked(clause: Clause) -> Clause:
    """Return *clause* if it can be judged; one that was read from JSON is trusted no more than a new one."""
    if not clause.actions or not all(clause.actions):
        raise PolicyError(f"a {clause.kind} rule names no action")
    if EVERY in clause.actions and (clause.kind in ("permit", "must") or not clause.everywhere):
        raise PolicyError("permit and must name their actions; ANY stands alone, in forbid and need")
    if (clause.kind == "approval") != bool(clause.level):
        raise PolicyError("an approval, and nothing else, has a level: need.approval('finance', action)")
    if (clause.kind == "delay") != (clause.seconds > 0):
        raise PolicyError("a delay, and nothing else, has a duration: need.delay('10m', action)")
    if clause.when is not None and not isinstance(clause.when, Opaque):
        validated(clause.when)
    return clause


def permit(action: Actions, when: Condition = None, because: str = "") -> Rule:
    """Permit *action* when the condition holds and nothing forbids it."""
    return _rule("permit", action, when, because)


def forbid(action: Actions | _Any, when: Condition = None, because: str = "", instead: str = "") -> Rule:
    """Forbid *action* when the condition holds, whatever permits it; *instead* tells a way forward."""
    return _rule("forbid", action, when, because, instead=instead)


def must(action: Actions, when: Condition = None, because: str = "") -> Rule:
    """Oblige the agent: where the condition holds, *action* has to be possible.

    It grants nothing. Where such an action is denied all the same, rules contradict each other: the verdict says so
    (`Verdict.paradox`), and a proof finds it before (`interlock policy check`). What the condition says of arguments
    tells which call has to be possible, the rest of it tells when.
    """
    return _rule("must", action, when, because)


def shadow(rule: Rule) -> Rule:
    """Return *rule* without effect: it is judged, and what it would have said is reported and recorded."""
    return Rule(msgspec.structs.replace(rule.clause, shadow=True), rule.place, rule.predicate)


class Needs:
    """Rules that ask for something before a permitted action is performed; they never grant."""

    def confirmation(self, action: Actions | _Any, when: Condition = None, because: str = "") -> Rule:
        """Need the user's yes to exactly this action."""
        return _rule("confirmation", action, when, because)

    def approval(self, level: str, action: Actions | _Any, when: Condition = None, because: str = "") -> Rule:
        """Need the approval of a person of *level*."""
        return _rule("approval", action, when, because, level=level)

    def delay(self, duration: str, action: Actions | _Any, when: Condition = None, because: str = "") -> Rule:
        """Need a *duration* (`10m`) to pass, in which the action can still be stopped."""
        return _rule("delay", action, when, because, duration=duration)


need = Needs()


def _rule(
    kind: Kind, action: Actions | _Any, when: Condition, because: str, duration: str | None = None, **more: Any
) -> Rule:
    place = _caller()
    try:
        if duration is not None:
            more["seconds"] = _delay(duration)
        condition = _condition(when)
        named = (EVERY,) if isinstance(action, _Any) else names(kind, action)
        clause = Clause(kind, named, condition, str(because or ""), **more)
        return Rule(clause, place, when if isinstance(condition, Opaque) else None)
    except DeclarationError as error:
        raise PolicyError(f"{place}: {error}") from error


def _delay(duration: str) -> float:
    window = microseconds(duration)
    if not window:
        raise PolicyError(f"a delay of {duration!r} is no time at all; leave the rule out, or give it one")
    return window / 1_000_000


def _caller() -> str:
    """Return the file and line outside of this room from which a rule is being written."""
    frame = sys._getframe(1)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith("interlock.guardian."):
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"


def _condition(when: object) -> Tree | Opaque | None:
    if when is None:
        return None
    if isinstance(when, Expr):
        return tree_of(when)
    if isinstance(when, type) or not callable(when):
        what = "several actions are given as a list" if hasattr(when, "effect") else "build one from arg, fact, user, …"
        raise PolicyError(f"when={when!r} is not a condition; {what}")
    return _opaque(when)


def _opaque(predicate: Callable[..., Any]) -> Opaque:
    import inspect  # noqa: PLC0415 - costs a few milliseconds, and most policies hold no predicate

    module = getattr(predicate, "__module__", "")
    name = f"{module}:{getattr(predicate, '__qualname__', type(predicate).__qualname__)}"
    if inspect.iscoroutinefunction(predicate):
        raise PolicyError(f"the predicate {name} is async; gather what it awaits as a fact")
    try:
        source = inspect.getsource(predicate)
    except (OSError, TypeError):
        return Opaque(name)
    return Opaque(name, sha256(f"{source}{_last_column(predicate)}".encode()).hexdigest())


def _last_column(predicate: Callable[..., Any]) -> int:
    """Tell the lambdas of one line apart: the source of each is the whole line."""
    code = getattr(predicate, "__code__", None)
    return max((end or 0 for *_, end in code.co_positions()), default=0) if code else 0
