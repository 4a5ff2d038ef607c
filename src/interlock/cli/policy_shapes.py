"""What a proof may rest on: the arguments of an agent's actions as they are validated, and its states."""

import typing
from typing import Any

from interlock.actions.action import Action
from interlock.actions.schema import Signature
from interlock.agents import Agent
from interlock.guardian.proofs import Shape, Shapes, of_arguments, of_hint


def shapes_of(agent: Agent) -> dict[str, Shapes]:
    """Return what is known of each action that *agent* or one that it hands on to can take."""
    return {name: _of(action) for name, action in agent.reach.items()}


def _of(action: Action[Any, Any, Any]) -> Shapes:
    facts = {name: _returned(function) for name, function in action.facts.items()}
    if action.argument_names is None:
        return Shapes(None, facts)
    if type(action.signature) is Signature:
        hints = _hints(action.function)
        return Shapes({name: of_hint(hints.get(name, Any)) for name in action.argument_names}, facts)
    return Shapes(of_arguments(action.signature.json_schema()), facts)


def _returned(function: Any) -> Shape:
    return of_hint(_hints(function).get("return", Any))


def _hints(function: Any) -> dict[str, Any]:
    try:
        return typing.get_type_hints(function, include_extras=True)
    except (NameError, TypeError, AttributeError):
        return {}
