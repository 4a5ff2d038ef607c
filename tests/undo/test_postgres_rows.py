"""Effects in a PostgreSQL database: captured whatever does them, taken back exactly, never over others' work."""

import json

import pytest
from postgres_server import Shop, context, dsn, psycopg

from interlock.actions.way import ConflictError, LostError, RolledBackError
from interlock.errors import DeclarationError, InterlockError
from interlock.undo.rows.postgres import PostgresRows


@pytest.fixture
def shop():
    shop = Shop()
    yield shop
    shop.close()


EFFECTS = {
    "update": ["UPDATE bookings SET price = price + 1 WHERE ref = 'A1'"],
    "update of all": ["UPDATE bookings SET price = price + 1"],
    "insert": ["INSERT INTO bookings VALUES ('Z9', 3, 5)", "INSERT INTO notes (booking, body) VALUES ('Z9', 'hi')"],
    "generated keys": ["INSERT INTO guests (name) VALUES ('dan')", "INSERT INTO notes (body) SELECT 'x' FROM seats"],
    "cascade": ["DELETE FROM seats", "DELETE FROM guests WHERE name = 'ann'"],
    "deleted and made again": [
        "DELETE FROM seats WHERE row = 1",
        "DELETE FROM bookings WHERE ref = 'A1'",
        "INSERT INTO bookings VALUES ('A1', 2, 99)",
    ],
    "key moved": ["UPDATE bookings SET ref = 'B2' WHERE ref = 'B1'"],
    "keys swapped": [
        "UPDATE guests SET name = 'x' WHERE name = 'ann'",
        "UPDATE guests SET name = 'ann' WHERE name = 'bob'",
        "UPDATE guests SET name = 'bob' WHERE name = 'x'",
    ],
    "composite key": ["UPDATE seats SET place = 'q', booking = NULL WHERE place = 'b'"],
    "upsert": [
        "INSERT INTO bookings (ref, price) VALUES ('A1', 1), ('N1', 2) ON CONFLICT (ref) DO UPDATE SET price = 3"
    ],
    "merge": [
        "MERGE INTO seats USING (VALUES (1), (7)) v(r) ON row = r WHEN MATCHED THEN DELETE",
        "INSERT INTO seats VALUES (7, 'z')",
    ],
    "copy": [
        "CREATE TEMP TABLE mine (r int)",
        "INSERT INTO mine VALUES (8)",
        "INSERT INTO seats SELECT r, 'c' FROM mine",
    ],
    "truncate": ["TRUNCATE notes RESTART IDENTITY"],
    "truncate cascade": ["TRUNCATE guests CASCADE", "INSERT INTO guests (name) VALUES ('new')"],
    "savepoint": [
        "UPDATE notes SET body = 'kept'",
        "SAVEPOINT s",
        "DELETE FROM notes",
        "ROLLBACK TO s",
    ],
    "circle": ["UPDATE notes SET reply_to = 3 WHERE id = 1"],
    "self reference": ["SET CONSTRAINTS ALL DEFERRED", "DELETE FROM notes WHERE body LIKE '%late'"],
    "as a replica": ["SET LOCAL session_replication_role = replica", "DELETE FROM notes"],
    "other settings": [
        "SET LOCAL timezone = 'Asia/Kolkata'",
        "SET LOCAL datestyle = 'German'",
        "UPDATE bookings SET price = 7",
    ],
    "nothing": [],
}


@pytest.mark.parametrize("effect", EFFECTS)
def test_an_effect_is_taken_back_exactly(shop, effect):
    """Rows are as before, whatever changed them: cascades, triggers of the application, bulk statements, truncation."""
    before = shop.state()
    shop.act("k1", *EFFECTS[effect])
    assert (shop.state() == before) == (effect == "nothing")
    shop.undo("k1")
    assert shop.state() == before


