"""The effects that a journal knows of, and which of them rests on which."""

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from interlock.kernel import events as ev
from interlock.kernel.events import Recorded

READ = (ev.Intended, ev.Done, ev.Delegated)
"""The types of events that effects are read from."""

SHORTEST = 4
"""How many characters (or digits) a returned value has at least where its use shows that an effect rests on another."""


class Effect(msgspec.Struct, frozen=True):
    """One effect that has not been taken back: its run, its outcome's place, its intent where the journal has it."""

    run: str
    seq: int
    position: int
    at: int
    done: ev.Done
    intent: ev.Intended | None = None

    @property
    def args(self) -> Any:
        """Its arguments, None where they are not known."""
        return None if self.intent is None else msgspec.json.decode(bytes(self.intent.args))


def effects(history: Iterable[Recorded]) -> list[Effect]:
    """Return the effects in events of any runs that have not been taken back, in order.

    `history` holds at least the events of the types in `READ` of each run.
    """
    intents: dict[tuple[str, int], ev.Intended] = {}
    found: dict[tuple[str, int], Effect] = {}
    for one in history:
        match one.event:
            case ev.Intended():
                intents[one.run, one.seq] = one.event
            case ev.Done(undoes=0) if one.event.effect != "read" or one.event.intent:
                intent = intents.get((one.run, one.event.intent))
                found[one.run, one.seq] = Effect(one.run, one.seq, one.position, one.at, one.event, intent)
            case ev.Done():
                found.pop((one.run, one.event.undoes), None)
            case _:
                pass
    return list(found.values())


def resting(on: Iterable[Effect], later: Iterable[Effect]) -> Iterator[tuple[Effect, Effect, str]]:
    """Yield each of the *later* effects that rests on one of those given, or on one that does; on which, and why."""
    known = list(on)
    there = {(one.run, one.seq) for one in known}
    for one in sorted(later, key=lambda effect: effect.position):
        if (one.run, one.seq) in there:
            continue
        for earlier in known:
            if earlier.position < one.position and (why := rests(one, earlier)):
                yield one, earlier, why
                known.append(one)
                there.add((one.run, one.seq))
                break


def rests(later: Effect, earlier: Effect) -> str:
    """Return why the later effect rests on the earlier one; empty where nothing says so."""
    wrote = set(earlier.done.wrote)
    if both := wrote.intersection(later.done.wrote):
        return f"it changed {min(both)} again"
    if read := wrote.intersection(later.done.read):
        return f"it refers to {min(read)}"
    returned = set(_values(msgspec.json.decode(bytes(earlier.done.result)))) - set(_values(earlier.args))
    used = returned.intersection(_values(later.args)) if returned else ()
    return f"it uses {min(used)!r}, which that returned" if used else ""


def overlap(later: Effect, earlier: Effect) -> bool:
    """Whether the later effect changed again what the earlier one had changed: that one can't go back without it."""
    return not set(earlier.done.wrote).isdisjoint(later.done.wrote)


def _values(value: Any) -> Iterator[str]:
    """Yield the texts and whole numbers in a value that are long enough to tell something."""
    match value:
        case str() | int() if not isinstance(value, bool):
            if len(str(value)) >= SHORTEST:
                yield str(value)
        case dict():
            for one in value.values():  # pyright: ignore[reportUnknownVariableType] - any JSON
                yield from _values(one)
        case list():
            for one in value:  # pyright: ignore[reportUnknownVariableType] - any JSON
                yield from _values(one)
        case _:
            pass
