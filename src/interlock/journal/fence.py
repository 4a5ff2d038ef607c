"""Who may append to a run: only the writer that knows its epoch and its last event."""

from msgspec import Struct

from interlock.errors import StaleWriterError, UnknownRunError
from interlock.journal.chain import FIRST_LINK
from interlock.journal.store import Entry


class Tip(Struct, gc=False):
    """Where a run stands: its number in the store, its epoch, and the seq and link of its last event."""

    number: int
    epoch: int = 1
    seq: int = 0
    link: bytes = FIRST_LINK


def check(entry: Entry, tip: Tip | None) -> None:
    """Refuse *entry* unless its writer knows where the run stands; *tip* is None for an unknown run.

    Raises:
        StaleWriterError: the run's epoch or last seq is not what the entry expects.
        UnknownRunError: the run is new, and the entry brings no row to start it with.
    """
    if tip is None:
        _check_new(entry)
    elif entry.epoch != tip.epoch:
        raise StaleWriterError(
            f"run {entry.run!r} was claimed again: its epoch is {tip.epoch} "
            f"and this writer's is {entry.epoch}; nothing was kept; leave the run to its new driver"
        )
    elif entry.expected != tip.seq:
        raise StaleWriterError(
            f"run {entry.run!r} moved on: its last event is {tip.seq} "
            f"and this writer expected {entry.expected}; nothing was kept; read the run again"
        )


def _check_new(entry: Entry) -> None:
    if entry.expected != 0 or entry.epoch != 1:
        raise StaleWriterError(
            f"run {entry.run!r} is not in this journal, and this writer expected event {entry.expected} "
            f"at epoch {entry.epoch}; nothing was kept; a new run starts at 0 and epoch 1"
        )
    if entry.row is None:
        raise UnknownRunError(f"no run {entry.run!r} in this journal; give its row with its first append to start it")
