"""A disk for tests that can lose its power: a SQLite VFS that remembers which writes were not synced yet.

SQLite reads and writes real files through it. Beside each file stands its *platter*: the content as of the
last sync. `Disk.cut` is what a power cut at this instant could leave: the platters, with an arbitrary part of
the later writes, in any order, some of them torn.
"""

# ruff: noqa: N802  # SQLite's names for what a VFS does

import sqlite3
from pathlib import Path
from random import Random

import apsw

SECTOR = 512


class Disk:
    """All files that were opened through it."""

    def __init__(self) -> None:
        self.platters: dict[str, bytearray] = {}
        self.pending: dict[str, list[tuple[int, bytes | None]]] = {}  # (offset, data), or (new size, None)
        self.syncs = 0
        self.on_write = lambda: None  # called before each write, to cut there

    def opened(self, name: str) -> None:
        if name not in self.platters:
            path = Path(name)
            self.platters[name] = bytearray(path.read_bytes() if path.exists() else b"")
            self.pending[name] = []

    def sync(self, name: str) -> None:
        self.syncs += 1
        for offset, data in self.pending[name]:
            apply(self.platters[name], offset, data)
        self.pending[name].clear()

    def forget(self, name: str) -> None:
        self.platters.pop(name, None)
        self.pending.pop(name, None)

    def cut(self, chance: Random) -> dict[str, bytes]:
        """Return what each file could hold after a power cut now."""
        left = {}
        for name, platter in self.platters.items():
            content = bytearray(platter)
            kept = [write for write in self.pending[name] if chance.random() < 0.5]
            chance.shuffle(kept)
            for offset, data in kept:
                apply(content, offset, torn(data, chance))
            left[name] = bytes(content)
        return left


def apply(content: bytearray, offset: int, data: bytes | None) -> None:
    if data is None:
        del content[offset:]
        return
    content.extend(bytes(max(0, offset - len(content))))
    content[offset : offset + len(data)] = data


def torn(data: bytes | None, chance: Random) -> bytes | None:
    """Return some of *data*'s leading sectors, mostly all of them."""
    if data is None or chance.random() < 0.7:
        return data
    return data[: chance.randrange(0, len(data) + 1, SECTOR)]


class File(apsw.VFSFile):
    def __init__(self, disk: Disk, name, flags) -> None:
        self.disk = disk
        self.name = name.filename() if isinstance(name, apsw.URIFilename) else name
        disk.opened(self.name)
        super().__init__("", name, flags)

    def xWrite(self, data, offset):
        self.disk.on_write()
        super().xWrite(data, offset)
        self.disk.pending[self.name].append((offset, bytes(data)))

    def xTruncate(self, size):
        super().xTruncate(size)
        self.disk.pending[self.name].append((size, None))

    def xSync(self, flags):
        super().xSync(flags)
        self.disk.sync(self.name)


class Vfs(apsw.VFS):
    def __init__(self, disk: Disk) -> None:
        self.disk = disk
        super().__init__(f"disk{id(disk)}", "", iVersion=3)

    def xOpen(self, name, flags):
        return File(self.disk, name, flags)

    def xDelete(self, name, sync):
        super().xDelete(name, sync)
        self.disk.forget(name)


class Connection:
    """What the store uses of `sqlite3.Connection`, over apsw; *instead* replaces statements."""

    def __init__(self, path: str, vfs: str, instead: dict[str, str]) -> None:
        self._connection = apsw.Connection(path, vfs=vfs)
        self._connection.set_busy_timeout(5000)
        self._instead = instead

    def execute(self, statement: str, values=()):
        try:
            return self._connection.execute(self._instead.get(statement, statement), values)
        except apsw.Error as error:
            raise sqlite3.OperationalError(str(error)) from error

    @property
    def in_transaction(self) -> bool:
        return self._connection.in_transaction

    def close(self) -> None:
        self._connection.close()
