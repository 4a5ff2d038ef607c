"""A call as a person types it: `amount=120 --fact booking.owner=u42`, made into a case with the action's types."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, cast

from msgspec import Struct

from interlock.actions.action import Action
from interlock.agents import Agent
from interlock.cli.errors import UsageError
from interlock.guardian import Case, Policy
from interlock.guardian.english import label
from interlock.guardian.tree import Path, Window, walk
from interlock.lab.explain import conditions
from interlock.lab.given import action_of, facts_of, nearest
from interlock.lab.places import Unreachable, put

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TEXT_ONLY = {"string", "null"}


class Asked(Struct, frozen=True):
    """What `policy explain` was given, as it was typed."""

    action: str
    arguments: Sequence[str] = ()
    args: str | None = None
    facts: Sequence[str] = ()
    windows: Sequence[str] = ()
    user: str | None = None
    tenant: str = ""
    state: str = ""
    at: str | None = None


def case_of(asked: Asked, agent: Agent, policy: Policy) -> Case:
    """Return the case that was typed; its arguments are as they would be proposed.

    Raises:
        UsageError: something in it can't be read, or names what is not there.
        PolicyError: the agent has no such action, or the action no such fact.
    """
    action = action_of(agent, asked.action)
    case = Case(asked.action, _arguments(asked, action), user=_user(asked.user), agent=agent.name)
    case.tenant, case.state, case.at = asked.tenant, _state(asked.state, agent), _moment(asked.at)
    case.windows = _windows(asked.windows, policy, asked.action)
    for one in asked.facts:
        name, value = _pair(one, "--fact", "booking.owner=u42")
        case = _with_fact(case, tuple(name.split(".")), _value(value))
    case.facts = facts_of(action, case.facts)
    return case


def _with_fact(case: Case, steps: tuple[str, ...], value: Any) -> Case:
    try:
        return put(case, Path("fact", steps), value)
    except Unreachable as error:
        raise UsageError(f"--fact {'.'.join(steps)}: {error}; give the whole as JSON") from error


def _pair(written: str, option: str, example: str) -> tuple[str, str]:
    name, equals, value = written.rpartition("=") if option == "--window" else written.partition("=")
    if not equals or not name:
        raise UsageError(f"{option} {written!r}: write NAME=VALUE, for example {example}".lstrip())
    return name, value


def _arguments(asked: Asked, action: Action[Any, Any, Any]) -> dict[str, Any]:
    whole = {} if asked.args is None else _json_object(asked.args, "--args")
    properties = action.schema()["parameters"].get("properties", {})
    for one in asked.arguments:
        name, value = _pair(one, "", "amount=120")
        if name in whole:
            raise UsageError(f"the argument {name} is given twice")
        whole[name] = value if _is_text(properties.get(name, {})) else _value(value)
    return whole


def _is_text(schema: dict[str, Any]) -> bool:
    """Whether only a text fits: then `007` is one too."""
    kinds = {schema.get("type"), *(one.get("type") for one in schema.get("anyOf", ()))} - {None}
    return bool(kinds) and kinds <= _TEXT_ONLY


def _value(written: str) -> Any:
    """Return what is written as JSON where it is that, else as a text."""
    try:
        return _json(written)
    except (ValueError, RecursionError):
        return written


def _json(written: str) -> Any:
    return json.loads(written, parse_float=Decimal, parse_constant=_refuse)


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no JSON number")


def _json_object(written: str, option: str) -> dict[str, Any]:
    try:
        found = _json(written)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{option}: this is no JSON: {error}") from error
    if not isinstance(found, dict):
        raise UsageError(f"{option} takes a JSON object: '{{\"amount\": 120}}'")
    return cast("dict[str, Any]", found)


def _user(written: str | None) -> Any:
    if written is None:
        return None
    return _json_object(written, "--user") if written.lstrip().startswith("{") else {"id": written}


def _state(written: str, agent: Agent) -> str:
    states = agent.machine.states if agent.machine is not None else {}
    if written and written not in states:
        raise UsageError(f"agent {agent.name} has no state {written}{nearest(written, states)}")
    return written


def _moment(written: str | None) -> int:
    if written is None:
        moment = datetime.now(UTC)
    else:
        try:
            moment = datetime.fromisoformat(written)
        except ValueError as error:
            raise UsageError(f"--at {written!r}: write a time such as 2026-11-23T09:00 (UTC) or …+01:00") from error
    moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return (moment - _EPOCH) // timedelta(microseconds=1)


def _windows(given: Sequence[str], policy: Policy, action: str) -> dict[str, Any]:
    trees = conditions(policy, action)
    known = {label(node): node for tree in trees for node in walk(tree) if isinstance(node, Window)}
    found: dict[str, Any] = {}
    for one in given:
        name, written = _pair(one, "--window", "'count(refund, per=conversation)=2'")
        if name not in known:
            raise UsageError(f"no rule about {action} looks at a window {name!r}{nearest(name, known)}")
        value = _value(written)
        if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
            raise UsageError(f"--window {one!r}: what was counted is a number")
        found[name] = value
    return found
