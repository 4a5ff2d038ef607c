"""The desk's actions: what they answer, what they refuse, and that they are taken back without a trace."""

import json

import pytest
from benchmarks.tau import arithmetic
from benchmarks.tau.actions import NAMES_OF_WRITES
from tau_desk import ANN, ANN_LEE, CARD, GIFT, LARGE, SMALL, TOM_LEE, bags, booking, change, done, permitted, world


class TestReads:
    async def test_they_answer_with_the_records_as_json(self):
        """A read returns the record as text and changes nothing."""
        at = world()
        before = at.digest()
        async with permitted(at) as (session, _):
            assert json.loads(await done(session, "get_user_details", user_id=ANN)) == at.users[ANN]
            held = await done(session, "get_reservation_details", reservation_id="ECON01")
            assert json.loads(held) == at.reservations["ECON01"]
            assert '"JFK": "New York"' in await done(session, "list_all_airports")
            assert await done(session, "think", thought="hm") == ""
            assert await done(session, "transfer_to_human_agents", summary="help") == "Transfer successful"
        assert at.digest() == before

    async def test_what_is_not_there_is_an_error(self):
        """An unknown id is answered in the recordings' words."""
        async with permitted(world()) as (session, _):
            assert await done(session, "get_user_details", user_id="x") == "Error: user not found"
            assert await done(session, "get_reservation_details", reservation_id="x") == "Error: reservation not found"

    async def test_flights_with_seats_are_found(self):
        """Direct flights, and pairs that meet: the second leaves when the first has arrived, or later."""
        async with permitted(world()) as (session, _):
            direct = await done(session, "search_direct_flight", origin="JFK", destination="SEA", date="2024-05-20")
            assert [one["flight_number"] for one in json.loads(direct)] == ["HAT001", "HAT002"]
            assert "dates" not in direct
            pairs = await done(session, "search_onestop_flight", origin="JFK", destination="SEA", date="2024-05-20")
            assert [[leg["flight_number"] for leg in pair] for pair in json.loads(pairs)] == [["HAT004", "HAT005"]]
            past = await done(session, "search_direct_flight", origin="JFK", destination="SEA", date="2024-05-14")
            assert past == "[]"

    @pytest.mark.parametrize(
        ("expression", "value"), [("2 * (3 + 4)", "14.0"), ("10 / 4", "2.5"), ("-3 + +1", "-2.0"), ("1 / 3", "0.33")]
    )
    def test_the_calculator_calculates(self, expression, value):
        """Numbers, the four operations, signs and brackets; two decimals."""
        assert arithmetic.calculated(expression) == value

    @pytest.mark.parametrize("expression", ["x", "1 / 0", "2 ** 9", "1 +", "(" * 5000, "", "1;2"])
    def test_the_calculator_refuses_the_rest(self, expression):
        """Nothing else is calculated, and nothing is run."""
        with pytest.raises(ValueError):
            arithmetic.calculated(expression)


class TestBooking:
    async def test_it_costs_what_the_flights_bags_and_insurance_cost(self):
        """The price is that of the seats, 50 for each paid bag and 30 a head for insurance."""
        at = world()
        async with permitted(at) as (session, _):
            asked = booking(
                passengers=[ANN_LEE, TOM_LEE],
                insurance="yes",
                total_baggages=7,
                nonfree_baggages=1,
                payment_methods=[{"payment_id": CARD, "amount": 310}],
            )
            made = json.loads(await done(session, "book_reservation", **asked))
        assert (made["reservation_id"], made["flights"][0]["price"]) == ("HATHAT", 100)
        assert at.users[ANN]["reservations"][-1] == "HATHAT"

    async def test_gift_cards_are_charged_and_certificates_used_up(self):
        """A gift card keeps its rest, a certificate does not."""
        at = world()
        async with permitted(at) as (session, _):
            paid = [{"payment_id": GIFT, "amount": 60}, {"payment_id": SMALL, "amount": 40}]
            await done(session, "book_reservation", **booking(payment_methods=paid))
        assert at.users[ANN]["payment_methods"][GIFT]["amount"] == 90
        assert SMALL not in at.users[ANN]["payment_methods"]

    @pytest.mark.parametrize(
        ("changed", "error"),
        [
            ({"user_id": "x"}, "user not found"),
            ({"flights": [{"flight_number": "HAT009", "date": "2024-05-20"}]}, "flight HAT009 not found"),
            (
                {"flights": [{"flight_number": "HAT001", "date": "2024-06-20"}]},
                "flight HAT001 not found on date 2024-06-20",
            ),
            (
                {"flights": [{"flight_number": "HAT001", "date": "2024-05-14"}]},
                "flight HAT001 not available on date 2024-05-14",
            ),
            ({"passengers": [ANN_LEE] * 4}, "not enough seats on flight HAT001"),
            ({"payment_methods": [{"payment_id": "x", "amount": 100}]}, "payment method x not found"),
            (
                {"payment_methods": [{"payment_id": SMALL, "amount": 100}]},
                f"not enough balance in payment method {SMALL}",
            ),
            (
                {"payment_methods": [{"payment_id": CARD, "amount": 99}]},
                "payment amount does not add up, total price is 100, but paid 99",
            ),
        ],
    )
    async def test_the_api_refuses(self, changed, error):
        """What the API checks, in its words; a refusal changes nothing."""
        at = world()
        before = at.digest()
        async with permitted(at) as (session, _):
            assert await done(session, "book_reservation", **booking(**changed)) == f"Error: {error}"
        assert at.digest() == before


