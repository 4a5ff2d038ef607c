"""What is to be done next: over any state, and in order of preference for a call without an answer."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kernel_strategies import HOUR, LAST, NOW, states
from msgspec.structs import replace

from interlock.kernel.decide import (
    MAX_ATTEMPTS,
    MAX_PROBES,
    AskWhatHappened,
    Drive,
    End,
    FinishUndo,
    Lapse,
    Probe,
    Retry,
    Settle,
    TakeBack,
    about,
    decide,
    listens,
    status,
    wake_at,
)
from interlock.kernel.state import Ask, Call, State, Undo, unsettled
from interlock.runtime.loops import UNFINISHED

instants = st.integers(NOW - 3 * HOUR, LAST)
STATUSES = {
    "undoing",
    "parked",
    "waiting",
    "sleeping",
    "idle",
    "running",
    "done",
    "failed",
    "cancelled",
    "later",
}


def sent(**fields):
    """Return a call whose intent was written and whose outcome is not known."""
    return Call(key="k1", action="refund", phase="unknown", at=3, **fields)


def with_call(call, **fields):
    return State(seq=9, driven=True, calls={call.key: call}, **fields)


def question(kind="approval", expires=NOW + HOUR, **fields):
    return Ask(2, kind, "finance", "d", "p", "f", expires, **fields)


class TestAnyState:
    """Properties of `decide`, whatever the state."""

    @given(states(), instants)
    def test_it_is_pure(self, state, now):
        """The same state at the same time gives the same steps."""
        assert decide(state, now) == decide(state, now)

    @given(states(), instants)
    def test_nothing_is_sent_again_without_a_key_that_is_honoured(self, state, now):
        """A retry needs an open idempotency window, all of its arguments and an attempt left."""
        for step in decide(state, now):
            if isinstance(step, Retry):
                assert step.call.idempotent_until > now
                assert not step.call.redacted
                assert step.call.attempt < MAX_ATTEMPTS

    @given(states(), instants)
    def test_a_look_needs_a_probe(self, state, now):
        """Only an action with a probe is looked for, with all of its arguments, and not for ever."""
        for step in decide(state, now):
            if isinstance(step, Probe):
                assert step.call.probe
                assert not step.call.redacted
                assert step.call.probes < MAX_PROBES

    @given(states(), instants)
    def test_busy_calls_are_left_alone(self, state, now):
        """Nothing is decided about a call that is being performed; its run neither ends nor goes on."""
        busy = state.calls.keys()
        if busy:
            assert not decide(state, now, busy) or state.undo is not None
            assert not any(hasattr(step, "call") for step in decide(state, now, busy))

    @given(states(), instants)
    def test_the_run_does_not_move_over_what_is_unsettled(self, state, now):
        """While something may have happened without an outcome, code is not driven and the run not ended."""
        steps = decide(state, now)
        if any(unsettled(call) for call in state.calls.values()):
            assert not any(isinstance(step, (Drive, End)) for step in steps)

    @given(states(), instants)
    def test_an_ended_or_foreign_run_is_not_driven(self, state, now):
        """Code runs only in a driven run that is not ended, parked, cancelled, late or being undone."""
        if Drive() in decide(state, now):
            assert state.driven
            assert not any((state.ended, state.parked, state.cancelling, state.undo))
            assert state.deadline is None or state.deadline > now

    @given(states(), instants)
    def test_a_run_is_cancelled_when_nothing_is_under_way(self, state, now):
        """A cancelled run ends as soon as all that was sent has its outcome, and not before."""
        steps = decide(state, now)
        if End("cancelled") in steps:
            assert state.cancelling
        waits = state.ended or state.undo or any(unsettled(call) for call in state.calls.values())
        if state.cancelling and not waits and not any(isinstance(step, Lapse) for step in steps):
            assert steps == (End("cancelled"),)

    @given(states(), instants)
    def test_only_what_expired_lapses(self, state, now):
        """A question lapses when its time is over and it has no answer; one without an end never does."""
        for step in decide(state, now):
            if isinstance(step, Lapse):
                assert 0 < step.ask.expires <= now
                assert not step.ask.decision

    @given(states(), instants)
    def test_a_person_is_taken_at_their_word(self, state, now):
        """A call is settled by an answer to what happened, and by no approval or denial."""
        for step in decide(state, now):
            if isinstance(step, Settle):
                assert step.ask.kind == "unknown"
                assert step.ask.decision in ("happened", "never")

    @given(states(), instants)
    def test_nothing_sent_is_forgotten(self, state, now):
        """About every unsettled call there is a step now, a question to people, a time to look again, or a proposer.

        Who alone has the body of a call is left to send it again, for as long as its key is honoured.
        """
        about = {step.call.key for step in decide(state, now) if hasattr(step, "call")}
        for call in state.calls.values():
            if unsettled(call):
                asked = any(ask.kind == "unknown" and not ask.decision for ask in call.asks)
                left = call.proposer and call.idempotent_until > now
                assert call.key in about or asked or call.until > now or left

    @given(states(), instants)
    def test_an_undo_moves_or_waits_for_what_it_sent(self, state, now):
        """An undo never comes to a halt with nothing to do and nothing to wait for."""
        if state.undo is not None and not decide(state, now):
            asks = any(call.undoes and any(not ask.decision for ask in call.asks) for call in state.calls.values())
            sent = any(call.undoes and unsettled(call) for call in state.calls.values())
            assert asks or sent or state.undo.until > now


class TestWaking:
    """`wake_at` and `decide` tell the same."""

    @settings(max_examples=500)
    @given(states(max_size=12))
    def test_nothing_is_slept_through(self, state):
        """A run with nothing to do is woken when there is something: not later, not earlier."""
        woken = wake_at(state)
        waiting = [now for now in range(NOW - 3 * HOUR, LAST, HOUR // 2) if not decide(state, now)]
        for now in waiting:
            assert woken is None or woken > now
        if waiting:
            assert waiting == list(range(waiting[0], waiting[-1] + 1, HOUR // 2))
            assert (woken is not None) == bool(decide(state, LAST))
        if waiting and woken is not None:
            assert decide(state, woken)

    @settings(max_examples=200)
    @given(states(max_size=12), instants)
    def test_what_a_crash_left_is_found(self, state, now):
        """With something to do, a run is one that the next process resumes or that is due, whoever was at it before."""
        now = max(now, state.last_at)
        sent_now = frozenset(key for key, call in state.calls.items() if unsettled(call) and not call.asks)
        for busy in (frozenset(), sent_now):
            woken = wake_at(state, busy)
            if decide(state, now):
                assert status(state) in UNFINISHED or (woken is not None and woken <= now)

    @given(states())
    def test_a_busy_call_needs_no_waking(self, state):
        """What is being performed now is looked at when it comes back, as long as its run says that it is at work."""
        busy = {key for key, call in state.calls.items() if unsettled(call)}
        if busy == state.calls.keys() and busy and not (state.parked or state.ended or state.sleeping or state.undo):
            assert wake_at(state, busy) is None

    def test_a_sleep_ends(self):
        """A sleeping run is woken when its sleep is over, and driven."""
        state = State(seq=3, driven=True, sleeping=NOW + 5)
        assert (wake_at(state), decide(state, NOW + 4), decide(state, NOW + 5)) == (NOW + 5, (), (Drive(),))

    def test_a_foreign_loop_comes_back_for_its_delays(self):
        """A delay wakes a driven run; a session's loop asks again by itself."""
        call = Call(key="k1", action="refund", phase="delayed", at=3, until=NOW + 5)
        assert wake_at(with_call(call)) == NOW + 5
        assert wake_at(State(seq=9, calls={"k1": call})) is None

    def test_nothing_wakes_a_run_but_what_it_waits_for(self):
        """While people are asked what happened, neither deadline nor delay wakes the run."""
        waits = sent(asks=(question("unknown", 0),))
        delayed = Call(key="k2", action="refund", phase="delayed", at=3, until=NOW + 5)
        state = State(seq=9, driven=True, calls={"k1": waits, "k2": delayed}, deadline=NOW + 5)
        assert (wake_at(state), decide(state, NOW + 5)) == (None, ())

    def test_a_deadline_wakes_a_parked_run(self):
        """A run's deadline stands also while it is parked."""
        state = State(seq=3, driven=True, parked="limit", deadline=NOW + 5)
        assert wake_at(state) == NOW + 5


