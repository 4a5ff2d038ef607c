"""The airline's world: flights, reservations and users, as the desk's API changes them.

Nothing in here is changed in place: a write puts a new record where the old one was. A copy of the world is therefore
three copied tables, and what stood there before is at hand when something is taken back.
"""

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, cast

Record = dict[str, Any]
Table = dict[str, Record]

DESK_TIME = "2024-05-15T15:00:00"
"""What time it is at the desk, always: the first line of the policy document."""


class Before(NamedTuple):
    """What one write replaced: a reservation, its note in `sold` and a user; None where there was none."""

    reservation_id: str
    reservation: Record | None
    sold: str | None
    user_id: str
    user: Record | None


@dataclass(slots=True)
class World:
    """The three tables, and the desk's own notes on what was done since the conversation began.

    `sold` is the cabin that a change of flights sold: the API does not write it into the reservation. `before` is what
    each write replaced, by its key.
    """

    flights: Table
    reservations: Table
    users: Table
    sold: dict[str, str] = field(default_factory=dict[str, str])
    before: dict[str, Before] = field(default_factory=dict[str, Before])

    def copy(self) -> "World":
        """Return a world of its own; the records are shared, as nobody changes one."""
        return World(
            self.flights,
            dict(self.reservations),
            dict(self.users),
            dict(self.sold),
            dict(self.before),
        )

    @property
    def changed(self) -> frozenset[str]:
        """The reservations that were there at the start and were changed or cancelled since."""
        return frozenset(one.reservation_id for one in self.before.values() if one.reservation is not None)

    def cabin(self, reservation_id: str) -> str:
        """Return the cabin of a reservation: the one that was sold last."""
        return self.sold.get(reservation_id) or self.reservations[reservation_id]["cabin"]

    def put(self, key: str, reservation: Record | None, user_id: str, user: Record | None = None) -> None:
        """Write a reservation, a user, or both, and remember under *key* what was there."""
        name = reservation["reservation_id"] if reservation is not None else ""
        kept = self.users.get(user_id) if user is not None else None
        self.before[key] = Before(name, self.reservations.get(name), self.sold.get(name), user_id, kept)
        if reservation is not None:
            self.reservations[name] = reservation
        if user is not None:
            self.users[user_id] = user

    def restore(self, key: str) -> None:
        """Put back what the write of *key* replaced; once is as good as twice."""
        before = self.before.pop(key, None)
        if before is None:
            return
        _put_back(self.reservations, before.reservation_id, before.reservation)
        _put_back(self.sold, before.reservation_id, before.sold)
        if before.user is not None:
            self.users[before.user_id] = before.user

    def digest(self) -> str:
        """Return the SHA-256 of the world as the recordings' own harness computes it.

        Mappings become sorted pairs and lists tuples; the text of the whole is hashed.
        """
        tables = {"flights": self.flights, "reservations": self.reservations, "users": self.users}
        return hashlib.sha256(str(_hashable(tables)).encode()).hexdigest()


def _put_back(table: dict[str, Any], name: str, value: Any) -> None:
    if value is None:
        table.pop(name, None)
    else:
        table[name] = value


def _hashable(value: Any) -> Any:
    if isinstance(value, dict):
        pairs = cast("dict[str, Any]", value)
        return tuple((key, _hashable(pairs[key])) for key in sorted(pairs))
    if isinstance(value, list):
        return tuple(_hashable(each) for each in cast("list[Any]", value))
    return value


def load(folder: Path) -> World:
    """Read the world at the start from `db/*.json` below *folder*.

    Raises:
        FileNotFoundError: one of the three tables is missing.
    """
    tables = {name: json.loads((folder / "db" / f"{name}.json").read_text()) for name in _TABLES}
    return World(**tables)


_TABLES = ("flights", "reservations", "users")
