"""`decide(state, now)`: what the runtime has to do for a run next. Pure: same state and time, same steps.

A call that this process is performing at this moment is *busy*: its outcome is awaited, nothing is decided
about it.
"""

from collections.abc import Set as AbstractSet

from msgspec import Struct

from interlock.kernel.state import Ask, Call, State, Undo, unsettled

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


class Verify(Struct, frozen=True):
    """Look at the post-condition of the effect whose outcome is at seq `outcome`; `call` is its key."""

    outcome: int
    call: str


class Drive(Struct, frozen=True):
    """Run the code of the machine's state that the run is in."""


class End(Struct, frozen=True):
    """End the run."""

    how: str
    error: str = ""


class TakeBack(Struct, frozen=True):
    """Undo the outcome at seq `target`."""

    target: int


class Recall(Struct, frozen=True):
    """End the wait of a call for its delay: it is not performed."""

    key: str


class AskAboutUndo(Struct, frozen=True):
    """Ask people what to do about the outcome at seq `target`, which could not be taken back."""

    target: int
    trouble: int


class Leave(Struct, frozen=True):
    """Leave the effect of the outcome at seq `target` as it is, and go on with the rest."""

    target: int
    trouble: int


class FinishUndo(Struct, frozen=True):
    """Everything that could be taken back has been."""


OfUndo = TakeBack | Recall | AskAboutUndo | Leave | FinishUndo
Step = Retry | Probe | AskWhatHappened | Settle | Lapse | Verify | Drive | End | OfUndo

ENDED = ("done", "failed", "cancelled")
"""The statuses of a run that has ended and asks nothing more."""

NEVER = 2**63 - 1
"""Later than any time."""

MAX_ATTEMPTS = 20
"""How often one intent is sent before a person is asked."""

MAX_PROBES = 40
"""How often one effect is looked for, at growing distances (about half an hour in all), before a person is
asked."""


def decide(state: State, now: int, busy: AbstractSet[str] = NOBODY) -> tuple[Step, ...]:
    """Return what is to be done at *now* (microseconds, Unix epoch), in any order; nothing means: wait."""
    steps: list[Step] = []
    for call in state.calls.values():
        if call.key not in busy:
            steps.extend(about(call, now, over=_is_over(state)))
    if state.verifying:
        steps.extend(Verify(outcome, call) for outcome, call in state.verifying if call not in busy)
    if steps:
        return tuple(steps)
    last = _about_undo(state, state.undo, now) if state.undo is not None else _about_run(state, now, busy)
    return () if last is None else (last,)


def about(call: Call, now: int, *, proposed: bool = False, over: bool = False) -> tuple[Step, ...]:
    """Return what is to be done about one open call; nothing means: wait, or perform its key again.

    `proposed` is whether its proposer is here and proposes it once more; `over`, whether none is expected any more.
    """
    if unsettled(call):
        step = _about_sent(call, now, proposed=proposed, over=over)
        return () if step is None else (step,)
    return tuple(Lapse(call, ask) for ask in call.asks if not ask.decision and 0 < ask.expires <= now)


def _about_sent(call: Call, now: int, *, proposed: bool, over: bool) -> Step | None:
    ask = _what_happened(call)
    if ask is not None:
        if ask.decision:
            return Settle(call, ask)
        return Lapse(call, ask) if 0 < ask.expires <= now else None
    if call.until > now:
        return None
    sendable = call.idempotent_until > now and not call.redacted and call.attempt < MAX_ATTEMPTS
    if sendable and (proposed or not call.proposer):
        return Retry(call)
    if _can_be_looked_for(call):
        return Probe(call)
    return None if sendable and not over else AskWhatHappened(call)


def _can_be_looked_for(call: Call) -> bool:
    return call.probe and not call.redacted and call.probes < MAX_PROBES


def _is_over(state: State) -> bool:
    """Whether no loop is expected to come back to the run and go on."""
    return bool(state.ended) or state.cancelling or state.undo is not None


def _left_until(call: Call, state: State) -> int:
    """Return until when a sent call is left to its proposer, who alone can send it again; 0 where it is not."""
    if not call.proposer or _can_be_looked_for(call) or _is_over(state):
        return 0
    return 0 if call.redacted or call.attempt >= MAX_ATTEMPTS else call.idempotent_until


def _what_happened(call: Call) -> Ask | None:
    """Return the question to people what became of the call, asked or answered."""
    for ask in call.asks:
        if ask.kind == "unknown" and ask.decision != "lapsed":
            return ask
    return None


def _about_undo(state: State, undo: Undo, now: int) -> OfUndo | None:
    if _holds(state):
        return None
    if undo.recalls:
        return Recall(undo.recalls[0])
    if not undo.left or (undo.failed and undo.otherwise == "stop"):
        return FinishUndo()
    if undo.until > now or any(outcome == undo.left[0] for outcome, _ in state.verifying):
        return None  # What is looked at now is taken back by the look itself if it fails.
    return TakeBack(undo.left[0]) if not undo.trouble or undo.until else _about_trouble(state, undo)


def _holds(state: State) -> bool:
    """Whether an undo waits for what it sent, or for people."""
    return any(call.undoes and (unsettled(call) or _open(call)) for call in state.calls.values())


def _about_trouble(state: State, undo: Undo) -> OfUndo:
    """Return what is done about an effect that can't be taken back as things are."""
    target = undo.left[0]
    told = _decision(state, target) if undo.otherwise == "ask" else undo.otherwise
    if told == "again":
        return TakeBack(target)
    if told == "leave":
        return Leave(target, undo.trouble)
    # What could not be taken back may rest on what came before it: the rest stays as well.
    return FinishUndo() if told == "stop" else AskAboutUndo(target, undo.trouble)


