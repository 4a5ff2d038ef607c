"""Events to bytes and back, across versions.

A payload is the event's fields as JSON; its type and schema version stand beside it in the row. To change the
shape of a type, add fields with defaults (no new version needed), or raise its number in `VERSIONS` and add
the step from the version before to `UPCASTS`. Old bytes are never rewritten.
"""

from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import Raw

from interlock.kernel import events as ev
from interlock.kernel.events import Event, Unrecognised

TYPES: dict[str, type[Event]] = {
    "run_started": ev.RunStarted,
    "entered": ev.Entered,
    "turn": ev.TurnRecorded,
    "turn_failed": ev.TurnFailed,
    "said": ev.Said,
    "denied": ev.Denied,
    "asked": ev.Asked,
    "answered": ev.Answered,
    "lapsed": ev.Lapsed,
    "delayed": ev.Delayed,
    "intended": ev.Intended,
    "retried": ev.Retried,
    "withheld": ev.Withheld,
    "outcome_unknown": ev.OutcomeUnknown,
    "probed": ev.Probed,
    "done": ev.Done,
    "failed": ev.Failed,
    "verify_failed": ev.VerifyFailed,
    "verified": ev.Verified,
    "slept": ev.Slept,
    "message": ev.MessageReceived,
    "planned": ev.Planned,
    "delegated": ev.Delegated,
    "cancel_requested": ev.CancelRequested,
    "parked": ev.Parked,
    "unparked": ev.Unparked,
    "run_ended": ev.RunEnded,
    "undo_started": ev.UndoStarted,
    "not_undone": ev.NotUndone,
    "undo_ended": ev.UndoEnded,
}

VERSIONS: dict[str, int] = {}
"""The current schema version of each type that is past version 1."""

UPCASTS: dict[tuple[str, int], Callable[[dict[str, Raw]], dict[str, Any]]] = {}
"""(type, version) to the function that lifts a payload of that version to the next.

It gets each field as the JSON that was stored, and decodes only what it changes: the rest keeps its bytes.
"""

NAMES: dict[type[Event], str] = {kind: name for name, kind in TYPES.items()}

_encoder = msgspec.json.Encoder(decimal_format="string")
_fields = msgspec.json.Decoder(dict[str, Raw])
_decoders = {name: msgspec.json.Decoder(kind) for name, kind in TYPES.items()}

encode: Callable[[Event], bytes] = _encoder.encode
"""Encode an event's fields as JSON."""


def type_of(event: Event) -> tuple[str, int]:
    """Return the name and schema version under which *event* is stored."""
    name = NAMES[type(event)]
    return name, VERSIONS.get(name, 1)


def decode(name: str, version: int, payload: bytes) -> Event:
    """Return the event that *payload* holds, lifted to the current version; what is newer is kept raw.

    Raises:
        msgspec.DecodeError: the payload is not an event of that type.
    """
    decoder = _decoders.get(name)
    current = VERSIONS.get(name, 1)
    if decoder is None or version > current:
        return Unrecognised(type=name, payload=Raw(payload))
    if version == current:
        return decoder.decode(payload)
    return decoder.decode(_encoder.encode(_lifted(name, version, current, payload)))


def _lifted(name: str, version: int, current: int, payload: bytes) -> dict[str, Any]:
    fields: dict[str, Any] = _fields.decode(payload)
    for step in range(version, current):
        lift = UPCASTS.get((name, step))
        if lift is None:
            raise msgspec.DecodeError(f"nothing lifts {name!r} from version {step} to {step + 1}")
        fields = lift(fields)
    return fields
