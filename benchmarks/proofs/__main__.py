"""`make bench-proofs`: how fast a policy is checked, which planted faults are found, and whether formulas are right."""

from __future__ import annotations

import random
import statistics
import sys
import time
from collections import Counter
from typing import Any

from benchmarks import _convention as convention
from benchmarks.proofs.fuzz import Judged, call, condition
from benchmarks.proofs.workload import KINDS, planted, sound
from interlock.guardian import Policy
from interlock.guardian.proofs import check

SEED = 20261122
CALLS = 100
"""Calls that each random condition is fuzzed with."""


def timed(rules: int, rounds: int) -> tuple[float, int]:
    """Return the median time of a check in milliseconds, and how many claims it made of sound rules."""
    rng = random.Random(SEED)
    reports = [check(Policy(*sound(rng, rules))) for _ in range(rounds)]
    wrong = sum(len(report.findings) + len(report.undecided) for report in reports)
    return statistics.median(report.ms for report in reports), wrong


def found(faults: int) -> tuple[dict[str, int], dict[str, int], int]:
    """Return how many faults of each kind were planted and found, and how many claims were about sound rules."""
    rng = random.Random(SEED)
    planned, seen, beside = Counter[str](), Counter[str](), 0
    for number in range(faults):
        kind = KINDS[number % len(KINDS)]
        policy, kinds, action = planted(rng, kind, sound(rng, 10))
        report = check(policy)
        about = [one for one in report.findings if action in one.actions]
        planned[kind] += 1
        seen[kind] += any(one.kind in kinds for one in about)
        beside += len(report.findings) - len(about)
    return dict(planned), dict(seen), beside


def fuzzed(calls: int) -> dict[str, Any]:
    """Return how many random calls were judged by evaluator and formula, and how many of them differently.

    `left_open` are calls of which the formula says nothing for sure. `examples` are calls that the solver made up;
    those that the evaluator sees differently are counted as wrong only where the formula left nothing free.
    """
    rng = random.Random(SEED)
    told: Counter[str] = Counter()
    while told["fuzzed"] < calls:
        judged = Judged(condition(rng))
        done = 0
        while done < CALLS:
            case = call(rng)
            evaluated = judged.evaluated(case)
            encoded = judged.encoded(case, evaluated)
            told["left_open" if not encoded else "fuzzed"] += 1
            told["wrong"] += bool(encoded) and encoded != evaluated
            done += 1
        for wanted, case in judged.examples():
            told["examples"] += 1
            differs = judged.evaluated(case) != wanted
            told["examples_refused"] += differs
            told["wrong"] += differs and not judged.encoding.free and not judged.encoding.offsets.keys() - {"UTC"}
    return {name: told[name] for name in ("fuzzed", "left_open", "examples", "examples_refused", "wrong")}


def main() -> int:
    quick = convention.quick()
    check(Policy(*sound(random.Random(0), 5)))
    convention.progress("checking policies of 100 rules")
    ms, claims = timed(100, 3 if quick else 11)
    convention.progress("looking for planted faults")
    planned, seen, beside = found(50 if quick else 200)
    convention.progress("fuzzing formulas against the evaluator")
    started = time.perf_counter()
    told = fuzzed(5_000 if quick else 100_000)
    seconds = time.perf_counter() - started
    rows = [[kind, planned[kind], seen[kind]] for kind in planned]
    print(convention.table(["planted", "faults", "found"], rows))
    print(f"\n100 sound rules: {ms:,.0f} ms (median), {claims} claims and doubts; claims beside a fault: {beside}")
    print(
        f"{told['fuzzed']:,} random calls and {told['examples']:,} of the solver's in {seconds:,.0f} s: "
        f"{told['wrong']} wrong ({told['left_open']:,} left open, {told['examples_refused']} examples refused)"
    )
    results = {
        "rules_100_ms": round(ms, 1),
        "faults": sum(planned.values()),
        "found": sum(seen.values()),
        "claims_about_sound_rules": claims + beside,
        **told,
    }
    convention.write_results("proofs", results)
    return 0 if told["wrong"] == 0 and results["faults"] == results["found"] and not claims + beside else 1


if __name__ == "__main__":
    sys.exit(main())
