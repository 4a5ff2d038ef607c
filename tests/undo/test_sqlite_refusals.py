"""What can't be captured is refused, and what can't be taken back says so: a conflict, or lost for good."""

import sqlite3
from contextlib import closing

import pytest
from sqlite_shop import SCHEMA, dump, edit, make, perform, take_back

from interlock import Ctx
from interlock.actions.way import ConflictError, LostError, RolledBackError
from interlock.errors import DeclarationError, InterlockError
from interlock.undo.rows.sqlite import SqliteRows
from interlock.undo.rows.sqlite_guard import NotCoveredError

FILL = """INSERT INTO log WITH n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 300)
SELECT hex(randomblob(500)), i FROM n"""


@pytest.fixture
def path(tmp_path):
    return make(tmp_path / "shop.db")


REFUSED = [
    "COMMIT", "commit /* x */", "ROLLBACK", "END", "BEGIN", "RELEASE interlock_start", "ROLLBACK TO interlock_start",
    "CREATE TABLE t (x)", "CREATE TEMP TABLE t (x)", "CREATE INDEX i ON log (what)", "DROP TABLE log",
    "DROP TRIGGER bookings_gone", "DROP TRIGGER temp.interlock_0_came", "ALTER TABLE log ADD COLUMN x",
    "CREATE TEMP TRIGGER interlock_x AFTER INSERT ON log BEGIN DELETE FROM interlock_effects; END",
    "CREATE VIEW v AS SELECT 1",
    "ATTACH ':memory:' AS other", "DETACH main", "VACUUM", "VACUUM INTO 'x'", "REINDEX", "ANALYZE",
    "PRAGMA foreign_keys = OFF", "PRAGMA recursive_triggers = ON", "PRAGMA writable_schema = 1",
    "PRAGMA ignore_check_constraints = 1", "PRAGMA journal_mode = OFF", "PRAGMA user_version = 3", "PRAGMA optimize",
    "DELETE FROM interlock_effects", "INSERT INTO interlock_rows VALUES ('k', 1, 't', 'k', NULL, NULL)",
    "DELETE FROM sqlite_sequence", "DELETE FROM interlock_log", "INSERT INTO temp.interlock_log (t) VALUES (1)",
    "UPDATE sqlite_master SET sql = ''", "SELECT load_extension('x')", "CREATE VIRTUAL TABLE v USING fts5(x)",
]  # fmt: skip


@pytest.mark.parametrize("statement", REFUSED)
def test_what_could_not_be_taken_back_is_refused_and_nothing_happens(path, statement):
    """The whole action fails, unless it catches the error; the database is as before, and the next effect works."""
    way = SqliteRows(path)
    before = dump(path)
    with pytest.raises(RolledBackError) as failed:
        perform(way, "k1", "DELETE FROM log", "UPDATE customers SET points = 4", statement)
    assert isinstance(failed.value.__cause__, sqlite3.Error)
    assert dump(path) == before
    assert way.look(Ctx(None), "k1") is None
    perform(way, "k1", "UPDATE customers SET points = 5")
    take_back(way, "k1")
    assert dump(path) == before


def test_a_virtual_table_is_named_in_the_refusal(tmp_path):
    """Its rows are where no trigger sees them; other tables of the database stay usable."""
    path = make(tmp_path / "fts.db", "CREATE VIRTUAL TABLE notes USING fts5(body); CREATE TABLE t (x);")
    way = SqliteRows(path)
    with pytest.raises(RolledBackError, match=r"table 'notes' can't be written.*virtual table.*declare the action"):
        perform(way, "k1", "INSERT INTO notes VALUES ('hello')")
    perform(way, "k2", "INSERT INTO t SELECT count(*) FROM notes")
    assert take_back(way, "k2").wrote


def test_a_trigger_that_writes_to_a_virtual_table_is_refused_too(tmp_path):
    """What is not covered stays so, whoever writes to it."""
    path = make(
        tmp_path / "fts.db",
        "CREATE VIRTUAL TABLE notes USING fts5(body); CREATE TABLE t (x);"
        "CREATE TRIGGER i AFTER INSERT ON t BEGIN INSERT INTO notes VALUES (new.x); END;",
    )
    with pytest.raises(RolledBackError, match="notes"):
        perform(SqliteRows(path), "k1", "INSERT INTO t VALUES (1)")


