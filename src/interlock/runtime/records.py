"""Between outcomes and what the journal keeps of them."""

from typing import Any

import msgspec

from interlock.actions.action import Action
from interlock.canonical import canonical, digest
from interlock.errors import CanonicalError
from interlock.kernel import events as ev
from interlock.runtime.outcomes import Denied, Done, Failed, Outcome


def idempotency_key(run: str, call: str) -> str:
    """Return the key under which every attempt of this call is sent: the same for ever, 32 hex digits."""
    return digest(run.encode(), call.encode())[:32]


def undo_key(outcome: int) -> str:
    """Return the key of the call that takes back the outcome at this seq; no proposal can have it."""
    return f"~undo/{outcome}"


def outcome_of(event: ev.Done | ev.Failed | ev.Denied, action: Action[Any, Any, Any] | None) -> Outcome:
    """Return the outcome that a recorded event stands for."""
    if isinstance(event, ev.Failed):
        return Failed(event.error)
    if isinstance(event, ev.Denied):
        return Denied(event.reasons, event.instead, event.stage)
    recorded = bytes(event.result)
    if recorded == b"null" and event.problem:
        return Done(None, event.problem)
    return Done(msgspec.json.decode(recorded) if action is None else action.signature.result(recorded), event.problem)


def recordable(value: Any) -> tuple[msgspec.Raw, str]:
    """Return a result's canonical JSON, or null and what is wrong with it; what happened has happened either way."""
    try:
        return msgspec.Raw(canonical(value)), ""
    except CanonicalError as error:
        return ev.NOTHING, f"it was performed, but its result could not be recorded: {error}"


def said(error: BaseException) -> str:
    """Return an exception in words, and no more of them than fit."""
    return writable(f"{type(error).__name__}: {error}")


def writable(text: str) -> str:
    """Return words as they can be written, and no more than fit a line: half of a surrogate pair as its escape."""
    return text[:2000].encode(errors="backslashreplace").decode()
