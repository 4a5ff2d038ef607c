"""The check at the end of the demo finds what differs, whichever side it is on."""

import sqlite3
from contextlib import closing

import pytest
from demo import airline, books, seed
from demo.journaled import Effect

USER = {"id": seed.customer_id(0)}
REFUND = Effect("refund", {"ref": seed.ref(0), "amount": "12.50"}, {}, "k1", "", USER)
VOUCHER = Effect("issue_voucher", {"amount": "5"}, {"code": "V-1"}, "k2", "", USER)
MOVED = Effect("rebook", {"ref": seed.ref(0), "flight": seed.flights()[1][0]}, {}, "k3", "", USER)
CANCELLED = Effect("cancel_booking", {"ref": seed.ref(0)}, {}, "k4", "", USER)


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


def undo(effect):
    return effect._replace(key=f"{effect.key}-undo", undoes=effect.key)


def test_a_booking_and_a_voucher_that_were_taken_back_are_as_if_they_had_never_changed(path):
    """The rows of actions that are taken back by Interlock are those of before, in whatever order they changed."""
    assert differences(path, MOVED, VOUCHER, CANCELLED, undo(CANCELLED), undo(VOUCHER), undo(MOVED)) == []


def test_the_undo_of_the_last_change_leaves_the_first(path):
    """What a restored row must hold is how it stood before that effect, not how it was at the start."""
    change(path, f"UPDATE bookings SET flight = '{MOVED.args['flight']}' WHERE ref = '{seed.ref(0)}'")
    assert differences(path, MOVED, CANCELLED, undo(CANCELLED)) == []
    change(path, f"UPDATE bookings SET status = 'cancelled' WHERE ref = '{seed.ref(0)}'")
    assert len(differences(path, MOVED, CANCELLED, undo(CANCELLED))) == 2


def test_a_voucher_that_is_still_there_after_its_undo_is_found(path):
    """A restored row that was not there before has to be gone."""
    change(path, f"INSERT INTO vouchers VALUES ('V-1', '{USER['id']}', 500)")
    assert differences(path, VOUCHER) == []
    assert differences(path, VOUCHER, undo(VOUCHER)) == [("vouchers", "in the database only")]


def test_the_undo_of_a_refund_is_a_payment_of_its_own(path):
    """Money that has gone out comes back as another payment; both rows stay."""
    change(path, f"INSERT INTO payments VALUES ('k1', '{seed.ref(0)}', 'refund', 1250, NULL)")
    assert differences(path, REFUND, undo(REFUND)) == [("payments", "in the journal only")]
    change(path, f"INSERT INTO payments VALUES ('k1-undo', '{seed.ref(0)}', 'reversal', 1250, 'k1')")
    assert differences(path, REFUND, undo(REFUND)) == []


def test_an_action_that_the_check_does_not_know_is_an_error(path):
    with pytest.raises(ValueError, match="upgrade"):
        books.compare([REFUND._replace(action="upgrade")], path)
