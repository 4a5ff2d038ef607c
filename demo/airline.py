"""The airline's systems: bookings, payments, vouchers, letters. They know keys of requests, and nothing of Interlock.

A request that changes something is one transaction and is carried out once for each key: sent again, it answers
what it answered before. `lag` is how long a request takes to arrive and its answer to come back, in seconds each:
the time in which a caller may be killed without knowing what became of it.
"""

import sqlite3
import threading
import time
from collections.abc import Generator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Self

from demo import seed

SCHEMA = Path(__file__).with_name("schema.sql")


class RefusalError(Exception):
    """The airline turns a request down; nothing has been changed."""


@dataclass(frozen=True, slots=True)
class Flight:
    """A flight and how many of its seats are free."""

    number: str
    origin: str
    destination: str
    departs: str
    free: int
    status: str


@dataclass(frozen=True, slots=True)
class Booking:
    """A booking as it stands; `refundable` is what of the price has not been paid back."""

    ref: str
    owner: str
    flight: str
    fare: str
    status: str
    paid: Decimal
    refundable: Decimal
    cancelled_by_us: bool


@dataclass(frozen=True, slots=True)
class Change:
    """A change of a booking; `key` is that of the request."""

    key: str
    ref: str
    flight: str
    status: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """Money that was paid back."""

    key: str
    ref: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Voucher:
    """A voucher, worth so many euros."""

    code: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter in the desk's inbox; a list of letters leaves the body out."""

    number: int
    sender: str
    subject: str
    body: str = ""


def create(path: Path) -> None:
    """Make the database with the rows of `seed`.

    Raises:
        sqlite3.OperationalError: there is one already.
    """
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("PRAGMA journal_mode = WAL")
        db.executescript(SCHEMA.read_text())
        for table, rows in seed.rows().items():
            if rows:
                db.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(rows[0]))})", rows)


def euros(cents: int) -> Decimal:
    """Return cents as euros."""
    return Decimal(cents).scaleb(-2)


def cents(amount: Decimal) -> int:
    """Return euros as whole cents.

    Raises:
        RefusalError: the amount has parts of a cent.
    """
    whole = amount.scaleb(2)
    if whole != whole.to_integral_value():
        raise RefusalError(f"{amount} EUR is not a whole number of cents")
    return int(whole)


