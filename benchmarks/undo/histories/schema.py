"""A travel desk and a bank in 12 tables: their columns, keys and references, as DDL for two databases and as data."""

from typing import NamedTuple


class Reference(NamedTuple):
    """A foreign key: the columns, the parent, what follows when that goes or gets another key."""

    columns: tuple[str, ...]
    parent: str
    parent_columns: tuple[str, ...]
    on: str


class Table(NamedTuple):
    """A table. `columns` are names with types of our own (see `TYPES`) and constraints."""

    name: str
    columns: dict[str, str]
    key: tuple[str, ...]
    references: tuple[Reference, ...] = ()
    unique: tuple[tuple[str, ...], ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The columns' names, in order."""
        return tuple(self.columns)


def to(columns: str, parent: str, parent_columns: str, on: str) -> Reference:
    """Return a reference, columns given as words."""
    return Reference(tuple(columns.split()), parent, tuple(parent_columns.split()), on)


CASCADE, SET_NULL = "ON DELETE CASCADE ON UPDATE CASCADE", "ON DELETE SET NULL ON UPDATE CASCADE"
RESTRICT, LATE = "ON DELETE RESTRICT", "ON DELETE SET NULL DEFERRABLE INITIALLY DEFERRED"

TABLES = (
    Table(
        "customers",
        {
            "id": "SERIAL",
            "email": "TEXT NOT NULL",
            "name": "TEXT NOT NULL",
            "tier": "TEXT NOT NULL DEFAULT 'basic' CHECK (tier IN ('basic', 'silver', 'gold'))",
            "bookings": "INTEGER NOT NULL DEFAULT 0 CHECK (bookings >= 0)",
            "points": "REAL",
            "referred_by": "INTEGER",
        },
        ("id",),
        (to("referred_by", "customers", "id", SET_NULL),),
        (("email",),),
    ),
    Table(
        "accounts",
        {
            "id": "SERIAL",
            "iban": "TEXT NOT NULL",
            "customer": "INTEGER NOT NULL",
            "balance": "INTEGER NOT NULL CHECK (balance >= 0)",
        },
        ("id",),
        (to("customer", "customers", "id", CASCADE),),
        (("iban",),),
    ),
    Table(
        "flights",
        {
            "code": "TEXT NOT NULL",
            "day": "INTEGER NOT NULL",
            "free": "INTEGER NOT NULL CHECK (free >= 0)",
            "price": "INTEGER NOT NULL CHECK (price > 0)",
        },
        ("code", "day"),
    ),
    Table(
        "bookings",
        {
            "ref": "TEXT NOT NULL",
            "customer": "INTEGER NOT NULL",
            "state": "TEXT NOT NULL CHECK (state IN ('open', 'paid', 'void'))",
            "total": "INTEGER NOT NULL",
            "ticket": "BLOB",
        },
        ("ref",),
        (to("customer", "customers", "id", CASCADE),),
    ),
    Table(
        "seats",
        {"code": "TEXT NOT NULL", "day": "INTEGER NOT NULL", "seat": "TEXT NOT NULL", "booking": "TEXT"},
        ("code", "day", "seat"),
        (to("code day", "flights", "code day", CASCADE), to("booking", "bookings", "ref", SET_NULL)),
    ),
    Table(
        "passengers",
        {"booking": "TEXT NOT NULL", "n": "INTEGER NOT NULL", "name": "TEXT NOT NULL", "passport": "TEXT"},
        ("booking", "n"),
        (to("booking", "bookings", "ref", CASCADE),),
        (("booking", "name"), ("passport",)),
    ),
    Table(
        "hotels",
        {"id": "SERIAL", "name": "TEXT NOT NULL", "rooms": "INTEGER NOT NULL CHECK (rooms >= 0)"},
        ("id",),
        (),
        (("name",),),
    ),
    Table(
        "stays",
        {
            "id": "SERIAL",
            "hotel": "INTEGER NOT NULL",
            "booking": "TEXT NOT NULL",
            "nights": "INTEGER NOT NULL CHECK (nights > 0)",
        },
        ("id",),
        (to("hotel", "hotels", "id", RESTRICT), to("booking", "bookings", "ref", CASCADE)),
    ),
    Table(
        "transfers",
        {
            "id": "SERIAL",
            "source": "INTEGER",
            "target": "INTEGER",
            "amount": "INTEGER NOT NULL CHECK (amount > 0)",
            "memo": "TEXT",
        },
        ("id",),
        (to("source", "accounts", "id", SET_NULL), to("target", "accounts", "id", SET_NULL)),
    ),
    Table(
        "vouchers",
        {
            "code": "TEXT NOT NULL",
            "customer": "INTEGER",
            "booking": "TEXT",
            "worth": "REAL NOT NULL",
            "version": "INTEGER NOT NULL DEFAULT 1",
        },
        ("code",),
        (to("customer", "customers", "id", SET_NULL), to("booking", "bookings", "ref", SET_NULL)),
    ),
    Table(
        "staff",
        {"id": "SERIAL", "name": "TEXT NOT NULL", "boss": "INTEGER", "desk": "TEXT"},
        ("id",),
        (to("boss", "staff", "id", LATE),),
        (("desk",),),
    ),
    Table(
        "audit",
        {"id": "SERIAL", "what": "TEXT NOT NULL", "about": "TEXT NOT NULL", "note": "TEXT"},
        ("id",),
    ),
)

BY_NAME = {table.name: table for table in TABLES}

SERIALS = tuple(table.name for table in TABLES if table.columns[table.key[0]] == "SERIAL")
"""The tables whose keys the database makes where none is given."""

SQLITE_TYPES = {"SERIAL": "INTEGER PRIMARY KEY AUTOINCREMENT"}
POSTGRES_TYPES = {
    "SERIAL": "integer GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY",
    "REAL": "double precision",
    "BLOB": "bytea",
}


def ddl(types: dict[str, str]) -> str:
    """Return the statements that make the tables, in the types of one database."""
    return ";\n".join(_create(table, types) for table in TABLES) + ";\n"


def _create(table: Table, types: dict[str, str]) -> str:
    lines = [f"{name} {_typed(kind, types)}" for name, kind in table.columns.items()]
    if table.name not in SERIALS:
        lines.append(f"PRIMARY KEY ({', '.join(table.key)})")
    lines += [f"UNIQUE ({', '.join(columns)})" for columns in table.unique]
    lines += [
        f"FOREIGN KEY ({', '.join(one.columns)}) REFERENCES {one.parent} ({', '.join(one.parent_columns)}) {one.on}"
        for one in table.references
    ]
    columns = ",\n    ".join(lines)
    return f"CREATE TABLE {table.name} (\n    {columns}\n)"


def _typed(kind: str, types: dict[str, str]) -> str:
    word, _, rest = kind.partition(" ")
    return f"{types.get(word, word)} {rest}".strip()
