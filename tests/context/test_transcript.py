"""A run's events as messages: whatever the order of events, a history that every provider takes."""

from hashlib import sha256

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Raw

from interlock.context import Transcript
from interlock.context.transcript import SHOWN
from interlock.kernel import events as ev
from interlock.models import ModelSaid, Note, Proposal, Result, UserSaid


def raw(value):
    return Raw(msgspec.json.encode(value))


def turn(entry, *proposals, text="", begun="", **fields):
    """A recorded turn of the model in this entry of the state `thinking`."""
    response = {"text": text, "proposals": [{"action": a, "args": {}, "key": k} for a, k in proposals]}
    request = {"head": "h", "seen": 1, "digest": "d"} | ({"begun": begun} if begun else {})
    return ev.TurnRecorded(call=f"{entry}/turn", model="m", request=raw(request), response=raw(response), **fields)


def done(call, result="ok", action="look"):
    return ev.Done(call=call, action=action, effect="read", result=raw(result))


def grown(*events):
    told = Transcript()
    for seq, event in enumerate(events, 1):
        told.add(seq, event)
    return told


def messages(*events):
    return list(grown(*events).messages)


# any order

actions = st.sampled_from(["look", "pay"])
keys = st.sampled_from(["", "k1", "k2"])
entries = st.integers(1, 4)
calls = st.builds("{}/{}".format, entries, st.integers(0, 2))
words = st.text(max_size=3)
raws = st.one_of(words, st.none(), st.integers(0, 9), st.just({"a": [1]})).map(raw)
shown = st.one_of(
    st.builds(ev.RunStarted, agent=st.just("a"), input=raws),
    st.builds(ev.MessageReceived, content=raws),
    st.builds(
        lambda entry, proposals, text: turn(entry, *proposals, text=text),
        entries,
        st.lists(st.tuples(actions, keys), max_size=3),
        words,
    ),
    st.builds(ev.TurnRecorded, call=calls),
    st.builds(ev.Said, call=calls, text=words),
    st.builds(ev.Denied, call=calls, action=actions, stage=st.just("judge"), reasons=st.just(("no",))),
    st.builds(
        ev.Asked,
        call=calls,
        action=actions,
        kind=st.sampled_from(["approval", "confirmation", "unknown", "question", "later"]),
        level=st.sampled_from(["", "finance"]),
        expires=st.just(0),
    ),
    st.builds(ev.Delegated, call=calls, action=actions, to=st.just("r2")),
    st.builds(ev.Done, call=calls, action=actions, effect=st.just("read"), result=raws, undoes=st.sampled_from([0, 3])),
    st.builds(ev.Failed, call=calls, action=actions, error=words, undoes=st.sampled_from([0, 3])),
    st.builds(ev.RunEnded, how=st.sampled_from(["done", "failed", "cancelled"])),
)
others = st.sampled_from([ev.Entered(state="acting", entry=2), ev.Parked(reason="x"), ev.Unrecognised(type="x")])
histories = st.lists(shown | shown | shown | others, max_size=25)


