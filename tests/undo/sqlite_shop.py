"""A small database, effects on it, and what it holds: for the tests of rows in SQLite."""

import sqlite3
from contextlib import closing

from interlock import Ctx
from interlock.undo.rows.sqlite import SqliteRows

SCHEMA = """
CREATE TABLE customers (id INTEGER PRIMARY KEY AUTOINCREMENT, email TEXT NOT NULL UNIQUE COLLATE NOCASE, points REAL);
CREATE TABLE bookings (
    ref TEXT PRIMARY KEY, customer INTEGER NOT NULL REFERENCES customers ON DELETE CASCADE ON UPDATE CASCADE,
    seats INTEGER NOT NULL CHECK (seats > 0), note, total GENERATED ALWAYS AS (seats * 10) STORED
);
CREATE TABLE seats (
    flight TEXT NOT NULL, number INTEGER NOT NULL,
    booking TEXT REFERENCES bookings ON DELETE SET NULL ON UPDATE CASCADE,
    PRIMARY KEY (flight, number)
) WITHOUT ROWID;
CREATE TABLE log (what TEXT, row);
CREATE TABLE people (
    id INTEGER PRIMARY KEY, boss INTEGER REFERENCES people ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED, badge UNIQUE
);
CREATE TRIGGER bookings_logged AFTER INSERT ON bookings BEGIN
    INSERT INTO log VALUES ('booked', new.ref);
    UPDATE customers SET points = coalesce(points, 0) + new.seats * 1.1 WHERE id = new.customer;
END;
CREATE TRIGGER bookings_gone AFTER DELETE ON bookings BEGIN INSERT INTO log VALUES ('gone', old.ref); END;
CREATE TRIGGER seats_changed BEFORE UPDATE ON seats BEGIN INSERT INTO log VALUES ('seat', new.number); END;
INSERT INTO customers VALUES (1, 'ana@x.org', 0.1), (2, 'ben@x.org', NULL);
INSERT INTO bookings (ref, customer, seats) VALUES ('AB12', 1, 2), ('CD34', 2, 1);
INSERT INTO seats VALUES ('LH1', 1, 'AB12'), ('LH1', 2, 'AB12'), ('LH1', 3, 'CD34'), ('LH1', 4, NULL);
INSERT INTO people VALUES (1, 1, 'x'), (2, 1, 'y'), (3, 2, 'z'), (4, NULL, NULL);
"""


def make(path, schema=SCHEMA):
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA foreign_keys = ON")
        database.executescript(schema)
    return path


def dump(path):
    """Return all rows of all tables of the application, exactly: values with their types."""
    with closing(sqlite3.connect(path)) as database:
        tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        database.text_factory = lambda raw: ("text", raw)
        return {
            name: sorted(map(repr, database.execute('SELECT * FROM "' + name.replace('"', '""') + '"')))
            for name in tables
            if not name.startswith(("interlock_", "sqlite_"))
        }


def edit(path, *statements):
    """Do what somebody else does, on a connection of their own."""
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("PRAGMA foreign_keys = ON")
        for statement in statements:
            database.execute(statement)


def perform(way, key, *statements):
    """Carry out an effect; return its touched."""
    ctx = Ctx(None, key=key, run="r1")
    with way.performing(ctx, "change") as effect:
        for statement in statements:
            way.connection(ctx).execute(*((statement,) if isinstance(statement, str) else statement))
        effect.finish(b'"ok"')
    return effect.touched


def take_back(way, key, by=""):
    return way.take_back(Ctx(None, key=by or f"{key}:undo", run="r1", undoes=key), key)


def there_and_back(path, *statements):
    """Carry out an effect and take it back; return how the database was before, and is in the end."""
    way = SqliteRows(path)
    before = dump(path)
    perform(way, "k1", *statements)
    changed = dump(path)
    take_back(way, "k1")
    return before, changed, dump(path)
