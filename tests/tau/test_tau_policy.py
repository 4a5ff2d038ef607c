"""The airline's rules: each sentence holds, the referee reads it the same way, and nothing else is stopped."""

import pytest
from benchmarks.tau import referee
from benchmarks.tau.policy import POLICY
from tau_desk import (
    ANN,
    ANN_LEE,
    BOB,
    CARD,
    GIFT,
    LARGE,
    SMALL,
    TOM_LEE,
    bags,
    booking,
    change,
    judged,
    talk,
    world,
)

HELLO = f"I am {ANN}."
SAME = [{"flight_number": "HAT001", "date": "2024-05-20"}]
THERE_AND_BACK = [*SAME, {"flight_number": "HAT003", "date": "2024-05-21"}]
WITH_A_STOP = [
    {"flight_number": "HAT004", "date": "2024-05-21"},
    {"flight_number": "HAT005", "date": "2024-05-21"},
]
STRANGER = {"first_name": "Eve", "last_name": "Day", "dob": "1999-12-31"}


def _pay(*names):
    return [{"payment_id": name, "amount": 1} for name in names]


ALLOWED = [
    ("book_reservation", booking(), HELLO),
    ("book_reservation", booking(flight_type="round_trip", flights=THERE_AND_BACK), HELLO),
    ("book_reservation", booking(flights=WITH_A_STOP), HELLO),
    ("book_reservation", booking(total_baggages=4, nonfree_baggages=1), HELLO),
    ("book_reservation", booking(cabin="basic_economy", total_baggages=2), HELLO),
    ("book_reservation", booking(payment_methods=_pay(CARD, LARGE, GIFT)), HELLO),
    ("book_reservation", booking(passengers=[STRANGER]), f"{HELLO} For Eve Day, born December 31st, 1999."),
    ("update_reservation_flights", change(), HELLO),
    ("update_reservation_flights", change(flights=WITH_A_STOP, payment_id=GIFT), HELLO),
    ("update_reservation_flights", change("BASIC1", flights=SAME), HELLO),
    ("update_reservation_baggages", bags(total=6), HELLO),
    ("update_reservation_baggages", bags(total=8, nonfree=2), HELLO),
    ("update_reservation_passengers", {"reservation_id": "BASIC1", "passengers": [TOM_LEE]}, HELLO),
    ("cancel_reservation", {"reservation_id": "BUSI01"}, HELLO),
    ("cancel_reservation", {"reservation_id": "NEWER1"}, HELLO),
    ("cancel_reservation", {"reservation_id": "DROPT1"}, HELLO),
    ("cancel_reservation", {"reservation_id": "INSUR1"}, f"{HELLO} I am sick."),
    ("send_certificate", {"user_id": ANN, "amount": 100}, f"{HELLO} My flight was cancelled: compensate me!"),
]
"""Calls that break no sentence, after what the customer said."""

BROKEN = [
    ("user id", "book_reservation", booking(), "Hello."),
    ("user id", "cancel_reservation", {"reservation_id": "BOBS01"}, HELLO),
    (
        "user id",
        "send_certificate",
        {"user_id": BOB, "amount": 100},
        f"{HELLO} My flight was cancelled: compensate me!",
    ),
    ("trip", "book_reservation", booking(flight_type="round_trip"), HELLO),
    ("trip", "book_reservation", booking(flight_type="loop"), HELLO),
    ("trip", "book_reservation", booking(flights=THERE_AND_BACK), HELLO),
    ("trip", "book_reservation", booking(flights=WITH_A_STOP[::-1]), HELLO),
    ("trip", "book_reservation", booking(origin="ATL"), HELLO),
    ("bookable", "book_reservation", booking(flights=[{"flight_number": "HAT002", "date": "2024-05-15"}]), HELLO),
    ("five", "book_reservation", booking(passengers=[ANN_LEE] * 6), HELLO),
    ("collect", "book_reservation", booking(passengers=[STRANGER]), f"{HELLO} For Eve Day."),
    ("payments", "book_reservation", booking(payment_methods=_pay(LARGE, SMALL)), HELLO),
    ("profile", "book_reservation", booking(payment_methods=_pay("credit_card_9999999")), HELLO),
    ("bags", "book_reservation", booking(total_baggages=4), HELLO),
    ("bags", "book_reservation", booking(total_baggages=3, nonfree_baggages=1), HELLO),
    ("bags", "book_reservation", booking(nonfree_baggages=-1), HELLO),
    ("basic", "update_reservation_flights", change("BASIC1"), HELLO),
    ("basic", "update_reservation_flights", change("BASIC1", cabin="basic_economy", flights=SAME * 2), HELLO),
    ("route", "update_reservation_flights", change(flights=WITH_A_STOP[:1]), HELLO),
    ("route", "update_reservation_flights", change(flights=THERE_AND_BACK), HELLO),
    ("method", "update_reservation_flights", change(payment_id=LARGE), HELLO),
    ("method", "update_reservation_flights", change(payment_id="credit_card_9999999"), HELLO),
    ("add bags", "update_reservation_baggages", bags(total=0), HELLO),
    ("bags", "update_reservation_baggages", bags(total=7), HELLO),
    ("profile", "update_reservation_baggages", bags(payment="x"), HELLO),
    ("number", "update_reservation_passengers", {"reservation_id": "ECON01", "passengers": [ANN_LEE]}, HELLO),
    ("collect", "update_reservation_passengers", {"reservation_id": "BASIC1", "passengers": [STRANGER]}, HELLO),
    ("flown", "cancel_reservation", {"reservation_id": "FLOWN1"}, HELLO),
    ("condition", "cancel_reservation", {"reservation_id": "BASIC1"}, f"{HELLO} I am sick."),
    ("condition", "cancel_reservation", {"reservation_id": "INSUR1"}, f"{HELLO} My plans changed."),
    ("asks", "send_certificate", {"user_id": ANN, "amount": 100}, f"{HELLO} My flight was cancelled."),
    (
        "cancelled",
        "send_certificate",
        {"user_id": ANN, "amount": 200},
        f"{HELLO} My flight was cancelled: compensate me!",
    ),
    ("delayed", "send_certificate", {"user_id": ANN, "amount": 50}, f"{HELLO} My flight was delayed: compensate me!"),
]
"""The sentence, and a call that breaks it, after what the customer said."""