@pytest.mark.parametrize("effect", EFFECTS)
def test_an_undo_can_be_taken_back_in_turn(shop, effect):
    """An undo is an effect itself: taking it back brings back what it took back, which can be taken back again."""
    before = shop.state()
    shop.act("k1", *EFFECTS[effect])
    after = shop.state()
    shop.undo("k1", "u1")
    shop.undo("u1", "u2")
    assert shop.state() == after
    shop.undo("k1", "u3")
    assert shop.state() == before


def test_the_result_is_found_and_an_effect_that_was_not_carried_out_is_not(shop):
    """The marker tells of an effect exactly: its result and what it touched, or that there is none."""
    touched = shop.act("k1", "UPDATE seats SET booking = 'B1' WHERE row = 2", result=b'{"ok": [1, "\\u00e4"]}')
    found = shop.bank.look(context("x"), "k1")
    assert json.loads(found.result) == {"ok": [1, "ä"]}
    assert found.touched == touched
    assert touched.wrote == ("shop:seats/(2,a)",)
    assert touched.read == ("shop:bookings/B1",)
    assert shop.bank.look(context("x"), "k2") is None


def test_a_function_that_raises_has_changed_nothing(shop):
    """The block's error rolls back everything, and says so; the connection serves the next effect."""
    before = shop.state()
    with pytest.raises(RolledBackError, match="act failed") as caught:
        shop.act("k1", "DELETE FROM notes", ValueError("no"))
    assert isinstance(caught.value.__cause__, ValueError)
    assert shop.state() == before
    assert shop.bank.look(context("x"), "k1") is None
    shop.act("k1", "DELETE FROM notes")


def test_a_key_is_used_once(shop):
    """A second effect under the same key changes nothing, and does not claim that nothing has happened."""
    shop.act("k1", "DELETE FROM notes WHERE id = 3")
    before = shop.state()
    with pytest.raises(InterlockError, match="carried out already"):
        shop.act("k1", "DELETE FROM seats")
    assert shop.state() == before


def test_taking_back_is_done_once(shop):
    """The same undo again changes nothing and returns the same; another one is told that it was done already."""
    before = shop.state()
    shop.act("k1", "DELETE FROM seats")
    touched = shop.undo("k1", "u1")
    shop.sql("UPDATE seats SET booking = NULL")
    now = shop.state()
    assert shop.undo("k1", "u1") == touched
    assert shop.state() == now != before
    with pytest.raises(LostError, match="taken back already, under the key 'u1'"):
        shop.undo("k1", "u2")


def test_preview_shows_rows_and_changes_nothing(shop):
    """People see each row before, after and now, as plain values."""
    shop.act("k1", "UPDATE seats SET booking = 'B1' WHERE row = 2", "INSERT INTO guests (name) VALUES ('dan')")
    shop.sql("UPDATE guests SET name = 'dana' WHERE name = 'dan'")
    state = shop.state()
    seat, guest = shop.bank.preview(context("x"), "k1")
    assert seat.object == "seats row=2 place='a'"
    assert seat.before == {"row": 2, "place": "a", "booking": None}
    assert seat.after == seat.now == {"row": 2, "place": "a", "booking": "B1"}
    assert (guest.object, guest.before) == ("guests id=4", None)
    assert (guest.after["name"], guest.now["name"]) == ("dan", "dana")
    assert shop.state() == state


CONFLICTS = {
    "changed": (
        ["UPDATE seats SET booking = NULL"],
        "UPDATE seats SET booking = 'B1' WHERE place = 'b'",
        "seats row=1 place='b'",
    ),
    "deleted": (["UPDATE notes SET body = 'x'"], "DELETE FROM notes WHERE id = 2", "notes id=2"),
    "made again": (["DELETE FROM notes WHERE id = 2"], "INSERT INTO notes (id) VALUES (2)", "notes id=2"),
    "a child would be cascaded away": (
        ["INSERT INTO guests (name) VALUES ('dan')"],
        "INSERT INTO bookings VALUES ('D1', 4, 1)",
        "bookings ref='D1'",
    ),
    "a child would lose its parent": (
        ["INSERT INTO bookings VALUES ('D1', 3, 1)"],
        "INSERT INTO notes (id, booking) VALUES (77, 'D1')",
        "notes id=77",
    ),
    "a child stands in the way": (
        ["INSERT INTO bookings VALUES ('D1', 3, 1)"],
        "INSERT INTO seats VALUES (9, 'a', 'D1')",
        "seats row=9 place='a'",
    ),
    "a deferred reference": (
        ["INSERT INTO notes (id) VALUES (50)"],
        "INSERT INTO notes (id, reply_to) VALUES (51, 50)",
        "notes id=51",
    ),
}


