"""From the lines of all rounds to the figures that are quoted, and the text that shows them."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING, Any

from benchmarks._convention import table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Lines = Mapping[str, Sequence[dict[str, Any]]]  # system → the line of each round

_PEERS = ("langgraph", "dbos", "pydantic_ai_bare")
_DURABLE = ("langgraph", "dbos")
_WAITS_OF_AN_ACTION = 2  # the intent and the outcome: whoever waits less has not done the work

_NOTES = """\
A step is one model turn or one action. Rows and waits are per step, counted beside the clock, with a
run's start and end shared among its steps; a wait is one commit that the run waits for.
limit: bare inserts into the journal's table by 1,000 waiters and one writer.
langgraph: AsyncSqliteSaver, durability="sync". dbos: SQLite in WAL mode, faster than its default.
pydantic_ai_bare writes nothing down: a crash loses all of it."""


def figures(closed: Lines, open_: Lines) -> dict[str, Any]:
    """Return what the results file promises: the median over the rounds of each figure."""
    ours, limit = closed["ours"], _median(closed["limit"], "rows_per_s")
    peers = {name: _median(closed[name], "steps_per_s") for name in _PEERS}
    steps, rows = _median(ours, "steps_per_s"), ours[0]["rows_per_step"]
    waits = ours[0]["durable_waits_per_action"]
    valid = waits >= _WAITS_OF_AN_ACTION
    return {
        "steps_per_s": steps if valid else None,
        "durable_waits_per_action": waits,
        "peers": peers,
        "times_best_durable_peer": steps / max(peers[name] for name in _DURABLE) if valid else None,
        "limit_rows_per_s": limit,
        "share_of_limit": steps * rows / limit,
        "p99_added_ms": _median(open_["ours_1000"], "p99_ms"),
        "p99_floor_ms": _median(open_["floor_1000"], "p99_ms"),
        "p99_added_ms_5000": _median(open_["ours_5000"], "p99_ms"),
        "p99_floor_ms_5000": _median(open_["floor_5000"], "p99_ms"),
        "rss_mb_5000": _median(open_["ours_5000"], "rss_mb"),
    }


def text(figures: Mapping[str, Any], closed: Lines, open_: Lines) -> str:
    """Return both tables, what they mean, and the two figures to remember."""
    return "\n".join(
        [
            "Closed loop: 5 model turns and 5 actions a run, all instant, each durable before the next",
            "",
            _closed_table(closed),
            "",
            _NOTES,
            "",
            _verdict(figures),
            "",
            "Open loop: an action's added latency while 1,000 actions a second arrive steadily, in ms",
            "",
            _open_table(open_),
        ]
    )


def _closed_table(closed: Lines) -> str:
    limit = closed["limit"]
    rows = [["limit", None, _median(limit, "rows_per_s"), 1, 1, limit[0]["waiters"], _spread(limit, "rows_per_s")]]
    rows += [_system(name, closed[name]) for name in ("ours", *_PEERS)]
    return table(["system", "steps/s", "rows/s", "rows", "waits", "runs", "lowest to highest"], rows)


def _system(name: str, lines: Sequence[dict[str, Any]]) -> list[object]:
    steps, first = _median(lines, "steps_per_s"), lines[0]
    rows, waits = first["rows_per_step"], first["durable_waits_per_step"]
    return [name, steps, steps * rows, rows, waits, first["runs"], _spread(lines, "steps_per_s")]


def _verdict(figures: Mapping[str, Any]) -> str:
    if figures["steps_per_s"] is None:
        waits = figures["durable_waits_per_action"]
        return f"VOID: ours waits {waits:.2f} times an action; under {_WAITS_OF_AN_ACTION} nothing is durable."
    times, share = figures["times_best_durable_peer"], figures["share_of_limit"]
    return f"ours: {times:.1f} times the best durable peer; its rows are {share:.0%} of the limit's."


def _open_table(open_: Lines) -> str:
    headers = ["load", "p50", "p99", "max", "p99 / floor", "late p99", "actions", "rss MB"]
    rows: list[list[object]] = []
    for load, runs in (("1,000 runs, 1 s model", 1000), ("5,000 runs, 5 s model", 5000)):
        floor = _median(open_[f"floor_{runs}"], "p99_ms")
        for name in ("floor", "ours"):
            lines = open_[f"{name}_{runs}"]
            p50, p99, most, late = (_median(lines, key) for key in ("p50_ms", "p99_ms", "max_ms", "p99_late_ms"))
            actions = sum(line["actions"] for line in lines)
            rows.append([f"{load}: {name}", p50, p99, most, p99 / floor, late, actions, _median(lines, "rss_mb")])
    return table(headers, rows)


def _median(lines: Sequence[dict[str, Any]], key: str) -> float:
    return statistics.median(line[key] for line in lines)


def _spread(lines: Sequence[dict[str, Any]], key: str) -> str:
    values = [line[key] for line in lines]
    return f"{min(values):,.0f} to {max(values):,.0f}"
