"""Every kind of tampering is found, or the report says that it can't be."""

import asyncio
import sqlite3

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from journal_helpers import edit, more, start, write

from interlock.journal.chain import SALT_BYTES, blob_address, first_root, link, payload_digest, root
from interlock.journal.heads import export_head, generate_key
from interlock.journal.memory import MemoryStore
from interlock.journal.sqlite import SqliteStore
from interlock.journal.store import Draft
from interlock.journal.verification import verify


@pytest.fixture
async def journal(path):
    """The path of a journal with two runs of 4 events, 8 commits and a blob."""
    store = SqliteStore(path)
    await fill(store)
    await store.close()
    return path


async def fill(store) -> None:
    await write(store)
    await store.append(more("r1", 4, blobs=[(blob_address(b"large"), b"large")]))


async def check(path, heads=(), public_key=None):
    store = SqliteStore(path)
    try:
        return await verify(store, heads, public_key)
    finally:
        await store.close()


async def head_of(path):
    store = SqliteStore(path)
    head = await export_head(store, 5)
    await store.close()
    return head


async def test_an_untouched_journal(journal):
    """It is intact, counted, and the report says what that means."""
    report = await check(journal)
    assert report.ok
    assert (report.events, report.runs, report.commits, report.blobs) == (9, 2, 9, 1)
    assert str(report).startswith("intact (9 events of 2 runs in 9 commits, 1 blob, 0 erased payloads)")
    assert "proves: No event up to position 9 was edited" in str(report)
    assert "cannot know: Whether the end was cut off" in str(report)


async def test_an_empty_journal(store):
    """There is nothing to prove, and nothing wrong."""
    head = await export_head(store, 1)
    report = await verify(store, [head])
    assert report.ok
    assert report.proves == ()


TAMPERING = {
    "payload": ("UPDATE events SET payload = x'22' WHERE position = 3", "payload is not the one"),
    "type": ("UPDATE events SET type = 'denied' WHERE position = 3", "link does not follow"),
    "version": ("UPDATE events SET version = 2 WHERE position = 3", "link does not follow"),
    "time": ("UPDATE events SET at = at + 1 WHERE position = 3", "link does not follow"),
    "key": ("UPDATE events SET key = 'k9' WHERE position = 3", "link does not follow"),
    "no key": ("UPDATE events SET key = NULL WHERE position = 3", "link does not follow"),
    "salt": ("UPDATE events SET salt = zeroblob(16) WHERE position = 3", "payload is not the one"),
    "digest": ("UPDATE events SET digest = zeroblob(32) WHERE position = 3", "payload is not the one"),
    "link": ("UPDATE events SET link = zeroblob(32) WHERE position = 3", "link does not follow"),
    "link of another kind": (
        "UPDATE events SET link = 'text' WHERE position = 3",
        "kind that was never written",
    ),
    "digest of another kind": (
        "UPDATE events SET digest = 7 WHERE position = 3",
        "kind that was never written",
    ),
    "payload of another kind": (
        "UPDATE events SET payload = 7 WHERE position = 3",
        "kind that was never written",
    ),
    "payload alone erased": (
        "UPDATE events SET payload = NULL WHERE position = 3",
        "only one of payload and salt",
    ),
    "salt alone erased": ("UPDATE events SET salt = NULL WHERE position = 3", "only one of payload and salt"),
    "seq": ("UPDATE events SET seq = 17 WHERE position = 3", "follows event 1 of its run"),
    "middle dropped": ("DELETE FROM events WHERE position = 3", "positions 3 to 3 are missing"),
    "first dropped": ("DELETE FROM events WHERE position = 1", "positions 1 to 1 are missing"),
    "end dropped": ("DELETE FROM events WHERE position > 7", "claims positions"),
    "all dropped": ("DELETE FROM events", "claims positions"),
    "moved to the other run": ("UPDATE events SET run = 2, seq = 9 WHERE position = 3", "follows event 1"),
    "moved to no run": ("UPDATE events SET run = 77 WHERE position = 3", "link does not follow"),
    "run renamed": ("UPDATE runs SET id = 'r9' WHERE number = 1", "link does not follow"),
    "run dropped": ("DELETE FROM runs WHERE number = 1", "link does not follow"),
    "commit dropped": ("DELETE FROM batches WHERE number = 4", "commits 4 to 4 are missing"),
    "last commit dropped": ("DELETE FROM batches WHERE number = 9", "belong to no commit"),
    "all commits dropped": ("DELETE FROM batches", "belong to no commit"),
    "commit's root": (
        "UPDATE batches SET root = zeroblob(32) WHERE number = 4",
        "root of commit 4 does not follow",
    ),
    "commit's root of another kind": ("UPDATE batches SET root = 'x' WHERE number = 4", "root of commit 4"),
    "commit's first": ("UPDATE batches SET first = 3 WHERE number = 4", "claims positions 3 to 4"),
    "commit's last": (
        "UPDATE batches SET last = 5 WHERE number = 4",
        "commit 5 claims positions 5 to 5; its events are those from 6",
    ),
    "commit's last of another kind": (
        "UPDATE batches SET last = 'x' WHERE number = 4",
        "claims positions 4 to x",
    ),
    "commits joined": ("UPDATE batches SET number = 40 WHERE number = 9", "commits 9 to 39 are missing"),
    "identity": ("UPDATE journal SET identity = 'another'", "root of commit 1 does not follow"),
    "blob": ("UPDATE blobs SET bytes = 'small'", "does not hold the bytes"),
    "blob's address": ("UPDATE blobs SET address = 'there'", "does not hold the bytes"),
}