@pytest.mark.parametrize("conflict", CONFLICTS)
def test_what_others_did_since_is_never_overwritten(shop, conflict):
    """A conflict names the row and changes nothing, also where only a cascade would reach it."""
    effect, edit, named = CONFLICTS[conflict]
    shop.act("k1", *effect)
    shop.sql(edit)
    state = shop.state()
    with pytest.raises(ConflictError, match="nothing was taken back") as caught:
        shop.undo("k1")
    assert named in str(caught.value)
    assert named in [change.object for change in caught.value.changes]
    assert shop.state() == state
    assert shop.bank.look(context("x"), "undo-k1") is None


def test_every_changed_row_is_in_the_conflict(shop):
    """A person decides about all of them at once: before, after and now."""
    shop.act("k1", "UPDATE notes SET body = 'mine'")
    shop.sql("UPDATE notes SET body = 'theirs' WHERE id <> 3")
    with pytest.raises(ConflictError) as caught:
        shop.undo("k1")
    assert [(change.before["body"], change.after["body"], change.now["body"]) for change in caught.value.changes] == [
        ("late", "mine", "theirs"),
        (None, "mine", "theirs"),
    ]


def test_a_taken_unique_value_is_a_conflict(shop):
    """A name that somebody else took meanwhile can't be given back."""
    shop.act("k1", "UPDATE guests SET name = 'zoe' WHERE name = 'ann'")
    shop.sql("INSERT INTO guests (name) VALUES ('ann')")
    state = shop.state()
    with pytest.raises(ConflictError, match="refuses"):
        shop.undo("k1")
    assert shop.state() == state


def test_others_rows_of_the_same_table_stay(shop):
    """Only the rows of the effect are restored."""
    shop.act("k1", "DELETE FROM notes WHERE id = 3")
    shop.sql("UPDATE notes SET body = 'theirs' WHERE id = 2")
    shop.undo("k1")
    assert shop.sql("SELECT id, body FROM notes ORDER BY id") == [(1, "late"), (2, "theirs"), (3, "re: late")]


def test_triggers_of_the_application_are_as_they_were(shop):
    """They don't fire while rows are restored, and are enabled again in just the state they had."""
    shop.sql("ALTER TABLE bookings ENABLE ALWAYS TRIGGER remember")
    shop.sql("ALTER TABLE bookings ENABLE REPLICA TRIGGER stamp")
    states = "SELECT tgname, tgenabled FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1"
    before, rows = shop.sql(states), shop.state()
    shop.act("k1", "UPDATE bookings SET price = 0")
    shop.undo("k1")
    assert shop.sql(states) == before
    assert shop.state() == rows


def test_a_trigger_that_changes_later_rows_is_captured_in_any_order(shop):
    """What a trigger does to a row of the same statement is noted before that statement's own change of it."""
    shop.sql(
        "CREATE FUNCTION chain() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF pg_trigger_depth() = 1 THEN"
        " UPDATE notes SET body = body || '!' WHERE id >= NEW.id; END IF; RETURN NULL; END $$;"
        "CREATE TRIGGER a AFTER UPDATE ON notes FOR EACH ROW EXECUTE FUNCTION chain()"
    )
    before = shop.state()
    shop.act("k1", "UPDATE notes SET body = 'x'")
    assert shop.sql("SELECT body FROM notes ORDER BY id") == [("x!",), ("x!!",), ("x!!!",)]
    shop.undo("k1")
    assert shop.state() == before


