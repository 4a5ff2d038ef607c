"""One transaction of the SQLite store: checks what waits against where the runs stand, writes it at once.

Requests are planned in Python first, and rows are written by few statements with many rows each: every
statement gives up the interpreter's lock and must win it back from a busy event loop, so that a statement a
row would starve.
"""

import os
import sqlite3
from collections.abc import Sequence
from functools import cache
from typing import Any

import msgspec
from msgspec import Struct

from interlock.errors import UnknownRunError
from interlock.journal.chain import SALT_BYTES, link, payload_digest, root
from interlock.journal.fence import Tip, check
from interlock.journal.known import Known
from interlock.journal.store import Entry, RunRow


class Claim(Struct, frozen=True):
    """Raise the epoch of a run; the answer is the new one."""

    run: str


class Post(Struct, frozen=True):
    """Put a signal into a run's inbox; the answer is its id."""

    run: str
    kind: str
    payload: bytes
    at: int
    token: str | None


class Own(Struct, frozen=True):
    """Write down who drives the journal's runs; the answer is 0."""

    owner: str


class Look(Struct, frozen=True):
    """Ask whether another connection has committed since the last look; the answer is 0 or 1."""


Request = Entry | Claim | Post | Own | Look

_CHUNKS = (512, 128, 32)
"""How many rows one statement inserts; what is left is inserted by one of just its size, compiled once."""

_UPDATE_RUN = """
    ON CONFLICT (number) DO UPDATE SET tenant = excluded.tenant, agent = excluded.agent, status =
    excluded.status, wake_at = excluded.wake_at, conversation = excluded.conversation, user = excluded.user,
    updated_at = max(excluded.updated_at, updated_at)
"""