class TestWithoutAnswer:
    """What is done about a call that was sent and has no outcome, in the order of preference."""

    def test_it_waits_for_its_time(self):
        """Before it is time to look again nothing is done."""
        assert decide(with_call(sent(until=NOW + 1, probe=True)), NOW) == ()

    def test_it_is_sent_again_under_its_key(self):
        """Where the other side honours the key, sending again is safe and tells the result."""
        call = sent(idempotent_until=NOW + 1, probe=True)
        assert decide(with_call(call), NOW) == (Retry(call),)

    @pytest.mark.parametrize(
        "call",
        [
            sent(probe=True),
            sent(probe=True, idempotent_until=NOW),
            sent(probe=True, idempotent_until=NOW + 1, attempt=MAX_ATTEMPTS),
        ],
    )
    def test_it_is_looked_for(self, call):
        """Without a key, after its window or after many attempts the other side is asked."""
        assert decide(with_call(call), NOW) == (Probe(call),)

    @pytest.mark.parametrize(
        "call",
        [
            sent(),
            sent(probe=True, probes=MAX_PROBES),
            sent(probe=True, idempotent_until=NOW + 1, redacted=True),
            sent(asks=(question("unknown", decision="lapsed"),)),
            sent(asks=(question("approval", decision="approve"),)),
        ],
    )
    def test_people_are_asked(self, call):
        """Where nothing here can tell, or a secret in the arguments was not kept, a person has to."""
        assert decide(with_call(call), NOW) == (AskWhatHappened(call),)

    def test_it_is_left_to_the_loop_that_has_its_body(self):
        """What only its proposer can send again waits for it, and for no clock; a person is asked after its window."""
        call = sent(proposer=True, idempotent_until=NOW + 5)
        assert (decide(with_call(call), NOW), wake_at(with_call(call))) == ((), NOW + 5)
        assert about(call, NOW, proposed=True) == (Retry(call),)
        assert decide(with_call(call), NOW + 5) == (AskWhatHappened(call),)

    @pytest.mark.parametrize("over", [{"ended": "failed"}, {"cancelling": True}])
    def test_a_person_is_asked_where_its_loop_is_not_expected(self, over):
        """Nobody comes back to a run that has ended or is being cancelled."""
        call = sent(proposer=True, idempotent_until=NOW + 5)
        assert decide(with_call(call, **over), NOW) == (AskWhatHappened(call),)

    def test_it_is_looked_for_without_its_loop(self):
        """A probe needs nobody's body."""
        call = sent(proposer=True, idempotent_until=NOW + 5, probe=True)
        assert decide(with_call(call), NOW) == (Probe(call),)

    @pytest.mark.parametrize("phase", ["intended", "unknown"])
    def test_people_are_asked_once(self, phase):
        """While people think about it nothing is sent, looked for or asked again."""
        call = replace(sent(probe=True, idempotent_until=NOW + 9), phase=phase, asks=(question("unknown", 0),))
        assert decide(with_call(call), NOW) == ()

    def test_their_answer_settles_it(self):
        """What a person said is written down, also when a look would be due."""
        ask = question("unknown", 0, decision="never", by="ana")
        call = sent(probe=True, asks=(ask,))
        assert decide(with_call(call), NOW) == (Settle(call, ask),)


