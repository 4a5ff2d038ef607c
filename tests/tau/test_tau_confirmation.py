"""The customer's yes, read from words: what it covers, and what it does not."""

import pytest
from benchmarks.tau import confirmation, referee_yes, words
from hypothesis import given
from hypothesis import strategies as st
from tau_desk import ANN, CARD, GIFT, LARGE, bags, booking, change, judged, talk, world

WORLD = world()
HELLO = f"I am {ANN}, change my flight please."
READ_BACK = (
    "I will move ECON01 to flight HAT001 on May 21st, in economy, for $20 per passenger ($40 in total), paid with your "
    "card ending in 4242. Please confirm."
)


def _missing(action, args, *texts, on=None):
    return confirmation.missing(talk(*texts, on=on), action, args)


class TestYes:
    @pytest.mark.parametrize(
        "reply",
        [
            "Yes.",
            "yes, please go ahead!",
            "Everything looks correct. Please proceed.",
            "Oui, merci",
            "Sure",
            "Okay, do it.",
            "Correct.",
            "No insurance, please. Yes, go ahead.",
            "Cancel it.",
            "Please cancel both of them.",
            "Let's do that",
        ],
    )
    def test_consent(self, reply):
        """Words of consent, orders, and a yes after a no to something else."""
        assert words.is_yes(reply)

    @pytest.mark.parametrize(
        "reply",
        [
            "No.",
            "No, that's not right.",
            "I'll take the first option.",
            "What does it cost?",
            "Wait, is that with bags?",
            "Not yet.",
            "Please don't cancel it.",
            "I do not want to proceed",
            "",
            "yesterday",
        ],
    )
    def test_no_consent(self, reply):
        """Refusals, questions and choices are no yes."""
        assert not words.is_yes(reply)


class TestReadBack:
    def test_a_yes_covers_what_was_read_back(self):
        """Everything was named as the call has it, and the referee agrees."""
        conversation = talk(HELLO, READ_BACK, "Yes.")
        assert confirmation.missing(conversation, "update_reservation_flights", change()) == ""
        assert not referee_yes.is_unconfirmed(
            conversation.world, conversation.said, "update_reservation_flights", change()
        )

    @pytest.mark.parametrize(
        ("changed", "lacks"),
        [
            ({"flights": [{"flight_number": "HAT002", "date": "2024-05-21"}]}, "did not name flight HAT002"),
            ({"flights": [{"flight_number": "HAT001", "date": "2024-05-22"}]}, "another day"),
            ({"cabin": "business"}, "another cabin than business"),
            ({"payment_id": GIFT}, "another payment"),
        ],
    )
    def test_a_yes_covers_nothing_else(self, changed, lacks):
        """A call that differs in one detail from what was read back is not confirmed."""
        assert lacks in _missing("update_reservation_flights", change(**changed), HELLO, READ_BACK, "Yes.")

    def test_another_reservation_is_not_covered(self):
        """The reservation that was named is the one."""
        same = change("BUSI01", flights=[{"flight_number": "HAT001", "date": "2024-05-20"}])
        lacks = _missing("update_reservation_flights", same, HELLO, READ_BACK, "Yes.")
        assert "another reservation than BUSI01" in lacks

    def test_another_price_is_not_covered(self):
        """Who agrees to 20 dollars has not agreed to 40."""
        cheap = READ_BACK.replace("$20 per passenger ($40 in total)", "an additional cost of $20")
        lacks = _missing("update_reservation_flights", change(), HELLO, cheap, "Yes.")
        assert lacks == "the read-back named $20, and the call takes $40"
        conversation = talk(HELLO, cheap, "Yes.")
        unlike = referee_yes.is_unconfirmed(
            conversation.world, conversation.said, "update_reservation_flights", change()
        )
        assert "$40" in unlike

    def test_without_a_question_there_is_no_yes(self):
        """The desk has to have asked, and the customer to have spoken last."""
        assert "asked for no go-ahead" in _missing(
            "cancel_reservation", {"reservation_id": "BUSI01"}, "Hi", "Hm.", "Yes"
        )
        assert "no yes" in _missing("cancel_reservation", {"reservation_id": "BUSI01"})

    def test_one_yes_covers_every_call_that_was_named(self):
        """Several reservations in one read-back are confirmed by one yes."""
        texts = ("Cancel all", "I'd cancel ECON01 and BUSI01. Shall I proceed?", "Yes, both")
        for name in ("ECON01", "BUSI01"):
            assert not _missing("cancel_reservation", {"reservation_id": name}, *texts)
        assert _missing("cancel_reservation", {"reservation_id": "BASIC1"}, *texts)

    def test_cancelling_has_to_be_spoken_of(self):
        """A yes to something else on the same reservation cancels nothing."""
        texts = ("Hi", "Would you like to add bags to BUSI01?", "Yes")
        assert _missing("cancel_reservation", {"reservation_id": "BUSI01"}, *texts) == "nobody spoke of cancelling"

    def test_how_it_is_paid(self):
        """Unnamed, only what the reservation was paid with goes without saying, and not when flights change."""
        same = [{"flight_number": "HAT001", "date": "2024-05-20"}]
        texts = ("Hi", "I'd put ECON01 into business. Confirm?", "Yes")
        upgrade = change(cabin="business", flights=same)
        assert not _missing("update_reservation_flights", upgrade, *texts)
        assert "nobody named" in _missing("update_reservation_flights", {**upgrade, "payment_id": GIFT}, *texts)
        moved = ("Hi", "I'd move ECON01 to HAT001 on May 21. Confirm?", "Yes")
        assert "nobody named" in _missing("update_reservation_flights", change(), *moved)
        told = ("Hi", "I'd move ECON01 to HAT001 on May 21. Confirm?", "Yes, the same card")
        assert not _missing("update_reservation_flights", change(), *told)

    def test_several_methods(self):
        """A number names one method; a kind names any of it, unless a number names another one of the kind."""
        paid = [{"payment_id": LARGE, "amount": 60}, {"payment_id": CARD, "amount": 40}]
        asked = booking(payment_methods=paid)
        flight = "HAT001 on May 20 for Ann Lee, $100 in total,"
        for by, is_named in (
            ("by certificate 1000003 and your Visa", True),
            ("by a certificate and the card ending in 4242", True),
            ("by certificate 1000004 and your Visa", False),
            ("by gift card", False),
        ):
            lacks = _missing("book_reservation", asked, "Hi", f"{flight} {by}. Please confirm.", "Yes")
            assert ("another payment" not in lacks) is is_named, by

    def test_bags_and_passengers(self):
        """The number of bags is read back, in figures or words; so are new passengers' names."""
        texts = ("Hi", "I'd add two checked bags to BASIC1. Confirm?", "Yes")
        assert not _missing("update_reservation_baggages", bags("BASIC1", 2), *texts)
        assert "did not name 3 bags" in _missing("update_reservation_baggages", bags("BASIC1", 3), *texts)
        eve = {"reservation_id": "BASIC1", "passengers": [{"first_name": "Eve", "last_name": "Day", "dob": ""}]}
        assert "nobody named the passenger Day" in _missing("update_reservation_passengers", eve, *texts)

    def test_a_booking(self):
        """Flights, day, price, payment and passenger are all there, or it is not confirmed."""
        texts = ("Hi", "HAT001 on 2024-05-20 for Ann Lee, total $100, by Visa ending in 4242. Book it?", "Yes")
        asked = booking()
        assert "asked for no go-ahead" in _missing("book_reservation", asked, *texts)
        texts = (texts[0], texts[1] + " Please confirm.", texts[2])
        assert not _missing("book_reservation", asked, *texts)
        assert _missing("book_reservation", asked | {"total_baggages": 2}, *texts) == ""
        dear = [{"payment_id": "credit_card_1000002", "amount": 130}]
        assert "$130" in _missing("book_reservation", asked | {"payment_methods": dear}, *texts)


