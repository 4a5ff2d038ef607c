"""The desk's actions and policy, through sessions on the real database: what is permitted, done once, taken back."""

import sqlite3
from contextlib import closing
from decimal import Decimal

import pytest
from demo import airline, books, journaled, seed
from demo.actions import ALL, ROWS
from demo.airline import Airline
from demo.conversations import is_cancelled
from demo.policy import POLICY

from interlock import Agent, Failed, Proposal, ask_user
from interlock.testing import (
    approving,
    assert_denied,
    assert_done,
    assert_waiting,
    crash,
    every_crash,
    history_of,
    runtime,
)

DESK = Agent("desk", (*ALL, ask_user), policy=POLICY)

FLEX = next(
    n for n in range(seed.CUSTOMERS) if seed.fare(n) == "flex" and not is_cancelled(n) and seed.price(n) > 15_000
)
LIGHT = next(n for n in range(seed.CUSTOMERS) if seed.fare(n) == "light" and not is_cancelled(n))
STRANDED = next(n for n in range(seed.CUSTOMERS) if seed.fare(n) == "light" and is_cancelled(n))


def user(number):
    identifier, name, email = seed.customer(number)
    return {"id": identifier, "name": name, "email": email}


def other_flight(number):
    flight, origin, destination, *_ = seed.flight(number)
    return next(
        row[0] for row in seed.flights() if row[1:3] == (origin, destination) and row[5] == "scheduled" != flight
    )


class World:
    """Databases, each from the start, and the airlines that are open on them."""

    def __init__(self, folder):
        self._folder = folder
        self.airlines = []

    def airline(self):
        ROWS.close()  # its connections to the last one
        self.path = self._folder / f"airline-{len(self.airlines)}.db"
        airline.create(self.path)
        self.airlines.append(Airline(self.path))
        return self.airlines[-1]

    def change(self, sql):
        with closing(sqlite3.connect(self.path)) as db, db:
            db.execute(sql)

    def rows(self, table):
        with closing(sqlite3.connect(self.path)) as db:
            return db.execute(f"SELECT * FROM {table}").fetchall()


@pytest.fixture
def world(tmp_path):
    made = World(tmp_path)
    yield made
    ROWS.close()
    for one in made.airlines:
        one.__exit__()


async def judged(world, who, *proposals):
    """Return the outcome of each proposal in a session of its own customer."""
    async with runtime(DESK, deps=world.airline()) as rt:
        run = await rt.start("desk", user=user(who))
        async with rt.session(run.id) as session:
            return [await session.perform(Proposal(action, args)) for action, args in proposals]


class TestPolicy:
    async def test_a_booking_is_its_owners(self, world):
        ref = seed.ref(FLEX + 1)
        for outcome in await judged(
            world,
            FLEX,
            ("find_booking", {"ref": ref}),
            ("rebook", {"ref": ref, "flight": other_flight(FLEX + 1)}),
            ("cancel_booking", {"ref": ref}),
            ("refund", {"ref": ref, "amount": "1"}),
        ):
            assert_denied(outcome, match="not the customer's booking")

    async def test_a_booking_that_does_not_exist_is_nobodys(self, world):
        (outcome,) = await judged(world, FLEX, ("find_booking", {"ref": "NOSUCH"}))
        assert_denied(outcome, match="there is no booking 'NOSUCH'")

    async def test_a_refund_is_at_most_what_is_left_and_over_100_asked(self, world):
        ref, paid = seed.ref(FLEX), airline.euros(seed.price(FLEX))
        too_much, all_but_40, whole = await judged(
            world,
            FLEX,
            ("refund", {"ref": ref, "amount": str(paid + Decimal("0.01"))}),
            ("refund", {"ref": ref, "amount": "40.00"}),
            ("refund", {"ref": ref, "amount": str(paid)}),
        )
        assert_denied(too_much, match="more than is left")
        assert_done(all_but_40)
        assert_denied(whole, match="more than is left")
        (asked,) = await judged(world, FLEX, ("refund", {"ref": ref, "amount": "100.01"}))
        assert_waiting(asked, level="finance")

    async def test_a_light_fare_moves_only_when_the_airline_has_cancelled(self, world):
        (no,) = await judged(world, LIGHT, ("rebook", {"ref": seed.ref(LIGHT), "flight": other_flight(LIGHT)}))
        assert_denied(no, match="light fare")
        (yes,) = await judged(
            world, STRANDED, ("rebook", {"ref": seed.ref(STRANDED), "flight": other_flight(STRANDED)})
        )
        assert_done(yes)

    async def test_what_goes_beyond_the_desk_is_asked(self, world):
        mail = {"recipient": "office@miles-brokers.example", "subject": "", "body": ""}
        voucher, more, letter, cancel = await judged(
            world,
            FLEX,
            ("issue_voucher", {"amount": "50.00", "reason": "late"}),
            ("issue_voucher", {"amount": "50.01", "reason": "late"}),
            ("send_email", mail),
            ("cancel_booking", {"ref": seed.ref(FLEX)}),
        )
        assert_done(voucher)
        assert_waiting(more, level="lead")
        assert_waiting(letter, level="lead")
        assert_waiting(cancel, kind="confirmation")


