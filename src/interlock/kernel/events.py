"""What can happen to a run: the vocabulary of the journal.

An event is immutable, says what happened and carries no clock of its own: run, seq and time are in the row
around it (`Recorded`). Fields are only ever added, with defaults; a type is never reused for another meaning.
Where a later version must read an older shape, `codec.py` lifts it.

A *call* is one proposal of one run, named by its key. Every judgement leaves exactly one event that carries
it: `Denied`, `Asked` or `Intended`. An intent therefore can't exist without the permit that let it.
"""

from typing import ClassVar

from msgspec import Raw, Struct

NOTHING = Raw(b"null")

READING = "~reading"
"""What stands in the key of a turn between its call and its number, where a model read a text in quarantine."""


class Event(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """The base of all events.

    `blobs` maps a field that was too large for the row to the address of its bytes; `redacted` names the
    redaction rules that changed this event's payload before it was written.
    """

    closes: ClassVar[bool] = False
    """Whether the event carries the key under which its call's outcome is found again."""

    blobs: dict[str, str] | None = None
    redacted: tuple[str, ...] = ()


class Judgement(Struct, frozen=True, omit_defaults=True, gc=False):
    """What a decision rested on: the policy's hash, what rules decided, facts read, needs added.

    `counted` holds what windows over earlier deeds came to, by their labels, and the time where a rule told it;
    `shadowed` is what rules without effect would have done. `origins` says where the values of the arguments came from
    (a list of `provenance.Origin`), `strikes` what that says against the proposal.
    """

    policy: str = ""
    rules: tuple[str, ...] = ()
    facts: Raw = NOTHING
    needs: tuple[str, ...] = ()
    counted: Raw = NOTHING
    shadowed: tuple[str, ...] = ()
    origins: Raw = NOTHING
    strikes: tuple[str, ...] = ()


class RunStarted(Event, frozen=True, kw_only=True, omit_defaults=True):
    """A run began.

    `machine`, `policy` and `prompt` (what a model is told that stays the same: instructions, examples, actions) are
    content addresses; `driven` is False where a foreign loop owns the run. `parent` is the run and the call that
    delegated to this one.
    """

    agent: str
    tenant: str = ""
    driven: bool = False
    machine: str = ""
    policy: str = ""
    user: Raw = NOTHING
    conversation: str | None = None
    input: Raw = NOTHING
    deadline: int | None = None
    prompt: str = ""
    message: str = ""
    parent: tuple[str, str] | None = None


class Entered(Event, frozen=True, kw_only=True, omit_defaults=True):
    """The run entered a state of its machine: its `entry`-th one.

    `code` names the function and version behind the state.
    """

    state: str
    entry: int
    code: str = ""


class TurnRecorded(Event, frozen=True, kw_only=True, omit_defaults=True):
    """One model turn: its request, the response, usage in tokens.

    Where a foreign loop recorded it, `request` is what that loop gave; where it is ours, it says from what the prompt
    was built (see `context`). `latency` is in microseconds, `cost` in US dollars as a decimal (empty: no price is
    known). `wire` lists what went over the wire: the exchanges of `models.Exchange` with the blobs' addresses in
    place of the pieces.
    """

    closes: ClassVar[bool] = True

    call: str = ""
    model: str = ""
    request: Raw = NOTHING
    response: Raw = NOTHING
    input_tokens: int = 0
    output_tokens: int = 0
    latency: int = 0
    cost: str = ""
    wire: Raw = NOTHING

    @property
    def is_reading(self) -> bool:
        """Whether another model read a text in quarantine: no turn of the run's own model."""
        return READING in self.call


class TurnFailed(Event, frozen=True, kw_only=True, omit_defaults=True):
    """A model was asked and did not answer; `transient` says whether asking again may help.

    `call` is the turn's key, `latency` in microseconds, `wire` as in `TurnRecorded`.
    """

    call: str
    model: str
    error: str
    transient: bool = False
    latency: int = 0
    wire: Raw = NOTHING


class Said(Event, frozen=True, kw_only=True, omit_defaults=True):
    """Words of the model's answer to the turn `call` that passed its checks and were released to the user."""

    call: str
    text: str


class Denied(Event, frozen=True, kw_only=True, omit_defaults=True):
    """A proposal was turned down at `stage` (resolve, validate, judge, needs, run); nothing happened.

    At stage words it was the rest of an answer, which its user is not shown.
    """

    closes: ClassVar[bool] = True

    call: str
    action: str
    stage: str
    reasons: tuple[str, ...]
    instead: tuple[str, ...] = ()
    args: Raw = NOTHING
    digest: str = ""
    judgement: Judgement = Judgement()


class Asked(Event, frozen=True, kw_only=True, omit_defaults=True):
    """People were asked; `kind` is approval, confirmation, unknown, question (the agent asks its user) or undo.

    `undoes`: the seq of the outcome that it is about taking back.
    The answer counts for this digest, policy and facts. The question's id is the run's id, a colon and this
    event's seq. `reasons` are the rules' words for why, and `expires` is when asking, and any yes, ends (0:
    never).
    """

    call: str
    action: str
    kind: str
    level: str = ""
    says: str = ""
    args: Raw = NOTHING
    reasons: tuple[str, ...] = ()
    digest: str = ""
    expires: int
    judgement: Judgement = Judgement()
    facts_digest: str = ""
    undoes: int = 0


class Answered(Event, frozen=True, kw_only=True, omit_defaults=True):
    """A person decided the question asked at seq `question`.

    `decision` is approve or deny, for an unknown outcome happened or never, for a question answer (in `result`), for an
    undo that came upon trouble again, leave or stop.
    `message` is the id of the user's message that answered it.
    """

    question: int
    decision: str
    by: str
    note: str = ""
    result: Raw = NOTHING
    message: str = ""


class Lapsed(Event, frozen=True, kw_only=True, omit_defaults=True):
    """Nobody answered the question asked at seq `question` in time."""

    question: int


class Delayed(Event, frozen=True, kw_only=True, omit_defaults=True):
    """All people who were needed agreed, or none were; the effect waits until `until` and can be recalled."""

    call: str
    action: str
    until: int
    args: Raw = NOTHING
    digest: str = ""
    judgement: Judgement = Judgement()


class Intended(Event, frozen=True, kw_only=True, omit_defaults=True):
    """The permit and the intent of an effect: written, durable, before anything happens.

    `way` says how the effect will be taken back: the name of the action's way, snapshot, undo, or empty where nothing
    can; `before` holds the objects that it touches as they were (see `actions.snapshot`).
    `perform_before`: sending starts before this time or not at all. `idempotent_until`: until then the other
    side honours `key`, so that the same attempt may be sent again (0: never). `settle`: how long after
    `perform_before` a probe's "never" still may mean "on its way", in microseconds. `undoes`: the seq of the
    outcome that this takes back. `proposer`: only the loop that proposed it can send it again, for it has the body.
    """

    call: str
    action: str
    effect: str
    key: str
    perform_before: int
    args: Raw = NOTHING
    digest: str = ""
    attempt: int = 1
    idempotent_until: int = 0
    probe: bool = False
    settle: int = 0
    undoes: int = 0
    judgement: Judgement = Judgement()
    proposer: bool = False
    way: str = ""
    before: Raw = NOTHING


class Retried(Event, frozen=True, kw_only=True, omit_defaults=True):
    """The same intent is about to be sent once more under its idempotency key."""

    call: str
    attempt: int
    perform_before: int


class Withheld(Event, frozen=True, kw_only=True, omit_defaults=True):
    """The intent's time to send had passed before sending began: it did not happen and won't."""

    call: str


class OutcomeUnknown(Event, frozen=True, kw_only=True, omit_defaults=True):
    """Something was sent and no answer tells what became of it; `again_at` is when to look again."""

    call: str
    reason: str
    again_at: int = 0


class Probed(Event, frozen=True, kw_only=True, omit_defaults=True):
    """A look at the other side that did not find the effect: `never` (it won't happen) or `not_yet_known`."""

    call: str
    answer: str
    again_at: int = 0


class Done(Event, frozen=True, kw_only=True, omit_defaults=True):
    """The outcome of a call that succeeded. A read has no intent: its proposal and judgement stand here.

    `via` says how we know: performed, probe or person. `intent` is the seq of the intent (0 for a read).
    `problem` says why a result is missing. `verify`: its post-condition is to be looked at. `trust` is the most that
    its values can be trusted (a level of `provenance.Trust`; None: as far as they are labelled); `suspected` what
    detectors of injection found in it; `cleaned` the version of the cleaning with which a model is shown it (0: none).
    `wrote` and `read` name the objects that an effect touched, as far as they are known; `after` holds them as it left
    them.
    """

    closes: ClassVar[bool] = True

    call: str
    action: str
    effect: str
    result: Raw = NOTHING
    via: str = "performed"
    intent: int = 0
    undoes: int = 0
    duration: int = 0
    problem: str = ""
    args: Raw = NOTHING
    digest: str = ""
    judgement: Judgement | None = None
    verify: bool = False
    trust: int | None = None
    suspected: tuple[str, ...] = ()
    cleaned: int = 0
    wrote: tuple[str, ...] = ()
    read: tuple[str, ...] = ()
    after: Raw = NOTHING


class Failed(Event, frozen=True, kw_only=True, omit_defaults=True):
    """The outcome of a call that did not happen, and it is known that it did not.

    `error` may hold words of whoever was asked; `cleaned` as in `Done`.
    """

    closes: ClassVar[bool] = True

    call: str
    action: str
    error: str
    intent: int = 0
    undoes: int = 0
    args: Raw = NOTHING
    digest: str = ""
    cleaned: int = 0


class VerifyFailed(Event, frozen=True, kw_only=True, omit_defaults=True):
    """The effect was performed, but the look at it afterwards did not find what should be there.

    `outcome` is the seq of the effect's outcome.
    """

    call: str
    action: str
    reason: str
    outcome: int = 0


class Verified(Event, frozen=True, kw_only=True, omit_defaults=True):
    """The look after the effect whose outcome is at seq `outcome` found what should be there."""

    call: str
    outcome: int


class Slept(Event, frozen=True, kw_only=True, omit_defaults=True):
    """A code state waits until `until`; when it runs again after that, it goes on behind this point."""

    closes: ClassVar[bool] = True

    call: str
    until: int


class MessageReceived(Event, frozen=True, kw_only=True, omit_defaults=True):
    """A message of its user reached the run while it was at work; `message` is the sender's own id of it."""

    content: Raw = NOTHING
    message: str = ""


class Planned(Event, frozen=True, kw_only=True, omit_defaults=True):
    """A planner was asked which effects the user's words call for, and named `grants`.

    `asked` is the digest of the words and of the agent's effects; it is not asked about the same again. `error` says
    why there is no plan; `model`, tokens, `latency` and `cost` as in `TurnRecorded`.
    """

    asked: str
    grants: tuple[str, ...] = ()
    model: str = ""
    error: str = ""
    input_tokens: int = 0
    output_tokens: int = 0
    latency: int = 0
    cost: str = ""


class Delegated(Event, frozen=True, kw_only=True, omit_defaults=True):
    """A proposal was permitted that another agent carries out, in the run `to`; its end is this call's outcome."""

    call: str
    action: str
    to: str
    args: Raw = NOTHING
    digest: str = ""
    judgement: Judgement = Judgement()


class CancelRequested(Event, frozen=True, kw_only=True, omit_defaults=True):
    """Somebody asked to stop the run: what is under way ends, nothing new begins.

    `undo` is whether all that it did is taken back then.
    """

    by: str
    reason: str = ""
    undo: bool = False


class Parked(Event, frozen=True, kw_only=True, omit_defaults=True):
    """The run can't go on by itself and says why; `resume` or an undo takes it from here."""

    reason: str


class Unparked(Event, frozen=True, kw_only=True, omit_defaults=True):
    """Somebody let a parked run go on."""

    by: str


class RunEnded(Event, frozen=True, kw_only=True, omit_defaults=True):
    """The run came to its end: `how` is done, failed or cancelled.

    `trust` is the least of what went into its output (None where that was not traced).
    """

    how: str
    output: Raw = NOTHING
    error: str = ""
    trust: int | None = None


class Batch(Struct, frozen=True, omit_defaults=True, gc=False):
    """What is taken back of one run at a stretch: outcomes by their seqs, calls that wait for their delay by key."""

    run: str
    targets: tuple[int, ...] = ()
    recalls: tuple[str, ...] = ()


class UndoStarted(Event, frozen=True, kw_only=True, omit_defaults=True):
    """Somebody had effects taken back; `targets` are the seqs of their outcomes, in the order of undoing.

    `recalls` are the keys of calls that still wait for their delay to pass. `otherwise` says what is done about an
    effect that can't be taken back: stop, leave (go on with the rest), or ask. `request` tells this undo from others
    of the run; `user` is who undoes, as the policy knows a user. `then` is what is taken back of other runs after it.
    """

    by: str
    targets: tuple[int, ...]
    recalls: tuple[str, ...] = ()
    otherwise: str = "stop"
    request: str = ""
    user: Raw = NOTHING
    then: tuple[Batch, ...] = ()


class NotUndone(Event, frozen=True, kw_only=True, omit_defaults=True):
    """The effect whose outcome is at seq `target` was not taken back, and nothing was changed in trying.

    `kind` is conflict (somebody changed since what it had changed: `changes` has each object before, after and now),
    refused (the undo was turned down), wrong (it came to its end, and not all is as before), lost (the way back is
    closed for good) or denied (who undoes may not). `again_at` is when it is tried again (0: not by itself).
    """

    closes: ClassVar[bool] = False

    call: str
    action: str
    target: int
    kind: str
    reason: str
    changes: Raw = NOTHING
    again_at: int = 0


class UndoEnded(Event, frozen=True, kw_only=True, omit_defaults=True):
    """The undo `request` came to its end; `failed` are the outcomes that were not taken back.

    Where it `stopped`, nothing that was to come after it is done.
    """

    failed: tuple[int, ...] = ()
    request: str = ""
    stopped: bool = False


class Unrecognised(Event, frozen=True, kw_only=True, omit_defaults=True):
    """An event of a type that this version does not know: kept as it is, skipped by the fold."""

    type: str
    payload: Raw = NOTHING


class Recorded(Struct, frozen=True, gc=False):
    """An event in its place: global position, run, seq in the run, time in microseconds (Unix epoch)."""

    position: int
    run: str
    seq: int
    at: int
    event: Event
