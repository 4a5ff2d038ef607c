"""The fold: its properties over events in any order, and what single events mean."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kernel_strategies import HOUR, NOW, events, histories, keys, states
from msgspec import Raw

from interlock.kernel import codec
from interlock.kernel import events as ev
from interlock.kernel.evolve import evolve, fold
from interlock.kernel.state import Ask, Call, State, Undo, unsettled

encode = msgspec.json.Encoder().encode
decode = msgspec.json.Decoder(State).decode


def after(*happened, state=None, at=NOW):
    """Fold *happened*, one second apart, onto *state*."""
    state = state or State()
    for event in happened:
        state = evolve(state, state.seq + 1, max(at, state.last_at), event)
    return state


def intended(call="k1", **fields):
    given = {"action": "refund", "effect": "compensable", "key": "0" * 32, "perform_before": NOW + HOUR}
    return ev.Intended(call=call, **given | fields)


def asked(call="k1", kind="approval", **fields):
    return ev.Asked(call=call, action="refund", kind=kind, **{"expires": NOW + HOUR} | fields)


class TestAnyOrder:
    """Properties that hold whatever happened, in whatever order."""

    @given(histories())
    def test_no_order_fails(self, history):
        """Any sequence of any events folds; the state stands at the last one."""
        assert fold(State(), history).seq == len(history)

    @given(histories(), st.data())
    def test_a_fold_can_be_cut_anywhere(self, history, data):
        """The fold of a beginning and then of the rest is the fold of the whole."""
        cut = data.draw(st.integers(0, len(history)))
        assert fold(fold(State(), history[:cut]), history[cut:]) == fold(State(), history)

    @given(states(), events)
    def test_it_is_pure(self, state, event):
        """The same state and event give the same state, and neither is changed."""
        before, was = encode(state), codec.encode(event)
        first = evolve(state, state.seq + 1, NOW, event)
        assert evolve(state, state.seq + 1, NOW, event) == first
        assert (encode(state), codec.encode(event)) == (before, was)

    @given(states())
    def test_a_snapshot_is_the_state(self, state):
        """A state that was written and read again is equal to itself."""
        assert decode(encode(state)) == state

    @given(states(), events, st.integers(-HOUR, HOUR))
    def test_time_never_goes_back(self, state, event, jump):
        """A clock that jumps back does not turn back the time of a run."""
        assert evolve(state, state.seq + 1, state.last_at + jump, event).last_at >= state.last_at

    @given(histories(max_size=80))
    def test_a_state_is_bounded_by_what_is_open(self, history):
        """It holds one call a key, and of each call one question a kind and level."""
        state = fold(State(), history)
        opening = (ev.Asked, ev.Delayed, ev.Delegated, ev.Intended)
        opened = {one.event.call for one in history if isinstance(one.event, opening)}
        assert state.calls.keys() <= opened
        for key, call in state.calls.items():
            assert call.key == key
            kinds = [(ask.kind, ask.level) for ask in call.asks]
            assert len(kinds) == len(set(kinds))

    @given(states(), keys)
    def test_an_outcome_closes_its_call(self, state, key):
        """After its outcome a call is not open, and no other call has changed."""
        for outcome in (
            ev.Done(call=key, action="refund", effect="compensable"),
            ev.Failed(call=key, action="refund", error="declined"),
        ):
            calls = evolve(state, state.seq + 1, NOW, outcome).calls
            assert calls == {name: call for name, call in state.calls.items() if name != key}

    @settings(max_examples=500)
    @given(states(), events)
    def test_only_knowledge_settles_what_was_sent(self, state, event):
        """A call that may have happened stays open until its outcome, a look or a withheld sending tells."""
        sent = {key for key, call in state.calls.items() if unsettled(call)}
        later = evolve(state, state.seq + 1, NOW, event)
        still = {key for key, call in later.calls.items() if unsettled(call)}
        settling = isinstance(event, (ev.Done, ev.Failed, ev.Withheld)) or (
            isinstance(event, ev.Probed) and event.answer == "never"
        )
        assert sent - still <= ({event.call} if settling else set())

    @given(states(), st.integers(), st.sampled_from(["approve", "deny", "happened", "never"]))
    def test_an_answer_to_nothing_changes_nothing(self, state, question, decision):
        """An answer to a question that is not open leaves every call as it is."""
        if any(ask.seq == question and not ask.decision for call in state.calls.values() for ask in call.asks):
            return
        answer = ev.Answered(question=question, decision=decision, by="ana")
        assert evolve(state, state.seq + 1, NOW, answer).calls == state.calls

    @given(states(), st.sampled_from([ev.Unrecognised(type="of a later version"), ev.Said(call="k1", text="x")]))
    def test_what_is_not_known_is_skipped(self, state, event):
        """An event of a later version moves the state on to its place and changes nothing else."""
        later = evolve(state, state.seq + 1, state.last_at, event)
        assert msgspec.structs.replace(later, seq=state.seq, sleeping=state.sleeping) == state

    @given(states(), events)
    def test_an_end_leaves_nothing_to_send(self, state, event):
        """After the end of a run only what was sent is open, and what its undo asks."""
        ended = evolve(state, state.seq + 1, NOW, ev.RunEnded(how="done"))
        kept = {key: call for key, call in state.calls.items() if unsettled(call) or (call.undoes and state.undo)}
        assert ended.calls == kept


class TestQuestions:
    """Questions and their answers."""

    def test_an_answer_is_kept_with_its_question(self):
        """The decision, who gave it and why stand with the question until the call ends."""
        state = after(asked(level="finance"), ev.Answered(question=1, decision="approve", by="ana", note="ok"))
        (ask,) = state.calls["k1"].asks
        assert ask == Ask(
            1, "approval", "finance", "", "", "", NOW + HOUR, decision="approve", by="ana", note="ok", answered=2
        )

    def test_the_first_answer_counts(self):
        """A second answer to the same question changes nothing."""
        yes = ev.Answered(question=1, decision="approve", by="ana")
        no = ev.Answered(question=1, decision="deny", by="bob")
        assert after(asked(), yes, no).calls == after(asked(), yes).calls

    @pytest.mark.parametrize(
        ("kind", "decision"),
        [
            ("approval", "happened"),
            ("confirmation", "never"),
            ("approval", "answer"),
            ("unknown", "approve"),
            ("unknown", "deny"),
            ("unknown", "answer"),
            ("question", "approve"),
            ("question", "happened"),
        ],
    )
    def test_an_answer_of_another_kind_is_none(self, kind, decision):
        """A word that does not answer the question grants nothing and settles nothing."""
        opened = (intended(), asked(kind="unknown")) if kind == "unknown" else (asked(kind=kind),)
        state = after(*opened)
        answer = ev.Answered(question=state.seq, decision=decision, by="ana")
        assert after(answer, state=state).calls == state.calls

    def test_an_answer_of_the_user(self):
        """What the agent asked its user is answered once, by words or by the end of its time."""
        answer = ev.Answered(question=1, decision="answer", by="ann", result=Raw(b'"7"'), message="m")
        state = after(asked(kind="question"), answer)
        assert [(ask.decision, ask.by, ask.answered) for ask in state.calls["k1"].asks] == [("answer", "ann", 2)]
        lapsed = after(asked(kind="question"), ev.Lapsed(question=1), answer)
        assert [ask.decision for ask in lapsed.calls["k1"].asks] == ["lapsed"]

    def test_a_question_does_not_hide_what_was_sent(self):
        """A question to the user under the key of a sent call leaves that call as it is."""
        sent = after(intended())
        assert after(asked(kind="question"), state=sent).calls == sent.calls

    def test_a_new_question_makes_the_one_before_void(self):
        """When the same people are asked again, only the new question can be answered."""
        state = after(asked(level="finance"), asked(level="finance"))
        assert [ask.seq for ask in state.calls["k1"].asks] == [2]
        assert after(ev.Answered(question=1, decision="approve", by="ana"), state=state).calls == state.calls

    def test_levels_are_asked_beside_each_other(self):
        """Questions of different levels are open at once, each with its own answer."""
        state = after(asked(level="finance"), asked(level="support"), ev.Lapsed(question=2))
        assert [(ask.level, ask.decision) for ask in state.calls["k1"].asks] == [
            ("finance", ""),
            ("support", "lapsed"),
        ]

    def test_an_intent_ends_open_questions(self):
        """A question that was no longer needed when the effect was sent does not stay open beside it."""
        state = after(asked(level="finance"), intended())
        assert state.calls["k1"].asks == ()

    def test_an_approval_serves_again_after_never(self):
        """If the effect proves never to have happened, the approval it was sent under still stands."""
        yes = ev.Answered(question=1, decision="approve", by="ana")
        state = after(asked(), yes, intended(), ev.Probed(call="k1", answer="never"))
        assert state.calls["k1"].phase == "clear"
        assert [ask.decision for ask in state.calls["k1"].asks] == ["approve"]

    def test_what_was_said_of_one_sending_is_not_said_of_the_next(self):
        """A person's "never" about a first sending is forgotten when the call is sent afresh."""
        first = (intended(), asked(kind="unknown"), ev.Answered(question=2, decision="never", by="ana"))
        state = after(*first, ev.Probed(call="k1", answer="never"), intended(attempt=2))
        assert state.calls["k1"].asks == ()

    def test_asking_what_happened_makes_the_outcome_unknown(self):
        """An intent that people are asked about waits for them and keeps all that was intended."""
        call = after(intended(idempotent_until=NOW + HOUR), asked(kind="unknown")).calls["k1"]
        assert (call.phase, call.at, call.idempotent_until) == ("unknown", 1, NOW + HOUR)


