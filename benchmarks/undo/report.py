"""The figures of all parts, as people read them and as they are kept."""

from collections.abc import Iterator, Mapping
from typing import Any

from benchmarks import _convention as convention

Found = Mapping[str, Any]
"""The figures by part: `histories`, `speed`, `services`, `agentdojo`, and `tau` where there was data."""

COUNTS = ("histories", "exact", "conflicts_expected", "conflicts_found", "trampled", "partial_unreported")


def results(found: Found) -> dict[str, Any]:
    """Return the figures under their agreed keys, and everything in full below."""
    histories, speed = found["histories"], found["speed"]
    return {
        **{name: histories.get(name, 0) for name in COUNTS},
        "services": {name: one["exact"] for name, one in found["services"]["services"].items()},
        **{world: _runs(found.get(world)) for world in ("agentdojo", "tau")},
        "kills": {name: histories["kills"].get(name, 0) for name in ("crashes", *COUNTS)},
        "capture_ratio": {name: one["ratio"] for name, one in speed["capture"].items()},
        "rows_per_second": speed["undo"]["sqlite"]["rows_per_second"],
        "full": dict(found),
    }


def _runs(world: Mapping[str, Any] | None) -> dict[str, int] | None:
    return None if world is None else {"runs": world["runs"], "exact": world["exact"]}


def wrong(found: Found) -> list[str]:
    """Return in words what is not as it must be."""
    return list(_wrong(found))


def _wrong(found: Found) -> Iterator[str]:
    histories = found["histories"]
    for part in (histories, histories["kills"], *(found.get(name) for name in ("services", "agentdojo", "tau"))):
        yield from [] if part is None else part["wrong"]
    for name, one in found["services"]["services"].items():
        if not one["exact"]:
            yield f"{name} is not as before"
    for world in ("agentdojo", "tau"):
        one = found.get(world)
        if one is not None and one["exact"] < one["runs"]:
            yield f"{world}: {one['runs'] - one['exact']} sequences are not as before"


def text(found: Found) -> str:
    """Return the tables and what stands below them."""
    parts = [_histories(found["histories"]), _others(found), _speed(found["speed"]), *_notes(found)]
    return "\n\n".join(parts)


HEADERS = ("histories at a bank", "undone", "exact", "crashes", "conflicts", "found", "trampled", "half", "without it")


def _histories(told: Mapping[str, Any]) -> str:
    rows = [
        [f"{name}{', kill -9' if part == 'kills' else ''}", *_cells(one)]
        for part, databases in told["by_database"].items()
        for name, one in databases.items()
    ]
    return convention.table(HEADERS, rows)


def _cells(one: Mapping[str, int]) -> list[int]:
    names = ("histories", "exact", "crashes", *COUNTS[2:], "again_equal")
    return [one.get(name, 0) for name in names]


def _others(found: Found) -> str:
    rows: list[list[object]] = [
        [f"a run over real services: {name}", 1, int(one["exact"])]
        for name, one in found["services"]["services"].items()
    ]
    names = {"agentdojo": "AgentDojo: sequences in its environments", "tau": "airline: sequences of writes"}
    for world, name in names.items():
        one = found.get(world) or {"runs": None, "exact": None}
        rows.append([name, one["runs"], one["exact"]])
    return convention.table(("elsewhere", "undone", "exact"), rows)


SPEED = ("five row changes, ms (median)", "captured", "without", "ratio", "alone", "without", "ratio", "undone rows/s")


def _speed(told: Mapping[str, Any]) -> str:
    names = ("captured_ms", "plain_ms", "ratio", "captured_bare_ms", "plain_bare_ms", "ratio_bare")
    rows = [
        [name, *(f"{one[key]:.2f}" for key in names), told["undo"][name]["rows_per_second"]]
        for name, one in told["capture"].items()
    ]
    return convention.table(SPEED, rows)


def _notes(found: Found) -> Iterator[str]:
    histories = found["histories"]
    yield "\n".join(
        [
            f"Histories from seed {histories['seed']}: a crash at each event boundary of each undo and its recoveries.",
            "without it: partial undos that left what the history comes to when played without what was undone;",
            f"of {histories.get('again_rests', 0)} more, what remained came to something else without it.",
            *([histories["left_out"]] if histories["left_out"] else []),
        ]
    )
    if said := wrong(found):
        yield "\n".join(["Not as it must be:", *said])
