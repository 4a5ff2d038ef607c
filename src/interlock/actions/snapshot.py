"""Before-images through an API: objects as a look found them, by name, and how two looks compare."""

from collections.abc import Container, Mapping
from typing import Any

import msgspec
from msgspec import Struct

from interlock.actions.way import Change
from interlock.canonical import canonical
from interlock.errors import DeclarationError


class Versioned(Struct, frozen=True):
    """An object's state with the version that the other side gives it (an ETag, a revision, a number).

    Where an API has versions, they tell better than states whether somebody changed the object since: a state that
    comes back after two changes looks the same.
    """

    state: Any
    version: str | int


class Objects(Struct, frozen=True):
    """What a look found: the state of each object as canonical JSON (`null`: not there), versions where there are."""

    states: dict[str, msgspec.Raw] = {}
    versions: dict[str, str | int] = {}

    def given(self) -> dict[str, Any]:
        """Return the objects as the look returned them, in plain data."""
        return {
            name: Versioned(_plain(raw), self.versions[name]) if name in self.versions else _plain(raw)
            for name, raw in self.states.items()
        }


def objects(action: str, found: object) -> Objects:
    """Return what a snapshot function returned.

    Raises:
        DeclarationError: it is no mapping of names to objects.
        CanonicalError: an object has no JSON form.
    """
    if not isinstance(found, Mapping):
        raise DeclarationError(
            f"action {action!r}: its snapshot returned {type(found).__name__}; return a mapping of each object's name "
            "to its state, None where it is not there"
        )
    states: dict[str, msgspec.Raw] = {}
    versions: dict[str, str | int] = {}
    for name, state in found.items():  # pyright: ignore[reportUnknownVariableType] - it is looked at right here
        key = str(name)  # pyright: ignore[reportUnknownArgumentType]
        if isinstance(state, Versioned):
            if not isinstance(state.version, (str, int)):  # pyright: ignore[reportUnnecessaryIsInstance] - an author's
                raise DeclarationError(
                    f"action {action!r}: the version of {key!r} is {state.version!r}; give a text or a number, or the "
                    "plain state where the API has no version of it"
                )
            states[key], versions[key] = msgspec.Raw(canonical(state.state)), state.version
        else:
            states[key] = msgspec.Raw(canonical(state))
    return Objects(states, versions)


def recorded(looked: Objects) -> msgspec.Raw:
    """Return a look as the journal keeps it."""
    return msgspec.Raw(msgspec.json.encode(looked))


def of(raw: msgspec.Raw) -> Objects | None:
    """Return a look from the journal; None where there was none."""
    return None if bytes(raw) == b"null" else msgspec.json.decode(bytes(raw), type=Objects)


def is_as(now: Objects, before: Objects) -> bool:
    """Whether every object is as it was: its state, for a version moves on with every change."""
    return all(_state(now, name) == _state(before, name) for name in {*now.states, *before.states})


def wanted(before: Objects, after: Objects | None, now: Objects) -> Objects:
    """Return the objects as an undo is to leave them: those that the effect changed as before it, others as now."""
    ours = {one.object for one in changes(before, after, now)}
    states: dict[str, msgspec.Raw] = {}
    versions: dict[str, str | int] = {}
    for name in dict.fromkeys((*before.states, *now.states)):
        source = before if name in ours else now
        states[name] = _state(source, name)
        if name in source.versions:
            versions[name] = source.versions[name]
    return Objects(states, versions)


def changes(before: Objects, after: Objects | None, now: Objects) -> tuple[Change, ...]:
    """Return the objects that the effect changed, as they were, as it left them, and as they are."""
    names = dict.fromkeys((*before.states, *(after.states if after is not None else now.states)))
    return tuple(
        Change(
            name,
            _plain(_state(before, name)),
            None if after is None else _plain(_state(after, name)),
            _plain(_state(now, name)),
        )
        for name in names
        if after is None or _state(before, name) != _state(after, name)
    )


Left = Container[tuple[str, str | int]]
"""Versions that undos of later effects left, with the objects' names: not of somebody else's making."""


def trampled(before: Objects, after: Objects | None, now: Objects, left: Left = ()) -> tuple[Change, ...]:
    """Return the objects that are neither as the effect left them nor as they were before it."""
    return tuple(one for one in changes(before, after, now) if not _is_ours(one.object, before, after, now, left))


def _is_ours(name: str, before: Objects, after: Objects | None, now: Objects, left: Left) -> bool:
    if _state(now, name) == _state(before, name):
        return True
    if after is None or _state(now, name) != _state(after, name):
        return False
    version = now.versions.get(name)
    return version is None or version == after.versions.get(name) or (name, version) in left


def _state(looked: Objects, name: str) -> msgspec.Raw:
    return looked.states.get(name, _ABSENT)


def _plain(raw: msgspec.Raw) -> Any:
    return msgspec.json.decode(bytes(raw))


_ABSENT = msgspec.Raw(b"null")