class TestSending:
    """Intents, retries, looks."""

    def test_a_withheld_intent_did_not_happen(self):
        """A first sending that was withheld may be judged afresh."""
        assert after(intended(), ev.Withheld(call="k1")).calls["k1"].phase == "clear"

    def test_a_withheld_retry_says_nothing_of_the_sending_before(self):
        """A second sending that was withheld leaves the first as unknown as it was."""
        retried = ev.Retried(call="k1", attempt=2, perform_before=NOW)
        state = after(intended(), retried, ev.Withheld(call="k1"))
        assert state.calls["k1"].phase == "unknown"
        afresh = after(ev.Probed(call="k1", answer="never"), intended(attempt=3), state=state)
        assert after(ev.Withheld(call="k1"), state=afresh).calls["k1"].phase == "clear"

    def test_a_denial_does_not_close_what_was_sent(self):
        """A proposal that is refused under the key of a sent call leaves that call open."""
        denied = ev.Denied(call="k1", action="refund", stage="validate", reasons=("no",))
        assert after(intended(), denied).calls["k1"].phase == "intended"
        assert after(asked(), denied).calls == {}

    def test_a_question_or_delay_does_not_recall_what_was_sent(self):
        """An approval or a delay under the key of a sent call leaves that call as it is."""
        sent = after(intended())
        delayed = ev.Delayed(call="k1", action="refund", until=NOW + 1)
        assert after(asked(), state=sent).calls == after(delayed, state=sent).calls == sent.calls
        waits = after(asked())
        assert after(asked(kind="unknown"), state=waits).calls == waits.calls
        assert after(ev.OutcomeUnknown(call="k1", reason="?"), state=waits).calls == waits.calls

    def test_the_window_of_a_delay_is_remembered(self):
        """A call whose delay has run is not delayed again when its sending proves never to have happened."""
        delayed = ev.Delayed(call="k1", action="refund", until=NOW + 1)
        state = after(delayed, intended(), ev.Probed(call="k1", answer="never"))
        assert state.calls["k1"].window == NOW + 1

    def test_an_unknown_outcome_waits_until_it_is_looked_at(self):
        """`again_at` is when the call is looked at again; looks are counted."""
        unknown = ev.OutcomeUnknown(call="k1", reason="timeout", again_at=NOW + 5)
        probed = ev.Probed(call="k1", answer="not_yet_known", again_at=NOW + 9)
        call = after(intended(), unknown, probed).calls["k1"]
        assert (call.phase, call.until, call.probes) == ("unknown", NOW + 9, 1)

    def test_a_redacted_intent_is_marked(self):
        """A call whose arguments were not kept as they were is known for it."""
        assert after(intended(redacted=("jwt",))).calls["k1"].redacted


