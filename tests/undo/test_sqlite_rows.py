"""Effects on rows of SQLite are taken back exactly: every kind of statement, key, value and name."""

import sqlite3
from contextlib import closing

import pytest
from sqlite_shop import dump, edit, make, perform, take_back, there_and_back

from interlock.undo.rows.sqlite import SqliteRows


@pytest.fixture
def path(tmp_path):
    return make(tmp_path / "shop.db")


STATEMENTS = {
    "a generated key": "INSERT INTO customers (email) VALUES ('new@x.org')",
    "an insert that a trigger follows": "INSERT INTO bookings (ref, customer, seats) VALUES ('EF56', 1, 3)",
    "an update": "UPDATE customers SET points = 7.25 WHERE id = 1",
    "a bulk update": "UPDATE seats SET booking = NULL",
    "a delete that cascades twice": "DELETE FROM customers WHERE id = 1",
    "a delete without a condition": "DELETE FROM customers",
    "a delete of a table without primary key": "DELETE FROM log",
    "a changed primary key that cascades": "UPDATE customers SET id = 50 WHERE id = 1",
    "a changed text key": "UPDATE bookings SET ref = 'ZZ' WHERE ref = 'AB12'",
    "a changed composite key": "UPDATE seats SET number = number + 100",
    "keys that move over each other": "UPDATE people SET id = id + 1 WHERE id = 4",
    "an upsert that updates": (
        "INSERT INTO customers (id, email) VALUES (1, 'z') ON CONFLICT (id) DO UPDATE SET points = 3"
    ),
    "an upsert that does nothing": "INSERT INTO customers (id, email) VALUES (1, 'z') ON CONFLICT DO NOTHING",
    "an upsert on a unique column": (
        "INSERT INTO customers (email) VALUES ('ANA@x.org') ON CONFLICT (email) DO UPDATE SET points = 9"
    ),
    "a replace by primary key": "REPLACE INTO customers VALUES (1, 'other@x.org', 5)",
    "a replace by a unique column, other case": "REPLACE INTO customers VALUES (9, 'ANA@x.org', 5)",
    "a replace of two rows at once": "REPLACE INTO customers VALUES (1, 'ben@x.org', 5)",
    "an update or replace": "UPDATE OR REPLACE customers SET email = 'ben@x.org' WHERE id = 1",
    "an update or replace of the key": "UPDATE OR REPLACE customers SET id = 2 WHERE id = 1",
    "a replace in a table without rowid": "REPLACE INTO seats VALUES ('LH1', 1, NULL)",
    "an insert or ignore": "INSERT OR IGNORE INTO seats VALUES ('LH1', 1, NULL), ('LH1', 9, NULL)",
    "a self reference that cascades": "DELETE FROM people WHERE id = 1",
    "a swap of unique values": "UPDATE people SET badge = CASE badge WHEN 'y' THEN NULL ELSE badge END",
    "a rowid written by its name": "UPDATE people SET rowid = 77 WHERE id = 4",
    "rows from a query": "INSERT INTO log SELECT ref, seats FROM bookings",
    "rows that come back": "INSERT INTO log (rowid, what) VALUES (-5, 'minus'), (9000000000000000000, 'big')",
}


@pytest.mark.parametrize("statement", STATEMENTS.values(), ids=STATEMENTS)
def test_every_kind_of_statement_is_taken_back_exactly(path, statement):
    """Afterwards every table holds what it held before, value for value."""
    before, _, after = there_and_back(path, statement)
    assert after == before


def test_many_statements_on_the_same_rows_fold_to_their_net(path):
    """What was inserted and deleted again, swapped and changed twice comes back as it was."""
    before, changed, after = there_and_back(
        path,
        "INSERT INTO people VALUES (10, 1, 'new')",
        "UPDATE people SET badge = 't' WHERE id = 2",
        "UPDATE people SET badge = 'y' WHERE id = 3",
        "UPDATE people SET badge = 'z' WHERE id = 2",
        "DELETE FROM people WHERE id = 10",
        "DELETE FROM people WHERE id = 4",
        "INSERT INTO people VALUES (4, 3, 'again')",
        "REPLACE INTO people VALUES (4, 3, 'and again')",
        "DELETE FROM bookings",
        "INSERT INTO bookings (ref, customer, seats) VALUES ('AB12', 2, 1)",
    )
    assert changed != before == after


VALUES = [
    None, 0, -1, 2**63 - 1, -(2**63), 0.1, 1e300, 5e-324, -0.0, 1.0, float("inf"), float("-inf"), 2.0**53,
    "", "a'b\"c`d", "nul\x00inside", "\x00", "🦆 é", "1", "1.0", '{"blob": 1}', b"", b"\x00\xff'", bytes(range(256)),
]  # fmt: skip


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_every_value_comes_back_with_its_type(tmp_path, value):
    """Also big integers, infinities, texts with NUL, blobs and what looks like another type."""
    path = make(tmp_path / "v.db", "CREATE TABLE t (k INTEGER PRIMARY KEY, a, b TEXT, c REAL, d INT, e NUMERIC)")
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("INSERT INTO t VALUES (1, ?, ?, ?, ?, ?)", [value] * 5)
    before, changed, after = there_and_back(path, "UPDATE t SET a = 'x', b = 2, c = 3, d = 4, e = 5")
    assert changed != before == after


