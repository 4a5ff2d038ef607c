"""A ledger, and one action on it that changes five rows; with capture and without, the function is the same."""

from collections.abc import Callable
from typing import Any, Protocol

from interlock import Action, Ctx, action
from interlock.actions.way import Way

ACCOUNTS = 1_000
ROWS = 5

TABLES = """
CREATE TABLE accounts (id INTEGER PRIMARY KEY, owner TEXT NOT NULL, balance INTEGER NOT NULL);
CREATE TABLE transfers (
    id INTEGER PRIMARY KEY, source INTEGER NOT NULL REFERENCES accounts, target INTEGER NOT NULL REFERENCES accounts,
    amount INTEGER NOT NULL, memo TEXT
);
CREATE TABLE entries (
    transfer INTEGER NOT NULL REFERENCES transfers, account INTEGER NOT NULL REFERENCES accounts,
    amount INTEGER NOT NULL, PRIMARY KEY (transfer, account)
);
"""

Statement = tuple[str, tuple[Any, ...]]


class Ledger(Protocol):
    """A database with the ledger's tables."""

    def captured(self, ctx: Ctx[Any]) -> Any:
        """Return the way's connection of the effect under way."""
        ...

    def plain(self, statements: list[Statement]) -> None:
        """Execute statements in one transaction on a connection that nothing captures."""
        ...

    def sql(self, text: str) -> str:
        """Return a statement as this database's client wants it."""
        ...


def statements(number: int) -> list[Statement]:
    """Return what one transfer is: five statements, of one row each."""
    source, target = number * 2 % ACCOUNTS + 1, (number * 2 + 1) % ACCOUNTS + 1
    return [
        ("INSERT INTO transfers VALUES (?, ?, ?, 5, 'rent')", (number, source, target)),
        ("UPDATE accounts SET balance = balance - 5 WHERE id = ?", (source,)),
        ("UPDATE accounts SET balance = balance + 5 WHERE id = ?", (target,)),
        ("INSERT INTO entries VALUES (?, ?, -5)", (number, source)),
        ("INSERT INTO entries VALUES (?, ?, 5)", (number, target)),
    ]


def transfer(ctx: Ctx[Ledger], number: int) -> int:
    """Move money; Interlock captures what changes."""
    connection = ctx.deps.captured(ctx)
    for sql, values in statements(number):
        connection.execute(ctx.deps.sql(sql), values)
    return number


@action.reversible
def transfer_plainly(ctx: Ctx[Ledger], number: int) -> int:
    """Move money; its undo is written by hand."""
    ctx.deps.plain(statements(number))
    return number


@transfer_plainly.undo
def _(ctx: Ctx[Ledger], done: int, number: int) -> None:
    raise NotImplementedError("what is measured is never taken back")


def raised(ctx: Ctx[Ledger], accounts: int) -> int:
    """Change many rows at once."""
    ctx.deps.captured(ctx).execute(ctx.deps.sql("UPDATE accounts SET balance = balance + 1 WHERE id <= ?"), (accounts,))
    return accounts


def declared(way: Way, function: Callable[..., Any]) -> Action[Any, Any, Any]:
    """Return a function as an action whose effects the way takes back."""
    return action.reversible(way=way)(function)
