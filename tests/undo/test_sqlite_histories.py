"""Random effects on a random database: taken back, every row of every table is as it was."""

import shutil
import sqlite3
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlite_shop import dump, edit, make

from interlock import Ctx
from interlock.actions.way import ConflictError, RolledBackError
from interlock.undo.rows.sqlite import SqliteRows

SCHEMA = """
CREATE TABLE a (
    id INTEGER PRIMARY KEY, u UNIQUE, v TEXT COLLATE NOCASE UNIQUE, up INTEGER REFERENCES a ON DELETE CASCADE
);
CREATE TABLE b (
    k TEXT PRIMARY KEY, a INTEGER REFERENCES a ON DELETE CASCADE ON UPDATE CASCADE, n REAL, g AS (n * 2) STORED
);
CREATE TABLE c (
    x, y, b TEXT REFERENCES b ON DELETE SET NULL ON UPDATE CASCADE, w, PRIMARY KEY (x, y)
) WITHOUT ROWID;
CREATE TABLE d (what, a INTEGER DEFAULT 1 REFERENCES a ON DELETE SET DEFAULT DEFERRABLE INITIALLY DEFERRED);
CREATE UNIQUE INDEX c_w ON c (w) WHERE w > 2;
CREATE UNIQUE INDEX b_n ON b (abs(n), a);
CREATE TRIGGER a_i AFTER INSERT ON a BEGIN INSERT INTO d VALUES ('a' || new.id, NULL); END;
CREATE TRIGGER a_u AFTER UPDATE OF u ON a BEGIN UPDATE b SET n = coalesce(n, 0) + 1 WHERE a = new.id; END;
CREATE TRIGGER b_d BEFORE DELETE ON b BEGIN
    UPDATE c SET w = NULL WHERE b = old.k; DELETE FROM d WHERE what = old.k; END;
CREATE TRIGGER c_u BEFORE UPDATE ON c WHEN new.w = 4 BEGIN INSERT OR REPLACE INTO a (id, u) VALUES (3, 9); END;
CREATE TRIGGER d_i AFTER INSERT ON d BEGIN UPDATE d SET what = what || '!' WHERE rowid = new.rowid; END;
"""

COLUMNS = {"a": ("id", "u", "v", "up"), "b": ("k", "a", "n"), "c": ("x", "y", "b", "w"), "d": ("rowid", "what", "a")}

small = st.integers(1, 5)
texts = st.sampled_from(["'p'", "'P'", "'q'", "'nul' || char(0)", "x'00ff'"])
VALUES = {
    "a.id": small, "a.u": st.one_of(small, texts, st.just("NULL"), st.just("1.0")),
    "a.v": st.one_of(texts, st.just("NULL")),
    "a.up": st.one_of(small, st.just("NULL")),
    "b.k": st.sampled_from(["'k1'", "'k2'", "'k3'", "NULL"]), "b.a": st.one_of(small, st.just("NULL")),
    "b.n": st.one_of(small, st.sampled_from(["NULL", "-1", "0.1", "9e999"])),
    "c.x": small, "c.y": texts, "c.b": st.sampled_from(["'k1'", "'k2'", "'k3'", "NULL"]),
    "c.w": st.one_of(small, st.just("NULL")),
    "d.rowid": small, "d.what": texts, "d.a": st.one_of(small, st.just("NULL")),
}  # fmt: skip

names = st.sampled_from(sorted(COLUMNS))


@st.composite
def inserts(draw, table=names):
    table = draw(table)
    columns = COLUMNS[table]
    rows = [
        "(" + ", ".join(str(draw(VALUES[f"{table}.{column}"])) for column in columns) + ")"
        for _ in range(draw(st.integers(1, 3)))
    ]
    how = draw(st.sampled_from(["INSERT", "INSERT", "INSERT OR IGNORE", "REPLACE", "REPLACE"]))
    upsert = ""
    if how == "INSERT" and draw(st.booleans()):
        column = draw(st.sampled_from(columns[1:]))
        upsert = f" ON CONFLICT DO UPDATE SET {column} = {draw(VALUES[f'{table}.{column}'])}"
    return f"{how} INTO {table} ({', '.join(columns)}) VALUES {', '.join(rows)}{upsert}"


