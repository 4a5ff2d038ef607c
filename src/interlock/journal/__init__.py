"""The journal: an append-only, hash-chained log of events, with runs, signals, blobs and snapshots beside it.

In come entries (a run's new events, made durable together or not at all) and signals for a run's inbox; out
come rows, by run, by key or by position. `Journal` gives rows their meaning as events and belongs to the
runtime; below it a `Store` keeps bytes: in one SQLite file, or in memory.

Read `store.py` first: it is the contract. Then `chain.py` (what makes an edit visible), `fence.py` (who may
append), `memory.py` (the contract in its shortest form), and for the file `sqlite.py`, `writer.py` (the one
writing thread), `transaction.py` (one transaction), `known.py` (what the writer remembers), `reader.py`.
`verification.py` walks a journal and says what that proves; `heads.py` exports what to keep elsewhere;
`redact.py` keeps credentials out.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from interlock.journal.heads import Head, export_head, generate_key
    from interlock.journal.memory import MemoryStore
    from interlock.journal.redact import Redactor
    from interlock.journal.sqlite import SqliteStore
    from interlock.journal.store import Batch, Draft, Entry, Row, RunRow, Seal, Signal, Snapshot, Store
    from interlock.journal.verification import Fault, Report, verify

_HOMES = {
    "Batch": "store",
    "Draft": "store",
    "Entry": "store",
    "Fault": "verification",
    "Head": "heads",
    "MemoryStore": "memory",
    "Redactor": "redact",
    "Report": "verification",
    "Row": "store",
    "RunRow": "store",
    "Seal": "store",
    "Signal": "store",
    "Snapshot": "store",
    "SqliteStore": "sqlite",
    "Store": "store",
    "export_head": "heads",
    "generate_key": "heads",
    "verify": "verification",
}

__all__ = [
    "Batch",
    "Draft",
    "Entry",
    "Fault",
    "Head",
    "MemoryStore",
    "Redactor",
    "Report",
    "Row",
    "RunRow",
    "Seal",
    "Signal",
    "Snapshot",
    "SqliteStore",
    "Store",
    "export_head",
    "generate_key",
    "verify",
]


def __getattr__(name: str) -> Any:
    """Import what is asked for when it is: sqlite3 and cryptography stay out of `import interlock`."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{home}"), name)