@pytest.mark.parametrize("effect", ["made", "deleted", "turned"])
def test_rows_that_refer_to_each_other_are_restored(shop, effect):
    """A circle of references that the database checks at once is opened for a moment, and closed again."""
    shop.sql("CREATE TABLE heads (id int PRIMARY KEY, dept int)")
    shop.sql("CREATE TABLE depts (id int PRIMARY KEY, head int NOT NULL REFERENCES heads)")
    shop.sql("ALTER TABLE heads ADD FOREIGN KEY (dept) REFERENCES depts")
    shop.sql("INSERT INTO heads VALUES (1), (2); INSERT INTO depts VALUES (1, 1), (2, 2); UPDATE heads SET dept = id")
    shop.bank.install(shop.dsn)
    shop.tables = ("heads", "depts")
    before = shop.state()
    effects = {
        "made": [
            "INSERT INTO heads VALUES (3)",
            "INSERT INTO depts VALUES (3, 3)",
            "UPDATE heads SET dept = 3 WHERE id = 3",
        ],
        "deleted": ["UPDATE heads SET dept = NULL", "DELETE FROM depts", "DELETE FROM heads"],
        "turned": ["UPDATE heads SET dept = 3 - id", "UPDATE depts SET head = 3 - id"],
    }
    shop.act("k1", *effects[effect])
    assert shop.state() != before
    shop.undo("k1")
    assert shop.state() == before


@pytest.mark.parametrize("action", ["SET NULL", "CASCADE", "SET DEFAULT"])
@pytest.mark.parametrize("kind", ["int", "int NOT NULL CHECK (desk > 0)", "date NOT NULL", "uuid NOT NULL"])
def test_rows_that_swapped_a_unique_value_and_that_others_refer_to_are_restored(shop, kind, action):
    """Where one has to be out of the way for a moment, what a cascade then does to others' rows is mended."""
    values = {"i": ["1", "2", "3"], "d": ["2026-01-01", "2026-01-02", "2026-01-03"]}.get(kind[0])
    one, two, three = values or [f"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1{n}" for n in range(3)]
    shop.sql(
        f"CREATE TABLE staff (id int PRIMARY KEY, boss int REFERENCES staff ON DELETE {action}"
        f" DEFERRABLE INITIALLY DEFERRED, desk {kind} UNIQUE)"
    )
    shop.sql("CREATE TABLE keys (id int PRIMARY KEY, staff int NOT NULL REFERENCES staff ON DELETE CASCADE)")
    shop.sql(f"INSERT INTO staff (id, desk) VALUES (1, '{one}'), (2, '{two}')")
    if "NOT NULL" not in kind:
        shop.sql("INSERT INTO staff (id, boss) VALUES (3, 1), (4, 2), (5, 1)")
    shop.sql("INSERT INTO keys VALUES (1, 1), (2, 2)")
    shop.bank.install(shop.dsn)
    shop.tables = ("staff", "keys")
    before = shop.state()
    shop.act(
        "k1",
        f"UPDATE staff SET desk = '{three}' WHERE id = 1",
        f"UPDATE staff SET desk = '{one}' WHERE id = 2",
        f"UPDATE staff SET desk = '{two}' WHERE id = 1",
    )
    shop.undo("k1")
    assert shop.state() == before
    shop.undo("undo-k1")
    shop.sql("INSERT INTO keys VALUES (3, 1)")
    after = shop.state()
    shop.undo("k1", "again")
    assert shop.state()["keys"] == after["keys"]
    assert shop.state()["staff"] == before["staff"]


def test_a_table_that_was_altered_around_its_columns_does_not_stand_against_an_undo(shop):
    """Its form is read anew in the undo itself, where no effect came in between."""
    before = shop.state()
    shop.act("k1", "UPDATE seats SET booking = NULL")
    shop.sql("ALTER TABLE seats ALTER booking SET DEFAULT 'A1'")
    shop.undo("k1")
    assert shop.state() == before


