"""Connections to PostgreSQL: lent for one transaction each, and kept for the next."""

import os
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, NoReturn

from interlock.errors import DeclarationError, InterlockError

try:
    import psycopg
    from psycopg.pq import TransactionStatus
    from psycopg.rows import tuple_row
except ImportError as error:
    raise DeclarationError("rows of PostgreSQL need psycopg: pip install 'interlock[postgres]'") from error

Connection = psycopg.Connection[tuple[Any, ...]]
"""A connection in a transaction that its borrower does not end."""

Cursor = psycopg.ClientCursor[tuple[Any, ...]]
"""The answers to statements that were sent together; the first one's at first."""

IDLE = 4
"""How many connections to a database wait for their next use."""

_AS_NEW = (
    "BEGIN; SET SESSION AUTHORIZATION DEFAULT; RESET ALL; CLOSE ALL; UNLISTEN *; SELECT pg_advisory_unlock_all();"
    " DISCARD TEMP; DISCARD SEQUENCES; COMMIT;"
)

# Who waits for a lock, and then looks, has to see what was committed meanwhile.
_BEGIN = "BEGIN ISOLATION LEVEL READ COMMITTED;"

_EXACT = """
    SELECT set_config(name, value, true) FROM (VALUES
        ('DateStyle', 'ISO, YMD'), ('TimeZone', 'UTC'), ('IntervalStyle', 'postgres'), ('bytea_output', 'hex'),
        ('extra_float_digits', '3'), ('lc_monetary', 'C'), ('xmloption', 'content'), ('array_nulls', 'on'),
        ('row_security', 'off')) s(name, value)
"""


def exact(connection: Connection, *, names: bool = False) -> None:
    """Have values written and read as the triggers write them, to the end of the transaction.

    The form of a timestamp, an interval or a float depends on settings; one form makes texts comparable. That of the
    *names* of tables and types as values depends on the search path, which others' triggers may count on.
    """
    asked(connection, _EXACT + ("; SET LOCAL search_path = pg_catalog, pg_temp" if names else ""))


def asked(connection: Connection, statements: str, args: Sequence[Any] = ()) -> Cursor:
    """Run statements that are sent together: one answer is waited for, not one for each."""
    return psycopg.ClientCursor(connection, row_factory=tuple_row).execute(statements.encode(), args or None)


class _Lent(psycopg.Connection[tuple[Any, ...]]):
    """A connection in autocommit mode whose transactions are begun and ended by `Connections` alone."""

    def commit(self) -> NoReturn:
        """Refuse: it would make half an effect last.

        Raises:
            psycopg.ProgrammingError: always.
        """
        raise psycopg.ProgrammingError("no commit() here: the end of the action ends its transaction")

    def rollback(self) -> NoReturn:
        """Refuse: what came after it would not be captured.

        Raises:
            psycopg.ProgrammingError: always.
        """
        raise psycopg.ProgrammingError("no rollback() here: raise an error, and the action is rolled back")


class Connections:
    """The connections of one way that wait for use; one is used by one thread at a time.

    The mutable state: those, by the process that opened them and the address of their database. Another process that
    was forked from it has them too, but not for use, nor to be closed: the server knows of one client only.
    """

    def __init__(self) -> None:
        self._idle: dict[tuple[int, str], list[_Lent]] = {}

    @contextmanager
    def transaction(self, dsn: str, first: str = "", args: Sequence[Any] = ()) -> Generator[Connection]:
        """Lend a connection, as if it were new, in a transaction that ends with the block; `first` is run in it.

        The block may end it with its last statement.

        Raises:
            psycopg.Error: the server can't be reached, or refuses.
        """
        connection = self._begun(dsn, first, args)
        try:
            yield connection
            if connection.info.transaction_status != TransactionStatus.IDLE:
                asked(connection, "COMMIT")
        finally:
            self._put_back(dsn, connection)

    def close(self) -> None:
        """Close those that wait."""
        for (process, _), waiting in list(self._idle.items()):
            while waiting and process == os.getpid():
                waiting.pop().close()

    def _begun(self, dsn: str, first: str, args: Sequence[Any]) -> _Lent:
        waiting = self._waiting(dsn)
        while waiting:
            try:
                connection = waiting.pop()
            except IndexError:
                break  # another thread was quicker
            if self._begin(dsn, connection, f"{_AS_NEW} {_BEGIN} {first}", args):
                return connection
        connection = _Lent.connect(dsn, autocommit=True, prepare_threshold=None)
        if not self._begin(dsn, connection, f"{_BEGIN} {first}", args):
            raise psycopg.OperationalError("the server closed the connection at once")
        return connection

    def _begin(self, dsn: str, connection: _Lent, statements: str, args: Sequence[Any]) -> bool:
        """Begin; return whether the server has not given the connection up meanwhile."""
        connection.row_factory, connection.cursor_factory = tuple_row, psycopg.Cursor
        try:
            asked(connection, statements, args)
        except psycopg.Error as error:
            gone = connection.closed or isinstance(error, psycopg.errors.AdminShutdown)
            self._put_back(dsn, connection)
            if gone:
                return False
            raise
        return True

    def _put_back(self, dsn: str, connection: _Lent) -> None:
        with suppress(psycopg.Error):
            if connection.info.transaction_status in {TransactionStatus.INTRANS, TransactionStatus.INERROR}:
                asked(connection, "ROLLBACK")
        idle = connection.info.transaction_status == TransactionStatus.IDLE
        waiting = self._waiting(dsn)
        if idle and not connection.closed and connection.autocommit and len(waiting) < IDLE:
            waiting.append(connection)
        else:
            connection.close()

    def _waiting(self, dsn: str) -> list[_Lent]:
        return self._idle.setdefault((os.getpid(), dsn), [])


@contextmanager
def answered(way: str) -> Generator[None]:
    """Turn an error of the database into one sentence.

    Raises:
        InterlockError: the database refused, or does not answer.
    """
    try:
        yield
    except psycopg.errors.InsufficientPrivilege as error:
        raise InterlockError(f"{way}: the role lacks a right; grant it: {_said(error)}") from error
    except (psycopg.errors.InvalidSchemaName, psycopg.errors.UndefinedTable, psycopg.errors.UndefinedFunction) as error:
        raise InterlockError(f"{way}: Interlock is not installed in this database; call install once") from error
    except psycopg.Error as error:
        if error.sqlstate is None or error.sqlstate[:2] in {"08", "57"}:
            raise InterlockError(
                f"{way}: the database does not answer; start it, or correct its DSN: {_said(error)}"
            ) from error
        raise InterlockError(f"{way}: {_said(error)}") from error


def _said(error: psycopg.Error) -> str:
    """Return what the server said, without where in which function it said so."""
    return error.diag.message_primary or str(error).strip().partition("\n")[0] or type(error).__name__