@pytest.mark.parametrize("what", TAMPERING)
async def test_what_was_edited_is_found(journal, what):
    """Each field of each event, commit and blob, and each row."""
    statement, fault = TAMPERING[what]
    edit(journal, statement)
    report = await check(journal)
    assert not report.ok
    assert fault in str(report)
    assert report.proves == ()
    assert str(report).startswith("NOT INTACT")


async def test_a_fault_says_where(journal):
    """Position, run and event, so that one can look."""
    edit(journal, "UPDATE events SET payload = x'22' WHERE position = 3")
    (fault,) = (await check(journal)).faults
    assert str(fault) == "position 3, run r1, event 2: its payload is not the one that was written"


async def test_an_inserted_event_is_found(journal):
    """One that imitates its neighbour's seal, with everything after it moved up."""
    edit(
        journal,
        "UPDATE events SET position = -position WHERE position > 3",
        "UPDATE events SET position = 1 - position WHERE position < 0",
        "UPDATE events SET seq = -seq WHERE run = 1 AND seq > 2",
        "UPDATE events SET seq = 1 - seq WHERE seq < 0",
        "INSERT INTO events SELECT 4, run, 3, type, version, at, key, payload, salt, digest, link "
        "FROM events WHERE position = 3",
    )
    assert not (await check(journal)).ok


async def test_an_appended_event_is_found(journal):
    """One that belongs to no commit."""
    edit(
        journal,
        "INSERT INTO events SELECT 10, run, 9, type, version, at, key, payload, salt, digest, link "
        "FROM events WHERE position = 9",
    )
    assert "belong to no commit" in str(await check(journal))


@pytest.mark.parametrize(("one", "other"), [(3, 5), (3, 4), (1, 2), (8, 9)])
async def test_swapped_events_are_found(journal, one, other):
    """Of one run, which changes its order, and of two runs, which changes only the order over all."""
    edit(
        journal,
        f"UPDATE events SET position = -1 WHERE position = {one}",
        f"UPDATE events SET position = {one} WHERE position = {other}",
        f"UPDATE events SET position = {other} WHERE position = -1",
    )
    assert not (await check(journal)).ok


async def test_an_end_cut_off_cleanly_is_found_only_with_a_head(journal):
    """Events and commits together: no chain can know; the report says so, and a head knows."""
    head = await head_of(journal)
    edit(journal, "DELETE FROM events WHERE position > 6", "DELETE FROM batches WHERE number > 6")
    report = await check(journal)
    assert report.ok
    assert "Whether the end was cut off" in str(report)
    report = await check(journal, [head])
    assert "the journal ends at commit 6, position 6; an exported head says that it had commit 9" in str(report)


