"""What the proxy adds to a call: the same trivial tool, directly and proxied in turn, one call at a time."""

from __future__ import annotations

import sqlite3
import statistics
import sys
import time
from contextlib import AsyncExitStack, closing
from typing import TYPE_CHECKING, Any

from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client

from benchmarks import _convention as convention
from benchmarks.mcp.script import proxy

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from typing import TextIO

CALLS, QUICK_CALLS = 500, 100
"""How many calls of each kind are measured."""

_WARM_UP = 20
_DIRECT = [sys.executable, "-m", "benchmarks.mcp.trivial_server"]
_TOOLS = {"read": "look", "effect": "change"}

Waits = dict[str, dict[str, list[float]]]  # way → kind → milliseconds of each call


async def measured(calls: int) -> dict[str, Any]:
    """Return the percentiles of each way and kind, and what the proxy adds to them."""
    with convention.scratch() as folder, (folder / "errors.txt").open("w") as errors:
        ways = {"direct": _DIRECT, "proxied": proxy("latency", folder, "--", *_DIRECT)}
        waits = await _waits(ways, calls, errors)
        _durable(folder / "journal.db", len(waits["proxied"]["effect"]))
    found = {way: {kind: _percentiles(one) for kind, one in kinds.items()} for way, kinds in waits.items()}
    added = {kind: _less(found["proxied"][kind], found["direct"][kind]) for kind in _TOOLS}
    return {"calls": calls, **{f"{way}_ms": one for way, one in found.items()}, "added_ms": added}


async def _waits(ways: Mapping[str, Sequence[str]], calls: int, errors: TextIO) -> Waits:
    waits: Waits = {way: {kind: [] for kind in _TOOLS} for way in ways}
    async with AsyncExitStack() as stack:
        clients = {way: await stack.enter_async_context(_client(command, errors)) for way, command in ways.items()}
        for number in range(calls + _WARM_UP):
            for kind, tool in _TOOLS.items():
                for way, client in clients.items():
                    spent = await _timed(client, tool, number)
                    if number >= _WARM_UP:
                        waits[way][kind].append(spent)
    return waits


def _durable(journal: Path, effects: int) -> None:
    """Make sure that the proxy has done the work: an intent in its journal for every effect, and an outcome."""
    with closing(sqlite3.connect(journal)) as database:
        held = dict(database.execute("SELECT type, count(*) FROM events GROUP BY type").fetchall())
    if min(held.get("intended", 0), held.get("done", 0)) < effects:
        raise RuntimeError(f"void: {effects} effects were performed, and the journal holds {held}")


def _client(command: Sequence[str], errors: TextIO) -> Client:
    program, *words = command
    started = StdioServerParameters(command=program, args=words, cwd=convention.ROOT)
    return Client(stdio_client(started, errlog=errors), mode="legacy")


async def _timed(client: Client, tool: str, number: int) -> float:
    begun = time.perf_counter()
    result = await client.call_tool(tool, {"number": number})
    spent = (time.perf_counter() - begun) * 1000
    if result.is_error:
        raise RuntimeError(f"{tool} was not done: {result.content}")
    return spent


def _percentiles(waits: Sequence[float]) -> dict[str, float]:
    parts = statistics.quantiles(waits, n=100)
    return {"p50": statistics.median(waits), "p99": parts[98]}


def _less(one: dict[str, float], other: dict[str, float]) -> dict[str, float]:
    return {name: one[name] - other[name] for name in one}
