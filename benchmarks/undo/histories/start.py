"""What the bank holds before a history begins."""

from typing import Any

from benchmarks.undo.histories.schema import BY_NAME

Row = tuple[Any, ...]

PLACES = ("1A", "1B", "1C", "2A", "2B", "2C")
FLIGHTS = (("LH1", 1), ("LH1", 2), ("AF7", 1), ("BA9", 3), ("KL4", 5))
TAKEN = {("LH1", 1, "1A"): "B01", ("LH1", 1, "1B"): "B01", ("AF7", 1, "1A"): "B02", ("BA9", 3, "2C"): "B04"}
OWNERS = {"B01": 2, "B02": 3, "B03": 4, "B04": 5, "B05": 6, "B06": 7, "B07": 8, "B08": 8}

START: dict[str, list[Row]] = {
    "customers": [(1, "desk@x.org", "The airline", "gold", 0, None, None)]
    + [
        (n, f"c{n}@x.org", f"Customer {n}", "basic", list(OWNERS.values()).count(n), n / 10, n - 1 if n % 2 else None)
        for n in range(2, 11)
    ],
    "accounts": [(n, f"DE{n:02}", 1 + n % 10, 1000 * n) for n in range(1, 15)],
    "flights": [
        (code, day, len(PLACES) - sum(key[:2] == (code, day) for key in TAKEN), 100 + day) for code, day in FLIGHTS
    ],
    "bookings": [(ref, owner, "open", 200, bytes([owner, 0, 255])) for ref, owner in OWNERS.items()],
    "seats": [(code, day, seat, TAKEN.get((code, day, seat))) for code, day in FLIGHTS for seat in PLACES],
    "passengers": [(ref, n, f"Guest {n} of {ref}", f"P{ref}{n}") for ref in OWNERS for n in range(1, 3)],
    "hotels": [(n, f"Hotel {n}", 10 * n) for n in range(1, 6)],
    "stays": [(1, 1, "B01", 3), (2, 2, "B02", 1), (3, 3, "B03", 2), (4, 1, "B05", 7)],
    "transfers": [(n, n, n + 1, 10 * n, None if n % 2 else "rent") for n in range(1, 7)],
    "vouchers": [(f"V{n}", n + 1, f"B0{n}" if n < 4 else None, n / 3, 1) for n in range(1, 7)],
    "staff": [(1, "Ada", 1, "d1"), (2, "Bea", 1, "d2"), (3, "Cy", 2, "d3"), (4, "Dan", 2, None), (5, "Eve", 1, "d5")],
    "audit": [(1, "opened", "desk", None), (2, "opened", "bank", "€ ' \"")],
}

HIGHEST = {name: max(row[0] for row in rows) for name, rows in START.items() if BY_NAME[name].columns.get("id")}
"""The highest key of each table whose keys the database makes."""