class TestAnyOrder:
    @given(histories)
    @settings(max_examples=200)
    def test_results_stand_right_behind_their_turn(self, history):
        """Each turn with proposals is followed by exactly one result for each, in order; nowhere else is one."""
        told = messages(*history)
        place = 0
        while place < len(told):
            message = told[place]
            assert not isinstance(message, Result)
            proposals = message.proposals if isinstance(message, ModelSaid) else ()
            results = told[place + 1 : place + 1 + len(proposals)]
            assert [(type(one), one.key, one.action) for one in results] == [
                (Result, one.key or str(number), one.action) for number, one in enumerate(proposals)
            ]
            place += 1 + len(proposals)

    @given(histories)
    def test_what_is_not_shown_changes_nothing(self, history):
        """Grown by all events, or by those that show, it is the same: messages and digest."""
        whole, part = grown(*history), grown(*(one for one in history if isinstance(one, SHOWN)))
        assert whole.messages == part.messages
        assert whole.digest() == part.digest()

    @given(histories)
    def test_looking_at_it_changes_nothing(self, history):
        """Looked at after every event, it ends up the same as looked at once."""
        watched = Transcript()
        for seq, event in enumerate(history, 1):
            watched.add(seq, event)
            encoded = b"".join(msgspec.json.encode(one) + b"\n" for one in watched.messages)
            assert watched.digest() == sha256(encoded).hexdigest()
            assert watched.seen == seq
        assert watched.messages == grown(*history).messages

    @given(histories)
    def test_no_words_of_the_user_are_lost(self, history):
        """All that the user said is told, in its order."""
        given_words = [
            bytes(one.input if isinstance(one, ev.RunStarted) else one.content)
            for one in history
            if isinstance(one, ev.RunStarted | ev.MessageReceived)
        ]
        told = [one.text for one in messages(*history) if isinstance(one, UserSaid)]
        decoded = [msgspec.json.decode(one) for one in given_words]
        assert told == [
            one if isinstance(one, str) else data.decode() for one, data in zip(decoded, given_words, strict=True)
        ]

    @given(histories, st.data())
    def test_earlier_runs_stand_before_it(self, history, data):
        """What a run of the conversation was told comes first, and stays as it is."""
        before = messages(*data.draw(histories))
        told = Transcript(before)
        for seq, event in enumerate(history, 1):
            told.add(seq, event)
        assert list(told.messages) == before + messages(*history)


class TestProposals:
    LOOK, PAY = ("look", "a"), ("pay", "b")

    def test_results_come_in_the_order_of_the_proposals(self):
        """However they came about."""
        told = messages(turn(1, self.LOOK, self.PAY), done("2/1", "paid", "pay"), done("2/0", "seen"))
        assert told[1:] == [Result("a", "look", "seen"), Result("b", "pay", "paid")]

    def test_words_that_come_meanwhile_are_held_back(self):
        """What the user says while proposals are performed stands behind the results."""
        said = ev.MessageReceived(content=raw("wait"))
        told = messages(turn(1, self.LOOK, self.PAY), done("2/0"), said, done("2/1", action="pay"))
        assert [type(one) for one in told] == [ModelSaid, Result, Result, UserSaid]
        assert [type(one) for one in messages(turn(1, self.LOOK), said)] == [ModelSaid, Result, UserSaid]

    @pytest.mark.parametrize(
        ("event", "stands"),
        [
            (None, "It has not come to an outcome yet; do not take it for done."),
            (("approval", "finance"), "Nothing has been done yet: it waits for finance. It goes on by itself"),
            (("approval", ""), "it waits for a person"),
            (("confirmation", ""), "it waits for the user's confirmation"),
            (("question", ""), "it waits for the user"),
            (("unknown", ""), "nobody knows yet what became of it; a person is looking. Do not propose it again"),
            ("delegated", "It was handed on to another agent and has no outcome yet."),
        ],
    )
    def test_how_an_open_one_stands(self, event, stands):
        """A proposal without an outcome is told as failed so far, and what it waits for."""
        events = [turn(1, self.PAY)]
        if event == "delegated":
            events.append(ev.Delegated(call="2/0", action="pay", to="r2"))
        elif event is not None:
            events.append(ev.Asked(call="2/0", action="pay", kind=event[0], level=event[1], expires=0))
        (result,) = messages(*events)[1:]
        assert result.failed
        assert stands in result.text

    def test_outcomes_of_other_turns_are_no_results(self):
        """A turn's proposals are those of the next entry, and of no other."""
        told = messages(turn(1, self.LOOK), done("3/0"), turn(3, self.LOOK), done("2/0"), done("4/0", "seen"))
        assert [one.text for one in told if isinstance(one, Result)] == [
            "It has not come to an outcome yet; do not take it for done.",
            "seen",
        ]

    @pytest.mark.parametrize(
        ("outcome", "text", "failed"),
        [
            (done("2/0", {"b": 1}), '{"b":1}', False),
            (done("2/0", None), "null", False),
            (ev.Done(call="2/0", action="look", effect="read", problem="lost"), "null\n(but: lost)", False),
            (ev.Failed(call="2/0", action="look", error="gone"), "It failed: gone", True),
            (
                ev.Denied(call="2/0", action="look", stage="judge", reasons=("a", "b"), instead=("c",)),
                "It was not done: a; b. Instead: c. Proposing exactly this again will not help.",
                True,
            ),
        ],
    )
    def test_outcomes(self, outcome, text, failed):
        """Results, failures and denials in words."""
        assert messages(turn(1, self.LOOK), outcome)[1:] == [Result("a", "look", text, failed=failed)]

    def test_an_undo_is_told_and_is_no_result(self):
        """That an effect was taken back stands as a note of its own; a failed undo is not told."""
        back = ev.Done(call="~undo/3", action="pay", effect="compensable", undoes=3)
        stuck = ev.Failed(call="~undo/3", action="pay", error="x", undoes=3)
        told = messages(turn(1, self.LOOK), back, stuck, done("2/0"))
        assert told[2:] == [Note("An effect of pay was taken back; it no longer holds.")]


