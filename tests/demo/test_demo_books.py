"""The check at the end of the demo finds what differs, whichever side it is on."""

import sqlite3
from contextlib import closing

import pytest
from demo import airline, books, seed
from demo.journaled import Effect

USER = {"id": seed.customer_id(0)}
REFUND = Effect("refund", {"ref": seed.ref(0), "amount": "12.50"}, {}, "k1", "", USER)
VOUCHER = Effect("issue_voucher", {"amount": "5"}, {"code": "V-1"}, "k2", "", USER)


@pytest.fixture
def path(tmp_path):
    airline.create(tmp_path / "airline.db")
    return tmp_path / "airline.db"


def change(path, sql):
    with closing(sqlite3.connect(path)) as db, db:
        db.execute(sql)


def differences(path, *effects):
    return [(one.table, one.where) for one in books.compare(effects, path).differences]


def test_a_database_as_it_was_made_holds_what_an_empty_journal_says(path):
    assert differences(path) == []


def test_an_effect_that_is_only_in_the_journal_is_found(path):
    assert differences(path, REFUND, VOUCHER) == [
        ("payments", "in the journal only"),
        ("vouchers", "in the journal only"),
    ]


def test_a_payment_that_is_only_in_the_database_is_found(path):
    change(path, f"INSERT INTO payments VALUES ('k1', '{seed.ref(0)}', 'refund', 1250, NULL)")
    assert differences(path, REFUND) == []
    change(path, f"INSERT INTO payments VALUES ('again', '{seed.ref(0)}', 'refund', 1250, NULL)")
    assert differences(path, REFUND) == [("payments", "in the database only")]


def test_a_cent_less_is_found_on_both_sides(path):
    change(path, f"INSERT INTO payments VALUES ('k1', '{seed.ref(0)}', 'refund', 1249, NULL)")
    assert differences(path, REFUND) == [("payments", "in the journal only"), ("payments", "in the database only")]


def test_a_row_that_nobody_should_have_touched_is_found(path):
    change(path, f"UPDATE bookings SET status = 'cancelled' WHERE ref = '{seed.ref(3)}'")
    assert differences(path) == [("bookings", "in the journal only"), ("bookings", "in the database only")]


def test_an_undo_leaves_the_booking_as_it_was_and_both_changes(path):
    flight = seed.flights()[1][0]
    moved = Effect("rebook", {"ref": seed.ref(0), "flight": flight}, {}, "k1", "", USER)
    back = moved._replace(key="k2", undoes="k1")
    with airline.Airline(path) as made:
        made.rebook("k1", seed.ref(0), flight)
        assert differences(path, moved) == []
        made.restore("k2", "k1")
    assert differences(path, moved, back) == []


def test_an_action_that_the_check_does_not_know_is_an_error(path):
    with pytest.raises(ValueError, match="upgrade"):
        books.compare([REFUND._replace(action="upgrade")], path)
