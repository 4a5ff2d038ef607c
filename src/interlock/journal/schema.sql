-- Schema 1. Statements are separated by a semicolon at the end of a line; `migrations.py` runs them in order.

-- The journal itself, one row: its random identity, who drives its runs, and how many claims there were.
CREATE TABLE journal (
    identity TEXT NOT NULL,
    driver TEXT,
    claims INTEGER NOT NULL DEFAULT 0
);

-- A run: who it is for, what it waits for, when it is due. `number` stands for its id in the other tables.
CREATE TABLE runs (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    tenant TEXT NOT NULL,
    agent TEXT NOT NULL,
    status TEXT NOT NULL,
    wake_at INTEGER,
    conversation TEXT,
    user TEXT,
    epoch INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
);

-- Which runs are due: only those that a timer wakes.
CREATE INDEX runs_wake_at ON runs (wake_at, id) WHERE wake_at IS NOT NULL;

-- An event, for ever; only payload and salt may be set to NULL later (erased). See chain.py for digest and link.
CREATE TABLE events (
    position INTEGER PRIMARY KEY,
    run INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    type TEXT NOT NULL,
    version INTEGER NOT NULL,
    at INTEGER NOT NULL,
    key TEXT,
    payload BLOB,
    salt BLOB,
    digest BLOB NOT NULL,
    link BLOB NOT NULL
);

-- A run's events in order, and the proof that no two writers wrote the same one.
CREATE UNIQUE INDEX events_run_seq ON events (run, seq);

-- The events that close a call, by the call's key.
CREATE INDEX events_run_key ON events (run, key) WHERE key IS NOT NULL;

-- A commit: the positions that it holds and its root, chained to the one before.
CREATE TABLE batches (
    number INTEGER PRIMARY KEY,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    root BLOB NOT NULL
);

-- A signal that waits in a run's inbox; ids are never used again.
CREATE TABLE signals (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    run INTEGER NOT NULL,
    kind TEXT NOT NULL,
    payload BLOB NOT NULL,
    at INTEGER NOT NULL,
    token TEXT
);

-- A run's inbox in order.
CREATE INDEX signals_run ON signals (run);

-- What makes a signal idempotent while it waits.
CREATE UNIQUE INDEX signals_token ON signals (run, token) WHERE token IS NOT NULL;

-- A run's newest folded state: a cache.
CREATE TABLE snapshots (
    run INTEGER PRIMARY KEY,
    seq INTEGER NOT NULL,
    version INTEGER NOT NULL,
    state BLOB NOT NULL
);

-- Large payloads by the SHA-256 of their bytes, in hex.
CREATE TABLE blobs (
    address TEXT NOT NULL UNIQUE,
    bytes BLOB NOT NULL
);