def test_python_ways_around_triggers_are_refused(path):
    """Opened blobs, deserialisation and another authorizer."""
    way = SqliteRows(path)
    ctx = Ctx(None, key="k1")
    with way.performing(ctx, "a") as effect:
        connection = way.connection(ctx)
        for call in (
            lambda: connection.blobopen("log", "what", 1),
            lambda: connection.deserialize(b""),
            lambda: connection.set_authorizer(None),
            lambda: sqlite3.Connection.commit(connection),
            lambda: sqlite3.Connection.execute(connection, "DELETE FROM log"),
        ):
            with pytest.raises(sqlite3.Error):
                call()
        assert connection.in_transaction
        effect.finish(b"1")


def test_a_statement_of_interlocks_own_is_not_the_functions(path):
    """Prepared statements are found again by their text, so that a function must not guess one."""
    way = SqliteRows(path)
    perform(way, "k0", "UPDATE customers SET points = 1")
    for n, statement in enumerate(["COMMIT", "BEGIN IMMEDIATE", "ROLLBACK", "DELETE FROM temp.interlock_log"]):
        with pytest.raises(RolledBackError, match=r"refused|can't be written"):
            perform(way, f"k{n + 1}", statement)


def test_commit_and_rollback_of_the_function(path):
    """`commit` keeps what was done for the end of the action, `rollback` goes back to it."""
    way = SqliteRows(path)
    ctx = Ctx(None, key="k1")
    with way.performing(ctx, "a") as effect:
        connection = way.connection(ctx)
        connection.execute("UPDATE customers SET points = 1")
        connection.commit()
        connection.execute("UPDATE customers SET points = 2")
        connection.rollback()
        with pytest.raises(ZeroDivisionError), connection:  # noqa: PT012 - it is the effect that fails
            connection.execute("UPDATE customers SET points = 3")
            raise ZeroDivisionError
        with connection:
            connection.executescript("INSERT INTO log VALUES ('a;b', 1); INSERT INTO log VALUES ('c', 2)")
        with closing(sqlite3.connect(path)) as other:
            assert other.execute("SELECT count(*) FROM log").fetchone() == (2,)
        connection.execute("SAVEPOINT mine")
        connection.execute("DELETE FROM log")
        connection.execute("ROLLBACK TO mine")
        connection.close()
        effect.finish(b"1")
    assert [row for row in dump(path)["customers"] if row.endswith(", 1.0)")] == dump(path)["customers"]
    assert len(dump(path)["log"]) == 4
    with pytest.raises(NotCoveredError, match="over"):
        connection.execute("SELECT 1")
    connection.rollback()  # a pool that lets go of it late


def test_a_connection_that_is_let_go_late_does_not_touch_another_effect(path):
    """Its rollback would otherwise take back what the next one has done, as both use the same handle."""
    way = SqliteRows(path)
    first, second = Ctx(None, key="k1"), Ctx(None, key="k2")
    with way.performing(first, "a") as effect:
        old, cursor = way.connection(first), way.connection(first).cursor()
        effect.finish(b"1")
    with way.performing(second, "a") as effect:
        way.connection(second).execute("UPDATE customers SET points = 42")
        old.rollback()
        with pytest.raises(NotCoveredError, match="over"):
            cursor.execute("DELETE FROM log")
        effect.finish(b"1")
    assert all(row.endswith(", 42.0)") for row in dump(path)["customers"])


def test_there_is_no_connection_outside_of_an_effect(path):
    """Before, after, and under another key."""
    way = SqliteRows(path)
    with pytest.raises(DeclarationError, match="no effect is under way"):
        way.connection(Ctx(None, key="k1"))
    with way.performing(Ctx(None, key="k1"), "a") as effect, pytest.raises(DeclarationError):  # noqa: PT012 - it is the effect that fails
        effect.finish(b"1")
        way.connection(Ctx(None, key="k2"))


