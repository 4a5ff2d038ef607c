"""A transcript shows each result with the version of the cleaning that was recorded with it."""

import msgspec
from msgspec import Raw

from interlock.context import Transcript
from interlock.kernel import events as ev
from interlock.kernel.events import READING
from interlock.models import Result
from interlock.provenance import cleaning

LETTER = "Hello!\u200b <img src='http://x'>"


def raw(value):
    return Raw(msgspec.json.encode(value))


def turn(call="1/turn", proposals=({"action": "look", "args": {}, "key": "k"},)):
    response = raw({"text": "", "proposals": list(proposals)})
    return ev.TurnRecorded(
        call=call, model="m", request=raw({"head": "h", "seen": 1, "digest": "d"}), response=response
    )


def told(*events):
    """The results that a model is shown after these events."""
    transcript = Transcript()
    for seq, event in enumerate((turn(), *events), 1):
        transcript.add(seq, event)
    return [one.text for one in transcript.messages if isinstance(one, Result)]


def done(**fields):
    return ev.Done(call="2/0", action="look", effect="read", result=raw(LETTER), **fields)


def test_journals_from_before():
    """A result without a version is shown as it always was."""
    assert told(done()) == [LETTER]
    assert told(msgspec.json.decode(msgspec.json.encode(done()), type=ev.Done)) == [LETTER]


def test_the_version_that_was_recorded():
    """One with a version is marked and cleaned, with the key of its call in the mark."""
    (text,) = told(done(cleaned=1))
    assert text == cleaning.shown(msgspec.json.encode(LETTER), "2/0", 1)
    assert text.endswith("(removed: 1 invisible character; made inert: 1 image that would load from elsewhere or run)")


def test_a_version_from_later():
    """What a later release recorded is shown with the newest version that is known here, not raw."""
    assert told(done(cleaned=99)) == told(done(cleaned=cleaning.VERSION))


def test_a_problem_stands_behind():
    """What is amiss with a result is told outside the marks."""
    (text,) = told(done(cleaned=1, problem="not verified"))
    assert text.endswith("\n(but: not verified)")


def failed(**fields):
    return ev.Failed(call="2/0", action="look", error=f"OSError: {LETTER}", **fields)


def test_an_error_holds_words_from_elsewhere():
    """What an exception says is shown as a result is: as it was in old journals, marked where values are traced."""
    assert told(failed()) == [f"It failed: OSError: {LETTER}"]
    (text,) = told(failed(cleaned=1))
    assert text == f"It failed: {cleaning.shown(msgspec.json.encode(f'OSError: {LETTER}'), '2/0', 1)}"
    assert "\u200b" not in text
    assert told(ev.Failed(call="2/0", action="look", error="KeyError: 7", cleaned=1)) == ["It failed: KeyError: 7"]


def test_words_that_were_withheld():
    """The model is told what the user was not shown; nothing says that it was not done."""
    why = "from 'I paid' on, the user was not shown it, because nothing was paid"
    withheld = ev.Denied(call="1/turn.words", action="answer", stage="words", reasons=(why,), instead=("pay it",))
    transcript = Transcript()
    for seq, event in enumerate((turn(proposals=()), withheld), 1):
        transcript.add(seq, event)
    assert transcript.messages[-1].text == f"Your last answer was not taken: {why}. Instead: pay it."


def test_what_was_read_in_quarantine():
    """The turns of a reading model are in nobody else's transcript, and close no proposal."""
    reading = turn(f"2/0{READING}1", [{"action": "answer", "args": {"answer": "evil words"}, "key": "e"}])
    assert told(reading) == told()
    assert told(reading, done()) == [LETTER]
