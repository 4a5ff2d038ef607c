"""The server for SQLite of the first days, on the first version of the official library."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from benchmarks.mcp import environments
from benchmarks.mcp.script import Denied, Server, Step, ask, call, clean, unfit, unknown

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def _command(world: Path) -> Sequence[str | Path]:
    program = environments.python("sqlite").with_name("mcp-server-sqlite")
    return [*clean(HOME=world), program, "--db-path", world / "data.db"]


def _furnish(world: Path) -> None:
    world.mkdir()
    with closing(sqlite3.connect(world / "data.db")) as database, database:
        database.execute("CREATE TABLE people (name TEXT PRIMARY KEY, age INTEGER, photo BLOB)")
        database.execute("INSERT INTO people VALUES ('Ana', 40, x'00ff'), ('Bo', NULL, NULL), ('日本 🦜', -1, NULL)")
        numbers = ((f"number {number}", number, b"x" * 100) for number in range(2000))
        database.executemany("INSERT INTO people VALUES (?, ?, ?)", numbers)


def _steps(world: Path) -> Sequence[Step]:
    return [
        ask("tools/list"),
        ask("resources/list"),
        ask("resources/read", uri="memo://insights"),
        call("list_tables"),
        call("describe_table", table_name="people"),
        call("describe_table", table_name="no_such_table"),
        call("read_query", query="SELECT * FROM people WHERE age < 0 OR age IS NULL"),
        call("read_query", query="SELECT * FROM people"),
        call("read_query", query="DELETE FROM people"),
        call("read_query", query="SELECT * FROM nowhere"),
        call("create_table", query="CREATE TABLE pets (name TEXT, owner TEXT REFERENCES people)"),
        call("create_table", query="CREATE TABLE pets (name TEXT)"),
        call("create_table", query="DROP TABLE people"),
        call("write_query", query="INSERT INTO pets VALUES ('Ümit — the cat', 'Ana'), ('🦜', NULL)"),
        call("write_query", query="UPDATE people SET age = age + 1 WHERE age < 10"),
        call("write_query", query="INSERT INTO people (name) VALUES ('Ana')"),
        call("write_query", query="SELECT 1"),
        call("read_query", query="SELECT * FROM pets"),
        call("append_insight", insight="cats outnumber parrots"),
        call("append_insight", insight="nobody — „wirklich“ — minds"),
        ask("resources/read", uri="memo://insights"),
        ask("resources/read", uri="memo://other"),
        ask("prompts/list"),
        ask("prompts/get", name="mcp-demo", arguments={"topic": "tea & 日本"}),
        ask("prompts/get", name="mcp-demo"),
        ask("prompts/get", name="other", arguments={}),
        ask("ping"),
    ]


def _denied(world: Path) -> Sequence[Denied]:
    return [
        Denied(call("write_query", query="DROP TABLE people"), "tables stay"),
        unfit("read_query"),
        unfit("write_query", query=5),
        unknown("vacuum"),
    ]


SERVER = Server(
    name="sqlite",
    version=lambda: environments.pip_version("sqlite", "mcp-server-sqlite"),
    command=_command,
    furnish=_furnish,
    steps=_steps,
    denied=_denied,
)