class TestDriving:
    """When the code of a driven run goes on."""

    @pytest.mark.parametrize(
        ("call", "goes_on"),
        [
            (Call("k1", "refund", "asked", 3, asks=(question(),)), False),
            (Call("k1", "refund", "asked", 3, asks=(question(decision="approve"),)), True),
            (Call("k1", "refund", "delayed", 3, until=NOW + 1), False),
            (Call("k1", "refund", "delayed", 3, until=NOW), True),
            (Call("k1", "refund", "clear", 3), True),
        ],
    )
    def test_it_waits_with_its_call(self, call, goes_on):
        """A question or a running delay holds the code; the answer or the end of the delay lets it go on."""
        assert (decide(with_call(call), NOW) == (Drive(),)) is goes_on

    def test_one_of_several_calls_goes_on_by_itself(self):
        """With several calls at once, one that is approved does not wait for the questions of the others."""
        waits = Call("k1", "refund", "asked", 3, asks=(question(),))
        ready = Call("k2", "refund", "asked", 4, asks=(question(decision="approve"),))
        state = State(seq=9, driven=True, calls={"k1": waits, "k2": ready})
        assert decide(state, NOW) == (Drive(),)

    def test_it_waits_for_what_is_under_way(self):
        """While a call is being performed the code that asked for it is not run again."""
        ready = Call("k1", "refund", "asked", 3, asks=(question(decision="approve"),))
        assert decide(with_call(ready), NOW, {"k1"}) == ()
        assert decide(State(seq=9, driven=True), NOW, {"k1"}) == ()

    def test_a_late_run_fails(self):
        """At its deadline a run ends, and says so."""
        (step,) = decide(State(seq=3, driven=True, deadline=NOW), NOW)
        assert isinstance(step, End)
        assert (step.how, "deadline" in step.error) == ("failed", True)


