"""Formula and evaluator say the same of random calls, both ways; planted faults are found."""

import random

import pytest

pytest.importorskip("z3")

from benchmarks.proofs.fuzz import Judged, call, condition
from benchmarks.proofs.workload import KINDS, planted, sound

from interlock.guardian import Policy
from interlock.guardian.proofs import check


@pytest.mark.parametrize("seed", range(20))
def test_the_formula_says_what_the_evaluator_says(seed):
    """True, false and unjudgeable, over values of all kinds, absent ones and failed facts."""
    rng = random.Random(seed)
    judged = Judged(condition(rng))
    for _ in range(30):
        case = call(rng)
        evaluated = judged.evaluated(case)
        assert judged.encoded(case, evaluated) in ("", evaluated), case
    for wanted, case in judged.examples():
        assert judged.encoding.free or judged.evaluated(case) == wanted, case


@pytest.mark.parametrize("kind", KINDS)
def test_a_planted_fault_is_found_and_nothing_beside_it(kind):
    """Among ten sound rules about other actions."""
    rng = random.Random(5)
    for _ in range(2):
        policy, wanted, action = planted(rng, kind, sound(rng, 10))
        findings = check(policy).findings
        assert {one.kind for one in findings if action in one.actions} & wanted
        assert all(action in one.actions for one in findings)


def test_sound_rules_are_not_accused():
    """A hundred of them."""
    report = check(Policy(*sound(random.Random(1), 100)))
    assert (report.findings, report.undecided) == ((), ())