def _decision(state: State, target: int) -> str:
    """Return what people said is to be done about the outcome at seq *target*."""
    asks = (ask for call in state.calls.values() if call.undoes == target for ask in call.asks if ask.kind == "undo")
    return next((ask.decision for ask in asks if ask.decision != "lapsed"), "")


def _about_run(state: State, now: int, busy: AbstractSet[str]) -> Step | None:
    if state.ended or busy or any(unsettled(call) for call in state.calls.values()):
        return None
    if state.cancelling:
        return End("cancelled")
    if state.deadline is not None and state.deadline <= now:
        return End("failed", "the run's deadline has passed")
    if state.driven and not state.parked and not blocked(state, now):
        return Drive()
    return None


def blocked(state: State, now: int) -> bool:
    """Whether the code of a driven run would only come to wait again.

    Of several calls at once, each goes on as soon as it can; a sleep beside them is over when none waits.
    """
    waits = False
    for call in state.calls.values():
        if not _waits(call, now):
            return False
        waits = True
    return waits or state.sleeping > now


def _waits(call: Call, now: int) -> bool:
    if call.phase == "asked":
        return _open(call)
    if call.phase == "delegated":
        return True
    return call.until > now if call.phase == "delayed" else unsettled(call)


def _open(call: Call) -> bool:
    for ask in call.asks:  # noqa: SIM110 - any() takes four times as long, and this runs for every append
        if not ask.decision:
            return True
    return False


def listens(state: State) -> bool:
    """Whether the code of a driven run is at work, so that a message of its user reaches it soon."""
    if not state.driven or state.ended or state.parked or state.cancelling or state.undo is not None:
        return False
    return not any(
        _open(call) if call.phase == "asked" else call.phase in ("delayed", "unknown") for call in state.calls.values()
    )


def status(state: State, *, attached: bool = True) -> str:
    """Return the word for the run's row: what an operator would say that it is doing.

    `attached` is whether a process holds the run now; a foreign loop's run that nobody holds is idle.
    """
    if state.undo is not None:
        return "undoing"
    if state.ended:
        # What was sent and never heard of is still asked about: whoever looks for questions has to find it.
        return "waiting" if any(_open(call) for call in state.calls.values()) else state.ended
    if state.cancelling and not any(unsettled(call) for call in state.calls.values()):
        return "running"  # It is being ended: a process that finds it so ends it.
    return _held_up(state) or ("running" if attached or state.driven else "idle")


def _held_up(state: State) -> str:
    if state.parked:
        return "parked"
    if state.calls:
        return _status_of_calls(state)
    return "sleeping" if state.sleeping else ""


def _status_of_calls(state: State) -> str:
    delayed = state.sleeping > 0
    for call in state.calls.values():
        if call.asks and _open(call):
            return "waiting"
        delayed = delayed or call.phase == "delayed"
    return "sleeping" if delayed else "running"


def wake_at(state: State, busy: AbstractSet[str] = NOBODY) -> int | None:
    """Return when the run must be looked at again (microseconds, Unix epoch); None: only a signal wakes it.

    It is the first moment at which `decide` says something new: nothing is slept through, and no run is
    looked at again and again with nothing to do.
    """
    first, ready, hidden = NEVER, True, bool(state.parked or state.ended or state.sleeping)
    for call in state.calls.values():
        first = min(first, _due(state, call, busy))
        if unsettled(call):
            ready = False
        else:
            hidden = True
    if ready and not state.ended and state.undo is None:
        first = min(first, state.last_at if state.cancelling and not busy else _due_itself(state))
    if not ready and hidden and state.undo is None and _hangs(state, busy):
        first = min(first, state.last_at)
    if state.undo is not None:
        first = min(first, _due_undo(state, state.undo))
    if state.verifying and hidden:
        # Should the process that looks end, the next one has to find the run by its time.
        first = min(first, state.last_at)
    return None if first == NEVER else first


def _due_undo(state: State, undo: Undo) -> int:
    """Return when the undo goes on by itself: at once where nobody has begun it, later where it is tried again."""
    if _holds(state):
        return NEVER
    if undo.until:
        return undo.until
    return state.last_at if undo.at == state.seq else NEVER


def _hangs(state: State, busy: AbstractSet[str]) -> bool:
    """Whether nobody but the process at work would look after a call: by its status the run waits for something else.

    Should that process end, the next one has to find the run by its time.
    """
    return any(
        unsettled(call)
        and (call.key in busy or not call.until)
        and _what_happened(call) is None
        and not _left_until(call, state)
        for call in state.calls.values()
    )


def _due(state: State, call: Call, busy: AbstractSet[str]) -> int:
    """Return when there is something to do about the call itself."""
    asks = call.asks
    if unsettled(call):
        if call.key in busy:
            return NEVER
        ask = _what_happened(call) if asks else None
        if ask is None:
            left = _left_until(call, state)
            return max(left, call.until) if left else call.until or NEVER
        asks = (ask,)
    first = NEVER
    for ask in asks:
        if not ask.decision and ask.expires:
            first = min(first, ask.expires)
    return first


def _due_itself(state: State) -> int:
    """Return when there is something to do for the run itself: at its deadline, or at the end of a wait."""
    deadline = NEVER if state.deadline is None else state.deadline
    # A foreign loop comes back by itself when a delay is over; only a driven run has to be woken for it.
    if not state.driven or state.parked:
        return deadline
    if not state.calls:
        return min(deadline, state.sleeping or NEVER)
    return min([deadline, *(call.until for call in state.calls.values() if call.phase == "delayed")])
