"""CPU time of a whole judgement, side by side with other policy engines: `make bench-guardian`.

Every engine takes turns, round after round, in processes of its own; medians are shown. Before anything is
shown, all engines have to agree on every case of the run.
"""

from __future__ import annotations

import statistics
import sys
from typing import Any

from benchmarks import _convention as convention
from benchmarks.guardian import environment
from benchmarks.guardian.cases import RULE_SETS, SEED

Lines = dict[str, list[dict[str, Any]]]  # engine → the line of each round
Figures = dict[str, dict[str, float]]  # engine or part → set of rules → microseconds

_ENGINES = {"ours": "ours", "cedarpy": "peers.cedar", "cel-expr-python": "peers.cel"}
_PARTS = {"judge_us": "the policy's judgement", "digest_us": "the arguments' digest", "record_us": "what is recorded"}
_GOALS_US = {"20": 20, "200": 40}
_ROUNDS, _QUICK_ROUNDS = 9, 3
_NOTES = """
from validated arguments and gathered facts to a verdict with reasons and digests, in µs of CPU time
goals: at most 20 at 20 rules, 40 at 200; the worst case has none
cedarpy can't express needs and leaves them out: 14 and 140 policies; it names the policies that decided
CEL knows no policies: index, "a forbid wins" and needs are the benchmark's; neither peer makes a digest"""


def main() -> None:
    peers, lines = environment.peers_python(), Lines({name: [] for name in _ENGINES})
    rounds = _QUICK_ROUNDS if convention.quick() else _ROUNDS
    for number in range(1, rounds + 1):
        convention.progress(f"round {number} of {rounds}")
        for name, script in _ENGINES.items():
            python = sys.executable if name == "ours" else peers
            lines[name].append(convention.run_json([python, "-m", f"benchmarks.guardian.{script}"]))
    decided = agreed(lines)
    figures = {name: _medians(lines[name], "us") for name in _ENGINES}
    fastest = {name: _fastest(lines[name]) for name in _ENGINES}
    parts = {part: _medians(lines["ours"], part) for part in _PARTS}
    print(_text(figures, parts, fastest, decided))
    results = {
        "us_per_decision": figures["ours"],
        "peers": {name: figures[name] for name in _ENGINES if name != "ours"},
        "fastest_round": fastest,
        "parts": parts,
        "goals_us": _GOALS_US,
        "cases": {rule_set: len(every) for rule_set, every in decided.items()},
        "permitted": {rule_set: every.count("1") for rule_set, every in decided.items()},
        "seed": SEED,
        "rounds": lines,
    }
    print(f"\n{convention.write_results('guardian', results).relative_to(convention.ROOT)}")


def agreed(lines: Lines) -> dict[str, str]:
    """Return what was decided in every case of each set of rules, which all engines have to agree on."""
    ours = {rule_set: lines["ours"][0]["sets"][rule_set]["decided"] for rule_set in RULE_SETS}
    for name, rounds in lines.items():
        for rule_set in RULE_SETS:
            for line in rounds:
                theirs = line["sets"][rule_set]["decided"]
                if theirs != ours[rule_set]:
                    wrong = [at for at, pair in enumerate(zip(ours[rule_set], theirs, strict=True)) if len({*pair}) > 1]
                    raise SystemExit(f"{name} decides otherwise than Interlock with {rule_set} rules in cases {wrong}")
    return ours


def _medians(rounds: list[dict[str, Any]], figure: str) -> dict[str, float]:
    return {
        rule_set: round(statistics.median(line["sets"][rule_set][figure] for line in rounds), 2)
        for rule_set in RULE_SETS
    }


def _fastest(rounds: list[dict[str, Any]]) -> dict[str, float]:
    """Return the least of all rounds: what is left when nothing else of the machine got in the way."""
    return {rule_set: round(min(line["sets"][rule_set]["us"] for line in rounds), 2) for rule_set in RULE_SETS}


def _text(figures: Figures, parts: Figures, fastest: Figures, decided: dict[str, str]) -> str:
    rows: list[list[object]] = [["Interlock, the whole", *figures["ours"].values()]]
    rows.extend([f"  {what}", *parts[part].values()] for part, what in _PARTS.items())
    rows.extend([name, *figure.values()] for name, figure in figures.items() if name != "ours")
    shown = convention.table(["", "20 rules", "200 rules", "200 on one action"], rows)
    total, permitted = sum(map(len, decided.values())), sum(every.count("1") for every in decided.values())
    least = "; ".join(f"{name} {' / '.join(f'{us:.1f}' for us in each.values())}" for name, each in fastest.items())
    said = f"all engines agree in {total:,} of {total:,} cases, {permitted:,} of them permitted"
    return f"{shown}\n{_NOTES}\nthe fastest round of each: {least}\n{said}"


if __name__ == "__main__":
    main()
