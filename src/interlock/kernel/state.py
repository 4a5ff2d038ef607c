"""What is true of a run now: the fold of its events, small and bounded whatever the run's age.

No messages and no finished calls are kept here, only what is still open: a finished call is found in the
journal by its key. All times are microseconds since the epoch.
"""

from typing import Literal

from msgspec import Struct

VERSION = 4
"""The version of this fold; a snapshot of another version is dropped and folded again."""

Phase = Literal["asked", "delayed", "delegated", "intended", "unknown", "clear"]
"""asked: people decide · delayed: the window runs · delegated: another run carries it out · intended: may have been
sent · unknown: no answer tells · clear: it did not happen and may be judged afresh."""


class Ask(Struct, frozen=True, omit_defaults=True, gc=False):
    """One question of an open call and, once given, its answer (`decision` is empty until then)."""

    seq: int
    kind: str
    level: str
    digest: str
    policy: str
    facts_digest: str
    expires: int
    decision: str = ""
    by: str = ""
    note: str = ""
    answered: int = 0
    """The seq of the answer."""


class Call(Struct, frozen=True, omit_defaults=True, gc=False):
    """A proposal that has not come to its outcome. `at` is the seq of the event that holds its arguments."""

    key: str
    action: str
    phase: Phase
    at: int
    digest: str = ""
    until: int = 0
    window: int = 0
    """When the delay window that policy asked for ends; 0 where none has begun."""
    asks: tuple[Ask, ...] = ()
    attempt: int = 0
    resent: bool = False
    """Whether this intent was sent more than once."""
    probes: int = 0
    effect: str = ""
    idempotency_key: str = ""
    idempotent_until: int = 0
    probe: bool = False
    settle: int = 0
    perform_before: int = 0
    lost_at: int = 0
    """When it was last known that nobody here was sending it any more; 0 where that is not known."""
    undoes: int = 0
    redacted: bool = False
    child: str = ""
    """The run that carries it out, where another agent does."""
    proposer: bool = False
    """Whether only the loop that proposed it can send it again."""


def unsettled(call: Call) -> bool:
    """Whether something may have happened out there that the journal does not know the outcome of."""
    return call.phase == "intended" or call.phase == "unknown"  # noqa: PLR1714 - called for every event


def certain_from(call: Call) -> int:
    """Return from when on a probe's `never` means never, in microseconds since the epoch.

    Whatever was sent was sent before `perform_before`, or while this side was still at it; after that it has
    the action's settle time to arrive.
    """
    return max(call.perform_before, call.lost_at) + call.settle


class Undo(Struct, frozen=True, omit_defaults=True, gc=False):
    """An undo under way: outcomes still to take back, in order, and those that could not be."""

    by: str
    left: tuple[int, ...]
    failed: tuple[int, ...] = ()
    recalls: tuple[str, ...] = ()
    """Calls whose delay is still to be ended."""
    otherwise: str = "stop"
    """What is done about an effect that can't be taken back: stop, leave or ask."""
    request: str = ""
    user: bytes = b"null"
    """Who undoes, as the policy knows a user."""
    at: int = 0
    """The seq of the event with which it began."""
    trouble: int = 0
    """The seq of the event that says why the first that is left could not be taken back; 0 where nothing does."""
    tries: int = 0
    """How often that one was tried in vain."""
    until: int = 0
    """When it is tried again by itself; 0: not at all."""


class Loop(Struct, frozen=True, omit_defaults=True, gc=False):
    """What bounds a loop of model turns; all of it begins anew when somebody lets a parked run go on."""

    since: int = 0
    """How many turns there had been when it began."""
    faults: int = 0
    """How many turns in a row held nothing but proposals that could not even be judged."""
    noted: bool = False
    """Whether the turn at hand has been counted as one."""
    setbacks: int = 0
    """How many times in a row the model did not answer."""
    denied: tuple[tuple[str, int], ...] = ()
    """What the guardian denied since something was achieved, by the beginning of its digest, and how often."""
    stuck: int = 0
    """How many denials that were in all."""
    against: tuple[str, ...] = ()
    """The rules that they rested on, as far as they are kept."""


class Counts(Struct, frozen=True, omit_defaults=True, gc=False):
    """How often things happened in this run."""

    turns: int = 0
    done: int = 0
    denied: int = 0
    failed: int = 0
    asked: int = 0
    input_tokens: int = 0
    output_tokens: int = 0


class State(Struct, frozen=True, omit_defaults=True, gc=False):
    """The state of one run; `seq` is its last event's."""

    seq: int = 0
    agent: str = ""
    tenant: str = ""
    conversation: str | None = None
    user: bytes = b"null"
    driven: bool = False
    parent: str = ""
    """The run that delegated to this one."""
    policy: str = ""
    machine: str = ""
    deadline: int | None = None
    place: str = ""
    """The machine's state that the run is in."""
    entry: int = 0
    code: str = ""
    calls: dict[str, Call] = {}
    spoke: int = 0
    """The seq of the last event that brought words of the user."""
    sleeping: int = 0
    parked: str = ""
    cancelling: bool = False
    undo: Undo | None = None
    verifying: tuple[tuple[int, str], ...] = ()
    """Outcomes whose post-condition has not been looked at, by the seq of the outcome and the key of its call."""
    ended: str = ""
    """How the run ended: done, failed or cancelled; empty while it has not."""
    last_at: int = 0
    counts: Counts = Counts()
    loop: Loop = Loop()
