"""One world in which calls are made: what each effect did to its objects, and a simple way to take it all back."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from benchmarks.undo.environments import touched
from benchmarks.undo.environments.objects import Objects, State

Perform = Callable[[str, Mapping[str, Any]], Any]
"""Executes a function of the world, by its name and arguments; its result is plain data."""

States = dict[str, State | None]


class Effect(NamedTuple):
    """What one call did: the objects that it touched, as they were before it and after it."""

    before: States
    after: States

    @property
    def changed(self) -> States:
        """Those that are not as they were, as they were: what it touched and left as it was is not its own."""
        return {name: state for name, state in self.before.items() if state != self.after[name]}


@dataclass(slots=True)
class Room:
    """A world, the functions on it, and the effects so far."""

    objects: Objects
    perform: Perform
    effects: list[Effect] = field(default_factory=list[Effect])

    def call(self, function: str, args: Mapping[str, Any]) -> dict[str, Any]:
        """Execute a function that changes the world; its result is told with the names of what it did.

        What an API does not tell (which mail was the invitation?) is found by looking at the collections that may have
        grown, as whoever writes an undo for it has to. Nothing awaits in here.
        """
        before = {name: self.objects.read(name) for name in touched.changed(function, self.objects, args)}
        paths = touched.grown(function, args)
        known = {name for path in paths for name in self.objects.names(path)}
        result = self.perform(function, args)
        new = [name for path in paths for name in self.objects.names(path) if name not in known]
        created = [name for name in new if not any(name.startswith(f"{other}/") for other in new)]
        after = {name: self.objects.read(name) for name in (*before, *created)}
        effect = Effect(dict.fromkeys(after) | before, after)
        self.effects.append(effect)
        changed = [name for name in before if name in effect.changed]
        return {"result": result, "touched": list(after), "changed": changed, "created": created}


def look(objects: Objects, function: str, done: Mapping[str, Any] | None, args: Mapping[str, Any]) -> States:
    """Return the objects that a call touches: those that it may change, and afterwards those that are new as well."""
    names = touched.changed(function, objects, args) if done is None else done["touched"]
    return {name: objects.read(name) for name in names}


def put_back(objects: Objects, states: Mapping[str, State | None]) -> None:
    """Put objects into the states that they had, and nothing else."""
    for name, state in states.items():
        objects.write(name, state)


def taken_back(objects: Objects, effects: Sequence[Effect]) -> int:
    """Take effects back without a runtime, the last first; return how many stay because an object was changed since.

    The measure for the runtime: an object is only put back if it is as the effect left it, or as it was before.
    """
    left = 0
    for effect in reversed(effects):
        if all(objects.read(name) in (state, effect.after[name]) for name, state in effect.changed.items()):
            put_back(objects, effect.changed)
        else:
            left += 1
    return left