def rewrite(path: str) -> None:
    """Do what a keeper with write access could: change a payload and compute everything after it anew."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("UPDATE events SET payload = ? WHERE position = 3", (b'"a lie"',))
    identity = connection.execute("SELECT identity FROM journal").fetchone()[0]
    links, tips = {}, {}
    columns = "e.position, r.id, e.seq, e.type, e.version, e.at, e.key, e.payload"
    query = f"SELECT {columns} FROM events e JOIN runs r ON r.number = e.run ORDER BY e.position"
    for position, run, seq, type_, version, at, key, payload in connection.execute(query).fetchall():
        salt = bytes(SALT_BYTES)
        digest = payload_digest(salt, payload)
        links[position] = tips[run] = link(tips.get(run, bytes(32)), digest, run, seq, type_, version, at, key)
        connection.execute(
            "UPDATE events SET salt = ?, digest = ?, link = ? WHERE position = ?",
            (salt, digest, tips[run], position),
        )
    here = first_root(identity)
    for number, first, last in connection.execute("SELECT number, first, last FROM batches ORDER BY number").fetchall():
        here = root(here, number, first, [links[position] for position in range(first, last + 1)])
        connection.execute("UPDATE batches SET root = ? WHERE number = ?", (here, number))
    connection.close()


async def test_a_whole_rewrite_is_found_only_with_a_head(journal):
    """Whoever can write the file can compute the chain anew: that is why heads are kept elsewhere."""
    head = await head_of(journal)
    rewrite(journal)
    report = await check(journal)
    assert report.ok
    assert "everything was written anew" in str(report)
    report = await check(journal, [head])
    assert "commit 9 is not the one of the exported head" in str(report)


async def test_erased_payloads_leave_the_chain_valid(journal):
    """They are listed, and what they said is gone."""
    head = await head_of(journal)
    edit(journal, "UPDATE events SET payload = NULL, salt = NULL WHERE position IN (2, 5)")
    report = await check(journal, [head])
    assert report.ok
    assert report.erased == (2, 5)
    assert "What the 2 erased payloads said" in str(report)
    store = SqliteStore(journal)
    assert [row.payload for row in await store.feed(1, 1)] == [None]
    assert await store.append(more("r2", 4)) == 10
    await store.close()
    assert (await check(journal, [head])).ok


async def test_heads_may_be_old_and_many(journal):
    """Each is compared with its own commit."""
    old = await head_of(journal)
    store = SqliteStore(journal)
    await store.append(start("r3"))
    await store.close()
    report = await check(journal, [old, await head_of(journal)])
    assert report.ok
    assert "Up to position 10 the journal is the one of the given heads" in str(report)
    edit(journal, "DELETE FROM events WHERE position = 10", "DELETE FROM batches WHERE number = 10")
    assert (await check(journal, [old])).ok


async def test_a_head_of_another_journal(journal, tmp_path):
    """It proves nothing here, and the report says so."""
    store = SqliteStore(tmp_path / "other.db")
    await fill(store)
    head = await export_head(store, 1)
    await store.close()
    assert "is of another journal" in str(await check(journal, [head]))


async def test_signed_heads(journal):
    """With a key, each head must carry its signature; and the report says whose heads they are."""
    private, public = generate_key()
    head = await head_of(journal)
    assert (await check(journal, [head.signed(private)], public)).ok
    assert "signed by the given key" in str(await check(journal, [head.signed(private)], public))
    assert "does not carry the signature" in str(await check(journal, [head], public))
    other, _ = generate_key()
    assert "does not carry the signature" in str(await check(journal, [head.signed(other)], public))


async def test_what_is_appended_meanwhile_is_left_out(path):
    """A journal that grows while it is verified is no fault."""
    store = SqliteStore(path)
    await write(store, ["r1"], 1)
    going = True

    async def grow() -> None:
        seq = 1
        while going:
            await store.append(more("r1", seq))
            seq += 1

    task = asyncio.ensure_future(grow())
    for _ in range(20):
        assert (await verify(store)).ok
        await asyncio.sleep(0.005)
    going = False
    await task
    await store.close()


COVERED = {
    "events": ("position", "run", "seq", "type", "version", "at", "key", "payload", "salt", "digest", "link"),
    "batches": ("number", "first", "last", "root"),
    "blobs": ("address", "bytes"),
    "journal": ("identity",),
}


def changed(value, draw):
    """Return another value of the same kind, one bit or one step away."""
    if value is None:
        return "new"
    if isinstance(value, int):
        return value + draw(st.sampled_from([-1, 1, 1000]))
    data = bytearray(value.encode() if isinstance(value, str) else value)
    index = draw(st.integers(0, len(data) - 1))
    data[index] ^= 1 << draw(st.integers(0, 6 if isinstance(value, str) else 7))
    return data.decode() if isinstance(value, str) else bytes(data)


@given(st.data())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_single_change_is_found(tmp_path_factory, data):
    """Any bit of any field of any row that verification covers."""
    table = data.draw(st.sampled_from(sorted(COVERED)))
    column = data.draw(st.sampled_from(COVERED[table]))
    path = str(tmp_path_factory.mktemp("changed") / "journal.db")

    async def scenario() -> None:
        store = SqliteStore(path)
        await fill(store)
        await store.close()
        connection = sqlite3.connect(path, isolation_level=None)
        rows = connection.execute(f"SELECT rowid, {column} FROM {table} ORDER BY rowid").fetchall()
        rowid, value = data.draw(st.sampled_from(rows))
        try:
            connection.execute(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", (changed(value, data.draw), rowid))
        except sqlite3.IntegrityError:
            return  # the schema itself refused it
        finally:
            connection.close()
        assert not (await check(path)).ok

    asyncio.run(scenario())


async def test_the_store_in_memory_is_chained_too():
    """The same arithmetic: an edit in memory is found."""
    store = MemoryStore()
    await fill(store)
    assert (await verify(store)).ok
    row, seal = store._events[2]
    store._events[2] = (type(row)(3, "r1", 2, row.type, 1, row.at, row.key, b"a lie"), seal)
    assert "payload is not the one" in str(await verify(store))


def test_an_unambiguous_header():
    """Texts can't be shifted from one field into the next, and an empty key is not no key."""
    base = (bytes(32), bytes(32))
    links = {
        link(*base, run, 1, type_, 1, 1, key)
        for run, type_, key in [
            ("ab", "c", None),
            ("a", "bc", None),
            ("ab", "c", ""),
            ("ab", "", "c"),
            ("", "abc", None),
        ]
    }
    assert len(links) == 5


def test_a_draft_holds_its_payload_as_it_is():
    """The digest is over the stored bytes."""
    assert Draft("a", 1, 1, b"{ }").payload == b"{ }"
    assert payload_digest(bytes(16), b"{ }") != payload_digest(bytes(16), b"{}")