class TestUndo:
    """The steps of an undo."""

    def test_in_order(self):
        """Outcomes are taken back one after the other, then the undo ends."""
        assert decide(State(seq=9, undo=Undo("ana", (7, 5))), NOW) == (TakeBack(7),)
        assert decide(State(seq=9, undo=Undo("ana", ())), NOW) == (FinishUndo(),)

    def test_it_stops_at_what_could_not_be_taken_back(self):
        """What came before may be needed by what is still there: it stays."""
        assert decide(State(seq=9, undo=Undo("ana", (5,), (7,))), NOW) == (FinishUndo(),)

    @pytest.mark.parametrize(("phase", "steps"), [("unknown", ()), ("clear", (TakeBack(7),))])
    def test_it_waits_for_what_it_sent(self, phase, steps):
        """The next step waits for an undo without outcome; one that never happened is done again."""
        call = Call("undo/7", "refund", phase, 8, undoes=7, until=NOW + 1)
        assert decide(State(seq=9, undo=Undo("ana", (7,)), calls={"undo/7": call}), NOW) == steps


class TestStatus:
    """The word in the run's row."""

    @given(states(), st.booleans())
    def test_it_is_one_of_few(self, state, attached):
        """A status is one of the words that an operator knows, or the ending that the run had."""
        assert status(state, attached=attached) in STATUSES

    @pytest.mark.parametrize(
        ("state", "word"),
        [
            (State(), "running"),
            (State(undo=Undo("ana", ()), ended="done"), "undoing"),
            (State(ended="done", parked="why"), "done"),
            (State(parked="why", sleeping=1), "parked"),
            (State(sleeping=1), "sleeping"),
            (State(calls={"k": Call("k", "a", "delayed", 1)}), "sleeping"),
            (State(calls={"k": Call("k", "a", "asked", 1, asks=(question(),))}, sleeping=1), "waiting"),
            (State(calls={"k": Call("k", "a", "intended", 1)}), "running"),
        ],
    )
    def test_the_words(self, state, word):
        """What matters most to an operator gives the word."""
        assert status(state) == word

    def test_a_foreign_run_that_nobody_holds_is_idle(self):
        """A session's run without open calls is idle once its loop is gone; a driven one is never."""
        assert status(State(), attached=False) == "idle"
        assert status(State(driven=True), attached=False) == "running"
        assert status(State(calls={"k": Call("k", "a", "clear", 1)}), attached=False) == "running"