class Airline:
    """The database, opened by one process; threads take turns.

    Args:
        path: Where `create` made it.
        lag: How long each way to it takes, in seconds, for a request that changes something.
    """

    def __init__(self, path: Path, *, lag: float = 0.0) -> None:
        self._lag = lag
        self._turn = threading.Lock()
        self._db = sqlite3.connect(f"{path.resolve().as_uri()}?mode=rw", uri=True, timeout=5.0, check_same_thread=False)
        self._db.isolation_level = None
        self._db.execute("PRAGMA foreign_keys = ON")
        self._db.execute("PRAGMA synchronous = NORMAL")  # a killed process loses nothing; a power cut is not shown

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()

    @contextmanager
    def _request(self) -> Generator[sqlite3.Connection]:
        """Carry out a request that changes something: its way here, one transaction, the answer's way back."""
        time.sleep(self._lag)
        with self._turn, self._db:
            self._db.execute("BEGIN IMMEDIATE")
            yield self._db
        time.sleep(self._lag)

    def _row(self, sql: str, *values: Any) -> Any:
        with self._turn:
            return self._db.execute(sql, values).fetchone()

    def _rows(self, sql: str, *values: Any) -> list[Any]:
        with self._turn:
            return self._db.execute(sql, values).fetchall()

    # looking

    def booking(self, ref: str) -> Booking:
        """Return a booking.

        Raises:
            RefusalError: there is none with this reference.
        """
        row = self._row(_BOOKING, ref)
        if row is None:
            raise RefusalError(f"there is no booking {ref!r}")
        ref, owner, flight, fare, status, flight_status, paid, refunded = row
        left = euros(paid - refunded)
        return Booking(ref, owner, flight, fare, status, euros(paid), left, flight_status == "cancelled")

    def flights(self, origin: str, destination: str) -> list[Flight]:
        """Return the flights of a route, the first to depart first."""
        found = self._rows(
            f"SELECT number, origin, destination, departs, seats - ({_TAKEN}), status FROM flights f "
            "WHERE origin = ? AND destination = ? ORDER BY departs",
            *(origin, destination),
        )
        return [Flight(*row) for row in found]

    def inbox(self, customer: str) -> list[Letter]:
        """Return the letters about a customer, without their bodies."""
        found = self._rows("SELECT number, sender, subject FROM inbox WHERE customer = ? ORDER BY number", customer)
        return [Letter(*row) for row in found]

    def letter(self, customer: str, number: int) -> Letter:
        """Return one letter about a customer.

        Raises:
            RefusalError: there is none with this number.
        """
        columns = "SELECT number, sender, subject, body FROM inbox"
        row = self._row(f"{columns} WHERE customer = ? AND number = ?", customer, number)
        if row is None:
            raise RefusalError(f"there is no letter {number} about this customer")
        return Letter(*row)

    # what became of a request

    def receipt(self, key: str) -> Receipt | None:
        """Return what a request paid back, if it did."""
        row = self._row("SELECT key, ref, cents FROM payments WHERE key = ?", key)
        return None if row is None else Receipt(row[0], row[1], euros(row[2]))

    def change(self, key: str) -> Change | None:
        """Return what a request changed, if it did."""
        row = self._row("SELECT key, ref, flight_after, status_after FROM changes WHERE key = ?", key)
        return None if row is None else Change(*row)

    def voucher(self, key: str) -> Voucher | None:
        """Return the voucher that a request issued, if it did."""
        row = self._row("SELECT code, cents FROM vouchers WHERE key = ?", key)
        return None if row is None else Voucher(row[0], euros(row[1]))

    def is_sent(self, key: str) -> bool:
        """Tell whether a request's e-mail was sent."""
        return self._row("SELECT 1 FROM outbox WHERE key = ?", key) is not None

    # changing

    def rebook(self, key: str, ref: str, flight: str) -> Change:
        """Move a booking to another flight.

        Raises:
            RefusalError: there is no such booking or flight, or no seat.
        """
        with self._request() as db:
            if not _is_known(db, "changes", key):
                _check_seat(db, flight)
                _change(db, key, ref, kind="rebooked", flight=flight, status="booked")
        return Change(key, ref, flight, "booked")

    def cancel(self, key: str, ref: str) -> Change:
        """Cancel a booking; what was paid for it is another matter.

        Raises:
            RefusalError: there is no such booking, or it is cancelled already.
        """
        with self._request() as db:
            if not _is_known(db, "changes", key):
                _change(db, key, ref, kind="cancelled", flight=None, status="cancelled")
            flight = db.execute("SELECT flight_after FROM changes WHERE key = ?", (key,)).fetchone()[0]
        return Change(key, ref, flight, "cancelled")

    def restore(self, key: str, change: str) -> None:
        """Put a booking back to where it stood before a change, unless somebody has changed it since.

        Raises:
            RefusalError: it was changed since.
        """
        with self._request() as db:
            if _is_known(db, "changes", key):
                return
            ref, flight, status, before = db.execute(
                "SELECT ref, flight_before, status_before, change_before FROM changes WHERE key = ?", (change,)
            ).fetchone()
            _log(db, key, ref, kind="restored", flight=flight, status=status)
            put_back = "UPDATE bookings SET flight = ?, status = ?, change = ? WHERE ref = ? AND change = ?"
            if not db.execute(put_back, (flight, status, before, ref, change)).rowcount:
                raise RefusalError(f"booking {ref!r} was changed again since; nothing was put back")

    def refund(self, key: str, ref: str, amount: Decimal) -> Receipt:
        """Pay back part of a booking's price, to where it came from.

        Raises:
            RefusalError: not so much is left of the price.
        """
        with self._request() as db:
            if not _is_known(db, "payments", key):
                paid, refunded = db.execute(_PAID, (ref,)).fetchone()
                if cents(amount) > paid - refunded:
                    raise RefusalError(f"of {ref!r}, only {euros(paid - refunded)} EUR are left to be refunded")
                db.execute("INSERT INTO payments VALUES (?, ?, 'refund', ?, NULL)", (key, ref, cents(amount)))
        return Receipt(key, ref, amount)

    def reverse(self, key: str, refund: str) -> None:
        """Collect again what a refund has paid back, once."""
        with self._request() as db:
            db.execute(
                "INSERT INTO payments SELECT ?, ref, 'reversal', cents, key FROM payments WHERE key = ? "
                "AND NOT EXISTS (SELECT 1 FROM payments WHERE key = ?)",
                (key, refund, key),
            )

    def issue(self, key: str, customer: str, amount: Decimal) -> Voucher:
        """Issue a voucher."""
        voucher = Voucher(f"V-{key[:8].upper()}", amount)
        with self._request() as db:
            if not _is_known(db, "vouchers", key):
                row = (key, voucher.code, customer, cents(amount))
                db.execute("INSERT INTO vouchers VALUES (?, ?, ?, ?, 'open')", row)
        return voucher

    def void(self, voucher: str) -> None:
        """Make the voucher that the request with this key issued worthless."""
        with self._request() as db:
            db.execute("UPDATE vouchers SET status = 'void' WHERE key = ?", (voucher,))

    def send(self, key: str, recipient: str, subject: str, body: str) -> None:
        """Send an e-mail."""
        with self._request() as db:
            if not _is_known(db, "outbox", key):
                db.execute("INSERT INTO outbox VALUES (?, ?, ?, ?)", (key, recipient, subject, body))


