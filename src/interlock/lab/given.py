"""A case from what a person writes or a journal holds: plain data, given the types that rules will see."""

import json
from collections.abc import Mapping
from typing import Any, TypeVar, cast

import msgspec

from interlock.actions.action import Action
from interlock.actions.recalled import restored
from interlock.agents import Agent
from interlock.errors import PolicyError
from interlock.guardian import Case

T = TypeVar("T")
Steps = tuple[str | int, ...]


def action_of(agent: Agent, name: str) -> Action[Any, Any, Any]:
    """Return the action of *agent*, or of an agent that it hands tasks on to.

    Raises:
        PolicyError: there is none of that name; the message names the nearest.
    """
    if name not in agent.reach:
        raise PolicyError(f"agent {agent.name} has no action {name}{nearest(name, agent.reach)}")
    return agent.reach[name]


def nearest(name: str, names: Mapping[str, Any]) -> str:
    """Return the end of a message about a name that nobody knows: the nearest one, or those that there are."""
    from difflib import get_close_matches  # noqa: PLC0415 - only a wrong name pays for it

    near = get_close_matches(name, list(names), n=1, cutoff=0.5)
    return f"; did you mean {near[0]}?" if near else f"; there are {', '.join(sorted(names)) or 'none'}"


def typed(case: Case, action: Action[Any, Any, Any]) -> Case:
    """Return *case*, whose arguments are as they would be proposed, with the arguments that the action gets.

    Raises:
        ValueError: they don't fit; the message names each argument and what is wrong with it.
    """
    return msgspec.structs.replace(case, args=action.signature.arguments(dict(case.args)))


def facts_of(action: Action[Any, Any, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return facts written as plain data with the types that their look-ups declare, as far as these tell.

    Only texts are read anew (a decimal or a date has no other spelling in JSON); all else stays what it is.

    Raises:
        PolicyError: the action has no such fact; the message names the nearest.
    """
    for name in given:
        if name not in action.facts:
            raise PolicyError(f"{action.name} has no fact {name}{nearest(name, action.facts)}")
    return {name: _leaves(action, (name,), value) for name, value in given.items()}


def _leaves(action: Action[Any, Any, Any], steps: Steps, value: Any) -> Any:
    if isinstance(value, dict):
        fields = cast("dict[str, Any]", value)
        return {key: _leaves(action, (*steps, key), each) for key, each in fields.items()}
    if isinstance(value, list):
        elements = cast("list[Any]", value)
        return [_leaves(action, (*steps, place), each) for place, each in enumerate(elements)]
    if not isinstance(value, str):
        return value
    return restored(action.facts[str(steps[0])], steps[1:], json.dumps(value).encode())