def test_deferred_triggers_are_part_of_the_effect(shop):
    """What an application's constraint trigger changes at the end of the transaction is captured too."""
    shop.sql(
        "CREATE FUNCTION late() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN INSERT INTO history (what) VALUES ('late'); RETURN NULL; END $$;"
        "CREATE CONSTRAINT TRIGGER late AFTER DELETE ON seats DEFERRABLE INITIALLY DEFERRED"
        " FOR EACH ROW EXECUTE FUNCTION late()"
    )
    before = shop.state()
    shop.act("k1", "DELETE FROM seats WHERE row = 2")
    assert ("late",) in shop.sql("SELECT what FROM history")
    shop.undo("k1")
    assert shop.state() == before


REFUSED = {
    "a new table": (["INSERT INTO later VALUES (1)"], "table public.later is not covered: call install again"),
    "no key": (["INSERT INTO keyless VALUES (1)"], "table public.keyless is not covered: give it a primary key"),
    "emptied": (["TRUNCATE later"], "later: made, altered or emptied"),
    "table made": (["CREATE TABLE more (id int PRIMARY KEY)"], "made"),
    "table dropped": (["DROP TABLE seats"], "made or dropped"),
    "column added": (["ALTER TABLE seats ADD COLUMN x int"], "seats: made, altered"),
    "column dropped": (["ALTER TABLE seats DROP COLUMN booking"], "seats: made, altered"),
    "altered in a savepoint": (["SAVEPOINT s", "ALTER TABLE notes ALTER body TYPE varchar"], "notes: made, altered"),
    "renamed": (["UPDATE seats SET booking = NULL", "ALTER TABLE seats RENAME TO places"], "renamed|altered"),
    "view made": (["CREATE VIEW v AS SELECT 1"], "v: made"),
    "ended by itself": (["DELETE FROM notes", "ROLLBACK"], "not under way in this transaction"),
    "after a bad statement": (["DELETE FROM notes", "SELECT 1/0"], "division by zero"),
}


@pytest.mark.parametrize("refused", REFUSED)
def test_what_cannot_be_captured_is_refused(shop, refused):
    """Undo is never lost silently: the effect is rolled back, and the error says what to do."""
    shop.sql("CREATE TABLE later (id int PRIMARY KEY)")
    shop.sql("CREATE TABLE keyless (id int)")
    shop.sql("INSERT INTO later VALUES (5)")
    before = shop.state()
    statements, message = REFUSED[refused]
    with pytest.raises(RolledBackError, match=message):
        shop.act("k1", "UPDATE guests SET name = name || '2'", *statements)
    assert shop.state() == before
    assert shop.sql("SELECT * FROM later") == [(5,)]
    assert shop.bank.look(context("x"), "k1") is None


def test_others_writes_to_uncovered_tables_are_nobodys_business(shop):
    """What the same session wrote in earlier transactions is not held against an effect."""
    shop.sql("CREATE TABLE later (id int PRIMARY KEY)")
    with psycopg.connect(shop.dsn, autocommit=True) as session:
        session.execute("INSERT INTO later VALUES (1)")
        with session.transaction():
            session.execute("SELECT interlock.begin('k1', 'r1', 'act')")
            session.execute("DELETE FROM seats")
            session.execute("SELECT interlock.finish('k1')")
    assert shop.bank.look(context("x"), "k1") is not None


