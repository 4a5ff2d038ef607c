"""`decide(state, now)`: what the runtime has to do for a run next. Pure: the same state and time give the same steps.

A call that this process is performing at this moment is *busy*: its outcome is awaited, nothing is decided about it.
"""

from collections.abc import Set as AbstractSet

from msgspec import Struct

from interlock.kernel.state import Ask, Call, State

NOBODY: frozenset[str] = frozenset()


class Retry(Struct, frozen=True):
    """Send the call's intent again under its idempotency key."""

    call: Call


class Probe(Struct, frozen=True):
    """Look at the other side for the call's effect."""

    call: Call


class AskWhatHappened(Struct, frozen=True):
    """Nothing here can tell what became of the call: a person has to."""

    call: Call


class Settle(Struct, frozen=True):
    """A person has told what became of the call: write it down."""

    call: Call
    ask: Ask


class Lapse(Struct, frozen=True):
    """The question's time is over."""

    call: Call
    ask: Ask


class Drive(Struct, frozen=True):
    """Run the code of the machine's state that the run is in."""


class End(Struct, frozen=True):
    """End the run."""

    how: str
    error: str = ""


class TakeBack(Struct, frozen=True):
    """Undo the outcome at seq `target`."""

    target: int


class FinishUndo(Struct, frozen=True):
    """Everything that could be taken back has been."""


Step = Retry | Probe | AskWhatHappened | Settle | Lapse | Drive | End | TakeBack | FinishUndo

MAX_ATTEMPTS = 20
"""How often one intent is sent before a person is asked."""

MAX_PROBES = 40
"""How often one effect is looked for, at growing distances (about half an hour in all), before a person is asked."""


def decide(state: State, now: int, busy: AbstractSet[str] = NOBODY) -> tuple[Step, ...]:
    """Return what is to be done at *now* (microseconds since the epoch), in any order; nothing means: wait."""
    steps: list[Step] = []
    for call in state.calls.values():
        if call.key not in busy:
            steps.extend(about(call, now))
    if steps:
        return tuple(steps)
    last = _about_run(state, now, busy)
    return () if last is None else (last,)


def about(call: Call, now: int) -> tuple[Step, ...]:
    """Return what is to be done about one open call at *now*; nothing means: wait, or perform its key again."""
    if call.phase == "intended" or (call.phase == "unknown" and not _open(call)):
        return _about_sent(call, now)
    if call.phase == "unknown":
        return ()
    return tuple(Lapse(call, ask) for ask in call.asks if not ask.decision and ask.expires <= now)


def _about_sent(call: Call, now: int) -> tuple[Step, ...]:
    told = next((ask for ask in call.asks if ask.kind == "unknown" and ask.decision), None)
    if told is not None and told.decision != "lapsed":
        return (Settle(call, told),)
    if call.until > now:
        return ()
    if call.idempotent_until > now and not call.redacted and call.attempt < MAX_ATTEMPTS:
        return (Retry(call),)
    if call.probe and not call.redacted and call.probes < MAX_PROBES:
        return (Probe(call),)
    return (AskWhatHappened(call),)


def _about_run(state: State, now: int, busy: AbstractSet[str]) -> Step | None:
    if state.undo is not None:
        if any(call.undoes for call in state.calls.values()):
            return None
        # What could not be taken back may rest on what came before it: the rest stays, and a person decides.
        return TakeBack(state.undo.left[0]) if state.undo.left and not state.undo.failed else FinishUndo()
    if state.ended or busy or any(unsettled(call) for call in state.calls.values()):
        return None
    if state.cancelling:
        return End("cancelled")
    if state.deadline is not None and state.deadline <= now:
        return End("failed", "the run's deadline has passed")
    if state.driven and not state.parked and not blocked(state, now):
        return Drive()
    return None


def unsettled(call: Call) -> bool:
    """Whether something may have happened out there that the journal does not know the outcome of."""
    return call.phase in ("intended", "unknown")


def blocked(state: State, now: int) -> bool:
    """Whether the code of a driven run would only come to wait again."""
    return state.sleeping > now or any(_blocks(call, now) for call in state.calls.values())


def _blocks(call: Call, now: int) -> bool:
    if call.phase == "asked":
        return _open(call)
    if call.phase == "delayed":
        return call.until > now
    return unsettled(call)


def _open(call: Call) -> bool:
    return any(not ask.decision for ask in call.asks)


def status(state: State, *, attached: bool = True) -> str:
    """Return the word for the run's row: what an operator would say that it is doing.

    `attached` is whether a process holds the run now; a foreign loop's run that nobody holds is idle.
    """
    if state.undo is not None:
        return "undoing"
    if state.ended:
        return state.ended
    if state.parked:
        return "parked"
    if any(_open(call) for call in state.calls.values()):
        return "waiting"
    if state.sleeping or any(call.phase == "delayed" for call in state.calls.values()):
        return "sleeping"
    if not attached and not state.driven and not state.calls:
        return "idle"
    return "running"


def wake_at(state: State, busy: AbstractSet[str] = NOBODY) -> int | None:
    """Return when the run must be looked at again (microseconds since the epoch), or None: only a signal wakes it."""
    if not state.calls and not state.sleeping and state.deadline is None:
        return None
    times = [time for call in state.calls.values() for time in _times(call, state.driven, call.key in busy)]
    if not state.ended and not state.parked:
        times += [time for time in (state.sleeping, state.deadline) if time]
    return min(times, default=None)


def _times(call: Call, driven: bool, busy: bool) -> list[int]:
    times = [ask.expires for ask in call.asks if not ask.decision and ask.kind != "unknown"]
    # A foreign loop comes back by itself when the delay is over; only a driven run has to be woken for it.
    if call.until and ((call.phase == "unknown" and not busy) or (call.phase == "delayed" and driven)):
        times.append(call.until)
    return times
