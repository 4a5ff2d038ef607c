"""A proposal as recorded events carry it, for a look at what speaks against it."""

from typing import Any, cast

import msgspec
from msgspec import Struct

from interlock.kernel import events as ev
from interlock.kernel.events import Event


class Proposed(Struct, frozen=True):
    """A proposal that the policy permitted, and what the policy needed for it."""

    call: str
    action: str
    args: dict[str, Any]
    needs: tuple[str, ...] = ()


KINDS = (ev.Denied, ev.Asked, ev.Delayed, ev.Delegated, ev.Intended, ev.Done)
"""The types of events that carry one."""


def proposed(event: Event) -> Proposed | None:
    """Return the proposal that an event carries; None where it carries none, or one that the policy denied.

    What only the origins of its values spoke against was permitted by the policy.
    """
    judgement = _judgement(event)
    if judgement is None:
        return None
    one = cast("ev.Intended", event)  # whichever it is, it names call, action and arguments
    args = msgspec.json.decode(bytes(one.args))
    if not isinstance(args, dict):
        return None
    needs = judgement.needs[:-1] if "provenance" in judgement.rules else judgement.needs
    return Proposed(one.call, one.action, cast("dict[str, Any]", args), needs)


def _judgement(event: Event) -> ev.Judgement | None:
    match event:
        case ev.Denied(stage="judge"):
            return event.judgement if "provenance" in event.judgement.rules else None
        case ev.Asked(kind="approval" | "confirmation") | ev.Delayed() | ev.Delegated():
            return event.judgement
        case ev.Intended(undoes=0) | ev.Done(intent=0, undoes=0):
            return event.judgement
        case _:
            return None