async def everything(rt):
    """Do one of each effect, and take the run back; started again after a crash, it goes on."""
    run = await rt.start("desk", run="r1", user=user(FLEX))
    ref = seed.ref(FLEX)
    proposals = (
        Proposal("rebook", {"ref": ref, "flight": other_flight(FLEX)}, key="1"),
        Proposal("refund", {"ref": ref, "amount": "120.00"}, key="2"),
        Proposal("issue_voucher", {"amount": "20.00", "reason": "late"}, key="3"),
        Proposal("send_email", {"recipient": user(FLEX)["email"], "subject": "s", "body": "b"}, key="4"),
        Proposal("cancel_booking", {"ref": ref}, key="5"),
    )
    if await run.status() not in ("done", "undoing"):
        async with rt.session("r1") as session:
            for proposal in proposals:
                assert_done(await rt.outcome(session, proposal, approving("ana")))
            await session.finish()
    assert await rt.undo("r1") == ()


class TestEffects:
    async def test_each_is_done_once_and_taken_back_once_whatever_is_killed_when(self, world):
        def check(rt):
            compared = books.compare(journaled.effects([history_of(rt, "r1")]), world.path)
            assert not compared.differences
            assert [row for row in world.rows("bookings") if row[0] == seed.ref(FLEX)] == [seed.booking(FLEX)]
            assert [row[2] for row in world.rows("payments")[seed.CUSTOMERS :]] == ["refund", "reversal"]
            assert world.rows("vouchers") == []
            assert len(world.rows("outbox")) == 1

        crashes = await every_crash(DESK, everything, check=check, deps=world.airline)
        assert not crashes.asked
        assert len(crashes.boundaries) > 40

    async def test_a_refund_is_found_once_the_key_is_forgotten(self, world):
        """The payment provider honours a key for 24 hours; after a longer absence the desk looks instead of sending."""

        async def pay_back(rt):
            await rt.start("desk", run="r1", user=user(FLEX))
            async with rt.session("r1") as session:
                assert_done(
                    await rt.outcome(session, Proposal("refund", {"ref": seed.ref(FLEX), "amount": "9"}, key="1"))
                )

        rt = await crash(DESK, pay_back, at="sending", deps=world.airline, down="25h")
        assert len(rt.calls_of("refund")) == len(rt.calls_of("refund", part="probe")) == 1
        assert len(world.rows("payments")) == seed.CUSTOMERS + 1

    async def test_an_undo_does_not_trample_on_a_later_change(self, world):
        async with runtime(DESK, deps=world.airline()) as rt:
            await rt.start("desk", run="r1", user=user(FLEX))
            async with rt.session("r1") as session:
                args = {"ref": seed.ref(FLEX), "flight": other_flight(FLEX)}
                assert_done(await session.perform(Proposal("rebook", args)))
                await session.finish()
            world.change(f"UPDATE bookings SET status = 'cancelled' WHERE ref = '{seed.ref(FLEX)}'")
            before = world.rows("bookings")
            assert len(await rt.undo("r1")) == 1
            assert world.rows("bookings") == before

    async def test_what_the_airline_refuses_has_failed_and_changed_nothing(self, world):
        """A refusal inside of a captured action takes its transaction back, and the next one goes its way."""
        cancelled = next(row[0] for row in seed.flights() if row[5] == "cancelled")
        moved, again = await judged(
            world,
            STRANDED,
            ("rebook", {"ref": seed.ref(STRANDED), "flight": cancelled}),
            ("rebook", {"ref": seed.ref(STRANDED), "flight": other_flight(STRANDED)}),
        )
        assert isinstance(moved, Failed)
        assert "has no seat to sell" in moved.error
        assert_done(again)
        (row,) = [row for row in world.rows("bookings") if row[0] == seed.ref(STRANDED)]
        assert row[2] == other_flight(STRANDED)

    def test_a_request_that_is_sent_again_is_carried_out_once(self, world):
        made = world.airline()
        ref = seed.ref(FLEX)
        for _ in range(2):
            assert made.refund("k1", ref, Decimal(10)).amount == 10
            made.reverse("k2", "k1")
            made.send("k3", "a@example.com", "s", "b")
        assert [row[0] for row in world.rows("payments")[seed.CUSTOMERS :]] == ["k1", "k2"]
        assert len(world.rows("outbox")) == 1