def test_a_table_made_later_is_covered_after_another_install(shop):
    """Installing again changes nothing but what is missing; tables without a key are named."""
    shop.sql("CREATE TABLE later (id int PRIMARY KEY, x int)")
    shop.sql('CREATE TABLE "odd % name" ("a ""b" text PRIMARY KEY, "%s" int)')
    shop.sql("CREATE TABLE unique_only (id int UNIQUE NOT NULL, part int UNIQUE)")
    shop.sql("CREATE TABLE keyless (id int UNIQUE)")
    shop.sql("CREATE TABLE parts (id int PRIMARY KEY) PARTITION BY RANGE (id)")
    shop.sql("CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (10)")
    shop.sql("CREATE TABLE parts_2 PARTITION OF parts FOR VALUES FROM (10) TO (20)")
    triggers = "SELECT oid FROM pg_trigger ORDER BY 1"
    assert shop.bank.install(context("x")) == ("public.keyless",)
    installed = shop.sql(triggers)
    assert shop.bank.install(shop.dsn) == ("public.keyless",)
    assert shop.sql(triggers) == installed
    shop.tables = ('"odd % name"', "unique_only", "later", "parts")
    shop.sql("INSERT INTO parts VALUES (1), (2)")
    shop.sql("""INSERT INTO "odd % name" VALUES ('100%s', 1)""")
    before = shop.state()
    shop.act(
        "k1",
        "INSERT INTO later VALUES (1)",
        """INSERT INTO "odd % name" VALUES ('x', 2)""",
        """UPDATE "odd % name" SET "%s" = 7""",
        "INSERT INTO unique_only VALUES (1)",
        "UPDATE parts SET id = 11 WHERE id = 1",
        "DELETE FROM parts WHERE id = 2",
    )
    shop.undo("k1")
    assert shop.state() == before


def test_an_installation_is_checked_and_brought_up_to_date(shop):
    """Effects need an installation of this version; an older one is brought up to date, a newer one left alone."""
    shop.bank.check(context("x"))
    shop.sql("UPDATE interlock.layout SET version = 0")
    with pytest.raises(InterlockError, match="call install"):
        shop.bank.check(context("x"))
    shop.sql("DROP FUNCTION interlock.counted() CASCADE")
    shop.bank.install(shop.dsn)
    shop.bank.check(context("x"))
    shop.act("k1", "DELETE FROM seats")
    shop.sql("UPDATE interlock.layout SET version = 99")
    for again in (shop.bank.check, shop.bank.install):
        with pytest.raises(InterlockError, match="newer"):
            again(context("x"))
    shop.sql("DROP SCHEMA interlock CASCADE")
    with pytest.raises(InterlockError, match="not installed"):
        shop.bank.check(context("x"))
    with pytest.raises(InterlockError, match="not installed"):
        shop.bank.look(context("x"), "k1")


ALTERED = {
    "a column more": "ALTER TABLE seats ADD COLUMN x int",
    "a column less": "ALTER TABLE seats DROP COLUMN booking",
    "another type": "ALTER TABLE seats ALTER place TYPE varchar(9)",
    "another name": "ALTER TABLE seats RENAME place TO spot",
    "another key": "ALTER TABLE seats DROP CONSTRAINT seats_pkey, ADD PRIMARY KEY (place, row)",
    "gone": "DROP TABLE seats",
    "renamed": "ALTER TABLE seats RENAME TO places",
}


@pytest.mark.parametrize("altered", ALTERED)
def test_a_table_of_another_form_closes_the_way_back(shop, altered):
    """Images of an older form of a table are not pressed into the new one."""
    shop.act("k1", "UPDATE seats SET booking = NULL")
    shop.sql(ALTERED[altered])
    for back in (shop.undo, lambda key: shop.bank.preview(context("x"), key)):
        with pytest.raises(LostError, match=r"seats (is gone|was altered since)"):
            back("k1")


def test_changes_around_the_columns_leave_the_way_open(shop):
    """A new index, default or constraint is no other form; new effects are captured as before."""
    before = shop.state()
    shop.act("k1", "UPDATE seats SET booking = NULL")
    shop.sql("CREATE INDEX ON seats (booking)")
    shop.sql("ALTER TABLE seats ALTER booking SET DEFAULT 'A1', ADD CHECK (row > 0)")
    shop.act("k2", "DELETE FROM seats")
    shop.undo("k2")
    shop.undo("k1")
    assert shop.state() == before


