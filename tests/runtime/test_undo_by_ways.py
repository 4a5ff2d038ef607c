"""Actions with a way of their own, on the whole path: exactly once, taken back exactly, whatever dies when."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import pytest

from interlock import Agent, Ctx, Done, Failed, Finished, MemoryStore, Policy, Proposal, Runtime, action, permit
from interlock.errors import DeclarationError
from interlock.kernel import events as ev
from interlock.testing import every_crash
from interlock.undo import SqliteRows

SCHEMA = """
    CREATE TABLE guests (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
    CREATE TABLE stays (
        ref TEXT PRIMARY KEY, guest INTEGER NOT NULL REFERENCES guests (id) ON DELETE CASCADE, room INTEGER
    );
    CREATE TABLE log (id INTEGER PRIMARY KEY, words TEXT NOT NULL);
    CREATE TRIGGER told AFTER INSERT ON stays BEGIN INSERT INTO log (words) VALUES ('stay ' || new.ref); END;
    INSERT INTO guests VALUES (1, 'ann'), (2, 'bob');
    INSERT INTO stays VALUES ('A1', 1, 101), ('B1', 2, 102);
"""


@pytest.fixture
def path(tmp_path):
    place = tmp_path / "hotel.db"
    with closing(sqlite3.connect(place)) as db:
        db.executescript(SCHEMA)
    return place


def rows(path):
    with closing(sqlite3.connect(path)) as db:
        return {table: sorted(db.execute(f"SELECT * FROM {table}")) for table in ("guests", "stays", "log")}


def change(path, statement):
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("PRAGMA foreign_keys = ON")
        db.execute(statement)


def hotel(path):
    """Return an agent of a hotel, whose actions have their rows captured."""
    way = SqliteRows(path)

    @action.reversible(way=way)
    def book(ctx: Ctx[None], ref: str, guest: int) -> str:
        """Book a stay."""
        way.connection(ctx).execute("INSERT INTO stays VALUES (?, ?, 7)", (ref, guest))
        return f"booked {ref}"

    @action.reversible(way=way)
    def forget(ctx: Ctx[None], guest: int) -> int:
        """Forget a guest and all their stays."""
        return way.connection(ctx).execute("DELETE FROM guests WHERE id = ?", (guest,)).rowcount

    @action.reversible(way=way)
    def stumble(ctx: Ctx[None]) -> None:
        """Change something, then fail."""
        way.connection(ctx).execute("UPDATE stays SET room = 1")
        raise ValueError("fell over")

    actions = [book, forget, stumble]
    return Agent("hotel", actions, policy=Policy(permit(actions)))


async def did(rt, *proposals):
    run = await rt.start("hotel")
    async with rt.session(run.id) as s:
        outcomes = [await s.perform(Proposal(*one)) for one in proposals]
        await s.finish("ok")
    return run, outcomes


class TestRows:
    async def test_cascades_and_triggers_are_taken_back(self, path):
        """What the database itself changed beside the action's statement goes back with it."""
        before = rows(path)
        async with Runtime(MemoryStore(), hotel(path)) as rt:
            run, outcomes = await did(rt, ("book", {"ref": "A2", "guest": 1}), ("forget", {"guest": 1}))
            assert outcomes == [Done("booked A2"), Done(1)]
            assert rows(path)["stays"] == [("B1", 2, 102)]
            plan = await run.undo_plan()
            assert [(item.way, item.by, item.trouble) for item in plan.items] == [("restore", "rows", "")] * 2
            assert any("A2" in name for name in plan.items[0].objects)
            assert await plan.apply(by="ana") == ()
        assert rows(path) == before

    async def test_an_action_that_raises_has_done_nothing(self, path):
        """What was changed before an exception is rolled back, so that it is known that nothing happened."""
        before = rows(path)
        async with Runtime(MemoryStore(), hotel(path)) as rt:
            _, (outcome,) = await did(rt, ("stumble", {}))
        assert outcome == Failed("ValueError: fell over")
        assert rows(path) == before

    async def test_a_row_that_others_changed(self, path):
        """Their change is kept, and the plan shows the row before, after and now."""
        async with Runtime(MemoryStore(), hotel(path)) as rt:
            run, _ = await did(rt, ("book", {"ref": "A2", "guest": 1}), ("book", {"ref": "B2", "guest": 2}))
            change(path, "UPDATE stays SET room = 9 WHERE ref = 'A2'")
            plan = await run.undo_plan()
            assert "changed since" in plan.items[1].trouble
            (left,) = await plan.apply(by="ana", otherwise="leave")
            assert left.args["ref"] == "A2"
        assert [row[0] for row in rows(path)["stays"]] == ["A1", "A2", "B1"]

    async def test_a_row_that_others_deleted(self, path):
        """A row that is gone is in conflict too; nothing is put in its place."""
        async with Runtime(MemoryStore(), hotel(path)) as rt:
            run, _ = await did(rt, ("book", {"ref": "A2", "guest": 1}))
            change(path, "DELETE FROM stays WHERE ref = 'A2'")
            before = rows(path)
            (left,) = await (await run.undo_plan()).apply(by="ana")
            assert left.args["ref"] == "A2"
        assert rows(path) == before

    async def test_a_table_that_was_altered(self, path):
        """Rows of another form can't be put back; the undo says so and changes nothing."""
        async with Runtime(MemoryStore(), hotel(path)) as rt:
            run, _ = await did(rt, ("forget", {"guest": 1}))
            change(path, "ALTER TABLE stays ADD COLUMN late INTEGER")
            before = rows(path)
            plan = await run.undo_plan()
            assert "stays" in plan.items[0].trouble
            assert len(await plan.apply(by="ana")) == 1
            told = [one.event for one in await run.history() if isinstance(one.event, ev.NotUndone)]
        assert [one.kind for one in told] == ["lost"]
        assert rows(path) == before

    async def test_one_in_the_middle(self, path):
        """What refers to a row that would go is named; alone it is not taken back."""
        async with Runtime(MemoryStore(), hotel(path)) as rt:
            run, _ = await did(rt, ("book", {"ref": "A2", "guest": 1}), ("forget", {"guest": 1}))
            first = min(item.seq for item in (await run.undo_plan()).items)
            plan = await rt.undo_plan(run.id, seq=first)
            assert [(one.action, one.bound) for one in plan.dependants] == [("forget", True)]
            assert len(await plan.apply(by="ana")) == 1

    async def test_two_at_once(self, path):
        """Effects side by side are each captured for themselves."""
        before = rows(path)
        async with Runtime(MemoryStore(), hotel(path)) as rt:
            runs = [(await did(rt, ("book", {"ref": f"X{n}", "guest": 1})))[0] for n in range(3)]
            for run in (runs[1], runs[0], runs[2]):
                assert await (await run.undo_plan()).apply(by="ana") == ()
                assert await run.result() == Finished("ok")
        assert {table: rows(path)[table] for table in ("guests", "stays", "log")} == before


def test_a_way_takes_plain_functions(path):
    """What is captured runs in a thread; an async function is refused where it is declared."""
    with pytest.raises(DeclarationError, match="plain def"):

        @action.reversible(way=SqliteRows(path))
        async def book(ctx: Ctx[None]) -> None: ...


def test_a_way_is_for_what_is_reversible(path):
    """A way restores; what is compensated is not restored."""
    with pytest.raises(DeclarationError, match=r"declare it @action\.reversible"):

        @action.compensable(way=SqliteRows(path))
        def pay(ctx: Ctx[None]) -> None: ...


class World(NamedTuple):
    """Where the database of one life is."""

    path: Path


async def test_every_crash(tmp_path):
    """Killed at any boundary, and once more while it recovers: each effect is there once, and goes back exactly."""
    number = iter(range(10_000))

    def fresh():
        place = tmp_path / f"{next(number)}.db"
        with closing(sqlite3.connect(place)) as db:
            db.executescript(SCHEMA)
        return World(place)

    before = rows(fresh().path)

    async def play(rt):
        run = await rt.start("hotel", run="r1")
        if await run.status() not in ("done", "undoing"):
            async with rt.session(run.id) as s:
                assert await s.perform(Proposal("book", {"ref": "A2", "guest": 1}, "k1")) == Done("booked A2")
                assert await s.perform(Proposal("forget", {"guest": 1}, "k2")) == Done(1)
                assert rows(rt.deps.path)["stays"] == [("B1", 2, 102)]
                await s.finish("ok")
        assert await rt.undo("r1") == ()

    def check(rt):
        assert rows(rt.deps.path) == before

    crashes = await every_crash(hotel(lambda deps: deps.path), play, check=check, deps=fresh, twice=True, every=29)
    assert len(crashes.boundaries) > 10
