"""The airline's systems: bookings, payments, vouchers, letters. They know nothing of Interlock.

What changes rows and nothing else (`rebook`, `cancel`, `issue`) is done on a connection whose transaction is the
caller's. Money and letters leave the house, so the airline carries such a request out by itself, in one transaction
and once for each key: sent again, it answers what it answered before.

`lag` is how long a request takes to arrive and its answer to come back, in seconds each: the time in which a caller
may be killed without knowing what became of it.
"""

import secrets
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
    """The database, opened by one process; threads take turns. `path` is where it is.

    Args:
        path: Where `create` made it.
        lag: How long each way to it takes, in seconds, for a request that changes something.
    """

    def __init__(self, path: Path, *, lag: float = 0.0) -> None:
        self.path = path
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
    def reached(self) -> Generator[None]:
        """Enclose what a request does: before it is its way here, after it the answer's way back."""
        time.sleep(self._lag)
        yield
        time.sleep(self._lag)

    @contextmanager
    def _request(self) -> Generator[sqlite3.Connection]:
        """Carry out a request in one transaction."""
        with self.reached(), self._turn, self._db:
            self._db.execute("BEGIN IMMEDIATE")
            yield self._db

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
        with self._turn:
            return _booking(self._db, ref)

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

    def is_sent(self, key: str) -> bool:
        """Tell whether a request's e-mail was sent."""
        return self._row("SELECT 1 FROM outbox WHERE key = ?", key) is not None

    # changing rows, in the caller's transaction

    @staticmethod
    def rebook(db: sqlite3.Connection, ref: str, flight: str) -> Booking:
        """Move a booking to another flight.

        Raises:
            RefusalError: there is no such booking or flight, or no seat.
        """
        _check_booked(db, ref)
        _check_seat(db, flight)
        db.execute("UPDATE bookings SET flight = ? WHERE ref = ?", (flight, ref))
        return _booking(db, ref)

    @staticmethod
    def cancel(db: sqlite3.Connection, ref: str) -> Booking:
        """Cancel a booking; what was paid for it is another matter.

        Raises:
            RefusalError: there is no such booking, or it is cancelled already.
        """
        _check_booked(db, ref)
        db.execute("UPDATE bookings SET status = 'cancelled' WHERE ref = ?", (ref,))
        return _booking(db, ref)

    @staticmethod
    def issue(db: sqlite3.Connection, customer: str, amount: Decimal) -> Voucher:
        """Issue a voucher.

        Raises:
            RefusalError: the amount has parts of a cent.
        """
        voucher = Voucher(f"V-{secrets.token_hex(4).upper()}", amount)
        db.execute("INSERT INTO vouchers VALUES (?, ?, ?)", (voucher.code, customer, cents(amount)))
        return voucher

    # what leaves the house, once for each key

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


def _booking(db: sqlite3.Connection, ref: str) -> Booking:
    row = db.execute(_BOOKING, (ref,)).fetchone()
    if row is None:
        raise RefusalError(f"there is no booking {ref!r}")
    ref, owner, flight, fare, status, flight_status, paid, refunded = row
    left = euros(paid - refunded)
    return Booking(ref, owner, flight, fare, status, euros(paid), left, flight_status == "cancelled")


def _check_booked(db: sqlite3.Connection, ref: str) -> None:
    if _booking(db, ref).status != "booked":
        raise RefusalError(f"booking {ref!r} is cancelled")


def _check_seat(db: sqlite3.Connection, flight: str) -> None:
    free = f"SELECT seats - ({_TAKEN}) FROM flights f WHERE number = ? AND status = 'scheduled'"
    row = db.execute(free, (flight,)).fetchone()
    if row is None or row[0] < 1:
        raise RefusalError(f"flight {flight!r} has no seat to sell")


def _is_known(db: sqlite3.Connection, table: str, key: str) -> bool:
    return db.execute(f"SELECT 1 FROM {table} WHERE key = ?", (key,)).fetchone() is not None