class TestAnswers:
    def test_what_was_not_taken(self):
        """A turn that was turned down as a whole is told why."""
        denied = ev.Denied(call="1/answer", action="answer", stage="validate", reasons=("it is empty",))
        assert messages(turn(1), denied)[1:] == [Note("Your last answer was not taken: It was not done: it is empty.")]

    def test_one_that_was_interrupted(self):
        """What the user has read of it is told, while the turn is made again and for ever after."""
        said = [ev.Said(call="1/turn", text=one) for one in ("One. ", "Two. ")]
        (note,) = messages(*said)
        assert note.text.endswith("go on from there and repeat nothing: One. Two. ")
        again = grown(*said).begun
        assert messages(*said, turn(1, text="Three.", begun=again)) == [note, ModelSaid("Three.", by="m")]

    def test_one_that_was_not(self):
        """Sentences of a turn that came to its end are no interruption."""
        said = [ev.Said(call="1/turn", text=one) for one in ("One. ", "Two.")]
        assert messages(*said, turn(1, text="One. Two.")) == [ModelSaid("One. Two.", by="m")]

    def test_a_very_long_one(self):
        """Of much that was said, the model is shown the end."""
        (note,) = messages(*(ev.Said(call="1/turn", text=f"{number:09} ") for number in range(5000)))
        assert len(note.text) < 11_000
        assert note.text.endswith("000004999 ")

    def test_one_that_was_never_finished(self):
        """When the run ended in the middle of it, the next run knows what the user has read, and is told no more."""
        told = messages(ev.Said(call="1/turn", text="One. "), ev.RunEnded(how="cancelled"))
        assert [one.text for one in told] == [
            "This answer was never finished; what the user has read of it ends with: One. ",
            "This is where the work on it ended (cancelled); what has no outcome was not done.",
        ]

    def test_a_typed_answer(self):
        """The answer that ended a run well is told as taken."""
        told = messages(turn(1, ("answer", "a")), ev.RunEnded(how="done"))
        assert told[1:] == [Result("a", "answer", "It was taken.")]

    def test_what_was_not_done_when_the_run_failed(self):
        """An open proposal of a run that failed is not taken for done."""
        told = messages(turn(1, ("pay", "a")), ev.RunEnded(how="failed"))
        assert told[1].failed
        assert told[2] == Note("This is where the work on it ended (failed); what has no outcome was not done.")


class TestRecorded:
    def test_native_and_reasoning(self):
        """The provider's own form goes back to it; reasoning stays in the journal."""
        response = {"text": "x", "native": {"a": 1}, "reasoning": "hm", "model": "m-1", "input_tokens": 7}
        assert messages(ev.TurnRecorded(call="1/turn", model="m", response=raw(response))) == [
            ModelSaid("x", native={"a": 1}, by="m")
        ]

    def test_arguments_as_they_were_given(self):
        """Objects and texts alike."""
        response = {"proposals": [{"action": "a", "args": {"x": 1}}, {"action": "b", "args": "{x", "key": "k"}]}
        (said, *_) = messages(ev.TurnRecorded(call="1/turn", response=raw(response)))
        assert said.proposals == (Proposal("a", {"x": 1}), Proposal("b", "{x", "k"))

    def test_what_was_erased(self):
        """An erased turn reads as one without a word: the history can still be told."""
        assert messages(ev.TurnRecorded(call="1/turn", model="m"))[0] == ModelSaid(by="m")
