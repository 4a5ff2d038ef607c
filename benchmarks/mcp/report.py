"""From what was compared and measured to the figures that are quoted, and the text that shows them."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

from benchmarks._convention import table
from benchmarks.mcp import conformance as suite

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchmarks.mcp.compare import Compared

_GOAL_MS = 3


def server(modes: Sequence[Compared]) -> dict[str, Any]:
    """Return the figures of one server: those of all modes together, and each by itself."""
    return {
        "calls": sum(one.calls for one in modes),
        "same": sum(one.same for one in modes),
        "asked": sum(one.asked for one in modes),
        "denied": sum(one.denied for one in modes),
        "protocols": sorted({one.protocols[0] for one in modes}),
        "differences": [f"{one.mode}: {difference}" for one in modes for difference in one.differences],
    }


def conformance(version: str, checks: Mapping[str, suite.Checks]) -> dict[str, Any]:
    """Return the figures of the conformance suite, and what came out otherwise through the proxy."""
    differences = [
        f"{way}: {one}"
        for way in ("proxied", "proxied_stdio")
        for one in suite.differences(checks["direct"], checks[way])
    ]
    return {"version": version, **{way: suite.counts(one) for way, one in checks.items()}, "differences": differences}


def text(figures: Mapping[str, Any]) -> str:
    """Return the tables, and every difference below its own."""
    parts = [
        "The same calls, directly and through the proxy, each on an equal world",
        _servers(figures["servers"]),
        "The official conformance suite against one server",
        _conformance(figures["conformance"]),
        f"A call of a trivial tool over stdio, one at a time, {figures['latency']['calls']} of each kind, in ms",
        _latency(figures["latency"]),
        f"added to an effect, p50: {figures['added_ms_p50']:.2f} ms (goal: at most {_GOAL_MS})",
    ]
    return "\n\n".join(parts)


def _servers(servers: Mapping[str, Any]) -> str:
    headers = ["server", "version", "protocols", "compared", "same", "denied"]
    rows = [[name, *_row(one)] for name, one in servers.items()]
    notes = [f"{name} was skipped: {one['skipped']}" for name, one in servers.items() if "skipped" in one]
    notes += [f"{name}, {difference}" for name, one in servers.items() for difference in one.get("differences", ())]
    meaning = "denied: calls that the policy turns down, told so in its words and never seen by the server."
    return "\n".join([table(headers, rows), meaning, *_folded(notes)])


def _row(one: Mapping[str, Any]) -> list[object]:
    if "skipped" in one:
        return ["skipped", None, None, None, None]
    return [one["version"], ", ".join(one["protocols"]), one["calls"], one["same"], one["denied"]]


def _conformance(found: Mapping[str, Any]) -> str:
    if "skipped" in found:
        return f"skipped: {found['skipped']}"
    ways = {"direct": "directly", "proxied": "proxied, over HTTP", "proxied_stdio": "proxied, to a server over stdio"}
    rows = [[words, found[way]["passed"], found[way]["failed"], found[way]["warnings"]] for way, words in ways.items()]
    shown = table(["conformance " + found["version"], "scenarios passed", "failed", "checks that warn"], rows)
    return "\n".join([shown, *_folded(found["differences"])])


def _latency(found: Mapping[str, Any]) -> str:
    rows = [
        [kind, *(found[f"{way}_ms"][kind][name] for way in ("direct", "proxied", "added") for name in ("p50", "p99"))]
        for kind in ("read", "effect")
    ]
    return table(
        ["kind", "direct p50", "p99", "proxied p50", "p99", "added p50", "p99"],
        rows,
    )


def _folded(notes: Sequence[str]) -> list[str]:
    return [line for note in notes for line in textwrap.wrap(note, 100, subsequent_indent="    ")]
