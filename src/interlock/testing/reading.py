"""Reading a journal in memory without an event loop: assertions needn't be awaited, and nobody forgets to."""

from collections.abc import Coroutine
from typing import Any, TypeVar

from interlock.journal.journal import Journal
from interlock.journal.memory import MemoryStore
from interlock.journal.redact import Redactor
from interlock.kernel.events import Recorded
from interlock.kernel.state import State

T = TypeVar("T")

ALL = 1 << 40
"""More than there are."""


class Reader:
    """What a `MemoryStore` holds now, whether it is still open or not."""

    def __init__(self, store: MemoryStore) -> None:
        self.store = store.fork()
        self._journal = Journal(self.store, Redactor())

    def run_ids(self) -> list[str]:
        """Return the ids of all runs, in their order."""
        return [row.id for row in at_once(self.store.rows(limit=ALL))]

    def history(self, run: str) -> list[Recorded]:
        """Return everything that happened in a run, in order."""
        return at_once(self._journal.history(run))

    def histories(self) -> dict[str, list[Recorded]]:
        """Return everything that happened, by run."""
        return {run: self.history(run) for run in self.run_ids()}

    def state(self, run: str) -> State:
        """Return the folded state of a run.

        Raises:
            UnknownRunError: there is no such run.
        """
        return at_once(self._journal.state(run))


def at_once(work: Coroutine[Any, Any, T]) -> T:
    """Return what *work* returns: it reads a `MemoryStore`, which never has to wait for that.

    Raises:
        RuntimeError: it had to wait after all.
    """
    try:
        work.send(None)
    except StopIteration as returned:
        return returned.value
    work.close()
    raise RuntimeError("it had to wait: only what reads a MemoryStore can be had at once")
