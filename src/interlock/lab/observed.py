"""What recorded runs show of the fields of results and of arguments: their shape, and how often their values came."""

import re
from collections import Counter
from typing import Any, Final, Literal

import msgspec
from msgspec import Struct

from interlock.agents import Agent
from interlock.kernel import events as ev
from interlock.kernel.events import Recorded
from interlock.lab.proposed import Proposed, proposed
from interlock.provenance import Labels, Role, Trust, shapes
from interlock.provenance.leaves import Fields, Leaf
from interlock.provenance.normal import days, number, plain
from interlock.provenance.tracing import argument_values, role_in

Shape = Literal["number", "day", "truth", "code", "address", "short text", "free text"]

MOST_FIELDS: Final = 200
"""How many fields of one action's results are told apart; a result with more has names that are data."""

MOST_DISTINCT: Final = 1_000
"""Up to how many different values of a field are counted."""

MOST_HELD: Final = 100_000
"""How many values of one run are remembered, to see them come as arguments."""

ROOT: Final = "*"
"""What stands for a result that is one value."""

_CODE = re.compile(r"(?=.*\d)[A-Za-z0-9][A-Za-z0-9_.:/#+-]{0,63}")
_NAME = re.compile(r"[^\W\d][\w-]{0,63}")


class FieldSeen(Struct):
    """What was seen of one field of an action's results.

    `trust` is how far its values are trusted by default; `used` in which roles values of it came as arguments later in
    the same run; `unsure` whether a result that held it was suspected of an injection, or was worth less as a whole.
    """

    pattern: str
    key: str
    values: int = 0
    distinct: set[str] = msgspec.field(default_factory=set[str])
    shapes: Counter[Shape] = msgspec.field(default_factory=Counter[Shape])
    trust: Counter[Trust] = msgspec.field(default_factory=Counter[Trust])
    used: Counter[Role] = msgspec.field(default_factory=Counter[Role])
    secret: bool = False
    unsure: bool = False


class ArgumentSeen(Struct):
    """What was seen of one argument of an action, and of what lies within it under another name."""

    name: str
    values: int = 0
    distinct: set[str] = msgspec.field(default_factory=set[str])
    shapes: Counter[Shape] = msgspec.field(default_factory=Counter[Shape])
    roles: Counter[Role] = msgspec.field(default_factory=Counter[Role])


class ActionSeen(Struct):
    """What was seen of one action: how often it was proposed, how many results it gave."""

    name: str
    proposals: int = 0
    results: int = 0
    fields: dict[str, FieldSeen] = msgspec.field(default_factory=dict[str, FieldSeen])
    arguments: dict[str, ArgumentSeen] = msgspec.field(default_factory=dict[str, ArgumentSeen])
    left_out: bool = False
    """Whether there were fields with names that are data, or more than are told apart."""


