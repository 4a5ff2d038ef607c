"""Events in any order and with any content, over few keys, so that they meet."""

from hypothesis import strategies as st
from msgspec import Raw

from interlock.kernel import events as ev
from interlock.kernel.evolve import evolve
from interlock.kernel.state import State

NOW = 1_700_000_000_000_000
HOUR = 3_600_000_000
LAST = NOW + 12 * HOUR

keys = st.sampled_from(["k1", "k2", "k3", "undo/2"])
actions = st.sampled_from(["refund", "rename"])
# A few instants, so that times are often equal; 0 means "never" or "at once".
times = st.one_of(st.just(0), st.integers(-2, 10).map(lambda hours: NOW + hours * HOUR))
seqs = st.integers(0, 40)
kinds = st.sampled_from(["approval", "confirmation", "unknown", "question", "undo", "of a later version"])
levels = st.sampled_from(["", "finance", "support"])
decisions = st.sampled_from(
    ["approve", "deny", "happened", "never", "answer", "again", "leave", "stop", "lapsed", "", "later"]
)
judgements = st.builds(ev.Judgement, policy=st.sampled_from(["p1", "p2"]))
raws = st.sampled_from([ev.NOTHING, Raw(b'{"amount":"40"}')])
marks = st.sampled_from([(), ("jwt",)])
text = st.text(max_size=5)
stages = st.sampled_from(["resolve", "validate", "judge", "needs", "run"])


def _of(event, /, **fields):
    return st.builds(event, redacted=marks, **fields)


asked = _of(
    ev.Asked,
    call=keys,
    action=actions,
    kind=kinds,
    level=levels,
    digest=st.sampled_from(["d1", "d2"]),
    expires=times,
    judgement=judgements,
    undoes=st.sampled_from([0, 0, 2, 3]),
)
intended = _of(
    ev.Intended,
    call=keys,
    action=actions,
    effect=st.sampled_from(["reversible", "compensable", "irreversible"]),
    key=st.just("0" * 32),
    perform_before=times,
    args=raws,
    attempt=st.integers(1, 25),
    idempotent_until=times,
    probe=st.booleans(),
    settle=st.integers(0, HOUR),
    undoes=st.sampled_from([0, 0, 2, 3]),
    proposer=st.booleans(),
)
done = _of(
    ev.Done,
    call=keys,
    action=actions,
    effect=st.sampled_from(["read", "compensable"]),
    result=raws,
    undoes=st.sampled_from([0, 2, 3]),
)
events = st.one_of(
    _of(
        ev.RunStarted,
        agent=text,
        tenant=text,
        driven=st.booleans(),
        user=raws,
        conversation=st.none() | text,
        deadline=st.none() | times,
    ),
    _of(ev.Entered, state=text, entry=st.integers(1, 9), code=text),
    _of(ev.TurnRecorded, call=keys, input_tokens=st.integers(0, 9), output_tokens=st.integers(0, 9)),
    _of(ev.TurnFailed, call=keys, model=text, error=text, transient=st.booleans()),
    _of(ev.Said, call=keys, text=text),
    _of(ev.Planned, asked=text, input_tokens=st.integers(0, 9), output_tokens=st.integers(0, 9)),
    _of(ev.Denied, call=keys, action=actions, stage=stages, reasons=st.just(("no",))),
    asked,
    asked,
    _of(ev.Answered, question=seqs, decision=decisions, by=text),
    _of(ev.Answered, question=seqs, decision=decisions, by=text),
    _of(ev.Lapsed, question=seqs),
    _of(ev.Delayed, call=keys, action=actions, until=times),
    intended,
    intended,
    _of(ev.Retried, call=keys, attempt=st.integers(2, 25), perform_before=times),
    _of(ev.Withheld, call=keys),
    _of(ev.OutcomeUnknown, call=keys, reason=text, again_at=times),
    _of(ev.Probed, call=keys, answer=st.sampled_from(["never", "not_yet_known", "later"]), again_at=times),
    done,
    _of(ev.Failed, call=keys, action=actions, error=text, undoes=st.sampled_from([0, 2, 3])),
    _of(ev.VerifyFailed, call=keys, action=actions, reason=text),
    _of(ev.Slept, call=keys, until=times),
    _of(ev.MessageReceived, content=raws, message=text),
    _of(ev.Delegated, call=keys, action=actions, to=st.just("r2"), args=raws),
    _of(ev.CancelRequested, by=text),
    _of(ev.Parked, reason=text),
    _of(ev.Unparked, by=text),
    _of(ev.RunEnded, how=st.sampled_from(["done", "failed", "cancelled", "later"])),
    _of(
        ev.UndoStarted,
        by=text,
        targets=st.lists(st.integers(1, 4), max_size=3, unique=True).map(tuple),
        recalls=st.lists(keys, max_size=2, unique=True).map(tuple),
        otherwise=st.sampled_from(["stop", "leave", "ask", "later"]),
    ),
    _of(ev.NotUndone, call=keys, action=actions, target=st.integers(1, 4), kind=text, reason=text, again_at=times),
    _of(ev.UndoEnded),
    _of(ev.Unrecognised, type=text),
)


@st.composite
def histories(draw, max_size=40):
    """Draw recorded events of one run: the seqs without a gap, the clock jumping as it likes."""
    happened = draw(st.lists(st.tuples(events, times), max_size=max_size))
    return [
        ev.Recorded(position=seq, run="r1", seq=seq, at=at, event=event) for seq, (event, at) in enumerate(happened, 1)
    ]


@st.composite
def states(draw, max_size=40):
    """Draw a state that some history leads to."""
    state = draw(st.sampled_from([State(), State(driven=True)]))
    for one in draw(histories(max_size=max_size)):
        state = evolve(state, one.seq, one.at, one.event)
    return state