class TestChanging:
    async def test_a_change_costs_the_difference(self):
        """Two passengers pay twice the difference; what they paid stays in the history."""
        at = world()
        async with permitted(at) as (session, _):
            held = json.loads(await done(session, "update_reservation_flights", **change()))
        assert held["payment_history"][-1] == {"payment_id": CARD, "amount": 40}
        assert at.cabin("ECON01") == "economy"

    async def test_the_api_forgets_the_cabin_and_the_desk_does_not(self):
        """The reservation keeps its old cabin, as recorded; the desk's own note has the one that was sold."""
        at = world()
        async with permitted(at) as (session, _):
            same = [{"flight_number": "HAT001", "date": "2024-05-20"}]
            await done(session, "update_reservation_flights", **change("BASIC1", flights=same))
        assert (at.reservations["BASIC1"]["cabin"], at.cabin("BASIC1")) == ("basic_economy", "economy")

    async def test_cancelling_pays_everything_back(self):
        """Each payment has its counterpart, and the reservation says that it is cancelled."""
        at = world()
        async with permitted(at) as (session, _):
            await done(session, "cancel_reservation", reservation_id="ECON01")
        held = at.reservations["ECON01"]
        assert (held["status"], sum(one["amount"] for one in held["payment_history"])) == ("cancelled", 0)

    @pytest.mark.parametrize(
        ("action", "args", "error"),
        [
            ("update_reservation_flights", change(payment_id="x"), "payment method not found"),
            (
                "update_reservation_flights",
                change(payment_id=LARGE),
                "certificate cannot be used to update reservation",
            ),
            (
                "update_reservation_flights",
                change(cabin="business", payment_id=GIFT),
                "gift card balance is not enough",
            ),
            ("update_reservation_baggages", bags(total=9, nonfree=4, payment=GIFT), "gift card balance is not enough"),
            ("update_reservation_baggages", bags("x"), "reservation not found"),
            (
                "update_reservation_passengers",
                {"reservation_id": "ECON01", "passengers": [ANN_LEE]},
                "number of passengers does not match",
            ),
            ("send_certificate", {"user_id": "x", "amount": 5}, "user not found"),
            ("update_reservation_flights", change(flights=[{"date": "2024-05-20"}]), "'flight_number'"),
        ],
    )
    async def test_the_api_refuses(self, action, args, error):
        """What the API checks, in its words; a refusal changes nothing."""
        at = world()
        before = at.digest()
        async with permitted(at) as (session, _):
            assert await done(session, action, **args) == f"Error: {error}"
        assert at.digest() == before


async def test_every_write_is_taken_back_exactly():
    """Undoing a run in which every write was done restores the world, to the byte of its hash."""
    at = world()
    before = at.digest()
    asked = [
        ("book_reservation", booking(payment_methods=[{"payment_id": LARGE, "amount": 100}])),
        ("cancel_reservation", {"reservation_id": "BUSI01"}),
        ("update_reservation_flights", change(payment_id=GIFT)),
        ("update_reservation_baggages", bags(total=9, nonfree=2)),
        ("update_reservation_passengers", {"reservation_id": "BASIC1", "passengers": [TOM_LEE]}),
        ("send_certificate", {"user_id": ANN, "amount": 100}),
        ("cancel_reservation", {"reservation_id": "ECON01"}),
    ]
    assert {name for name, _ in asked} == NAMES_OF_WRITES
    async with permitted(at) as (session, run):
        for name, args in asked:
            assert not (await done(session, name, **args)).startswith("Error")
        assert at.digest() != before
        await session.finish()
        assert await (await run.undo_plan()).apply(by="the test") == ()
    assert at.digest() == before
    assert not at.changed
    assert not at.sold


def test_a_copy_of_the_world_is_apart():
    """What is written in a copy is not seen in the original."""
    at = world()
    other = at.copy()
    other.put("k", at.reservations["ECON01"] | {"status": "cancelled"}, ANN)
    assert "status" not in at.reservations["ECON01"]
    assert other.changed == {"ECON01"}
    other.restore("k")
    other.restore("k")
    assert other.reservations == at.reservations
