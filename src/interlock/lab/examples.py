"""Examples of what a policy must say, as a table in a TOML file: read, judged, and compared with what is expected."""

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final, Literal, cast

import msgspec

from interlock.agents import Agent
from interlock.errors import PolicyError
from interlock.guardian import Case, Policy, Verdict
from interlock.guardian.english import label
from interlock.guardian.tree import Window, walk
from interlock.lab.explain import concerning, conditions
from interlock.lab.given import action_of, facts_of, nearest, typed

FILE: Final = "policy_examples.toml"
"""Where a project's examples are, beside `interlock.toml`."""

_KEYS: Final = (
    *("action", "args", "facts", "user", "tenant", "state", "at", "windows"),
    *("expect", "because", "name"),
)
_SHARED: Final = ("facts", "user", "tenant", "state", "at", "windows")
_HEADER: Final = re.compile(r"^[ \t]*\[\[[ \t]*case[ \t]*\]\]", re.MULTILINE)
_NEED: Final = re.compile(r"confirmation|approval \S.*|delay \d+(\.\d+)? s")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Example(msgspec.Struct, frozen=True):
    """One call with the world around it, and the verdict that it must get.

    `given` has the arguments as they would be proposed, `case` those that the action gets. `needs` are the words of
    each need (`approval finance`), in order. `because`, where given, is the id of a determining rule (`r4`), or words
    of a reason or of such a rule in English.
    """

    name: str
    place: str
    given: Case
    case: Case
    permitted: bool
    needs: tuple[str, ...] = ()
    because: str = ""

    def holds(self, policy: Policy) -> bool:
        """Tell whether *policy* says what is expected."""
        return self.fault(policy, policy.judge(self.case)) is None

    def fault(self, policy: Policy, verdict: Verdict) -> Literal["verdict", "because"] | None:
        """Return what is wrong with *verdict*, which *policy* gave: what it says, or why; None where nothing is."""
        needs = tuple(sorted(map(str, verdict.needs)))
        if verdict.permitted != self.permitted or (verdict.permitted and needs != self.needs):
            return "verdict"
        return None if not self.because or _is_because(self.because, policy, verdict, self.case.action) else "because"


class Failure(msgspec.Struct, frozen=True):
    """An example that does not hold: what the policy says instead, and the rules that decided."""

    example: Example
    verdict: Verdict
    fault: Literal["verdict", "because"]
    rules: tuple[str, ...]
    """The determining rules in English, each behind its id."""


def read(file: Path, agent: Agent, policy: Policy | None = None) -> list[Example]:
    """Return the examples of a file, with the types of the agent's actions.

    Raises:
        PolicyError: it can't be read; the message says in which line, and what to write.
    """
    try:
        written = file.read_text("utf-8")
        table = tomllib.loads(written)
    except (ValueError, OSError, RecursionError) as error:  # of the decoder, or a number of 5,000 digits
        raise PolicyError(f"{file}: {error}") from error
    _refuse_unknown(table, ("given", "case"), str(file))
    cases, lines = table.get("case", []), _lines(written)
    if not isinstance(cases, list) or not cases:
        raise PolicyError(f"{file} holds no example; write [[case]] with action, args and expect")
    shared = _table(table.get("given", {}), f"{file}: [given]")
    _refuse_unknown(shared, _SHARED, f"{file}: [given]")
    rules = agent.policy if policy is None else policy
    found: list[Example] = []
    for number, one in enumerate(cast("list[Any]", cases)):
        place = f"{file}:{lines[number]}" if len(lines) == len(cases) else f"{file}: case {number + 1}"  # pyright: ignore[reportUnknownArgumentType]
        found.append(_example(_table(one, place), shared, place, agent, rules))
    return found


def failures(examples: Iterable[Example], policy: Policy) -> list[Failure]:
    """Return the examples that don't hold under *policy*."""
    found: list[Failure] = []
    for one in examples:
        verdict = policy.judge(one.case)
        fault = one.fault(policy, verdict)
        if fault is not None:
            found.append(Failure(one, verdict, fault, _determining(policy, verdict, one.case.action)))
    return found


def check(agent: Agent, *files: Path | str, policy: Policy | None = None) -> None:
    """Assert that every example of the files holds; for a test of one's own.

    Args:
        agent: Whose actions the examples are about.
        files: The TOML files; `policy_examples.toml` in the current folder where none is given.
        policy: What judges; by default the agent's own.

    Raises:
        AssertionError: some don't hold; the message has a line for each.
        PolicyError: a file can't be read.
    """
    rules = agent.policy if policy is None else policy
    wrong = [told(one) for file in files or (FILE,) for one in failures(read(Path(file), agent, rules), rules)]
    if wrong:
        raise AssertionError("\n".join(wrong))


def told(one: Failure) -> str:
    """Return a failure in a line: where, what was expected, what was said, and by which rules."""
    example, verdict = one.example, one.verdict
    rules = "; ".join(one.rules) or "; ".join(verdict.reasons)
    if one.fault == "because":
        return f"{example.place}: {example.name}: expected because of {example.because!r}, decided by {rules}"
    return f"{example.place}: {example.name}: expected {expected(example)}, is {_said(verdict)} by {rules}"


