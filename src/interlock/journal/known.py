"""What a writer remembers of the file, so that a commit need not read: true until another commits."""

import sqlite3

from msgspec import Struct

from interlock.errors import JournalCorruptError
from interlock.journal.chain import first_root
from interlock.journal.fence import Tip

KNOWN_TIPS = 16_384
"""How many runs' tips are remembered (about 300 bytes each); the one unused for longest goes first."""

_MARKS = """
    SELECT coalesce((SELECT max(position) FROM events), 0),
        coalesce(b.number, 0), b.root, coalesce(b.last, 0),
        j.claims, coalesce((SELECT max(number) FROM runs), 0),
        coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'signals'), 0), j.identity
    FROM journal j LEFT JOIN batches b ON b.number = (SELECT max(number) FROM batches)
"""
_TIP = """
    SELECT r.number, r.epoch, e.seq, e.link FROM runs r
    LEFT JOIN events e ON e.run = r.number AND e.seq = (SELECT max(seq) FROM events WHERE run = r.number)
    WHERE r.id = ?
"""


class Marks(Struct, gc=False):
    """How far each of the file's sequences has come."""

    position: int
    batch: int
    root: bytes
    claims: int
    runs: int
    signals: int


class Known:
    """The marks of the file and the tips of its runs, as the next commit finds them."""

    def __init__(self, connection: sqlite3.Connection, path: str) -> None:
        self.marks = Marks(0, 0, b"", 0, 0, 0)
        self._connection = connection
        self._path = path
        self._tips: dict[str, Tip] = {}  # in the order of their last use
        self._version = self._data_version()  # when the marks were read
        self._valid = False

    def _data_version(self) -> int:
        return self._connection.execute("PRAGMA data_version").fetchone()[0]

    def forget(self) -> None:
        """Read everything again next time: a commit failed."""
        self._valid = False

    def refresh(self) -> bool:
        """Inside a write transaction, return whether another connection committed since the last time.

        Raises:
            JournalCorruptError: the events and the commits don't end at the same position.
        """
        version = self._data_version()
        moved, self._version = version != self._version, version
        if moved or not self._valid:
            before, self.marks = self.marks, self._read()
            # Others' signals move the file all the time; the tips only change with events and claims.
            if not self._valid or (before.root, before.claims) != (self.marks.root, self.marks.claims):
                self._tips.clear()
            self._valid = True
        return moved

    def _read(self) -> Marks:
        position, batch, root, covered, claims, runs, signals, identity = self._connection.execute(_MARKS).fetchone()
        if position != covered:
            raise JournalCorruptError(
                f"{self._path}: its events end at position {position} and its commits at {covered}; "
                "nothing was appended; keep a copy, run `interlock verify`, restore a backup"
            )
        return Marks(position, batch, root or first_root(identity), claims, runs, signals)

    def tip(self, run: str) -> Tip | None:
        """Return where *run* stands, or None where there is no such run."""
        tip = self._tips.pop(run, None)
        if tip is None:
            found = self._connection.execute(_TIP, (run,)).fetchone()
            if found is None:
                return None
            number, epoch, seq, link = found
            tip = Tip(number, epoch) if seq is None else Tip(number, epoch, seq, link)
        self.remember(run, tip)
        return tip

    def remember(self, run: str, tip: Tip) -> None:
        """Keep *tip* as the one used last, and let go of the one unused for longest."""
        self._tips[run] = tip
        if len(self._tips) > KNOWN_TIPS:
            del self._tips[next(iter(self._tips))]