def test_images_are_kept_for_their_time(shop):
    """Purging closes the way back and says until when it was open; the marker stays."""
    shop.act("k1", "DELETE FROM seats", result=b"7")
    assert shop.bank.purge(context("x")) == 0
    shop.sql("UPDATE interlock.effects SET at = '2001-02-03 04:05:06+00'")
    shop.act("k2", "DELETE FROM notes")
    assert shop.bank.purge(context("x")) == 1
    assert shop.bank.look(context("x"), "k1").result == b"7"
    with pytest.raises(LostError, match="were kept until 2001-03-05 04:05 UTC"):
        shop.undo("k1")
    shop.undo("k2")


def test_a_key_that_is_not_known_cannot_be_taken_back(shop):
    """An effect that is not here was carried out elsewhere, or not at all."""
    with pytest.raises(LostError, match="nothing is kept of an effect 'k9'"):
        shop.undo("k9")


def test_what_ends_its_transaction_by_itself_is_not_said_to_be_rolled_back(shop):
    """A function that commits early has done what it did: it is captured up to there, found, and can be taken back."""
    before = shop.state()
    with pytest.raises(InterlockError, match="not under way"):
        shop.act("k1", "DELETE FROM seats", "COMMIT", "SELECT 1")
    assert shop.sql("SELECT count(*) FROM seats") == [(0,)]
    assert shop.bank.look(context("x"), "k1").result == b"null"
    shop.undo("k1")
    assert shop.state() == before


def test_commit_on_the_connection_is_refused(shop):
    """The end of the action ends the transaction, nothing else."""
    before = shop.state()
    with pytest.raises(RolledBackError, match="commit"):
        shop.act("k1", "DELETE FROM seats", lambda connection: connection.commit())
    assert shop.state() == before


def test_a_connection_leaves_nothing_to_the_next_effect(shop):
    """Settings, temporary tables and row factories end with the effect that made them."""
    with shop.bank.performing(context("k1"), "act") as effect:
        connection = shop.bank.connection(context("k1"))
        connection.row_factory = psycopg.rows.dict_row
        connection.execute("SET statement_timeout = '7s'")
        connection.execute("CREATE TEMP TABLE t AS SELECT 1")
        effect.finish(b"1")
    with shop.bank.performing(context("k2"), "act") as effect:
        connection = shop.bank.connection(context("k2"))
        assert connection.execute("SHOW statement_timeout").fetchone() == ("0",)
        assert connection.execute("SELECT to_regclass('pg_temp.t')").fetchone() == (None,)
        effect.finish(b"1")


def test_there_is_a_connection_only_in_an_effect(shop):
    """Outside of one, the error says how to get into one."""
    with pytest.raises(DeclarationError, match="reversible"):
        shop.bank.connection(context("k1"))


def test_plain_sql_is_enough(shop):
    """Any client that calls the two functions in its transaction is captured; nobody else is."""
    before = shop.state()
    with psycopg.connect(shop.dsn) as client:
        client.execute("SELECT interlock.begin('k1', 'r1', 'act')")
        client.execute("DELETE FROM seats")
        client.execute("""SELECT interlock.finish('k1', '{"rows": 3}')""")
    shop.sql("UPDATE notes SET body = body")
    found = shop.bank.look(context("x"), "k1")
    assert json.loads(found.result) == {"rows": 3}
    assert found.touched.read == ("shop:bookings/A1", "shop:bookings/A2")
    shop.undo("k1")
    assert shop.state() == before


@pytest.mark.parametrize(
    ("statements", "message"),
    [
        (["DELETE FROM seats", "SELECT interlock.begin('k1', 'r', 'a')"], "begin first"),
        (["SELECT interlock.begin('k1', 'r', 'a')", "SELECT interlock.begin('k2', 'r', 'a')"], "under way"),
        (["SELECT interlock.finish('k1')"], "never begun"),
        (
            ["SELECT interlock.begin('k1', 'r', 'a')", "SELECT interlock.finish('k1')", "DELETE FROM seats"],
            "finish it last",
        ),
        (
            ["SELECT interlock.begin('k1', 'r', 'a')", "SELECT interlock.finish('k1')", "TRUNCATE seats"],
            "finish it last",
        ),
        (["SET LOCAL track_counts = off", "SELECT interlock.begin('k1', 'r', 'a')"], "track_counts"),
    ],
)
def test_the_functions_are_called_in_order(shop, statements, message):
    """What would leave part of an effect uncaptured is refused by the database itself."""
    with psycopg.connect(shop.dsn) as client, pytest.raises(psycopg.Error, match=message):  # noqa: PT012 - one of them
        for statement in statements:
            client.execute(statement)