def expected(example: Example) -> str:
    """Return what an example expects in words."""
    return _in_words(permitted=example.permitted, needs=example.needs)


def _said(verdict: Verdict) -> str:
    return _in_words(permitted=verdict.permitted, needs=tuple(map(str, verdict.needs)))


def _in_words(*, permitted: bool, needs: Sequence[str]) -> str:
    return f"permit with {' and '.join(needs)}" if permitted and needs else "permit" if permitted else "deny"


def _determining(policy: Policy, verdict: Verdict, action: str) -> tuple[str, ...]:
    return tuple(f"{name}: {rule}" for name, rule in concerning(policy, action) if name in verdict.rules)


def _is_because(words: str, policy: Policy, verdict: Verdict, action: str) -> bool:
    if words in verdict.rules:
        return True
    sayings = (*verdict.reasons, *_determining(policy, verdict, action))
    return any(words.casefold() in one.casefold() for one in sayings)


def _lines(written: str) -> list[int]:
    return [written.count("\n", 0, found.start()) + 1 for found in _HEADER.finditer(written)]


def _table(value: Any, place: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise PolicyError(f"{place}: this is not a table")
    return cast("dict[str, Any]", value)


def _refuse_unknown(table: Mapping[str, Any], keys: Sequence[str], place: str) -> None:
    for key in table:
        if key not in keys:
            raise PolicyError(f"{place}: there is no {key!r}{nearest(key, dict.fromkeys(keys))}")


def _example(table: dict[str, Any], shared: dict[str, Any], place: str, agent: Agent, policy: Policy) -> Example:
    _refuse_unknown(table, _KEYS, place)
    for key in ("action", "expect"):
        if key not in table:
            raise PolicyError(f"{place}: {key} is missing")
    try:
        given = _given(table, shared, agent, policy)
        permitted, needs = _expectation(table["expect"])
        case = typed(given, action_of(agent, given.action))
    except (ValueError, PolicyError) as error:
        raise PolicyError(f"{place}: {error}") from error
    name = str(table.get("name", "")) or given.action
    return Example(name, place, given, case, permitted, needs, str(table.get("because", "")))


def _given(table: dict[str, Any], shared: dict[str, Any], agent: Agent, policy: Policy) -> Case:
    action = action_of(agent, str(table["action"]))
    windows = _merged("windows", table, shared)
    _refuse_unknown_windows(windows, policy, action.name)
    # Facts that are given for all cases are left out where an action does not have them.
    common = {name: one for name, one in _table(shared.get("facts", {}), "facts").items() if name in action.facts}
    return Case(
        action=action.name,
        args=_table(table.get("args", {}), "args"),
        facts=facts_of(action, {**common, **_table(table.get("facts", {}), "facts")}),
        user=_user(table, shared),
        agent=agent.name,
        tenant=str(table.get("tenant", shared.get("tenant", ""))),
        state=str(table.get("state", shared.get("state", ""))),
        at=_moment(table.get("at", shared.get("at"))),
        windows=windows,
    )


def _merged(key: str, table: dict[str, Any], shared: dict[str, Any]) -> dict[str, Any]:
    return {**_table(shared.get(key, {}), key), **_table(table.get(key, {}), key)}


def _user(table: dict[str, Any], shared: dict[str, Any]) -> Any:
    given = table.get("user", shared.get("user"))
    if isinstance(given, str):
        return {"id": given}
    return None if given is None else _table(given, "user")


def _refuse_unknown_windows(windows: Mapping[str, Any], policy: Policy, action: str) -> None:
    nodes = (node for tree in conditions(policy, action) for node in walk(tree))
    known = {label(node): node for node in nodes if isinstance(node, Window)}
    for name in windows:
        if name not in known and not _is_known_elsewhere(name, policy):
            raise PolicyError(f"no rule looks at a window {name!r}{nearest(name, known)}")


def _is_known_elsewhere(name: str, policy: Policy) -> bool:
    trees = (tree for action in policy.actions for tree in conditions(policy, action))
    return any(isinstance(node, Window) and label(node) == name for tree in trees for node in walk(tree))


def _moment(at: Any) -> int | None:
    """Return a moment of the file in microseconds since the epoch; one without an offset is UTC."""
    if at is None:
        return None
    if not isinstance(at, datetime):
        is_day = isinstance(at, date)
        raise PolicyError(f"at = {at!s} is no moment; write {at if is_day else '2026-11-23'}T09:00:00Z")
    return ((at if at.tzinfo is not None else at.replace(tzinfo=UTC)) - _EPOCH) // timedelta(microseconds=1)


def _expectation(expect: Any) -> tuple[bool, tuple[str, ...]]:
    if expect in ("permit", "deny"):
        return expect == "permit", ()
    needs = cast("list[Any]", expect) if isinstance(expect, list) else []
    if not needs or not all(isinstance(one, str) and _NEED.fullmatch(one) for one in needs):
        ways = '"permit", "deny", or the needs: ["confirmation", "approval finance", "delay 60 s"]'
        raise PolicyError(f"expect = {expect!r}: write {ways}")
    return True, tuple(sorted(map(str, needs)))
