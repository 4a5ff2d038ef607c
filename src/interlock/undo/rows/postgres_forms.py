"""The form of a PostgreSQL table, and what images of its rows mean by it."""

import math
from collections.abc import Callable, Collection
from functools import cached_property
from typing import Any

import msgspec
from msgspec import Struct

from interlock.undo.rows.postgres_text import fields, row


class Column(Struct, frozen=True, array_like=True):
    """A column; `generated` and `identity` are as in `pg_attribute` (empty: it is an ordinary one)."""

    name: str
    type: str
    generated: str = ""
    identity: str = ""


class Reference(Struct, frozen=True, array_like=True):
    """A foreign key: the columns that refer to columns of a table, which has the key `key` (empty: none)."""

    table: str
    columns: tuple[str, ...]
    there: tuple[str, ...]
    key: tuple[str, ...]


def _number(text: str) -> Any:
    value = float(text)
    return value if math.isfinite(value) else text


_PLAIN: dict[str, Callable[[str], Any]] = {
    "smallint": int,
    "integer": int,
    "bigint": int,
    "real": _number,
    "double precision": _number,
    "boolean": lambda text: text == "t",
}


class Form(Struct, frozen=True, dict=True):
    """The columns of a table in order, those of its key, and what they refer to."""

    columns: tuple[Column, ...]
    key: tuple[str, ...]
    references: tuple[Reference, ...] = ()

    def reads(self, other: "Form") -> bool:
        """Return whether images of the other form mean the same in this one."""
        return (self.columns, self.key) == (other.columns, other.key)

    @property
    def described(self) -> str:
        """The columns and the key for people."""
        columns = ", ".join(f"{column.name} {column.type}" for column in self.columns)
        return f"({columns}; key {', '.join(self.key)})"

    @cached_property
    def kept(self) -> tuple[Column, ...]:
        """The columns with values of their own; a generated one follows from them."""
        return tuple(column for column in self.columns if not column.generated)

    @cached_property
    def fixed(self) -> frozenset[str]:
        """The columns that no UPDATE can set: GENERATED ALWAYS AS IDENTITY."""
        return frozenset(column.name for column in self.columns if column.identity == "a")

    @property
    def names(self) -> bool:
        """Whether values are names of what is in the database (`regclass` and its like)."""
        return any(column.type.startswith("reg") for column in self.columns)

    def image(self, text: str | None) -> str | None:
        """Return the image from the text of a row: without what is generated, which a trigger may not see."""
        if text is None or len(self.kept) == len(self.columns):
            return text
        values = zip(self.columns, fields(text), strict=True)
        return row([None if column.generated else value for column, value in values])

    def values(self, image: str) -> dict[str, str | None]:
        """Return the texts of an image by column."""
        found = zip(self.columns, fields(image), strict=True)
        return {column.name: value for column, value in found if not column.generated}

    def with_nulls(self, image: str, names: Collection[str]) -> str:
        """Return the image with nulls in the columns of these names."""
        values = zip(self.columns, fields(image), strict=True)
        return row([None if column.name in names else value for column, value in values])

    def key_of(self, image: str) -> str:
        """Return the text of the key of the row with this image."""
        values = self.values(image)
        key = [values[name] for name in self.key]
        return key[0] or "" if len(key) == 1 else row(key)

    def key_fields(self, key: str) -> list[str]:
        """Return the texts of a key's columns."""
        return [key] if len(self.key) == 1 else [value or "" for value in fields(key)]

    def plain(self, image: str) -> dict[str, Any]:
        """Return an image as plain data: column to number, truth, None, or else to the text that the type writes."""
        types = {column.name: column.type for column in self.kept}
        return {
            name: None if text is None else _PLAIN.get(types[name], str)(text)
            for name, text in self.values(image).items()
        }

    def name(self, table: str, key: str) -> str:
        """Return the name of a row for people: `bookings ref='AB12'`."""
        types = {column.name: column.type for column in self.columns}
        pairs = zip(self.key, self.key_fields(key), strict=True)
        shown = (f"{name}={_PLAIN.get(types[name], str)(text)!r}" for name, text in pairs)
        return " ".join([short(table), *shown])

    def insert(self, table: str) -> str:
        """Return SQL that inserts a row; parameters: the texts of `kept`."""
        names = ", ".join(identifier(column.name) for column in self.kept)
        values = ", ".join(["%s"] * len(self.kept))
        return f"INSERT INTO {_doubled(table)} ({names}) OVERRIDING SYSTEM VALUE VALUES ({values})"  # noqa: S608 - quoted

    def update(self, table: str) -> str:
        """Return SQL that sets a row's columns but the `fixed`; parameters: their texts, then those of `where`."""
        names = [column.name for column in self.kept if column.name not in self.fixed]
        sets = ", ".join(f"{identifier(name)} = %s" for name in names)
        if not sets:  # it has nothing to set; the statement still tells whether the row is there
            return f"SELECT FROM ONLY {_doubled(table)} WHERE {self.where} FOR UPDATE"
        return f"UPDATE ONLY {_doubled(table)} SET {sets} WHERE {self.where}"  # noqa: S608 - quoted

    def delete(self, table: str) -> str:
        """Return SQL that deletes a row; parameters: those of `where`."""
        return f"DELETE FROM ONLY {_doubled(table)} WHERE {self.where}"  # noqa: S608 - quoted

    @cached_property
    def where(self) -> str:
        """The condition for one row; parameters: the texts of its key's columns, and again as one text array.

        A type may hold different texts for equal (1.0 and 1.00): the first part is for the index, the second exact.
        """
        same = " AND ".join(f"{identifier(name)} = %s::{self._type(name)}" for name in self.key)
        return f"{same} AND {_texts(self.key)} = %s::text[]"

    def where_args(self, key: str) -> list[Any]:
        """Return the parameters of `where`."""
        texts = self.key_fields(key)
        return [*texts, texts]

    def find(self, table: str) -> str:
        """Return SQL for the places (from 1) and texts of rows; parameters: an array of texts for each key column."""
        names = [f"k{n}" for n in range(len(self.key))]
        arrays = ", ".join(["%s::text[]"] * len(names))
        pairs = list(zip(self.key, names, strict=True))
        same = [f"t.{identifier(column)} = u.{name}::{self._type(column)}" for column, name in pairs]
        exact = f"{_texts(self.key, 't.')} = ARRAY[{', '.join(f'u.{name}' for name in names)}]"
        return (
            f"SELECT u.at, (t.*)::text FROM unnest({arrays}) WITH ORDINALITY u({', '.join(names)}, at)"  # noqa: S608 - quoted
            f" JOIN ONLY {_doubled(table)} t ON {' AND '.join([*same, exact])} ORDER BY u.at"
        )

    def _type(self, name: str) -> str:
        return next(_doubled(column.type) for column in self.columns if column.name == name)


def _texts(names: tuple[str, ...], of: str = "") -> str:
    """Return SQL for the texts of columns, written as their types write them, not as casts to text would."""
    texts = ", ".join(f"format('%%s', {of}{identifier(name)})" for name in names)
    return f"ARRAY[{texts}]"


def _doubled(sql: str) -> str:
    """Return SQL as it stands in a statement that has parameters."""
    return sql.replace("%", "%%")


def identifier(name: str) -> str:
    """Return a name as SQL, in a statement that has parameters."""
    doubled = name.replace('"', '""')
    return _doubled(f'"{doubled}"')


def short(table: str) -> str:
    """Return a table's name for people: without the schema that is everybody's."""
    return table.removeprefix("public.")


decode_all = msgspec.json.Decoder(dict[str, Form]).decode