async def test_only_a_confirmed_write_is_permitted():
    """On the path of an action the need is met by the yes, and by nothing else."""
    confirmed = talk(HELLO, READ_BACK, "Yes.")
    assert not (await judged(confirmed, "update_reservation_flights", given=False, **change())).is_stopped
    silent = await judged(talk(HELLO), "update_reservation_flights", given=False, **change())
    assert (silent.rules, silent.by) == ((), ("confirm",))
    assert silent.lacks


async def test_a_certificate_needs_no_yes():
    """The document's list of what is confirmed does not have certificates."""
    asked = talk(f"I am {ANN}. My flight was cancelled, I want compensation.", on=world())
    assert not (await judged(asked, "send_certificate", given=False, user_id=ANN, amount=100)).is_stopped


@given(
    st.lists(st.text(max_size=60), max_size=4), st.sampled_from(["cancel_reservation", "update_reservation_flights"])
)
def test_any_words_can_be_read(texts, action):
    """Whatever is said, the matcher and the referee have an answer, and nothing that is not a yes is one."""
    conversation = talk(*texts, on=WORLD)
    lacks = confirmation.missing(conversation, action, change())
    referee_yes.is_unconfirmed(conversation.world, conversation.said, action, change())
    replies = [text for who, text in conversation.said if who == "user"]
    assert lacks or words.is_yes(replies[-1])


@given(st.text())
def test_words_are_read_from_any_text(text):
    """No text makes the readers stumble."""
    for read in (words.days, words.flights, words.cabins, words.is_yes, words.asks):
        read(text)
    words.dollars(text, 3)
    words.numbers(words.lines_with(text, "bag"))
    words.says_birthday(text, text)


@pytest.mark.parametrize("text", ["May 21", "May 21st, 2024", "2024-05-21", "the 21st of May", "21 May", "on may 21."])
def test_days_in_words(text):
    """A day is seen whichever way it is written."""
    assert words.days(text) == {(5, 21)}


@pytest.mark.parametrize(
    "text", ["2001-04-12", "April 12, 2001", "april 12th 2001", "12 April 2001", "4/12/2001", "04/12/2001"]
)
def test_birthdays_in_words(text):
    """A birthday is seen whichever way it is written, and is no day of a flight."""
    assert words.says_birthday(f"born {text}.", "2001-04-12")
    assert not words.says_birthday(f"born {text}.", "2001-04-13")
    assert not words.days(text)