@pytest.mark.parametrize("error", [ValueError("x"), sqlite3.OperationalError("y")])
def test_an_action_that_raises_has_not_happened(path, error):
    """Everything is rolled back, and its error is the cause."""
    way = SqliteRows(path)
    before = dump(path)
    ctx = Ctx(None, key="k1")
    with pytest.raises(RolledBackError, match="act failed and was rolled back") as failed, way.performing(ctx, "act"):  # noqa: PT012 - it is the effect that fails
        way.connection(ctx).execute("DELETE FROM customers")
        raise error
    assert failed.value.__cause__ is error
    assert dump(path) == before
    with pytest.raises(KeyboardInterrupt), way.performing(ctx, "act"):  # noqa: PT012 - it is the effect that fails
        way.connection(ctx).execute("DELETE FROM customers")
        raise KeyboardInterrupt
    assert dump(path) == before


def test_a_foreign_key_that_is_violated_in_the_end_rolls_back(path):
    """A deferred one is found at the commit, and nothing has happened."""
    way = SqliteRows(path)
    before = dump(path)
    with pytest.raises(RolledBackError, match="FOREIGN KEY"):
        perform(way, "k1", "UPDATE people SET boss = 99 WHERE id = 2")
    assert dump(path) == before
    with pytest.raises(RolledBackError, match="FOREIGN KEY"):
        perform(way, "k1", "INSERT INTO bookings (ref, customer, seats) VALUES ('N', 99, 1)")


def test_an_effect_is_carried_out_once_under_its_key(path):
    """A second one under the same key doesn't begin; the first is what `look` finds."""
    way = SqliteRows(path)
    touched = perform(way, "k1", "UPDATE customers SET points = 1")
    with pytest.raises(InterlockError, match="before"):
        perform(way, "k1", "UPDATE customers SET points = 2")
    found = SqliteRows(path).look(Ctx(None), "k1")
    assert found is not None
    assert (found.result, found.touched) == (b'"ok"', touched)


# conflicts


CONFLICTS = {
    "changed": ("UPDATE customers SET points = 5 WHERE id = 1", "UPDATE customers SET points = 6 WHERE id = 1"),
    "deleted": ("UPDATE log SET what = 1", "DELETE FROM log"),
    "there again": ("DELETE FROM seats WHERE number = 4", "INSERT INTO seats VALUES ('LH1', 4, NULL)"),
    "its type changed": ("UPDATE log SET row = 1", "UPDATE log SET row = '1'"),
    "its case changed": ("UPDATE customers SET email = 'B@x.org' WHERE id = 2",
        "UPDATE customers SET email = 'b@x.org'WHERE id = 2"),
    "a unique value is taken": (
        "DELETE FROM customers WHERE id = 2",
        "INSERT INTO customers VALUES (8, 'BEN@x.org', 1)"),
    "a parent is gone": ("DELETE FROM bookings WHERE ref = 'CD34'", "DELETE FROM customers WHERE id = 2"),
    "somebody refers to a new row": (
        "INSERT INTO customers VALUES (7, 'new', 0)",
        "INSERT INTO bookings (ref, customer, seats) VALUES ('X', 7, 1)",
    ),
    "somebody refers to a new key": (
        "UPDATE bookings SET ref = 'ZZ' WHERE ref = 'CD34'", "UPDATE seats SET booking = 'ZZ' WHERE number = 4"
    ),
    "a key that is the same to SQLite": (
        "DELETE FROM names WHERE name = 'A'", "INSERT INTO names VALUES ('a')"
    ),
}  # fmt: skip


@pytest.mark.parametrize(("done", "since"), CONFLICTS.values(), ids=CONFLICTS)
def test_what_somebody_changed_since_is_never_overwritten(tmp_path, done, since):
    """The undo names the rows, and nothing is changed."""
    path = make(
        tmp_path / "c.db",
        SCHEMA + "CREATE TABLE names (name TEXT PRIMARY KEY COLLATE NOCASE); INSERT INTO names VALUES ('A')",
    )
    edit(path, "INSERT INTO bookings (ref, customer, seats) VALUES ('L', 1, 1)")
    way = SqliteRows(path)
    perform(way, "k1", done)
    edit(path, since)
    before = dump(path)
    with pytest.raises(ConflictError, match="nothing was taken back") as conflict:
        take_back(way, "k1")
    assert conflict.value.changes
    assert dump(path) == before
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("SELECT count(*) FROM sqlite_master WHERE type = 'trigger'").fetchone() == (3,)