class TestRuns:
    """What concerns the run itself."""

    def test_a_run_begins(self):
        """The state takes over who the run is for and under what."""
        started = ev.RunStarted(agent="desk", tenant="t", driven=True, user=Raw(b'{"id":"u"}'), deadline=NOW)
        state = after(started)
        assert (state.agent, state.tenant, state.driven, state.user, state.deadline) == (
            "desk",
            "t",
            True,
            b'{"id":"u"}',
            NOW,
        )

    def test_counts(self):
        """Turns, tokens and outcomes are counted for the whole run."""
        turn = ev.TurnRecorded(input_tokens=3, output_tokens=2)
        read = ev.Done(call="k", action="look", effect="read")
        counts = after(turn, turn, read, asked()).counts
        assert (counts.turns, counts.input_tokens, counts.output_tokens, counts.done, counts.asked) == (
            2,
            6,
            4,
            1,
            1,
        )

    def test_the_longest_of_several_sleeps_counts(self):
        """Sleeps side by side are not cut short by the one that was written last."""
        state = after(ev.Slept(call="a", until=NOW + 2 * HOUR), ev.Slept(call="b", until=NOW + HOUR))
        assert state.sleeping == NOW + 2 * HOUR

    def test_a_sleep_is_over_when_its_time_has_come(self):
        """The first event at or after the end of a sleep ends it; so does entering another state."""
        state = after(ev.Slept(call="a", until=NOW + HOUR))
        assert after(ev.TurnRecorded(), state=state).sleeping
        assert not after(ev.TurnRecorded(), state=state, at=NOW + HOUR).sleeping
        assert not after(ev.Entered(state="b", entry=2), state=state).sleeping

    def test_parking_and_ending(self):
        """A parked run says why until somebody lets it go on or it ends."""
        parked = after(ev.Parked(reason="limit"))
        assert parked.parked == "limit"
        assert after(ev.Unparked(by="ana"), state=parked).parked == ""
        assert after(ev.RunEnded(how="cancelled"), state=parked).parked == ""


