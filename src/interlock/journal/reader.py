"""The queries that read a SQLite journal; each is one statement, and sees all that was acknowledged."""

# ruff: noqa: S608  # queries are put together from the constants below; values are always bound

import sqlite3
from collections.abc import Sequence
from typing import Any

from interlock.journal.store import Batch, Row, RunRow, Seal, Signal, Snapshot

_RUN = "SELECT id, tenant, agent, status, wake_at, conversation, user, epoch, created_at, updated_at FROM runs "
_EVENT_COLUMNS = "e.position, r.id, e.seq, e.type, e.version, e.at, e.key, e.payload"
_EVENT = f"SELECT {_EVENT_COLUMNS} FROM events e JOIN runs r ON r.number = e.run "
_SEALED = f"SELECT {_EVENT_COLUMNS}, e.salt, e.digest, e.link FROM events e LEFT JOIN runs r ON r.number = e.run "
_SIGNAL = "SELECT s.id, r.id, s.kind, s.payload, s.at FROM signals s JOIN runs r ON r.number = s.run "
_NUMBER = "(SELECT number FROM runs WHERE id = ?)"


class Reader:
    """Reads rows over one connection; each method takes microseconds a row and leaves no transaction open."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _all(self, query: str, *values: Any) -> list[Any]:
        return self._connection.execute(query, values).fetchall()

    def _one(self, query: str, *values: Any) -> Any:
        found = self._all(query, *values)
        return found[0] if found else None

    def version(self) -> int:
        """Return a number that changes whenever another connection commits."""
        return self._one("PRAGMA data_version")[0]

    def identity(self) -> str:
        """Return the journal's random id."""
        return self._one("SELECT identity FROM journal")[0]

    def driver(self) -> str | None:
        """Return the name of who drove the journal last."""
        return self._one("SELECT driver FROM journal")[0]

    def row(self, run: str) -> RunRow | None:
        """Return the run's row."""
        found = self._one(_RUN + "WHERE id = ?", run)
        return found and RunRow(*found)

    def rows(  # noqa: PLR0917 - the contract's filters, each of which its one caller passes on
        self,
        after: str,
        limit: int,
        statuses: Sequence[str],
        tenant: str | None,
        conversation: str | None,
        user: str | None,
    ) -> list[RunRow]:
        """Return runs in the order of their ids."""
        where, values = "WHERE id > ?", [after]
        if statuses:
            where += f" AND status IN ({', '.join('?' * len(statuses))})"
            values += statuses
        for column, value in (("tenant", tenant), ("conversation", conversation), ("user", user)):
            if value is not None:
                where += f" AND {column} = ?"
                values.append(value)
        return [RunRow(*row) for row in self._all(f"{_RUN}{where} ORDER BY id LIMIT ?", *values, limit)]

    def due(self, now: int, limit: int, after: tuple[int, str]) -> list[RunRow]:
        """Return the runs that are due, the longest due first."""
        query = _RUN + "WHERE wake_at <= ? AND (wake_at, id) > (?, ?) ORDER BY wake_at, id LIMIT ?"
        return [RunRow(*row) for row in self._all(query, now, *after, limit)]

    def next_wake(self, after: int) -> int | None:
        """Return the earliest time after *after* at which a run is due."""
        return self._one("SELECT min(wake_at) FROM runs WHERE wake_at > ?", after)[0]

    def read(self, run: str, after: int, limit: int, types: Sequence[str]) -> list[Row]:
        """Return events of one run."""
        only = f"AND e.type IN ({', '.join('?' * len(types))}) " if types else ""
        query = f"{_EVENT}WHERE e.run = {_NUMBER} AND e.seq > ? {only}ORDER BY e.seq LIMIT ?"
        return [Row(*row) for row in self._all(query, run, after, *types, limit)]

    def find(self, run: str, key: str) -> Row | None:
        """Return the run's latest event with a key."""
        query = f"{_EVENT}WHERE e.run = {_NUMBER} AND e.key = ? ORDER BY e.position DESC LIMIT 1"
        found = self._one(query, run, key)
        return found and Row(*found)

    def last_seq(self, run: str) -> int:
        """Return the seq of the run's last event."""
        return self._one(f"SELECT coalesce(max(seq), 0) FROM events WHERE run = {_NUMBER}", run)[0]

    def feed(self, after: int, limit: int, types: Sequence[str]) -> list[Row]:
        """Return events of all runs."""
        only = f"AND e.type IN ({', '.join('?' * len(types))}) " if types else ""
        query = f"{_EVENT}WHERE e.position > ? {only}ORDER BY e.position LIMIT ?"
        return [Row(*row) for row in self._all(query, after, *types, limit)]

    def signals(self, after: int, limit: int, run: str | None) -> list[Signal]:
        """Return waiting signals."""
        if run is None:
            found = self._all(_SIGNAL + "WHERE s.id > ? ORDER BY s.id LIMIT ?", after, limit)
        else:
            query = f"{_SIGNAL}WHERE s.run = {_NUMBER} AND s.id > ? ORDER BY s.id LIMIT ?"
            found = self._all(query, run, after, limit)
        return [Signal(*row) for row in found]

    def blob(self, address: str) -> bytes | None:
        """Return the bytes of a blob."""
        found = self._one("SELECT bytes FROM blobs WHERE address = ?", address)
        return found and found[0]

    def snapshot(self, run: str) -> Snapshot | None:
        """Return the run's newest snapshot."""
        found = self._one(f"SELECT seq, version, state FROM snapshots WHERE run = {_NUMBER}", run)
        return found and Snapshot(*found)

    def sealed(self, after: int, limit: int) -> list[tuple[Row, Seal]]:
        """Return events with their seals; the run of an event whose run's row was torn out is ''."""
        rows = self._all(_SEALED + "WHERE e.position > ? ORDER BY e.position LIMIT ?", after, limit)
        return [(Row(row[0], row[1] or "", *row[2:8]), Seal(*row[8:])) for row in rows]

    def batches(self, after: int, limit: int) -> list[Batch]:
        """Return commits."""
        query = "SELECT number, first, last, root FROM batches WHERE number > ? ORDER BY number LIMIT ?"
        return [Batch(*row) for row in self._all(query, after, limit)]

    def last_batch(self) -> Batch | None:
        """Return the newest commit."""
        found = self._one("SELECT number, first, last, root FROM batches ORDER BY number DESC LIMIT 1")
        return found and Batch(*found)

    def next_blob(self, after: str) -> tuple[str, bytes] | None:
        """Return the blob with the next address; one at a time, since a blob may be large."""
        return self._one("SELECT address, bytes FROM blobs WHERE address > ? ORDER BY address LIMIT 1", after)