def test_a_conflict_shows_every_row_before_after_and_now(path):
    """As plain data, for a person to decide."""
    way = SqliteRows(path)
    perform(way, "k1", "UPDATE customers SET points = 5", "UPDATE seats SET booking = NULL WHERE number = 3")
    edit(path, "UPDATE customers SET points = 6 WHERE id = 1", "DELETE FROM seats WHERE number = 3")
    with pytest.raises(ConflictError) as conflict:
        take_back(way, "k1")
    changes = {change.object: change for change in conflict.value.changes}
    assert set(changes) == {"customers id=1", "seats flight='LH1' number=3"}
    ana = changes["customers id=1"]
    assert (ana.before, ana.after, ana.now) == tuple(
        {"id": 1, "email": "ana@x.org", "points": n} for n in (2.3000000000000003, 5.0, 6.0)
    )
    assert changes["seats flight='LH1' number=3"].now is None


def test_a_row_that_refers_to_what_would_go_is_named(path):
    """It is somebody's booking: the undo must not cascade to it."""
    way = SqliteRows(path)
    perform(way, "k1", "INSERT INTO customers VALUES (7, 'new', 0)")
    edit(
        path,
        "INSERT INTO bookings (ref, customer, seats) VALUES ('X', 7, 1)",
        "UPDATE customers SET points = 0 WHERE id = 7",
    )
    with pytest.raises(ConflictError, match=r"bookings ref='X' refers to customers id=7, which would go") as conflict:
        take_back(way, "k1")
    assert conflict.value.changes[0].now["customer"] == 7


def test_edits_to_other_rows_survive(path):
    """Only the rows of the effect are restored."""
    way = SqliteRows(path)
    perform(way, "k1", "UPDATE customers SET points = 5 WHERE id = 1", "DELETE FROM seats WHERE number = 4")
    edit(path, "UPDATE customers SET points = 77 WHERE id = 2", "INSERT INTO seats VALUES ('LH2', 1, 'AB12')")
    take_back(way, "k1")
    rows = dump(path)
    assert any(row.endswith("77.0)") for row in rows["customers"])
    assert any("LH2" in row for row in rows["seats"])
    assert any(row.endswith(", 2.3000000000000003)") for row in rows["customers"])


def test_effects_are_taken_back_one_by_one_in_reverse(path):
    """The later one first: then the earlier finds its rows as it left them."""
    way = SqliteRows(path)
    before = dump(path)
    perform(way, "k1", "UPDATE customers SET points = 5")
    perform(way, "k2", "UPDATE customers SET points = 6")
    with pytest.raises(ConflictError):
        take_back(way, "k1")
    take_back(way, "k2")
    take_back(way, "k1")
    assert dump(path) == before


def test_a_preview_shows_the_rows_and_changes_nothing(path):
    """What would be restored, with the rows as they are now."""
    way = SqliteRows(path)
    perform(way, "k1", "UPDATE customers SET points = 5 WHERE id = 1")
    edit(path, "UPDATE customers SET points = 6 WHERE id = 1")
    before = dump(path)
    (change,) = way.preview(Ctx(None), "k1")
    assert (change.object, change.after["points"], change.now["points"]) == ("customers id=1", 5.0, 6.0)
    assert dump(path) == before


# lost


LOSSES = {
    "altered": ("ALTER TABLE customers ADD COLUMN x", "table 'customers' was altered since"),
    "renamed": ("ALTER TABLE customers RENAME COLUMN points TO p", "table 'customers' was altered since"),
    "gone": ("ALTER TABLE customers RENAME TO clients", "table 'customers' is gone"),
    "forgotten": ("DELETE FROM interlock_effects", "nothing is kept"),
    "newer": ("UPDATE interlock_effects SET layout = 99", "newer Interlock"),
}


@pytest.mark.parametrize(("since", "why"), LOSSES.values(), ids=LOSSES)
def test_a_way_back_that_is_closed_says_why(path, since, why):
    """The table has another form, or what was kept is gone."""
    way = SqliteRows(path)
    perform(way, "k1", "UPDATE customers SET points = 5")
    edit(path, since)
    before = dump(path)
    with pytest.raises(LostError, match=why):
        take_back(way, "k1")
    with pytest.raises(LostError, match=why):
        way.preview(Ctx(None), "k1")
    assert dump(path) == before