class Observer:
    """Takes in the events of recorded runs, in any order that keeps each run's own, and counts what it sees.

    Args:
        agent: Whose runs are looked at; events of others are passed over.

    The mutable state: what was seen by now, and what the results of runs under way held.
    """

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self._defaults = Labels()
        self._fields: dict[str, Fields] = {}
        self._held: dict[str, dict[str, set[tuple[str, str]]]] = {}
        self._calls: dict[str, set[str]] = {}
        self.runs = 0
        self.actions: dict[str, ActionSeen] = {}

    def add(self, one: Recorded) -> None:
        """Take in one event."""
        event = one.event
        if isinstance(event, ev.RunStarted) and event.agent == self._agent.name:
            self.runs += 1
            self._held[one.run], self._calls[one.run] = {}, set()
        if one.run not in self._held:
            return
        if (found := proposed(event)) is not None and found.call not in self._calls[one.run]:
            self._calls[one.run].add(found.call)
            self._propose(one.run, found)
        if isinstance(event, ev.Done) and not event.undoes and event.via != "person":
            self._result(one.run, event)
        elif isinstance(event, ev.RunEnded):
            del self._held[one.run], self._calls[one.run]

    def _seen(self, action: str) -> ActionSeen:
        return self.actions.setdefault(action, ActionSeen(action))

    def _propose(self, run: str, found: Proposed) -> None:
        seen = self._seen(found.action)
        seen.proposals += 1
        try:
            for _, name, value in argument_values(found.args):
                self._argument(run, seen, name, value)
        except ValueError:  # More than can be traced: live, it would have been denied.
            seen.left_out = True

    def _argument(self, run: str, seen: ActionSeen, name: str, value: Any) -> None:
        role = role_in(self._defaults, seen.name, name, value)
        for action, pattern in self._held[run].get(_spelt(value), ()):
            self.actions[action].fields[pattern].used[role] += 1
        is_new = name not in seen.arguments
        if not _NAME.fullmatch(name) or (is_new and len(seen.arguments) >= MOST_FIELDS):
            seen.left_out = True
        elif value != "":
            argument = seen.arguments.setdefault(name, ArgumentSeen(name))
            argument.values += 1
            argument.shapes[shape_of(value)] += 1
            argument.roles[role] += 1
            _count(argument.distinct, value)

    def _result(self, run: str, event: ev.Done) -> None:
        seen = self._seen(event.action)
        seen.results += 1
        unsure = bool(event.suspected) or event.trust is not None
        for leaf in self._of(event.action).leaves(msgspec.json.decode(bytes(event.result))):
            pattern = _pattern(leaf.path)
            if not pattern or (pattern not in seen.fields and len(seen.fields) >= MOST_FIELDS):
                seen.left_out = True
            elif leaf.value != "":
                self._field(run, seen, pattern, leaf, unsure=unsure)

    def _field(self, run: str, seen: ActionSeen, pattern: str, leaf: Leaf, *, unsure: bool) -> None:
        field = seen.fields.setdefault(pattern, FieldSeen(pattern, _key(pattern)))
        field.values += 1
        field.shapes[shape_of(leaf.value)] += 1
        field.trust[leaf.trust] += 1
        field.secret = field.secret or leaf.secret
        field.unsure = field.unsure or unsure
        _count(field.distinct, leaf.value)
        held = self._held[run]
        if (spelt := _spelt(leaf.value)) and len(held) < MOST_HELD:
            held.setdefault(spelt, set()).add((seen.name, pattern))

    def _of(self, action: str) -> Fields:
        if action not in self._fields:
            known = self._agent.reach.get(action)
            egress, open_world = (known.egress, known.open_world) if known is not None else (False, False)
            self._fields[action] = Fields(action, self._defaults, egress=egress, open_world=open_world)
        return self._fields[action]


def shape_of(value: Any) -> Shape:  # noqa: PLR0911 - one for each shape
    """Return what a value looks like, by its type and grammar."""
    if isinstance(value, bool):
        return "truth"
    if not isinstance(value, str):
        return "number"
    if not shapes.is_field(value):
        return "free text"
    if number(value) is not None:
        return "number"
    if len(value) < 30 and days(value):
        return "day"
    if shapes.is_address(value):
        return "address"
    return "code" if _CODE.fullmatch(value) else "short text"


def _count(distinct: set[str], value: Any) -> None:
    if len(distinct) < MOST_DISTINCT:
        distinct.add(_spelt(value) or str(value)[:100])


def _spelt(value: Any) -> str:
    """Return the one spelling by which a value is known again; empty for what is too short or too long for that."""
    if isinstance(value, bool):
        return ""
    found = number(value)
    spelt = str(value) if found is None else format(found, "f")
    return plain(spelt) if 3 <= len(spelt) <= shapes.LONGEST_FIELD else ""


def _pattern(path: str) -> str:
    """Return the pattern that means the field at a path; empty where its name is data (`2026-01-01`)."""
    if not path:
        return ROOT
    parts = path.replace("[]", "").replace("{}", "").split(".")
    if all(_NAME.fullmatch(part) or not part for part in parts):
        return path
    last = path.rpartition(".")[2].replace("[]", "")
    return f"*.{last}" if _NAME.fullmatch(last) else ""


def _key(pattern: str) -> str:
    return "" if pattern == ROOT else pattern.rpartition(".")[2].replace("[]", "").replace("{}", "")
