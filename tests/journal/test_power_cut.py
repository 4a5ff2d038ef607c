"""A power cut forgets what was not synced: nothing acknowledged is lost, and the rest is valid."""

# ruff: noqa: ASYNC240  # a test may write its small files while its loop waits

import asyncio
from pathlib import Path
from random import Random

import pytest
from journal_helpers import draft, everything, more, start
from power_cut import Connection, Disk, Vfs

from interlock.errors import JournalError
from interlock.journal import writer
from interlock.journal.sqlite import SqliteStore
from interlock.journal.verification import verify

FULL = "PRAGMA synchronous = FULL"


async def cuts_of(path: str, chance: Random, instead: dict[str, str]) -> list[tuple[set, dict[str, bytes]]]:
    """Run a busy journal; return what power cuts at random writes leave, with what was acknowledged."""
    disk = Disk()
    vfs = Vfs(disk)
    acknowledged: set[tuple[str, int]] = set()
    cuts = []

    def cut_now_and_then() -> None:
        if chance.random() < 0.04:
            cuts.append((acknowledged.copy(), disk.cut(chance)))

    disk.on_write = cut_now_and_then
    store = SqliteStore(path, connect=lambda path: Connection(path, f"disk{id(disk)}", instead))

    async def live(run: str) -> None:
        for seq in range(12):
            some = draft(f"{run} {seq + 1}".encode() * chance.randrange(1, 200))
            await store.append(more(run, seq, some) if seq else start(run, some))
            acknowledged.add((run, seq + 1))

    await asyncio.gather(*(live(f"r{number}") for number in range(12)))
    cuts.append((acknowledged.copy(), disk.cut(chance)))
    disk.on_write = lambda: None
    await store.close()
    vfs.unregister()
    return cuts


async def lost_after(acknowledged: set, files: dict[str, bytes], place: Path) -> set:
    """Start again from what a cut left, check that it is valid and goes on, and return what is missing."""
    place.mkdir()
    for name, content in files.items():
        (place / Path(name).name).write_bytes(content)
    store = SqliteStore(place / "journal.db")
    kept = {(row.run, row.seq) for row in await everything(store)}
    report = await verify(store)
    assert report.ok, report
    assert await store.append(start("after")) == len(kept) + 1
    await store.close()
    return acknowledged - kept


@pytest.mark.parametrize("seed", range(3))
async def test_loses_nothing_acknowledged(path, tmp_path, monkeypatch, seed):
    """At any write, with any part of what was not synced kept, in any order, torn or not."""
    monkeypatch.setattr(writer, "CHECKPOINT_BYTES", 60_000)
    cuts = await cuts_of(path, Random(seed), {})
    assert len(cuts) > 5
    assert any(acknowledged for acknowledged, _ in cuts[:-1])
    for number, (acknowledged, files) in enumerate(cuts):
        assert await lost_after(acknowledged, files, tmp_path / str(number)) == set()


@pytest.mark.parametrize("mode", ["OFF", "NORMAL"])
async def test_finds_a_journal_that_does_not_sync(path, tmp_path, mode):
    """The test of the test: with a weaker setting the same cuts do lose what was acknowledged."""
    cuts = await cuts_of(path, Random(1), {FULL: f"PRAGMA synchronous = {mode}"})
    damage = 0
    for number, (acknowledged, files) in enumerate(cuts):
        try:
            damage += len(await lost_after(acknowledged, files, tmp_path / str(number)))
        except (JournalError, AssertionError):
            damage += 1
    assert damage > 0