class TestUndo:
    """Taking back."""

    started = ev.UndoStarted(by="ana", targets=(9, 5))

    def test_each_outcome_is_taken_off_the_list(self):
        """What was taken back leaves the list; what could not be is kept by name."""
        back = ev.Done(call="undo/9", action="refund", effect="compensable", undoes=9)
        lost = ev.Failed(call="undo/5", action="refund", error="gone", undoes=5)
        assert after(self.started, back).undo == Undo("ana", (5,), at=1)
        assert after(self.started, back, lost).undo == Undo("ana", (), (5,), at=1)

    def test_the_end_drops_what_was_not_sent(self):
        """After the undo no call of it is left but what may have happened."""
        withheld = (intended("undo/9", undoes=9), ev.Withheld(call="undo/9"))
        assert after(self.started, *withheld, ev.UndoEnded()).calls == {}
        sent = after(self.started, intended("undo/9", undoes=9), ev.UndoEnded())
        assert isinstance(sent.calls["undo/9"], Call)
        assert sent.undo is None


FLY = ev.Denied(call="k1", action="fly", stage="resolve", reasons=("no",))
BAD = ev.Denied(call="k2", action="refund", stage="validate", reasons=("no",))
FORBIDDEN = ev.Denied(call="k3", action="refund", stage="judge", reasons=("no",))
READ = ev.Done(call="k4", action="look", effect="read")
TURN = ev.TurnRecorded(call="1/turn")
SETBACK = ev.TurnFailed(call="1/turn", model="m", error="down", transient=True)