class Transaction:
    """What one transaction will write, gathered request by request."""

    def __init__(self, connection: sqlite3.Connection, known: Known, rows: int) -> None:
        self._connection = connection
        self._known = known
        self._first = known.marks.position + 1
        self._salts = os.urandom(SALT_BYTES * rows)
        self._events: list[Any] = []
        self._links: list[bytes] = []
        self._runs: dict[int, tuple[Any, ...]] = {}
        self._claims: dict[int, int] = {}
        self._signals: list[Any] = []
        self._tokens: dict[tuple[int, str], int] = {}
        self._consumed: list[tuple[int, int]] = []
        self._blobs: dict[str, bytes] = {}
        self._snapshots: dict[int, tuple[Any, ...]] = {}
        self._owners: list[str] = []

    def take(self, request: Request) -> int:
        """Add *request*, or refuse it alone by raising, and return the answer that holds once committed."""
        if isinstance(request, Entry):
            return self._append(request)
        if isinstance(request, Post):
            return self._post(request)
        if isinstance(request, Claim):
            return self._claim(request)
        if isinstance(request, Own):
            self._owners.append(request.owner)
        return 0

    def _append(self, entry: Entry) -> int:
        known = self._known
        tip = known.tip(entry.run)
        check(entry, tip)
        if tip is None:
            tip = Tip(known.marks.runs + 1)
            self._chain(entry, tip)
            known.marks.runs += 1
            known.remember(entry.run, tip)
        else:
            self._chain(entry, tip)
        if entry.row is not None:
            self._runs[tip.number] = self._run(entry, entry.row, tip)
        if entry.consumes or entry.blobs or entry.snapshot is not None:
            self._add_sides(entry, tip)
        return known.marks.position

    def _chain(self, entry: Entry, tip: Tip) -> None:
        run, number, seq, here, salts = entry.run, tip.number, tip.seq, tip.link, self._salts
        position, taken = self._known.marks.position, len(self._links) * SALT_BYTES
        values: list[Any] = []
        links: list[bytes] = []
        for draft in entry.drafts:
            seq += 1
            position += 1
            salt = salts[taken : taken + SALT_BYTES]
            taken += SALT_BYTES
            type_, version, at, payload, key = draft.type, draft.version, draft.at, draft.payload, draft.key
            digest = payload_digest(salt, payload)
            here = link(here, digest, run, seq, type_, version, at, key)
            links.append(here)
            values += (position, number, seq, type_, version, at, key, payload, salt, digest, here)
        # Only now, when nothing can fail any more: a refused entry leaves no trace.
        self._events += values
        self._links += links
        self._known.marks.position = position
        tip.seq, tip.link = seq, here

    def _run(self, entry: Entry, row: RunRow, tip: Tip) -> tuple[Any, ...]:
        created, updated = (entry.drafts[0].at, entry.drafts[-1].at) if entry.drafts else (0, 0)
        if tip.number in self._runs:
            *_, created, before = self._runs[tip.number]
            updated = max(updated, before)
        return (
            tip.number, entry.run, row.tenant, row.agent, row.status, row.wake_at, row.conversation, row.user,
            tip.epoch, created, updated,
        )  # fmt: skip

    def _add_sides(self, entry: Entry, tip: Tip) -> None:
        self._consumed += [(signal, tip.number) for signal in entry.consumes]
        for address, data in entry.blobs:
            self._blobs[address] = data
        if entry.snapshot is not None:
            self._snapshots[tip.number] = (tip.number, *msgspec.structs.astuple(entry.snapshot))

    def _existing(self, run: str) -> Tip:
        tip = self._known.tip(run)
        if tip is None:
            raise UnknownRunError(f"no run {run!r} in this journal")
        return tip

    def _claim(self, claim: Claim) -> int:
        tip = self._existing(claim.run)
        tip.epoch += 1
        self._known.marks.claims += 1
        self._claims[tip.number] = tip.epoch
        return tip.epoch

    def _post(self, post: Post) -> int:
        number = self._existing(post.run).number
        if post.token is not None:
            waiting = self._tokens.get((number, post.token)) or self._waiting(number, post.token)
            if waiting:
                return waiting
        self._known.marks.signals += 1
        signal = self._known.marks.signals
        if post.token is not None:
            self._tokens[number, post.token] = signal
        self._signals += (signal, number, post.kind, post.payload, post.at, post.token)
        return signal

    def _waiting(self, number: int, token: str) -> int:
        query = "SELECT id FROM signals WHERE run = ? AND token = ?"
        found = self._connection.execute(query, (number, token)).fetchone()
        return found[0] if found else 0

    def write(self) -> None:
        """Write what was gathered inside the open transaction."""
        execute = self._connection.execute
        if self._runs:
            values = [value for row in self._runs.values() for value in row]
            _insert(self._connection, "INSERT INTO runs", 11, values, _UPDATE_RUN)
        if self._links:
            self._write_events()
        for number, epoch in self._claims.items():
            execute("UPDATE runs SET epoch = ? WHERE number = ?", (epoch, number))
        if self._claims:
            execute("UPDATE journal SET claims = ?", (self._known.marks.claims,))
        if self._signals or self._consumed:
            self._write_signals()
        if self._blobs:
            values = [value for item in self._blobs.items() for value in item]
            _insert(self._connection, "INSERT OR IGNORE INTO blobs", 2, values)
        if self._snapshots:
            values = [value for row in self._snapshots.values() for value in row]
            _insert(self._connection, "INSERT OR REPLACE INTO snapshots", 4, values)
        for owner in self._owners:
            execute("UPDATE journal SET driver = ?", (owner,))

    def _write_events(self) -> None:
        marks = self._known.marks
        marks.batch += 1
        marks.root = root(marks.root, marks.batch, self._first, self._links)
        _insert(self._connection, "INSERT INTO events", 11, self._events)
        row = (marks.batch, self._first, marks.position, marks.root)
        self._connection.execute("INSERT INTO batches VALUES (?, ?, ?, ?)", row)

    def _write_signals(self) -> None:
        _insert(self._connection, "INSERT INTO signals", 6, self._signals)
        if self._consumed:
            self._connection.execute(
                "DELETE FROM signals WHERE id IN (SELECT s.id FROM json_each(?) AS j CROSS JOIN signals AS s "
                "WHERE s.id = json_extract(j.value, '$[0]') AND s.run = json_extract(j.value, '$[1]'))",
                (msgspec.json.encode(self._consumed).decode(),),
            )


def _insert(connection: sqlite3.Connection, into: str, columns: int, values: Sequence[Any], tail: str = "") -> None:
    done, total = 0, len(values) // columns
    while done < total:
        left = total - done
        chunk = next((size for size in _CHUNKS if size <= left), left)
        connection.execute(_statement(into, columns, chunk, tail), values[done * columns : (done + chunk) * columns])
        done += chunk


@cache
def _statement(into: str, columns: int, rows: int, tail: str) -> str:
    row = f"({', '.join('?' * columns)})"
    return f"{into} VALUES {', '.join([row] * rows)} {tail}"
