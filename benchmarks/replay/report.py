"""What is told of the runs that were played: the table, and the figures for the file."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from benchmarks import _convention as convention
from benchmarks.replay.comparison import Played
from benchmarks.replay.play import Share
from benchmarks.replay.selection import SUITES, Selection


def figures(chosen: Selection, shares: Sequence[Share]) -> dict[str, Any]:
    """Return what is written to the file; `turns_per_s` is of one process, the others at work beside it."""
    runs = _runs(shares)
    return {
        **_sums(runs),
        "differ": Counter(run.differs for run in runs if not run.reproduced),
        "changed": sum(run.changed for run in runs),
        "attacked": sum(run.attacked for run in runs),
        "turns_per_s": _rate(shares),
        "processes": len(shares),
        "answers": _added(run.calls for run in runs),
        "denied": _added(run.denied for run in runs),
        "ended": Counter(run.ended for run in runs),
        "usable": chosen.usable,
        "unusable": chosen.unusable,
        "by_model": [
            {"model": model, "suite": suite, **_sums(_of(runs, model, suite))}
            for model in _models(runs)
            for suite in SUITES
        ],
        "not_reproduced": {run.run: run.differs for run in runs if not run.reproduced},
    }


def text(chosen: Selection, shares: Sequence[Share]) -> str:
    """Return what is printed."""
    runs = _runs(shares)
    attacked, changed = sum(run.attacked for run in runs), sum(run.changed for run in runs)
    return "\n".join(
        [
            "Runs that end in the environment that the package gets from the same calls, of those played",
            "",
            _table(runs),
            "",
            f"{len(runs):,} of {chosen.usable:,} usable runs; {attacked:,} under an attack, {changed:,} left a change",
            f"{_rate(shares):,.0f} turns/s in each of {len(shares)} processes, the functions' own time aside",
            *_counted("Not reproduced", Counter(run.differs for run in runs if not run.reproduced)),
            *_counted("A call was", _added(run.calls for run in runs)),
            *_counted("Denied for its name or arguments", _added(run.denied for run in runs)),
            *_counted("A run", Counter(run.ended for run in runs)),
            *_counted("Published runs that can't be played", chosen.unusable),
        ]
    )


def _table(runs: list[Played]) -> str:
    rows = [[_short(model), *_row([run for run in runs if run.model == model])] for model in _models(runs)]
    return convention.table(["", *SUITES, "all", "calls", "effects"], [*rows, ["all", *_row(runs)]])


def _short(model: str) -> str:
    """Return a model's name without the name of who made it."""
    return model.rpartition("_")[2]


def _row(runs: list[Played]) -> list[object]:
    suites = [_share([run for run in runs if run.suite == suite]) for suite in SUITES]
    sums = _sums(runs)
    return [*suites, _share(runs), sums["calls"], sums["effects"]]


def _share(runs: list[Played]) -> str:
    return f"{sum(run.reproduced for run in runs)}/{len(runs)}"


def _sums(runs: list[Played]) -> dict[str, int]:
    return {
        "runs": len(runs),
        "reproduced": sum(run.reproduced for run in runs),
        "turns": sum(run.turns for run in runs),
        "calls": sum(sum(run.calls.values()) for run in runs),
        "effects": sum(run.effects for run in runs),
    }


def _runs(shares: Iterable[Share]) -> list[Played]:
    return sorted((run for share in shares for run in share.runs), key=lambda run: run.run)


def _models(runs: Iterable[Played]) -> list[str]:
    return sorted({run.model for run in runs}, key=str.casefold)


def _of(runs: Iterable[Played], model: str, suite: str) -> list[Played]:
    return [run for run in runs if (run.model, run.suite) == (model, suite)]


def _rate(shares: Iterable[Share]) -> float:
    shares = list(shares)
    return sum(run.turns for run in _runs(shares)) / sum(share.seconds for share in shares)


def _added(counts: Iterable[dict[str, int]]) -> Counter[str]:
    added: Counter[str] = Counter()
    for one in counts:
        added.update(one)
    return added


def _counted(title: str, counts: Counter[str]) -> list[str]:
    if not counts:
        return []
    return ["", title, *(f"{number:8,}  {what[:110]}" for what, number in counts.most_common())]
