"""The way back for rows of a SQLite database."""

import os
import sqlite3
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from interlock.actions.context import Ctx
from interlock.actions.way import Change, ConflictError, Found, LostError, Performance, RolledBackError, Touched, Way
from interlock.durations import microseconds
from interlock.errors import DeclarationError, InterlockError
from interlock.undo.rows import sqlite_effects as effects
from interlock.undo.rows.log import RowChange
from interlock.undo.rows.restoring import restore, shown
from interlock.undo.rows.sqlite_capture import LOG, net
from interlock.undo.rows.sqlite_connection import Connection
from interlock.undo.rows.sqlite_pool import Pool, Ready
from interlock.undo.rows.sqlite_restoring import SqliteDatabase, without_triggers
from interlock.undo.rows.sqlite_schema import Schema

Place = str | os.PathLike[str] | Callable[[Any], str | os.PathLike[str]]
"""Where the database is: its path, or a function of the agent's dependencies that returns it."""

_ADVICE = {
    sqlite3.SQLITE_BUSY: "others kept it locked; try again, or give a longer timeout",
    sqlite3.SQLITE_FULL: "the disk is full; free some space",
    sqlite3.SQLITE_READONLY: "it is read-only; grant the right to write",
    sqlite3.SQLITE_CANTOPEN: "it can't be opened; check that this user may write it and its directory",
    sqlite3.SQLITE_NOTADB: "it is no SQLite database; correct the path",
    sqlite3.SQLITE_CORRUPT: "it is damaged; restore a backup",
    sqlite3.SQLITE_IOERR: "the disk reported an error; check it",
}


