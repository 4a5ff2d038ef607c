"""The whole state of a service as plain data: its hash, what somebody changed in it, and what should be there then."""

import hashlib
from collections.abc import Mapping
from typing import Any

from interlock.canonical import canonical

State = Mapping[str, Any]
"""Each object's name and its state in plain data; an object that is not there has no name here."""

Changes = Mapping[str, Any]
"""Each changed object's name and its new state; None: it is gone."""


def digest(state: State) -> str:
    """Return the SHA-256 of the state's canonical JSON, in hexadecimal digits."""
    return hashlib.sha256(canonical(dict(state))).hexdigest()


def changed(before: State, after: State) -> Changes:
    """Return the objects that are not as they were."""
    names = sorted({*before, *after})
    return {name: after.get(name) for name in names if _bytes(before, name) != _bytes(after, name)}


def patched(state: State, changes: Changes) -> State:
    """Return the state with those objects as the changes have them."""
    return {name: value for name, value in {**state, **changes}.items() if value is not None}


def _bytes(state: State, name: str) -> bytes:
    return canonical(state.get(name))
