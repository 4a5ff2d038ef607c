-- The airline's database, which knows nothing of Interlock. Money is in whole cents of a euro. Payments and letters
-- name the key under which they were asked for: the same request sent again finds its row.

CREATE TABLE customers (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    email TEXT NOT NULL UNIQUE
);

CREATE TABLE flights (
    number TEXT PRIMARY KEY,
    origin TEXT NOT NULL,
    destination TEXT NOT NULL,
    departs TEXT NOT NULL,
    seats INTEGER NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('scheduled', 'cancelled'))
);

CREATE TABLE bookings (
    ref TEXT PRIMARY KEY,
    customer TEXT NOT NULL REFERENCES customers (id),
    flight TEXT NOT NULL REFERENCES flights (number),
    fare TEXT NOT NULL CHECK (fare IN ('light', 'flex')),
    status TEXT NOT NULL CHECK (status IN ('booked', 'cancelled'))
);

-- `of` is the key of the refund that a reversal takes back.
CREATE TABLE payments (
    key TEXT PRIMARY KEY,
    ref TEXT NOT NULL REFERENCES bookings (ref),
    kind TEXT NOT NULL CHECK (kind IN ('charge', 'refund', 'reversal')),
    cents INTEGER NOT NULL CHECK (cents > 0),
    of TEXT UNIQUE REFERENCES payments (key)
);

CREATE TABLE vouchers (
    code TEXT PRIMARY KEY,
    customer TEXT NOT NULL REFERENCES customers (id),
    cents INTEGER NOT NULL CHECK (cents > 0)
);

-- Letters that customers and others have sent to the desk: whoever knows the address can write one.
CREATE TABLE inbox (
    number INTEGER PRIMARY KEY,
    customer TEXT NOT NULL REFERENCES customers (id),
    sender TEXT NOT NULL,
    subject TEXT NOT NULL,
    body TEXT NOT NULL
);

CREATE TABLE outbox (
    key TEXT PRIMARY KEY,
    recipient TEXT NOT NULL,
    subject TEXT NOT NULL,
    body TEXT NOT NULL
);