_PAID = (
    "SELECT sum(CASE kind WHEN 'charge' THEN cents ELSE 0 END) AS paid, "
    "sum(CASE kind WHEN 'refund' THEN cents WHEN 'reversal' THEN -cents ELSE 0 END) AS refunded "
    "FROM payments WHERE ref = ?1"
)
_BOOKING = (
    "SELECT b.ref, b.customer, b.flight, b.fare, b.status, f.status, paid, refunded "
    f"FROM bookings b JOIN flights f ON f.number = b.flight, ({_PAID}) WHERE b.ref = ?1"
)
_TAKEN = "SELECT count(*) FROM bookings WHERE flight = f.number AND status = 'booked'"


def _is_known(db: sqlite3.Connection, table: str, key: str) -> bool:
    return db.execute(f"SELECT 1 FROM {table} WHERE key = ?", (key,)).fetchone() is not None


def _check_seat(db: sqlite3.Connection, flight: str) -> None:
    free = f"SELECT seats - ({_TAKEN}) FROM flights f WHERE number = ? AND status = 'scheduled'"
    row = db.execute(free, (flight,)).fetchone()
    if row is None or row[0] < 1:
        raise RefusalError(f"flight {flight!r} has no seat to sell")


def _change(db: sqlite3.Connection, key: str, ref: str, *, kind: str, flight: str | None, status: str) -> None:
    """Change a booking that is not cancelled, and write down how it stood."""
    if db.execute("SELECT 1 FROM bookings WHERE ref = ? AND status = 'booked'", (ref,)).fetchone() is None:
        raise RefusalError(f"there is no booking {ref!r}, or it is cancelled")
    _log(db, key, ref, kind=kind, flight=flight, status=status)
    changed = "UPDATE bookings SET flight = ifnull(?, flight), status = ?, change = ? WHERE ref = ?"
    db.execute(changed, (flight, status, key, ref))


def _log(db: sqlite3.Connection, key: str, ref: str, *, kind: str, flight: str | None, status: str) -> None:
    db.execute(
        "INSERT INTO changes "
        "SELECT ?, ref, ?, flight, status, change, ifnull(?, flight), ? FROM bookings WHERE ref = ?",
        (key, kind, flight, status, ref),
    )
