"""The way back for rows of a PostgreSQL database."""

import weakref
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from typing import Any

import psycopg

from interlock.actions.context import Ctx
from interlock.actions.way import Change, Found, Performance, RolledBackError, Touched, Way
from interlock.durations import microseconds
from interlock.errors import DeclarationError
from interlock.undo.rows import postgres_effects as effects
from interlock.undo.rows import postgres_install
from interlock.undo.rows.postgres_connections import Connection, Connections, answered, asked, exact
from interlock.undo.rows.postgres_restoring import PostgresDatabase
from interlock.undo.rows.postgres_triggers import silent
from interlock.undo.rows.restoring import restore, shown

Place = str | Callable[[Any], str]
"""Where the database is: its DSN, or a function of the agent's dependencies that returns it."""

TRIES = 5
"""How often taking back is tried where the database has chosen it to give way to others."""


class PostgresRows(Way):
    """Takes back what actions change in the rows of a PostgreSQL database, whatever library they do it with.

    Every row is captured in the database by triggers, also where a cascade or a trigger of the application changes it.
    `install` puts them there, once and again after tables were made; what is needed for the way back is written in the
    action's own transaction, to the schema `interlock`; so the effect happens exactly once.

    A function gets the connection of its effect from `connection`. It may use any other client instead: in the
    transaction that has called `interlock.begin(key, run, action)` first and calls `interlock.finish(key, result)`
    last, all is captured. An effect may change rows of every table that is covered; changes of other tables, and of
    tables themselves, are refused when it ends.

    *name* is needed where an agent has several. *keep* says how long row images are kept.

    Raises:
        DeclarationError: *keep* is not a duration.
    """

    def __init__(self, dsn: Place, *, name: str | None = None, keep: str = "30d") -> None:
        self.name = name if name is not None else "rows"
        self._place = dsn
        self._keep = microseconds(keep)
        self._connections = Connections()
        self._open: dict[str, _RowsPerformance] = {}
        self._closing = weakref.finalize(self, self._connections.close)

    def install(
        self, where: Ctx[Any] | str, *, schemas: tuple[str, ...] = ("public",), roles: tuple[str, ...] = ()
    ) -> tuple[str, ...]:
        """Make the schema `interlock` or bring it up to date, and put triggers on the ordinary tables of the schemas.

        Where they are already it changes nothing. *where* is a context or a DSN, of a role that owns the tables;
        *roles* are others that effects are performed in. Returns the tables that can't be covered: nothing tells their
        rows apart (no primary key, no unique key without nulls), or a rule rewrites what is done to them.

        Raises:
            InterlockError: the database refused, does not answer, or has what a newer Interlock installed.
        """
        dsn = where if isinstance(where, str) else self._dsn(where)
        with answered(self.name), self._connections.transaction(dsn) as connection:
            return postgres_install.install(connection, schemas, roles)

    def check(self, ctx: Ctx[Any]) -> None:
        """Look whether effects can be captured.

        Raises:
            InterlockError: Interlock is not installed in the database, or it does not answer.
        """
        with answered(self.name), self.transaction(ctx) as connection:
            postgres_install.check(connection)

    def connection(self, ctx: Ctx[Any]) -> Connection:
        """Return the connection of the effect under way; it is in a transaction, which the end of the action ends.

        Raises:
            DeclarationError: no effect with this way is under way.
            InterlockError: the database refused, or does not answer.
        """
        try:
            performance = self._open[ctx.key]
        except KeyError:
            raise DeclarationError(
                f"no effect is under way here; declare the action with @action.reversible(way=…) of {self.name!r},"
                " and ask for its connection inside of its function"
            ) from None
        with answered(self.name):
            return performance.begun()

    @contextmanager
    def performing(self, ctx: Ctx[Any], action: str) -> Generator[Performance]:
        """Enclose the carrying out of the effect `ctx.key`.

        Raises:
            RolledBackError: the block raised, and nothing has happened.
            InterlockError: whether it happened can't be said, since the database does not answer.
        """
        performance = _RowsPerformance(ctx, action, self)
        self._open[ctx.key] = performance
        try:
            with performance.transaction:
                yield performance
                performance.complete()
        except Exception as error:
            found = self.look(ctx, ctx.key)
            if found is None:
                raise RolledBackError(f"{action} failed and was rolled back: {error}") from error
            if found.result != performance.sent:
                raise  # it has happened, in a transaction that the function itself has ended
            performance.touched = found.touched
        finally:
            del self._open[ctx.key]

    def look(self, ctx: Ctx[Any], key: str) -> Found | None:
        """Return what is known of the effect, once no transaction is at it any more.

        Raises:
            InterlockError: the database refused, or does not answer.
        """
        with answered(self.name), self.transaction(ctx, effects.WAIT, key) as connection:
            return effects.found(connection, self.name, key)

    def preview(self, ctx: Ctx[Any], key: str) -> tuple[Change, ...]:
        """Return the rows that taking the effect back would restore.

        Raises:
            LostError: it can't be taken back any more.
            InterlockError: the database refused, or does not answer.
        """
        with answered(self.name), self.transaction(ctx) as connection:
            forms, rows = effects.kept(connection, key)
            exact(connection, names=any(form.names for form in forms.values()))
            return shown(PostgresDatabase(connection, forms, rows), rows)

    def take_back(self, ctx: Ctx[Any], key: str) -> Touched:
        """Restore every row that the effect `key` changed, all or none, once under `ctx.key`.

        Raises:
            ConflictError: a row is not as the effect left it, or others' rows stand against it; nothing was changed.
            LostError: it can't be taken back any more.
            InterlockError: the database refused, or does not answer.
        """
        with answered(self.name):
            for _ in range(TRIES - 1):
                try:
                    return self._take_back(ctx, key)
                except (psycopg.errors.SerializationFailure, psycopg.errors.DeadlockDetected):
                    continue  # nothing was done
            return self._take_back(ctx, key)

    def _take_back(self, ctx: Ctx[Any], key: str) -> Touched:
        with self.transaction(ctx, effects.WAIT * 2, ctx.key, key) as connection:
            done = effects.found(connection, self.name, ctx.key)
            if done is not None:
                return done.touched
            asked(connection, f"{effects.BEGIN} SET CONSTRAINTS ALL DEFERRED", (ctx.key, ctx.run, "undo", key))
            forms, rows = effects.kept(connection, key)
            exact(connection, names=any(form.names for form in forms.values()))
            with silent(connection, list(forms)):
                restore(PostgresDatabase(connection, forms, rows, ctx.key), rows)
            effects.note_undone(connection, key, ctx.key)
            changes = effects.finish(connection, ctx.key, b"null")
            return effects.touched_by(connection, self.name, *changes)

    def purge(self, ctx: Ctx[Any]) -> int:
        """Throw away the row images of effects that were kept long enough; return of how many effects.

        Raises:
            InterlockError: the database refused, or does not answer.
        """
        with answered(self.name), self.transaction(ctx) as connection:
            return effects.purge(connection, self._keep)

    def close(self) -> None:
        """Close the connections that wait for their next use."""
        self._connections.close()

    def _dsn(self, ctx: Ctx[Any]) -> str:
        return self._place(ctx.deps) if callable(self._place) else self._place

    @contextmanager
    def transaction(self, ctx: Ctx[Any], first: str = "", *args: Any) -> Generator[Connection]:
        """Have a transaction in the database, in which each statement sees what is committed by then."""
        with self._connections.transaction(self._dsn(ctx), first, args) as connection:
            yield connection


