"""`make bench-crash`: kill -9 at any instant, Interlock and its peers, against three payment services."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import _convention as convention
from benchmarks.crash.campaign import Budget, campaign
from benchmarks.crash.lives import System
from benchmarks.crash.world import Setting

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.crash.campaign import Report
    from benchmarks.crash.findings import Findings

OURS = System("interlock", "benchmarks.crash.ours", Path(sys.executable), "INTERLOCK_CRASH_AT")
PEERS = {"langgraph": "benchmarks.crash.peers.langgraph_pay", "dbos": "benchmarks.crash.peers.dbos_pay"}
HEADERS = (
    "system, service",
    "kills",
    "lost",
    "double",
    "unpaid",
    "stuck",
    "failed",
    "asked",
    "unknown",
    "unasked",
)
COLUMNS = ("kills", "lost", "duplicates", "unpaid", "stuck", "failed", "asked", "unknowns", "unasked")
PEER_KEYS = ("kills", "lost", "duplicates", "unpaid", "stuck", "failed")


def setting() -> Setting:
    if convention.quick():
        return Setting(runs=20, late=0.3, settle=0.8, think=0.1, patience=15.0)
    return Setting(runs=20, late=5.0, settle=6.0, think=1.0, patience=90.0)


def budgets() -> tuple[Budget, Budget]:
    """Return how much is killed, of ours and of each peer."""
    if convention.quick():
        ours = Budget(_kills(25), every=6, boundary_runs=2, at_once=4)
        return ours, Budget(_kills(5, share=4), every=1, boundary_runs=2, at_once=4)
    ours = Budget(_kills(200), every=1, boundary_runs=2, at_once=8)
    return ours, Budget(_kills(50, share=4), every=1, boundary_runs=2, at_once=6)


async def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=[OURS.name, *PEERS], help="one system; nothing is written")
    only = parser.parse_args().only
    ours, peers = budgets()
    systems = _systems(only)
    convention.progress(f"killing {', '.join(system.name for system in systems)}")
    found = await asyncio.gather(
        *(campaign(system, setting(), ours if system is OURS else peers) for system in systems)
    )
    reports = {system.name: report for system, report in zip(systems, found, strict=True)}
    print(convention.table(HEADERS, list(_rows(reports))))
    for note in _notes(reports):
        print(note)
    if not only:
        convention.write_results("crash", results(reports))
    return 0


def results(reports: dict[str, Report]) -> dict[str, Any]:
    """Return the figures under their agreed keys, and each system's in full below."""
    ours = reports[OURS.name]
    total = ours.total().as_dict()
    return {
        **{key: total[key] for key in ("kills", "lost", "duplicates", "stuck")},
        **{key: {mode: found.as_dict()[key] for mode, found in ours.by_mode.items()} for key in ("asked", "unknowns")},
        "peers": {name: _peer(report) for name, report in reports.items() if name != OURS.name},
        "kills_at_boundaries": ours.boundaries,
        "by_service": {
            name: {mode: found.as_dict() for mode, found in report.by_mode.items()} for name, report in reports.items()
        },
        "notes": {name: dict(report.notes) for name, report in reports.items()},
    }


def _peer(report: Report) -> dict[str, int]:
    total = report.total().as_dict()
    return {key: total[key] for key in PEER_KEYS}


def _systems(only: str | None) -> list[System]:
    systems = [OURS] if only in {None, OURS.name} else []
    wanted = [name for name in PEERS if only in {None, name}]
    if wanted:
        python = convention.peers_python()
        systems += [System(name, PEERS[name], python) for name in wanted]
    return systems


def _rows(reports: dict[str, Report]) -> Sequence[Sequence[object]]:
    return [
        [f"{name}, {mode}", *_cells(mode, found)]
        for name, report in reports.items()
        for mode, found in report.by_mode.items()
    ]


def _cells(mode: str, found: Findings) -> list[int | None]:
    """Return a row's figures; that nobody was asked is a fault only where nothing else can tell."""
    cells: list[int | None] = [found.as_dict()[column] for column in COLUMNS]
    return cells if mode == "neither" else [*cells[:-1], None]


def _notes(reports: dict[str, Report]) -> list[str]:
    """Return what isn't in the table: how many runs stand behind it, and what did not go as worlds should."""
    lines: list[str] = []
    for name, report in reports.items():
        total = report.total()
        kinds = f"{total.kills - report.boundaries} at random instants"
        if report.boundaries:
            kinds += f", {report.boundaries} in worlds killed at journal boundaries"
        events = f"{total.acknowledged} acknowledged events"
        lines.append(f"{name}: {total.kills} kills ({kinds}), {total.runs} runs, {events}")
        if total.unjournaled:
            lines.append(f"{name}: {total.unjournaled} payments were asked for before they were journaled")
        lines += [f"{name}, {note}: {times} worlds" for note, times in report.notes.items()]
    return lines


def _kills(default: int, *, share: int = 1) -> int:
    """Return how many kills `N` asks for; a peer gets a quarter of ours."""
    wanted = os.environ.get("N")
    return max(1, int(wanted) // share) if wanted else default


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