def test_rows_that_were_kept_long_enough_are_purged(path):
    """Their effect still says that it happened, and that it can't be taken back."""
    way = SqliteRows(path, keep="0s")
    perform(way, "k1", "UPDATE customers SET points = 5")
    perform(SqliteRows(path, keep="1d"), "k2", "UPDATE log SET what = 5")
    assert way.purge(Ctx(None)) == 1
    assert way.purge(Ctx(None)) == 0
    assert way.look(Ctx(None), "k1") is not None
    with pytest.raises(LostError, match="before-images were kept until 20"):
        take_back(way, "k1")
    take_back(way, "k2")


def test_two_people_take_the_same_effect_back_once(path):
    """The second hears of the first."""
    way = SqliteRows(path)
    perform(way, "k1", "UPDATE customers SET points = 5")
    take_back(way, "k1", by="ana")
    with pytest.raises(LostError, match="taken back already, under the key 'ana'"):
        take_back(way, "k1", by="ben")


def test_a_schema_that_changes_between_effects_is_captured_as_it_is(path):
    """A table that a migration adds is covered at once, on connections that were ready before."""
    way = SqliteRows(path)
    perform(way, "k1", "UPDATE customers SET points = 5")
    edit(
        path,
        "CREATE TABLE added (k INTEGER PRIMARY KEY, v)",
        "ALTER TABLE log ADD COLUMN more DEFAULT 3",
        "DROP TABLE people",
    )
    before = dump(path)
    perform(way, "k2", "INSERT INTO added VALUES (1, 2)", "UPDATE log SET more = 4")
    take_back(way, "k2")
    assert dump(path) == before


def test_places_that_are_no_database_say_so(tmp_path):
    """Missing, a directory, another file, read-only."""
    (tmp_path / "text").write_text("no database, but long enough to look like something " * 99)
    for place, why in (
        (tmp_path / "none.db", "create it"),
        (tmp_path, "can't be opened"),
        (tmp_path / "text", "no SQLite"),
    ):
        with pytest.raises(InterlockError, match=why):
            SqliteRows(place).check(Ctx(None))
    assert not (tmp_path / "none.db").exists()
    with (
        pytest.raises(RolledBackError, match="was not begun"),
        SqliteRows(tmp_path / "none.db").performing(Ctx(None, key="k"), "a"),
    ):
        pass


def test_the_place_may_be_known_from_the_dependencies_only(path):
    """Different runs have different databases; a file that is replaced is another one."""
    way = SqliteRows(lambda deps: deps["db"])
    ctx = Ctx({"db": path}, key="k1")
    with way.performing(ctx, "a") as effect:
        way.connection(ctx).execute("DELETE FROM log")
        effect.finish(b"1")
    path.unlink()
    make(path)
    assert way.look(ctx, "k1") is None


def test_a_locked_database_leaves_everything_as_it_was(path):
    """Somebody writes for longer than the timeout."""
    way = SqliteRows(path, timeout="10ms")
    perform(way, "k1", "UPDATE customers SET points = 5")
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(RolledBackError, match="locked"):
            perform(way, "k2", "UPDATE customers SET points = 6")
        with pytest.raises(InterlockError, match="others kept it locked"):
            take_back(way, "k1")
    take_back(way, "k1")


def test_a_full_disk_leaves_everything_as_it_was(path):
    """In the middle of an effect, and of an undo."""
    way = SqliteRows(path)
    edit(
        path,
        FILL,
    )
    perform(way, "k1", "DELETE FROM log")
    edit(path, "VACUUM")
    before = dump(path)
    for pool in (way._pool, way._restoring):
        with pool.lent(str(path)) as ready:
            ready.handle.own(f"PRAGMA max_page_count = {path.stat().st_size // 4096 + 2}")
    with pytest.raises(RolledBackError, match="full"):
        perform(
            way,
            "k2",
            FILL,
        )
    with pytest.raises(InterlockError, match="the disk is full"):
        take_back(way, "k1")
    assert dump(path) == before