class SqliteRows(Way):
    """Takes back what actions change in the rows of a SQLite database, whatever library they do it with.

    Every row is captured in the database by triggers, also where a cascade or a trigger of the application changes it.
    What is needed for the way back is written in the action's own transaction, to two tables of the same database
    (`interlock_effects`, `interlock_rows`); so the effect happens exactly once.

    Foreign keys are enforced in effects. A function gets the connection of its effect from `connection`; it may read
    anything and change rows of every table (not of virtual ones, such as FTS5). Changes of the schema, ATTACH and
    COMMIT are refused.

    *name* is needed where an agent has several. *keep* says how long rows are kept, *timeout* how long a lock of
    somebody else's is waited for.

    Raises:
        DeclarationError: *keep* or *timeout* is not a duration.
    """

    def __init__(self, path: Place, *, name: str | None = None, keep: str = "30d", timeout: str = "5s") -> None:
        self.name = name if name is not None else "rows"
        self._place = path
        self._keep = microseconds(keep)
        seconds = microseconds(timeout) / 1_000_000
        self._pool = Pool(seconds, foreign_keys=True)
        # Rows are put back without cascades; to switch them off and on would make SQLite prepare every statement anew.
        self._restoring = Pool(seconds, foreign_keys=False)
        self._open: dict[str, Connection] = {}

    def connection(self, ctx: Ctx[Any]) -> sqlite3.Connection:
        """Return the connection of the effect under way; it is in a transaction, which the end of the action ends.

        Its `commit` keeps what was done for that end; `rollback` goes back to the last `commit` or to the start.

        Raises:
            DeclarationError: no effect with this way is under way.
        """
        try:
            return self._open[ctx.key]
        except KeyError:
            raise DeclarationError(
                f"no effect is under way here; declare the action with @action.reversible(way=…) of {self.name!r},"
                " and ask for its connection inside of its function"
            ) from None

    @contextmanager
    def performing(self, ctx: Ctx[Any], action: str) -> Generator[Performance]:
        """Enclose the carrying out of the effect `ctx.key`.

        Raises:
            RolledBackError: the block raised, and nothing has happened.
            InterlockError: an effect was carried out under this key before, or the database can't be written.
        """
        with ExitStack() as open_until_the_end:
            try:
                ready, schema = open_until_the_end.enter_context(self._writing(ctx))
            except InterlockError as error:
                raise RolledBackError(f"{action} was not begun: {error}") from error
            handle = ready.handle
            if effects.found(handle, ctx.key) is not None:
                raise InterlockError(f"an effect was carried out under the key {ctx.key!r} before; look it up")
            performance = _RowsPerformance()
            try:
                with self._handed_out(ctx, Connection(handle, schema)):
                    yield performance
                self._complete(ready, ctx, action, performance, net(handle.rows, schema))
            except Exception as error:
                if not handle.in_transaction:
                    raise  # the end of the transaction failed; whether it took place is for `look` to say
                raise RolledBackError(f"{action} failed and was rolled back: {error}") from error

    @contextmanager
    def _handed_out(self, ctx: Ctx[Any], connection: Connection) -> Generator[None]:
        self._open[ctx.key] = connection
        try:
            yield
        finally:
            del self._open[ctx.key]
            connection.end()

    def _complete(
        self, ready: Ready, ctx: Ctx[Any], action: str, done: "_RowsPerformance", rows: Sequence[RowChange]
    ) -> None:
        """Write down what was done, and commit."""
        handle, schema = ready.handle, ready.schema
        assert schema is not None  # the transaction has begun with it
        done.touched = effects.touched(handle, schema, self.name, rows)
        kept_until = effects.now() + self._keep
        effects.write(handle, effects.Effect(ctx, action, done.result, done.touched, kept_until), rows)
        handle.own(f"DELETE FROM temp.{LOG}")  # noqa: S608 - a constant
        handle.own("COMMIT")

    def look(self, ctx: Ctx[Any], key: str) -> Found | None:
        """Return what is known of the effect, once nobody writes any more.

        Raises:
            InterlockError: the database can't be written.
        """
        with self._writing(ctx) as (ready, _):
            return effects.found(ready.handle, key)

    def preview(self, ctx: Ctx[Any], key: str) -> tuple[Change, ...]:
        """Return the rows that taking the effect back would restore.

        Raises:
            LostError: it can't be taken back any more.
            InterlockError: the database can't be written.
        """
        with self._writing(ctx) as (ready, schema):
            rows = effects.kept(ready.handle, schema, key)
            return shown(SqliteDatabase(ready.handle, schema, rows), rows)

    def take_back(self, ctx: Ctx[Any], key: str) -> Touched:
        """Restore every row that the effect `key` changed, all or none, once under `ctx.key`.

        Raises:
            ConflictError: a row is not as the effect left it, or others' rows stand against it; nothing was changed.
            LostError: it can't be taken back any more.
            InterlockError: the database can't be written.
        """
        with self._writing(ctx, self._restoring) as (ready, schema):
            handle = ready.handle
            done = effects.found(handle, ctx.key)
            if done is not None:
                return done.touched
            rows = effects.kept(handle, schema, key)
            with without_triggers(handle, rows):
                restore(SqliteDatabase(handle, schema, rows), rows)
            performance = _RowsPerformance()
            handle.own("UPDATE main.interlock_effects SET undone_by = ? WHERE key = ?", ctx.key, key)
            restored = [RowChange(row.table, row.key, row.after, row.before) for row in rows]
            self._complete(ready, ctx, "", performance, restored)
            return performance.touched

    def check(self, ctx: Ctx[Any]) -> None:
        """Look whether effects can be captured, and make the two tables where they are missing.

        Raises:
            InterlockError: the database is not there, or can't be written.
        """
        with self._writing(ctx):
            pass

    def purge(self, ctx: Ctx[Any]) -> int:
        """Delete the rows of effects that were kept long enough; return of how many effects.

        Raises:
            InterlockError: the database can't be written.
        """
        with self._writing(ctx) as (ready, _):
            purged = effects.purge(ready.handle)
            ready.handle.own("COMMIT")
            return purged

    def close(self) -> None:
        """Close the connections that wait for the next effect; they are opened again where there is one."""
        self._pool.close()
        self._restoring.close()

    @contextmanager
    def _writing(self, ctx: Ctx[Any], pool: Pool | None = None) -> Generator[tuple[Ready, Schema]]:
        """Have a transaction that writes; what the block does not commit is rolled back."""
        path = os.fspath(self._place(ctx.deps) if callable(self._place) else self._place)
        try:
            with (pool or self._pool).lent(path) as ready:
                yield ready, ready.begin()
        except (ConflictError, LostError, RolledBackError, InterlockError):
            raise
        except sqlite3.Error as error:
            code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
            advice = _ADVICE.get(code, "SQLite refused")
            raise InterlockError(f"{path}: {advice} ({error})") from error


class _RowsPerformance(Performance):
    """The mutable state: the result, and what was touched."""

    def __init__(self) -> None:
        self.result = b"null"

    def finish(self, result: bytes) -> None:
        self.result = result