class _RowsPerformance(Performance):
    """An effect; its transaction begins when its function asks for the connection, and is left as the block is left.

    `sent` is the result with which it was finished, as far as this side can know.
    """

    def __init__(self, ctx: Ctx[Any], action: str, way: PostgresRows) -> None:
        self.transaction = ExitStack()
        self.sent: bytes | None = None
        self._ctx = ctx
        self._action = action
        self._way = way
        self._connection: Connection | None = None
        self._result: bytes | None = None

    def begun(self) -> Connection:
        """Return the connection, with the effect begun."""
        if self._connection is None:
            ctx = self._ctx
            begun = self._way.transaction(ctx, effects.BEGIN, ctx.key, ctx.run, self._action, None)
            self._connection = self.transaction.enter_context(begun)
        return self._connection

    def finish(self, result: bytes) -> None:
        """Have the effect finished with the end of the block, unless its function did so in a transaction of its own.

        Raises:
            InterlockError: the database refused, or does not answer.
        """
        done = self._way.look(self._ctx, self._ctx.key) if self._connection is None else None
        if done is not None:
            self.touched = done.touched
        else:
            self._result = result

    def complete(self) -> None:
        """Note the result, and end the transaction.

        Raises:
            InterlockError: what was done can't be captured, or the database does not answer.
        """
        if self._result is None:
            return
        with answered(self._way.name):
            connection = self.begun()
            try:
                changes = effects.finish(connection, self._ctx.key, self._result)
            except psycopg.Error:
                self.sent = self._result if connection.closed else None
                raise
            self.sent = self._result
            self.touched = effects.touched_by(connection, self._way.name, *changes)