def test_sqlalchemy_is_captured(shop):
    """An ORM in a transaction of its own: what its one statement sets off in the database is captured as well."""
    sqlalchemy = pytest.importorskip("sqlalchemy", reason="SQLAlchemy is not installed")
    engine = sqlalchemy.create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(shop.dsn))
    before = shop.state()
    ctx = context("k1")
    with shop.bank.performing(ctx, "act") as effect:
        with engine.begin() as client:
            client.execute(sqlalchemy.text("SELECT interlock.begin('k1', 'r1', 'act')"))
            seats = sqlalchemy.Table("seats", sqlalchemy.MetaData(), autoload_with=client)
            client.execute(seats.delete())
            client.execute(sqlalchemy.text("DELETE FROM guests WHERE name = :name"), {"name": "ann"})
            client.execute(sqlalchemy.text("SELECT interlock.finish('k1', '5')"))
        effect.finish(b"null")
    engine.dispose()
    assert "shop:notes/3" in effect.touched.wrote
    assert shop.bank.look(ctx, "k1").result == b"5"
    shop.undo("k1")
    assert shop.state() == before


def test_an_error_after_the_functions_own_commit_is_not_called_rolled_back(shop):
    """What happened in the function's own transaction stays, and whoever looks finds it."""

    def own():
        with psycopg.connect(shop.dsn) as client:
            client.execute("SELECT interlock.begin('k1', 'r1', 'act')")
            client.execute("SELECT interlock.finish('k1', '5')")
        raise ValueError("afterwards")

    with pytest.raises(ValueError, match="afterwards"), shop.bank.performing(context("k1"), "act"):
        own()
    assert shop.bank.look(context("x"), "k1").result == b"5"


def test_a_role_without_rights_captures_and_is_told_what_it_may_not(shop):
    """Effects of another role are captured; taking back needs the owner of tables with triggers, and says so first."""
    shop.sql("DROP ROLE IF EXISTS clerk")
    shop.sql("CREATE ROLE clerk LOGIN")
    try:
        shop.sql("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO clerk")
        shop.sql("GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO clerk")
        clerk = PostgresRows(dsn(shop.others.info.dbname, "clerk"), name="clerk")
        with pytest.raises(InterlockError, match="lacks a right"):
            clerk.look(context("x"), "k1")
        shop.bank.install(shop.dsn, roles=("clerk",))
        before = shop.state()
        for key, statement in (("k1", "UPDATE bookings SET price = 3"), ("k2", "DELETE FROM seats")):
            with clerk.performing(context(key), "act") as effect:
                clerk.connection(context(key)).execute(statement)
                effect.finish(b"1")
        with pytest.raises(InterlockError, match="only the table's owner"):
            clerk.take_back(context("u1"), "k1")
        clerk.take_back(context("u2"), "k2")
        shop.undo("k1")
        assert shop.state() == before
        clerk.close()
    finally:
        shop.sql("DROP OWNED BY clerk")
        shop.sql("DROP ROLE clerk")


def test_the_address_may_come_from_the_dependencies(shop):
    """A way is declared once; where its database is, the agent's dependencies know."""
    bank = PostgresRows(lambda deps: deps["dsn"], name="bank")
    ctx = context("k1")
    ctx.deps = {"dsn": shop.dsn}
    bank.check(ctx)
    assert bank.look(ctx, "k1") is None
    bank.close()


def test_a_bad_duration_is_refused():
    """The error comes at the declaration."""
    with pytest.raises(DeclarationError, match="not a duration"):
        PostgresRows("", keep="soon")
