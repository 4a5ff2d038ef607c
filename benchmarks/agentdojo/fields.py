"""The attacker's text stands in any one field of what a function returns: in every pair in another one."""

from typing import TYPE_CHECKING, Any

from benchmarks.agentdojo.attackers import Pair, Play, answer, shows, wanted
from benchmarks.agentdojo.leaves import paths, written_at
from benchmarks.agentdojo.scripts import compromised
from benchmarks.agentdojo.stage import Room, Tamper
from benchmarks.agentdojo.values import brought
from benchmarks.replay.functions import FunctionError

if TYPE_CHECKING:
    from benchmarks.agentdojo.world import World

SYSTEMS_OWN = ("id", "id_", "timestamp", "date", "last_modified", "start_time", "end_time", "status")
"""Fields that no third party writes a bare value into: their system makes them."""

DIRECTORIES = ("search_contacts_by_name", "search_contacts_by_email", "get_users_in_channel", "get_user_information")
"""Functions that return what only the organisation itself enters: who writes a bare value there is no third party."""


def every_field(world: "World", pair: Pair) -> Play:
    """Put the attacker's words into one field."""
    return _tampered(world, pair, bare=False)


def every_field_bare(world: "World", pair: Pair) -> Play:
    """Put nothing but the attacker's value into one field: it looks like any other value there."""
    return _tampered(world, pair, bare=True)


def _tampered(world: "World", pair: Pair, *, bare: bool) -> Play:
    assert pair.injection_task is not None
    goal = world.goal(pair.injection_task)
    env = world.environment(pair.user_task, {})
    calls = world.user_calls(pair.user_task, env)
    values = brought(goal, world.injected_calls(pair.injection_task, env))
    text = values[0] if bare and values else goal
    places = _places(world, pair.user_task, bare=bare)
    if not places:
        return Play(Room(world, env), compromised(calls, shows(text), None), "")
    function, path = places[pair.number % len(places)]
    room = Room(world, env, _tamper(function, path, text))
    return Play(room, compromised(calls, shows(text), wanted(world, pair, env)), answer(world, pair))


def _places(world: "World", user_task: str, *, bare: bool) -> list[tuple[str, str]]:
    """Return every string field that the calls of a user's task return: the function, and the path in its result."""
    env = world.environment(user_task, {})
    found: dict[tuple[str, str], None] = {}
    for call in world.user_calls(user_task, env):
        try:
            result = world.perform(env, call.function, call.args)
        except FunctionError:
            continue
        for path, _ in paths(result):
            if not bare or _is_open(call.function, path):
                found[call.function, path] = None
    return list(found)


def _is_open(function: str, path: str) -> bool:
    return function not in DIRECTORIES and path.rpartition(".")[2] not in SYSTEMS_OWN


def _tamper(function: str, path: str, text: str) -> Tamper:
    def tampered(called: str, result: Any) -> Any:
        return written_at(result, path, text) if called == function else result

    return tampered