@pytest.mark.parametrize("value", [v for v in VALUES if v is not None], ids=repr)
@pytest.mark.parametrize("form", ["", "WITHOUT ROWID"])
def test_every_value_may_be_a_key(tmp_path, value, form):
    """A row is found again by whatever its primary key is."""
    path = make(tmp_path / "k.db", f"CREATE TABLE t (k PRIMARY KEY, a) {form}")
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("INSERT INTO t VALUES (?, 1), ('other', 2)", [value])
    before, changed, after = there_and_back(path, "UPDATE t SET a = 5", "DELETE FROM t WHERE k = 'other'")
    assert changed != before == after


def test_text_that_is_no_utf8_comes_back(tmp_path):
    """As a value and as a key, byte for byte."""
    schema = """CREATE TABLE t (k TEXT PRIMARY KEY, a TEXT);
    INSERT INTO t VALUES (CAST(x'ff41' AS TEXT), CAST(x'00fe' AS TEXT)), ('ok', 'ok');"""
    before, changed, after = there_and_back(make(tmp_path / "bad.db", schema), "UPDATE t SET a = 1")
    assert changed != before == after
    before, changed, after = there_and_back(make(tmp_path / "bad2.db", schema), "DELETE FROM t")
    assert changed != before == after


def test_a_utf16_database_is_taken_back(tmp_path):
    """The encoding of the database is SQLite's own affair."""
    schema = "PRAGMA encoding = 'UTF-16'; CREATE TABLE t (k TEXT PRIMARY KEY, a);"
    schema += "INSERT INTO t VALUES ('é🦆', 'ü'), ('b', x'ff')"
    before, changed, after = there_and_back(make(tmp_path / "u.db", schema), "UPDATE t SET a = 1, k = k || 'x'")
    assert changed != before == after


def test_hostile_names_are_only_names(tmp_path):
    """Tables and columns may be called anything."""
    schema = """
    CREATE TABLE "a""b'c; DROP" ("select" INTEGER, "new" TEXT, "o'ld" , [x]]y] , PRIMARY KEY ("new", "o'ld"));
    CREATE TABLE "order" ("rowid" TEXT, "oid" TEXT, "group by" DEFAULT 1 REFERENCES "é 表"("t"));
    CREATE TABLE "é 表" ("table" PRIMARY KEY, "t" UNIQUE, "was", "n", "c0", "interlock_log");
    INSERT INTO "a""b'c; DROP" VALUES (1, 'n', 'o', 'y');
    INSERT INTO "order" VALUES ('r', 'o', NULL);
    INSERT INTO "é 表" VALUES (1, 2, 3, 4, 5, 6);
    """.replace("[x]]y]", '"x]y"')
    before, changed, after = there_and_back(
        make(tmp_path / "names.db", schema),
        'UPDATE "a""b\'c; DROP" SET "select" = 2, "new" = \'m\'',
        'DELETE FROM "order"',
        'REPLACE INTO "é 表" VALUES (7, 2, 3, 4, 5, 6)',
    )
    assert changed != before == after


def test_computed_columns_follow_and_are_not_written(tmp_path):
    """Virtual and stored ones, also where a unique index is on one."""
    schema = """CREATE TABLE t (k INTEGER PRIMARY KEY, a, v AS (a + 1), s AS (a * 2) STORED UNIQUE);
    INSERT INTO t (k, a) VALUES (1, 1), (2, 2);"""
    before, changed, after = there_and_back(
        make(tmp_path / "g.db", schema), "UPDATE OR REPLACE t SET a = 2 WHERE k = 1", "INSERT INTO t (a) VALUES (9)"
    )
    assert changed != before == after


REPLACING = {
    "an expression": "CREATE UNIQUE INDEX i ON t (lower(a) || ')' DESC, b COLLATE NOCASE)",
    "a part of the rows": "CREATE UNIQUE INDEX i ON t (a) /* ( */ WHERE b IS NOT NULL -- why",
    "a collation": "CREATE UNIQUE INDEX i ON t (a COLLATE NOCASE, b COLLATE NOCASE)",
    "a computed column": "ALTER TABLE t ADD COLUMN v AS (lower(a)); CREATE UNIQUE INDEX i ON t (v, b COLLATE NOCASE)",
}