class TestLoop:
    """What bounds a loop of model turns."""

    @pytest.mark.parametrize(
        ("happened", "faults"),
        [
            ((TURN, FLY), 1),
            ((TURN, FLY, BAD, FLY), 1),
            ((TURN, FLY, TURN, BAD, TURN, FLY), 3),
            ((TURN, FLY, TURN, TURN, FLY), 2),
            ((TURN, FLY, TURN, FORBIDDEN), 0),
            ((TURN, FLY, READ), 0),
            ((TURN, FLY, TURN, READ, FLY), 1),
            ((TURN, FLY, TURN, ev.Failed(call="k4", action="look", error="gone")), 0),
            ((TURN, FLY, SETBACK, TURN, FLY), 2),
        ],
    )
    def test_turns_without_anything_to_judge(self, happened, faults):
        """Each counts once; whatever could be judged begins the count anew."""
        assert after(*happened).loop.faults == faults

    def test_setbacks(self):
        """They are counted in a row: an answer begins anew, a crash or a message in between does not."""
        assert after(SETBACK, ev.Slept(call="x", until=NOW), SETBACK).loop.setbacks == 2
        assert after(SETBACK, ev.MessageReceived(), SETBACK).loop.setbacks == 2
        assert after(SETBACK, SETBACK, TURN).loop.setbacks == 0

    def test_a_plan_is_no_turn(self):
        """What a planner was asked costs its tokens; of the run's own model it says nothing."""
        state = after(TURN, SETBACK, ev.Planned(asked="d", input_tokens=7, output_tokens=3))
        assert (state.counts.turns, state.counts.input_tokens, state.counts.output_tokens) == (1, 7, 3)
        assert state.loop.setbacks == 1

    def test_what_is_read_in_quarantine(self):
        """Another model's turn costs its tokens; of the run's own model it says nothing."""
        reading = ev.TurnRecorded(call=f"2/0{ev.READING}1", input_tokens=7, output_tokens=3)
        state = after(TURN, SETBACK, reading)
        assert (state.counts.turns, state.counts.input_tokens, state.counts.output_tokens) == (1, 7, 3)
        assert state.loop.setbacks == 1
        garbage = ev.Denied(call="1/0", action="?", stage="resolve", reasons=("no",))
        assert after(garbage, reading, garbage).loop.faults == after(garbage, garbage).loop.faults == 1
        assert after(garbage, TURN, garbage).loop.faults == 2

    def test_somebody_lets_it_go_on(self):
        """All counts begin anew, and the turns are counted from there."""
        state = after(TURN, FLY, TURN, FLY, SETBACK, ev.Parked(reason="x"), ev.Unparked(by="ana"))
        assert (state.loop.since, state.loop.faults, state.loop.setbacks, state.loop.noted) == (2, 0, 0, False)
        assert state.counts.turns == 2

    @given(histories())
    def test_the_counts_are_bounded_by_what_happened(self, history):
        """No more faults than turns with a denial, no more setbacks than failures, and never below nothing."""
        loop = fold(State(), history).loop
        assert 0 <= loop.faults <= sum(isinstance(one.event, ev.Denied) for one in history)
        assert 0 <= loop.setbacks <= sum(isinstance(one.event, ev.TurnFailed) for one in history)
        assert 0 <= loop.since <= sum(isinstance(one.event, ev.TurnRecorded) for one in history)


class TestDelegation:
    handed = ev.Delegated(call="k1", action="helper", to="r2", digest="d")

    def test_a_call_is_in_the_hands_of_another_run(self):
        """It is known which, until the outcome comes."""
        call = after(self.handed).calls["k1"]
        assert (call.phase, call.child, call.at, call.digest) == ("delegated", "r2", 1, "d")
        assert after(self.handed, ev.Done(call="k1", action="helper", effect="read")).calls == {}
        assert after(self.handed, ev.Failed(call="k1", action="helper", error="x")).calls == {}

    def test_what_was_sent_is_not_forgotten_over_it(self):
        """Handing on under the key of a sent call leaves that call as it is."""
        sent = after(intended())
        assert after(self.handed, state=sent).calls == sent.calls

    def test_a_run_knows_who_handed_on_to_it(self):
        """The run that delegated stands in the state."""
        assert after(ev.RunStarted(agent="helper", parent=("r1", "k1"))).parent == "r1"
        assert after(ev.RunStarted(agent="helper")).parent == ""


def test_words_of_the_user_are_remembered_by_their_place():
    """The seq of the last message tells whether a turn has seen it."""
    state = after(TURN, ev.MessageReceived(content=Raw(b'"hi"')), TURN)
    assert state.spoke == 2
