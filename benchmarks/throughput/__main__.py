"""Steps per second and added latency, side by side: `make bench-throughput`.

All systems take turns, round after round, so that what else the machine does meets all of them; medians are
shown.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from benchmarks import _convention
from benchmarks.throughput import summary

if TYPE_CHECKING:
    from pathlib import Path

Measured = dict[str, list[dict[str, Any]]]  # system → the line of each round

# A peer's script, and how many runs at a time suit it: more make only Pydantic AI slower.
_PEERS = {
    "langgraph": ("langgraph_sqlite", 1000),
    "dbos": ("dbos_sqlite", 1000),
    "pydantic_ai_bare": ("pydantic_ai_bare", 20),
}


@dataclass(frozen=True)
class Load:
    """An open loop: runs under way, seconds of their model, turns of each, times measured a round."""

    runs: int
    model_s: int
    turns: int
    times: int


@dataclass(frozen=True)
class Size:
    """How much is measured: rounds, the runs of a peer, and the two open loops."""

    rounds: int
    peer_runs: int
    loads: tuple[Load, Load]


# A 99th percentile on a busy machine jumps: many short measurements in turn compare better than few long.
_FULL = Size(rounds=3, peer_runs=300, loads=(Load(1000, 1, turns=5, times=2), Load(5000, 5, turns=3, times=1)))
_QUICK = Size(rounds=1, peer_runs=50, loads=(Load(1000, 1, turns=3, times=2), Load(5000, 5, turns=1, times=1)))


def main() -> None:
    size = _QUICK if _convention.quick() else _FULL
    peers = _convention.peers_python()
    closed, open_ = defaultdict[str, list[Any]](list), defaultdict[str, list[Any]](list)
    for number in range(1, size.rounds + 1):
        _convention.progress(f"round {number} of {size.rounds}")
        _close(size, peers, closed)
        _open(size, open_)
    figures = summary.figures(closed, open_)
    print(summary.text(figures, closed, open_))
    path = _convention.write_results("throughput", {**figures, "rounds": {"closed": closed, "open": open_}})
    print(f"\n{path.relative_to(_convention.ROOT)}")


def _close(size: Size, peers: Path, lines: Measured) -> None:
    """Measure one round of the closed loop: the limit, ours, each peer."""
    lines["limit"].append(_line(sys.executable, "limit", runs=1000, concurrent=1000))
    lines["ours"].append(_line(sys.executable, "ours", "closed", runs=1000, concurrent=1000))
    for name, (script, concurrent) in _PEERS.items():
        lines[name].append(_line(peers, f"peers.{script}", runs=size.peer_runs, concurrent=concurrent))


def _open(size: Size, lines: Measured) -> None:
    """Measure one round of the open loops under each load: the floor and ours, first by turns."""
    for load in size.loads:
        options = {"runs": load.runs, "model-s": load.model_s, "turns": load.turns}
        floors, ours = lines[f"floor_{load.runs}"], lines[f"ours_{load.runs}"]
        for _ in range(load.times):
            if len(floors) % 2:
                ours.append(_line(sys.executable, "ours", "open", **options))
                floors.append(_line(sys.executable, "floor", **options))
            else:
                floors.append(_line(sys.executable, "floor", **options))
                ours.append(_line(sys.executable, "ours", "open", **options))


def _line(python: str | Path, script: str, *mode: str, **options: int) -> dict[str, Any]:
    """Run one script in a process and a directory of its own and return its line."""
    words = [*mode, *(f"--{name}={value}" for name, value in options.items())]
    _convention.progress(" ".join([" ", script, *words]))
    with _convention.scratch() as directory:
        command = [python, "-m", f"benchmarks.throughput.{script}", *words, f"--dir={directory}"]
        return _convention.run_json(command)


if __name__ == "__main__":
    main()