@pytest.mark.parametrize("index", REPLACING.values(), ids=REPLACING)
@pytest.mark.parametrize(
    "statement",
    ["REPLACE INTO t (k, a, b) VALUES (3, 'A', 'B')", "UPDATE OR REPLACE t SET a = 'A', b = 'B' WHERE k = 2"],
)
def test_what_a_replace_displaces_by_any_index_comes_back(tmp_path, index, statement):
    """Rows displaced by indexes on expressions, parts of the rows, other collations and computed columns."""
    schema = (
        "CREATE TABLE t (k INTEGER PRIMARY KEY, a, b);"
        + index
        + "\n; INSERT INTO t (k, a, b) VALUES (1, 'A', 'b'), (2, 'x', 'x');"
    )
    if index != REPLACING["a part of the rows"]:
        schema = schema.replace("(1, 'A'", "(1, 'a'")
    before, changed, after = there_and_back(make(tmp_path / "i.db", schema), statement)
    assert after == before
    assert not any(row.startswith("(1,") for row in changed["t"])


def test_null_in_a_primary_key_leaves_the_rowid(tmp_path):
    """SQLite lets NULLs into primary keys, any number of them."""
    schema = "CREATE TABLE t (k TEXT PRIMARY KEY, a); INSERT INTO t VALUES (NULL, 1), (NULL, 1), ('x', 2)"
    before, changed, after = there_and_back(
        make(tmp_path / "n.db", schema), "DELETE FROM t WHERE rowid = 1", "UPDATE t SET k = NULL, a = 7 WHERE k = 'x'"
    )
    assert changed != before == after


def test_strict_tables_and_views_with_triggers_work(tmp_path):
    """What is written to a view lands in tables, by its triggers."""
    schema = """CREATE TABLE t (k INTEGER PRIMARY KEY, a ANY, r REAL) STRICT;
    CREATE VIEW v AS SELECT k, a FROM t;
    CREATE TRIGGER vi INSTEAD OF INSERT ON v BEGIN INSERT INTO t VALUES (new.k, new.a, 1); END;
    CREATE TRIGGER vu INSTEAD OF UPDATE ON v BEGIN UPDATE t SET a = new.a WHERE k = old.k; END;
    INSERT INTO t VALUES (1, x'00', 2.0);"""
    before, changed, after = there_and_back(
        make(tmp_path / "s.db", schema), "INSERT INTO v VALUES (2, 'two')", "UPDATE v SET a = 'x'"
    )
    assert changed != before == after


def test_triggers_of_the_application_that_change_the_same_row_are_captured(tmp_path):
    """Before and after, also where they call each other."""
    schema = """CREATE TABLE t (k INTEGER PRIMARY KEY, a, n DEFAULT 0);
    CREATE TRIGGER after_update AFTER UPDATE OF a ON t BEGIN UPDATE t SET n = n + 1 WHERE k = new.k; END;
    CREATE TRIGGER after_insert AFTER INSERT ON t BEGIN UPDATE t SET a = 'stamped' WHERE k = new.k; END;
    CREATE TRIGGER before_update BEFORE UPDATE OF a ON t BEGIN UPDATE t SET n = n + 10 WHERE k = old.k; END;
    CREATE TRIGGER before_delete BEFORE DELETE ON t BEGIN UPDATE t SET n = -1 WHERE k = old.k; END;
    INSERT INTO t (k, a) VALUES (1, 'one'), (2, 'two');"""
    before, changed, after = there_and_back(
        make(tmp_path / "t.db", schema),
        "UPDATE t SET a = 'x'",
        "INSERT INTO t (a) VALUES (1)",
        "DELETE FROM t WHERE k = 2",
    )
    assert changed != before == after


def test_the_applications_triggers_are_there_again_and_in_their_order(path):
    """An undo takes them away in its transaction, and puts them back."""

    def triggers():
        with closing(sqlite3.connect(path)) as database:
            return database.execute(
                "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' ORDER BY rowid"
            ).fetchall()

    before = triggers()
    there_and_back(path, STATEMENTS["a delete without a condition"])
    assert [one for one in triggers() if "bookings" in one[0]] == [one for one in before if "bookings" in one[0]]
    assert sorted(triggers()) == sorted(before)
    edit(path, "INSERT INTO bookings (ref, customer, seats) VALUES ('NEW', 1, 1)")
    assert any("booked" in row for row in dump(path)["log"])


def test_touched_names_the_rows_written_and_the_parents_they_refer_to(path):
    """By names that stay the same; a parent that was itself written is not read."""
    way = SqliteRows(path, name="shop")
    touched = perform(way, "k1", "UPDATE seats SET booking = 'CD34' WHERE number = 1")
    assert set(touched.wrote) == {'shop:seats/["LH1",1]', 'shop:log/{"rowid":3}'}
    assert touched.read == ('shop:bookings/"AB12"', 'shop:bookings/"CD34"')
    touched = perform(way, "k2", "INSERT INTO bookings (ref, customer, seats) VALUES ('N', 1, 1)")
    assert "shop:customers/1" in touched.wrote
    assert touched.read == ()


def test_an_undo_is_done_once_under_its_key(path):
    """A second call returns the same, and changes nothing."""
    way = SqliteRows(path)
    before = dump(path)
    perform(way, "k1", "DELETE FROM customers")
    first = take_back(way, "k1")
    edit(path, "UPDATE customers SET points = 99")
    assert take_back(way, "k1") == first
    edit(path, "UPDATE customers SET points = NULL")
    assert dump(path) != before
