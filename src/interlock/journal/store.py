"""What every store of a journal can do; one contract suite tests `SqliteStore` and `MemoryStore`.

A store knows rows of bytes, never events: `Journal` (journal.py) puts the meaning in. All times are integers,
microseconds since the Unix epoch, UTC. Positions are global, start at 1 and have no gaps; sequence numbers
(`seq`) are per run, start at 1 and have no gaps either.
"""

from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from msgspec import Struct


class Draft(Struct, frozen=True, gc=False):
    """An event on its way in; `key` is the key of the call that it closes, where it closes one."""

    type: str
    version: int
    at: int
    payload: bytes
    key: str | None = None


class Row(Struct, frozen=True, gc=False):
    """An event as it is stored; `payload` is None where it was erased."""

    position: int
    run: str
    seq: int
    type: str
    version: int
    at: int
    key: str | None
    payload: bytes | None


class Seal(Struct, frozen=True, gc=False):
    """What makes a row tamper-evident: its salt (None once erased), salted digest and link of the chain."""

    salt: bytes | None
    digest: bytes
    link: bytes


class Batch(Struct, frozen=True, gc=False):
    """One commit: the positions that it holds and its root, chained to the root of the batch before."""

    number: int
    first: int
    last: int
    root: bytes


class RunRow(Struct, frozen=True, gc=False):
    """The row of a run: the truth about who it is for, what it waits for and when it is due.

    `wake_at` is when the run must be looked at again (None: only a signal wakes it). `epoch` counts its
    drivers.
    """

    id: str
    tenant: str
    agent: str
    status: str
    wake_at: int | None = None
    conversation: str | None = None
    user: str | None = None
    epoch: int = 0
    created_at: int = 0
    updated_at: int = 0


class Snapshot(Struct, frozen=True, gc=False):
    """A folded state as of `seq`, tagged with the fold's version; a cache that may be dropped at any time."""

    seq: int
    version: int
    state: bytes


class Signal(Struct, frozen=True, gc=False):
    """Something that happened outside a run (message, decision, cancel), waiting in its inbox by `id`."""

    id: int
    run: str
    kind: str
    payload: bytes
    at: int


class Entry(Struct, frozen=True, gc=False):
    """One append: all of it becomes durable in one transaction, or none of it.

    `expected` is the seq of the last event that the writer knows of (0: the run is new, and `row` must be
    given). `row`, where given, replaces the run's row (its `epoch`, `created_at` and `updated_at` are the
    store's business). `consumes` are ids of signals that the events account for; they leave the inbox.
    `blobs` are (address, bytes) pairs, addressed by `blob_address` of their bytes.
    """

    run: str
    epoch: int
    expected: int
    drafts: Sequence[Draft]
    row: RunRow | None = None
    consumes: Sequence[int] = ()
    blobs: Sequence[tuple[str, bytes]] = ()
    snapshot: Snapshot | None = None


class Store(Protocol):
    """An append-only, hash-chained log of rows with the runs, signals, blobs and snapshots beside it.

    Whatever a method acknowledged by returning survives a kill of the process and a power cut. Every method
    may raise `JournalUnavailableError`, and then nothing of what it was asked to write was kept.
    """

    async def drive(self, owner: str) -> None:
        """Become the one process that drives this journal's runs until `close`.

        Raises:
            DriverConflictError: another live process drives it; the message names its owner.
        """
        ...

    async def claim(self, run: str) -> int:
        """Raise the run's epoch durably and return it; every earlier writer of it is refused from now on.

        Raises:
            UnknownRunError: there is no such run.
        """
        ...

    async def append(self, entry: Entry) -> int:
        """Make *entry* durable and return the position of its last event.

        Without events, it is the last position there is.

        A new run (`expected == 0`) starts at epoch 1, and its entry says so.

        Raises:
            StaleWriterError: the run's epoch or last seq is not what the entry expects; nothing was kept.
        """
        ...

    async def row(self, run: str) -> RunRow | None:
        """Return the run's row, or None."""
        ...

    async def rows(
        self,
        *,
        statuses: Sequence[str] = (),
        tenant: str | None = None,
        conversation: str | None = None,
        user: str | None = None,
        after: str = "",
        limit: int = 1000,
    ) -> list[RunRow]:
        """Return runs in the order of their ids, after the id *after*; no statuses means all, None likewise."""
        ...

    async def due(self, now: int, limit: int, after: tuple[int, str] = (-1, "")) -> list[RunRow]:
        """Return the runs whose `wake_at` is at or before *now*, the longest due first, then by id.

        *after* is the (wake_at, id) of the last run that an earlier call returned: what comes behind it.
        """
        ...

    async def next_wake(self, after: int = -1) -> int | None:
        """Return the earliest `wake_at` of all runs that is later than *after*, or None."""
        ...

    async def read(self, run: str, after: int = 0, limit: int = 1000, types: Sequence[str] = ()) -> list[Row]:
        """Return up to *limit* events of a run with seq > *after*, in order; only of *types* where given."""
        ...

    async def find(self, run: str, key: str) -> Row | None:
        """Return the run's latest event that carries *key*, or None."""
        ...

    async def last_seq(self, run: str) -> int:
        """Return the seq of the run's last event, 0 where it has none."""
        ...

    async def feed(self, after: int = 0, limit: int = 1000, types: Sequence[str] = ()) -> list[Row]:
        """Return up to *limit* events of all runs with position > *after*, in order; only of *types* where given."""
        ...

    async def signal(self, run: str, kind: str, payload: bytes, at: int, token: str | None = None) -> int:
        """Put a signal into the run's inbox, durably, and return its id; any process may.

        A *token* makes it idempotent: while a signal with the same token waits in this run's inbox, its id is
        returned.

        Raises:
            UnknownRunError: there is no such run.
        """
        ...

    async def signals(self, *, run: str | None = None, after: int = 0, limit: int = 1000) -> list[Signal]:
        """Return the waiting signals with id > *after*, of one run or of all, in order."""
        ...

    async def moved(self) -> bool:
        """Return whether another process has written since the last call (or since the store was opened)."""
        ...

    async def blob(self, address: str) -> bytes | None:
        """Return the bytes at *address*, or None where they were erased or never stored."""
        ...

    async def snapshot(self, run: str) -> Snapshot | None:
        """Return the run's newest snapshot, or None."""
        ...

    def sealed(self, after: int = 0) -> AsyncIterator[tuple[Row, Seal]]:
        """Yield every stored row with its seal, in order of position: what `verify` walks over."""
        ...

    async def batches(self, after: int = 0, limit: int = 1000) -> list[Batch]:
        """Return up to *limit* commits with number > *after*, in order."""
        ...

    async def last_batch(self) -> Batch | None:
        """Return the newest commit, or None: what an exported head is made of."""
        ...

    def blobs(self, after: str = "") -> AsyncIterator[tuple[str, bytes]]:
        """Yield every blob with its address, in the order of addresses, after the address *after*."""
        ...

    async def identity(self) -> str:
        """Return the random id that this journal got when it was made; exported heads carry it."""
        ...

    async def close(self) -> None:
        """Finish what was accepted, release the driver's lock and the file. Closing twice does nothing."""
        ...
