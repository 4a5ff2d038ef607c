"""The check at the end: does the database hold exactly what the journal says? Built without `airline.py`.

The rows of `seed` and the effects that the journal calls done give, by the few lines below, every row that has to
be there. Each table is then compared row by row with the database.
"""

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

from demo import seed
from demo.journaled import Effect
from demo.seed import Row

Tables = dict[str, set[Row]]


RESTORED = ("rebook", "cancel_booking", "issue_voucher")
"""Of these an undo leaves the row as it stood before; the others' undo is an effect of its own."""


class Difference(NamedTuple):
    """A row that only one of the two has."""

    table: str
    row: Row
    where: str


class Comparison(NamedTuple):
    """How many rows were compared in each table, and what differs."""

    rows: dict[str, int]
    differences: list[Difference]


def compare(effects: Iterable[Effect], path: Path) -> Comparison:
    """Hold what must be there against what is."""
    expected, actual = _expected(effects), _actual(path)
    differences = [
        Difference(table, row, where)
        for table in expected
        for where, rows in (
            ("in the journal only", expected[table] - actual[table]),
            ("in the database only", actual[table] - expected[table]),
        )
        for row in sorted(rows, key=str)
    ]
    return Comparison({table: len(rows) for table, rows in actual.items()}, differences)


def _actual(path: Path) -> Tables:
    with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as db:
        return {table: set(db.execute(f"SELECT * FROM {table}")) for table in seed.rows()}


def _expected(effects: Iterable[Effect]) -> Tables:
    tables = {table: {row[0]: row for row in rows} for table, rows in seed.rows().items()}
    stood: dict[str, tuple[str, str, Row | None]] = {}
    for effect in effects:
        if effect.undoes and effect.action in RESTORED:
            table, name, row = stood[effect.undoes]
        else:
            table, row = _row(effect, tables)
            name = row[0]
        stood[effect.key] = table, name, tables[table].pop(name, None)
        if row is not None:
            tables[table][name] = row
    return {table: set(rows.values()) for table, rows in tables.items()}


def _row(effect: Effect, tables: dict[str, dict[str, Row]]) -> tuple[str, Row]:
    """Return the row that one effect adds or replaces, and its table; the first column of each table is its key."""
    args, key, undoes = effect.args, effect.key, effect.undoes
    match effect.action, bool(undoes):
        case "refund", False:
            return "payments", (key, args["ref"], "refund", _cents(args["amount"]), None)
        case "refund", True:
            return "payments", (key, args["ref"], "reversal", _cents(args["amount"]), undoes)
        case "issue_voucher", False:
            return "vouchers", (effect.result["code"], effect.user["id"], _cents(args["amount"]))
        case "send_email", False:
            return "outbox", (key, args["recipient"], args["subject"], args["body"])
        case "rebook", False:
            ref, customer, _, fare, _ = tables["bookings"][args["ref"]]
            return "bookings", (ref, customer, args["flight"], fare, "booked")
        case "cancel_booking", False:
            return "bookings", (*tables["bookings"][args["ref"]][:4], "cancelled")
        case action, _:
            raise ValueError(f"nobody has said which rows {action!r} changes")


def _cents(amount: str) -> int:
    return int(Decimal(amount) * 100)
