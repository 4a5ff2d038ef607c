"""Events to bytes and back, across versions."""

import json
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from kernel_strategies import events
from msgspec import Raw

from interlock.kernel import codec
from interlock.kernel import events as ev
from interlock.kernel.events import Unrecognised

GOLDEN = Path(__file__).parent / "golden"


def golden(version):
    lines = (GOLDEN / f"{version}.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


JUDGEMENT = ev.Judgement("p" * 64, ("r1", "r2"), Raw(b'{"booking":{"refundable":"80.00"}}'), ("approval finance",))
ARGS = Raw(b'{"amount":"40.00","ref":"AB12"}')

EXPECTED = {
    "run_started": ev.RunStarted(
        agent="desk",
        tenant="acme",
        driven=True,
        machine="m" * 64,
        policy="p" * 64,
        user=Raw(b'{"id":"u42"}'),
        conversation="c1",
        input=Raw(b'"AB12 was cancelled"'),
        deadline=1_700_000_600_000_000,
    ),
    "entered": ev.Entered(state="resolve", entry=2, code="desk.resolve@3"),
    "turn": ev.TurnRecorded(
        call="t1",
        model="openai:gpt",
        request=Raw(b'[{"role":"user"}]'),
        response=Raw(b'{"text":"hello"}'),
        input_tokens=12,
        output_tokens=3,
        latency=1_250_000,
    ),
    "denied": ev.Denied(
        call="k1",
        action="refund",
        stage="judge",
        reasons=("not the caller's booking",),
        instead=("give the reference of your own booking",),
        args=ARGS,
        digest="d" * 64,
        judgement=JUDGEMENT,
    ),
    "asked": ev.Asked(
        call="k1",
        action="refund",
        kind="approval",
        level="finance",
        says="refund 40.00 of AB12?",
        args=ARGS,
        digest="d" * 64,
        expires=1_700_086_400_000_000,
        judgement=JUDGEMENT,
        facts_digest="f" * 64,
    ),
    "answered": ev.Answered(question=5, decision="approve", by="ana", note="fine", result=Raw(b'{"id":"r1"}')),
    "lapsed": ev.Lapsed(question=5),
    "delayed": ev.Delayed(
        call="k1",
        action="refund",
        until=1_700_000_600_000_000,
        args=ARGS,
        digest="d" * 64,
        judgement=JUDGEMENT,
    ),
    "intended": ev.Intended(
        call="k1",
        action="refund",
        effect="compensable",
        key="0123456789abcdef0123456789abcdef",
        perform_before=1_700_000_002_000_000,
        args=ARGS,
        digest="d" * 64,
        attempt=2,
        idempotent_until=1_700_086_400_000_000,
        probe=True,
        settle=10_000_000,
        undoes=9,
        judgement=JUDGEMENT,
        redacted=("jwt",),
    ),
    "retried": ev.Retried(call="k1", attempt=3, perform_before=1_700_000_004_000_000),
    "withheld": ev.Withheld(call="k1"),
    "outcome_unknown": ev.OutcomeUnknown(call="k1", reason="TimeoutError", again_at=1_700_000_005_000_000),
    "probed": ev.Probed(call="k1", answer="not_yet_known", again_at=1_700_000_006_000_000),
    "done": ev.Done(
        call="k1",
        action="refund",
        effect="compensable",
        result=Raw(b'{"id":"r1"}'),
        via="probe",
        intent=8,
        undoes=4,
        duration=81_000,
        problem="",
        args=ARGS,
        digest="d" * 64,
        judgement=JUDGEMENT,
        blobs={"result": "b" * 64},
    ),
    "failed": ev.Failed(
        call="k1", action="refund", error="card declined", intent=8, undoes=4, args=ARGS, digest="d" * 64
    ),
    "verify_failed": ev.VerifyFailed(call="k1", action="refund", reason="no receipt"),
    "verified": ev.Verified(call="k1", outcome=9),
    "slept": ev.Slept(call="1/3", until=1_700_000_600_000_000),
    "message": ev.MessageReceived(content=Raw(b'"and AB13 too"')),
    "cancel_requested": ev.CancelRequested(by="ana", reason="wrong customer"),
    "parked": ev.Parked(reason="the code of state 'resolve' no longer does what it did"),
    "unparked": ev.Unparked(by="ana"),
    "run_ended": ev.RunEnded(how="failed", output=Raw(b'{"refunded":"0"}'), error="gave up"),
    "undo_started": ev.UndoStarted(by="ana", targets=(9, 4)),
    "not_undone": ev.NotUndone(
        call="~undo/9",
        action="refund",
        target=9,
        kind="conflict",
        reason="bookings ref='AB12' changed since; nothing was written",
        changes=Raw(b'[{"object":"bookings ref=\'AB12\'","before":1,"after":2,"now":3}]'),
        again_at=1_700_000_000_000_000,
    ),
    "undo_ended": ev.UndoEnded(failed=(4,)),
    "turn_failed": ev.TurnFailed(
        call="2/turn",
        model="openai:gpt",
        error="no answer: connection refused",
        transient=True,
        latency=1_250_000,
        wire=Raw(b'[{"status":503}]'),
    ),
    "planned": ev.Planned(
        asked="d" * 64,
        grants=("pay", "send_email"),
        model="openai:gpt",
        error="TimeoutError: no answer within 20 s",
        input_tokens=120,
        output_tokens=9,
        latency=1_250_000,
        cost="0.0004",
    ),
    "said": ev.Said(call="2/turn", text="Your booking is AB12. "),
    "delegated": ev.Delegated(
        call="3/0",
        action="refunds",
        to="r1/refunds/3/0",
        args=Raw(b'{"task":"refund AB12"}'),
        digest="d" * 64,
        judgement=JUDGEMENT,
    ),
}
"""What the golden file of version 1 says, as events of today. Only ever add to it."""


class TestGolden:
    """Events that an earlier version wrote are read for ever."""

    def test_every_type_is_there(self):
        """A type that the journal may hold has a line in the golden file and an expectation beside it."""
        assert {line["type"] for line in golden("v1")} == EXPECTED.keys() == codec.TYPES.keys()

    @pytest.mark.parametrize("line", golden("v1"), ids=lambda line: line["type"])
    def test_it_is_read(self, line):
        """A stored payload of version 1 decodes to the event that it was, every field of it."""
        read = codec.decode(line["type"], line["version"], line["payload"].encode())
        assert read == EXPECTED[line["type"]]

    @pytest.mark.parametrize("line", golden("v1"), ids=lambda line: line["type"])
    def test_no_field_is_left_out(self, line):
        """The golden line of a type has all the fields that the type had, so that none can be lost unseen."""
        fields = set(json.loads(line["payload"]))
        assert fields >= set(FIELDS_OF_V1[line["type"]].split())


FIELDS_OF_V1 = {
    "run_started": "agent tenant driven machine policy user conversation input deadline",
    "entered": "state entry code",
    "turn": "call model request response input_tokens output_tokens latency",
    "denied": "call action stage reasons instead args digest judgement",
    "asked": "call action kind level says args digest expires judgement facts_digest",
    "answered": "question decision by note result",
    "lapsed": "question",
    "delayed": "call action until args digest judgement",
    "intended": "call action effect key perform_before args digest attempt idempotent_until probe settle "
    "undoes judgement redacted",
    "retried": "call attempt perform_before",
    "withheld": "call",
    "outcome_unknown": "call reason again_at",
    "probed": "call answer again_at",
    "done": "call action effect result via intent undoes duration args digest judgement blobs",
    "failed": "call action error intent undoes args digest",
    "verify_failed": "call action reason",
    "slept": "call until",
    "message": "content",
    "cancel_requested": "by reason",
    "parked": "reason",
    "unparked": "by",
    "turn_failed": "call model error transient latency wire",
    "said": "call text",
    "planned": "asked grants model error input_tokens output_tokens latency cost",
    "delegated": "call action to args digest judgement",
    "run_ended": "how output error",
    "undo_started": "by targets",
    "undo_ended": "failed",
    "not_undone": "call action target kind reason changes again_at",
    "verified": "call outcome",
}


class TestRoundTrip:
    """Today's events."""

    @given(events)
    def test_what_is_written_is_read(self, event):
        """An event decodes to itself, and its bytes are the same when it is written again."""
        if isinstance(event, Unrecognised):
            return
        name, version = codec.type_of(event)
        payload = codec.encode(event)
        read = codec.decode(name, version, payload)
        assert read == event
        assert codec.encode(read) == payload

    def test_raw_fields_keep_their_bytes(self):
        """Arguments and results are not written anew: the digest over them stays good."""
        args = Raw(b'{"z": 1.10, "a": 123456789012345678901234567890}')
        event = ev.Delayed(call="k1", action="refund", until=1, args=args)
        read = codec.decode("delayed", 1, codec.encode(event))
        assert isinstance(read, ev.Delayed)
        assert bytes(read.args) == bytes(args)


class TestOtherVersions:
    """What another version of Interlock wrote."""

    def test_an_unknown_type_is_kept(self):
        """An event of a type that is not known is kept with its payload."""
        kept = codec.decode("dreamt", 1, b'{"of":"sheep"}')
        assert kept == Unrecognised(type="dreamt", payload=Raw(b'{"of":"sheep"}'))

    def test_a_newer_version_is_kept(self):
        """An event of a newer schema version is not read as if it were today's."""
        assert codec.decode("parked", 2, b'{"reason":[1]}') == Unrecognised(
            type="parked", payload=Raw(b'{"reason":[1]}')
        )

    def test_unknown_fields_are_tolerated(self):
        """A field that was added later, with a default, is passed over."""
        assert codec.decode("parked", 1, b'{"reason":"limit","since":3}') == ev.Parked(reason="limit")

    def test_missing_fields_have_their_defaults(self):
        """A field that was added since has its default in an old event."""
        assert codec.decode("done", 1, b'{"call":"k","action":"a","effect":"read"}') == ev.Done(
            call="k", action="a", effect="read"
        )

    def test_an_old_version_is_lifted_step_by_step(self, monkeypatch):
        """Each step makes one version's payload the next one's; what it does not touch keeps its bytes."""
        monkeypatch.setitem(codec.VERSIONS, "run_ended", 3)
        steps = {
            ("run_ended", 1): lambda fields: {"how": fields["end"], "output": fields["output"]},
            ("run_ended", 2): lambda fields: fields | {"error": "as of version 3"},
        }
        monkeypatch.setattr(codec, "UPCASTS", steps)
        lifted = codec.decode("run_ended", 1, b'{"end":"done","output":{"pi": 3.10}}')
        assert lifted == ev.RunEnded(how="done", output=Raw(b'{"pi": 3.10}'), error="as of version 3")
        assert codec.decode("run_ended", 2, b'{"how":"done"}') == ev.RunEnded(how="done", error="as of version 3")
        assert codec.type_of(ev.RunEnded(how="done")) == ("run_ended", 3)

    @pytest.mark.parametrize(
        ("version", "payload"),
        [(1, b'{"reason":3}'), (1, b"{}"), (1, b"{"), (1, b"\xff"), (0, b'{"reason":"limit"}')],
    )
    def test_what_is_no_event_is_refused(self, version, payload):
        """Bytes that are no event of their type, or of no version that ever was, raise one kind of error."""
        with pytest.raises(msgspec.DecodeError):
            codec.decode("parked", version, payload)

    def test_a_missing_step_is_refused(self, monkeypatch):
        """A version that nothing lifts is an error that says so."""
        monkeypatch.setitem(codec.VERSIONS, "parked", 2)
        with pytest.raises(msgspec.DecodeError, match="nothing lifts 'parked' from version 1 to 2"):
            codec.decode("parked", 1, b'{"reason":"limit"}')
        with pytest.raises(msgspec.DecodeError):
            codec.decode("parked", 1, b"[]")


def test_every_event_has_a_name():
    """Each kind of event is stored under a name of its own, save the one that stands for unknown ones."""
    assert set(codec.TYPES.values()) == set(ev.Event.__subclasses__()) - {Unrecognised}
    assert len(codec.NAMES) == len(codec.TYPES)