@st.composite
def conditions(draw, table):
    column = draw(st.sampled_from(COLUMNS[table]))
    return draw(st.sampled_from(["", f" WHERE {column} = {draw(VALUES[f'{table}.{column}'])}"]))


@st.composite
def updates(draw, table=names):
    table = draw(table)
    chosen = draw(st.lists(st.sampled_from(COLUMNS[table]), min_size=1, max_size=3, unique=True))
    sets = [f"{column} = {draw(VALUES[f'{table}.{column}'])}" for column in chosen]
    if draw(st.booleans()) and table in "ad":
        sets = [f"{COLUMNS[table][0]} = {COLUMNS[table][0]} + {draw(st.sampled_from([1, 10, -1]))}"]
    how = draw(st.sampled_from(["", "", "OR REPLACE ", "OR IGNORE "]))
    return f"UPDATE {how}{table} SET {', '.join(sets)}{draw(conditions(table))}"


@st.composite
def deletes(draw, table=names):
    table = draw(table)
    return f"DELETE FROM {table}{draw(conditions(table))}"


statements = st.lists(st.one_of(inserts(), updates(), deletes()), min_size=1, max_size=6)


@pytest.fixture(scope="module")
def empty(tmp_path_factory):
    return make(tmp_path_factory.mktemp("histories") / "empty.db", SCHEMA)


def tolerant(way, key, some):
    """Carry out an effect in which statements may fail; return whether it took place."""
    ctx = Ctx(None, key=key, run="r")
    try:
        with way.performing(ctx, "a") as effect:
            for statement in some:
                try:
                    way.connection(ctx).execute(statement)
                except sqlite3.IntegrityError:
                    continue
            effect.finish(b"1")
    except RolledBackError as error:
        if not isinstance(error.__cause__, sqlite3.IntegrityError):
            raise
        return False
    return True


def back(way, key):
    return way.take_back(Ctx(None, key=f"{key}:u", run="r", undoes=key), key)


@settings(max_examples=60, deadline=None)
@given(seed=statements, first=statements, second=statements)
def test_random_effects_are_taken_back_exactly(empty, seed, first, second):
    """One after the other, the last first: after each the whole database is what it was then."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(shutil.copy(empty, Path(folder) / "db"))
        way = SqliteRows(path)
        tolerant(way, "seed", seed)
        states = []
        for key, some in (("k1", first), ("k2", second)):
            states.append((dump(path), key, tolerant(way, key, some)))
        for before, key, took_place in reversed(states):
            if took_place:
                back(way, key)
            assert dump(path) == before
        way.close()


@settings(max_examples=60, deadline=None)
@given(seed=statements, effect=statements, foreign=st.one_of(inserts(), updates(), deletes()))
def test_an_undo_restores_its_rows_or_says_that_they_are_in_conflict(empty, seed, effect, foreign):
    """What somebody did since to other rows stays; where it met the effect's, nothing changes at all."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(shutil.copy(empty, Path(folder) / "db"))
        way = SqliteRows(path)
        tolerant(way, "seed", seed)
        before = dump(path)
        if not tolerant(way, "k1", effect):
            return
        after = dump(path)
        try:
            edit(path, foreign)
        except sqlite3.IntegrityError:
            return
        since = dump(path)
        rows = {change.object: change for change in way.preview(Ctx(None), "k1")}
        met = any(change.now != change.after for change in rows.values())
        try:
            back(way, "k1")
        except ConflictError:
            assert dump(path) == since
            assert since != after
        else:
            assert not met
            for table in since:  # exactly the rows of the effect moved, from their after-images to their before-images
                restored = dump(path)[table]
                expected = list(since[table])
                for row in set(after[table]) | set(before[table]):
                    change = before[table].count(row) - after[table].count(row)
                    expected += [row] * change if change > 0 else []
                    for _ in range(-change):
                        expected.remove(row)
                assert sorted(expected) == restored
        way.close()