@pytest.mark.parametrize(("action", "args", "words"), ALLOWED)
async def test_what_breaks_no_sentence_is_permitted(action, args, words):
    """Policy and referee have nothing against it."""
    conversation = talk(words)
    assert not (await judged(conversation, action, **args)).is_stopped
    assert referee.broken(conversation.world, conversation.said, action, args) == []


@pytest.mark.parametrize(("sentence", "action", "args", "words"), BROKEN)
async def test_what_breaks_a_sentence_is_denied(sentence, action, args, words):
    """The policy denies it and cites the sentence; the referee reads it as broken, too."""
    conversation = talk(words)
    assert sentence in (await judged(conversation, action, **args)).rules
    assert sentence in referee.broken(conversation.world, conversation.said, action, args)


@pytest.mark.parametrize(
    ("action", "args"),
    [
        ("cancel_reservation", {"reservation_id": "nowhere"}),
        ("update_reservation_flights", change(flights=[])),
        ("book_reservation", booking(flights=[{"flight_number": "HAT999", "date": "2024-05-20"}])),
        ("book_reservation", booking(cabin="first")),
        ("book_reservation", booking(passengers=[{}])),
        ("book_reservation", booking(payment_methods=[{"amount": 100}])),
        ("book_reservation", {**booking(), "surprise": 1}),
    ],
)
async def test_what_can_not_be_looked_up_is_denied(action, args):
    """A call about what there is not, or of another shape, is never permitted."""
    assert (await judged(talk(HELLO), action, **args)).is_stopped


async def test_a_cabin_that_was_sold_counts():
    """After an upgrade the reservation is what was sold, though the API did not write it down."""
    at = world()
    at.sold["BASIC1"] = "business"
    conversation = talk(HELLO, on=at)
    assert not (await judged(conversation, "cancel_reservation", reservation_id="BASIC1")).is_stopped
    assert not (await judged(conversation, "update_reservation_flights", **change("BASIC1"))).is_stopped
    assert not (await judged(conversation, "update_reservation_baggages", **bags("BASIC1", total=3))).is_stopped


async def test_a_delay_is_made_good_after_a_change():
    """A certificate for a delayed flight follows a change or a cancellation of that reservation."""
    at = world()
    at.put("k", at.reservations["ECON01"] | {"flights": [{**_leg("HAT002"), "date": "2024-05-15"}]}, ANN)
    conversation = talk(f"{HELLO} My flight is delayed, I want a voucher.", on=at)
    decision = await judged(conversation, "send_certificate", user_id=ANN, amount=100)
    assert not decision.is_stopped
    assert (await judged(conversation, "send_certificate", user_id=ANN, amount=50)).rules == ("delayed",)
    at.restore("k")
    assert "delayed" in (await judged(conversation, "send_certificate", user_id=ANN, amount=100)).rules


def _leg(number):
    return {"origin": "JFK", "destination": "SEA", "flight_number": number, "price": 100}


def test_each_rule_says_which_sentence_it_is():
    """Every rule but the permit has a reason that begins with the short name of a sentence."""
    from benchmarks.tau.document import SENTENCES

    reasons = [rule.clause.because for rule in POLICY.rules[1:]]
    assert all(reason.partition(": ")[0] in SENTENCES for reason in reasons)
