"""The reference server for files: a folder of text, images and awkward names."""

from __future__ import annotations

import base64
import os
from typing import TYPE_CHECKING

from benchmarks.mcp import environments
from benchmarks.mcp.script import Denied, Server, Step, Varies, ask, call, clean, unfit, unknown

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_PACKAGE = "@modelcontextprotocol/server-filesystem"
_PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="
)
_WHEN = 1_700_000_000


def _command(world: Path) -> Sequence[str | Path]:
    program = environments.npm_package(_PACKAGE) / "dist" / "index.js"
    return [*clean(HOME=world, TZ="UTC"), environments.node(), program, world]


def _furnish(world: Path) -> None:
    (world / "notes" / "old").mkdir(parents=True)
    (world / "notes" / "todo.txt").write_text("".join(f"{number}: something to do\n" for number in range(1, 41)))
    (world / "notes" / "ünïcode — 日本語 🦜.txt").write_text("Grüße, 世界, \u202e\u0000 and\ta tab\r\n")
    (world / "notes" / "old" / "empty.txt").touch()
    (world / "big.txt").write_text("0123456789abcdef" * 65536)
    (world / "pixel.png").write_bytes(_PIXEL)
    (world / "bytes.bin").write_bytes(bytes(range(256)))
    for path in world.rglob("*"):
        os.utime(path, (_WHEN, _WHEN))


def _steps(world: Path) -> Sequence[Step]:
    notes, todo = str(world / "notes"), str(world / "notes" / "todo.txt")
    awkward = str(world / "notes" / "ünïcode — 日本語 🦜.txt")
    return [
        ask("ping"),
        ask("tools/list"),
        *_reading(world, notes, todo, awkward),
        *_writing(world, todo),
        *_refused(world, todo),
        call("directory_tree", path=str(world)),
        ask("resources/list"),
        ask("prompts/list"),
    ]


def _reading(world: Path, notes: str, todo: str, awkward: str) -> Sequence[Step]:
    return [
        call("list_allowed_directories"),
        call("read_file", path=todo),
        call("read_text_file", path=todo, head=2),
        call("read_text_file", path=todo, tail=3),
        call("read_text_file", path=awkward),
        call("read_text_file", path=str(world / "notes" / "old" / "empty.txt")),
        call("read_text_file", path=str(world / "big.txt")),
        call("read_text_file", path=str(world / "bytes.bin")),
        call("read_media_file", path=str(world / "pixel.png")),
        call("read_media_file", path=str(world / "bytes.bin")),
        call("read_multiple_files", paths=[todo, awkward, str(world / "missing.txt")]),
        call("list_directory", path=notes),
        call("list_directory_with_sizes", path=str(world)),
        call("list_directory_with_sizes", path=str(world), sortBy="size"),
        call("directory_tree", path=str(world), excludePatterns=["old"]),
        call("search_files", path=str(world), pattern="**/*.txt"),
        call("search_files", path=str(world), pattern="nothing-like-it"),
        call("get_file_info", path=todo),
    ]


def _writing(world: Path, todo: str) -> Sequence[Step]:
    fresh = str(world / "fresh — ñ.txt")
    return [
        call("create_directory", path=str(world / "made" / "deep")),
        call("write_file", path=fresh, content="first\nsecond 🦜\n"),
        call("write_file", path=str(world / "large.txt"), content="a line that is written\n" * 20_000),
        call("edit_file", path=fresh, edits=[{"oldText": "second", "newText": "Zweite"}], dryRun=True),
        call("edit_file", path=fresh, edits=[{"oldText": "second", "newText": "Zweite"}]),
        call("edit_file", path=fresh, edits=[{"oldText": "not there", "newText": "x"}]),
        call("read_text_file", path=fresh),
        call("move_file", source=todo, destination=str(world / "made" / "deep" / "todo.txt")),
        call("move_file", source=todo, destination=str(world / "again.txt")),
    ]


def _refused(world: Path, todo: str) -> Sequence[Step]:
    """Return calls that the server itself turns down, each in its own way."""
    return [
        call("read_text_file", path="/etc/hostname"),
        call("read_text_file", path=str(world / ".." / "outside.txt")),
        call("read_text_file", path=str(world / "missing.txt")),
        call("read_text_file", path=str(world / "big.txt"), head=1, tail=1),
        call("write_file", path=str(world / "no" / "such" / "folder.txt"), content=""),
        call("list_directory", path=todo),
    ]


def _denied(world: Path) -> Sequence[Denied]:
    locked = str(world / "package.lock")
    return [
        Denied(call("write_file", path=locked, content="mine"), "lock files belong to the build"),
        Denied(call("move_file", source=str(world / "big.txt"), destination=locked), "lock files belong to the build"),
        unfit("read_text_file"),
        unfit("read_text_file", path=7),
        unfit("read_multiple_files", paths=[]),
        unfit("list_directory_with_sizes", path=str(world), sortBy="colour"),
        unfit("list_allowed_directories", surplus=1),
        unknown("no_such_tool"),
    ]


SERVER = Server(
    name="filesystem",
    version=lambda: environments.npm_version(_PACKAGE),
    command=_command,
    furnish=_furnish,
    steps=_steps,
    denied=_denied,
    varies=[
        Varies("tools/call get_file_info", r"\n(?:created|accessed): [^\n]+", "the world is made anew for each run")
    ],
)
