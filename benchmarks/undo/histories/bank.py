"""The bank's database, whichever it is: begun anew, dumped in exact texts, edited by others, worked on by actions."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import Any

from interlock import Ctx
from interlock.undo import Way

Key = tuple[str, tuple[str | None, ...]]
"""A row: its table, and the exact texts of its key."""

Dump = dict[Key, tuple[str | None, ...]]
"""The exact texts of every column of every row; None is null."""

Statement = tuple[str, Sequence[Any]]


class Bank(ABC):
    """A database with the 12 tables; `way` is how Interlock takes back what is done in it, `restoring` its steps."""

    name: str
    way: Way
    restoring: type[Any]

    @abstractmethod
    def begin(self) -> None:
        """Make it hold what it holds before a history, and nothing that Interlock kept."""

    @abstractmethod
    def dump(self) -> Dump:
        """Return all rows of the application."""

    @abstractmethod
    def edit(self, statements: Iterable[Statement]) -> None:
        """Do what somebody else does, in one transaction on a connection of their own.

        Raises:
            RefusedByDatabaseError: a constraint stands against it; nothing was changed.
        """

    @abstractmethod
    def work(self, ctx: Ctx[Any], sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """Execute one statement of an action; `?` stands for a value. Return the rows that it returns."""

    @abstractmethod
    def close(self) -> None:
        """Let go of it."""


class RefusedByDatabaseError(Exception):
    """What somebody else wanted to do is against a constraint."""