HANDED_ON = Call("k2", "helper", "delegated", 4, child="r2")


class TestListening:
    """Whether a message of the user reaches the run's code soon."""

    @pytest.mark.parametrize(
        ("call", "soon"),
        [
            (None, True),
            (Call("k1", "refund", "asked", 3, asks=(question(),)), False),
            (Call("k1", "ask_user", "asked", 3, asks=(question("question"),)), False),
            (Call("k1", "refund", "asked", 3, asks=(question(decision="approve"),)), True),
            (Call("k1", "refund", "asked", 3, asks=(question(decision="approve"), question("confirmation"))), False),
            (Call("k1", "refund", "delayed", 3, until=NOW), False),
            (Call("k1", "refund", "intended", 3), True),
            (Call("k1", "refund", "unknown", 3), False),
            (Call("k1", "refund", "clear", 3), True),
        ],
    )
    def test_with_an_open_call(self, call, soon):
        """It does while nothing waits for people, a delay or an unknown outcome."""
        state = State(seq=9, driven=True) if call is None else with_call(call)
        assert listens(state) is soon

    @pytest.mark.parametrize(
        "fields",
        [
            {"driven": False},
            {"ended": "done"},
            {"parked": "limit"},
            {"cancelling": True},
            {"undo": Undo("ana", (3,))},
        ],
    )
    def test_when_it_does_not(self, fields):
        """A run that has come to a halt, is called off, or is a foreign loop's own does not."""
        assert not listens(State(seq=9, **{"driven": True} | fields))

    @given(states(), instants)
    def test_it_listens_only_while_it_has_not_ended(self, state, now):
        """What listens is a driven run whose code runs, waits for its model, or for what it handed on or sent."""
        if listens(state):
            assert state.driven
            assert status(state) not in ("done", "failed", "cancelled", "parked", "undoing")


class TestDelegated:
    """A call that another run carries out."""

    def test_the_code_waits_for_it(self):
        """It is neither driven nor woken meanwhile; its deadline stands."""
        state = with_call(HANDED_ON)
        assert (decide(state, NOW), wake_at(state)) == ((), None)
        assert wake_at(replace(state, deadline=NOW + 5)) == NOW + 5

    def test_beside_a_question(self):
        """Who has answered need not wait for the other run: the code goes on as far as it can."""
        answered = Call("k1", "refund", "asked", 3, asks=(question(decision="approve"),))
        state = State(seq=9, driven=True, calls={"k1": answered, "k2": HANDED_ON})
        assert decide(state, NOW) == (Drive(),)

    def test_a_cancelled_run_does_not_wait_for_it(self):
        """It ends at once; what it handed on is called off with it."""
        assert decide(replace(with_call(HANDED_ON), cancelling=True), NOW) == (End("cancelled"),)


class TestCancelling:
    """The status of a run that is being ended, so that a process which finds it so after a crash ends it."""

    @pytest.mark.parametrize(
        "fields",
        [
            {},
            {"parked": "limit"},
            {"sleeping": NOW + HOUR},
            {"calls": {"k1": Call("k1", "refund", "asked", 3, asks=(question(),))}},
            {"calls": {"k1": Call("k1", "refund", "delayed", 3, until=NOW + HOUR)}},
            {"calls": {"k2": HANDED_ON}},
            {"driven": False},
        ],
    )
    def test_it_is_at_work(self, fields):
        """Whatever it waited for, nothing holds it up any more."""
        state = State(seq=9, **{"driven": True, "cancelling": True} | fields)
        assert decide(state, NOW) == (End("cancelled"),)
        assert status(state, attached=False) == "running"

    def test_what_was_sent_still_waits_for_a_person(self):
        """While a person is asked what happened, it waits for them."""
        state = with_call(sent(asks=(question("unknown", 0),)), cancelling=True)
        assert status(state) == "waiting"
