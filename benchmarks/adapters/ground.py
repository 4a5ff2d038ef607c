"""What the tools work on: rows of a database, a folder of files, a calendar; and a record of what each change replaced.

All three are places with a text or nothing in them: `rows/prices/anvil`, `files/terms.txt`, `calendar/audit`. Each
change is recorded under the id of the request that made it, with the text before and after: what an audit table, a
file share with versions and a calendar's history keep. Nothing here knows of any framework, or of Interlock.
"""

import hashlib
import sqlite3
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

TABLES = ("customers", "orders", "prices")
FOLDERS = ("files", "calendar")
_CHANGES = "CREATE TABLE changes (request TEXT, place TEXT, before TEXT, after TEXT, result TEXT)"


class Change(NamedTuple):
    """What one request did to one place."""

    place: str
    before: str | None
    after: str | None
    result: str


class Ground:
    """The database, the files and the calendar below one folder."""

    def __init__(self, home: Path) -> None:
        self._home = home

    def make(self, content: dict[str, str]) -> None:
        """Make everything anew, with these texts in these places."""
        for place in (*(f"{folder}/-" for folder in FOLDERS), *content):
            if not place.startswith("rows/"):
                self._path(place).parent.mkdir(parents=True, exist_ok=True)
        with self._database() as db:
            for table in TABLES:
                db.execute(f"CREATE TABLE {table} (key TEXT PRIMARY KEY, value TEXT NOT NULL)")
            db.execute(_CHANGES)
            for place, text in content.items():
                self._put(db, place, text)

    def read(self, place: str) -> str | None:
        """Return the text in a place, or None where there is nothing."""
        with self._database() as db:
            return self._read(db, place)

    def rows(self, table: str) -> list[tuple[str, str]]:
        """Return keys and values of a table.

        Raises:
            LookupError: there is no such table.
        """
        with self._database() as db:
            return db.execute(f"SELECT key, value FROM {_table(table)} ORDER BY key").fetchall()

    def change(self, request: str, result: str, after: dict[str, str | None]) -> str:
        """Put texts into places, and record under the request what they replace; return *result*.

        The record is durable before a file changes, and together with a row.
        """
        with self._database() as db:
            db.execute("BEGIN IMMEDIATE")
            for place, text in after.items():
                record = (request, place, self._read(db, place), text, result)
                db.execute("INSERT INTO changes VALUES (?, ?, ?, ?, ?)", record)
            self._put_all(db, after, rows=True)
        with self._database() as db:
            self._put_all(db, after, rows=False)
        return result

    def changes(self, request: str) -> list[Change]:
        """Return what a request did, or was about to do, in order."""
        with self._database() as db:
            found = db.execute("SELECT place, before, after, result FROM changes WHERE request = ?", (request,))
            return [Change(*row) for row in found]

    def requests(self) -> int:
        """Return how many requests have changed something."""
        with self._database() as db:
            return db.execute("SELECT count(DISTINCT request) FROM changes").fetchone()[0]

    def hashes(self) -> dict[str, str]:
        """Return the sha256 of all rows, of all files by name and bytes, and of the calendar."""
        rows = (f"{table}/{key}={value!r}" for table in TABLES for key, value in self.rows(table))
        trees = {folder: _sha256(_tree(self._home / folder)) for folder in FOLDERS}
        return {"database": _sha256(rows), **trees}

    def _put_all(self, db: sqlite3.Connection, after: dict[str, str | None], *, rows: bool) -> None:
        for place, text in after.items():
            if place.startswith("rows/") == rows:
                self._put(db, place, text)

    def _read(self, db: sqlite3.Connection, place: str) -> str | None:
        kind, _, rest = place.partition("/")
        if kind != "rows":
            path = self._path(place)
            return path.read_text() if path.is_file() else None
        table, _, key = rest.partition("/")
        row = db.execute(f"SELECT value FROM {_table(table)} WHERE key = ?", (key,)).fetchone()
        return row[0] if row else None

    def _put(self, db: sqlite3.Connection, place: str, text: str | None) -> None:
        kind, _, rest = place.partition("/")
        table, _, key = rest.partition("/")
        match kind, text:
            case "rows", None:
                db.execute(f"DELETE FROM {_table(table)} WHERE key = ?", (key,))
            case "rows", str(value):
                db.execute(f"INSERT OR REPLACE INTO {_table(table)} VALUES (?, ?)", (key, value))
            case _, None:
                self._path(place).unlink(missing_ok=True)
            case _, str(content):
                self._replace(self._path(place), content)

    def _replace(self, path: Path, content: str) -> None:
        """Write elsewhere and rename: a kill leaves the old content or the new, never a part."""
        if not path.parent.is_dir():
            raise LookupError(f"there is no folder {path.parent.name!r}")
        written = self._home / uuid4().hex
        written.write_text(content)
        written.replace(path)

    def _path(self, place: str) -> Path:
        kind, _, name = place.partition("/")
        folder = (self._home / kind).resolve()
        path = (folder / name).resolve()
        if kind not in FOLDERS or not path.is_relative_to(folder) or path == folder:
            raise LookupError(f"there is no place {place!r}")
        return path

    @contextmanager
    def _database(self) -> Generator[sqlite3.Connection]:
        """Open the database for one transaction: tools are called from any thread."""
        db = sqlite3.connect(self._home / "desk.db", timeout=30)
        try:
            with db:
                yield db
        finally:
            db.close()


def _table(name: str) -> str:
    if name not in TABLES:
        raise LookupError(f"there is no table {name!r}; there are {', '.join(TABLES)}")
    return name


def _tree(folder: Path) -> Iterable[str]:
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        yield f"{name}/" if path.is_dir() else f"{name} {hashlib.sha256(path.read_bytes()).hexdigest()}"


def _sha256(lines: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
