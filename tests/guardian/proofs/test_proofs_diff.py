"""`proofs.diff` and `proofs.reachable`: differences come with a call that both policies have judged."""

import pytest

from interlock.guardian import Policy, arg, forbid, need, permit, state

pytest.importorskip("z3")

from interlock.guardian.proofs import diff, one_of, reachable

OLD = Policy(permit("a", when=arg.x <= 10), need.confirmation("a", when=arg.x > 5))


def test_equal_policies_differ_nowhere():
    """Also where they are written differently: that is proved."""
    other = Policy(
        permit("a", when=arg.x < 10), permit("a", when=arg.x == 10), need.confirmation("a", when=~(arg.x <= 5))
    )
    found = diff(OLD, other)
    assert (found.changes, found.undecided) == ((), ())


def test_each_difference_has_a_call_that_shows_it():
    """Newly allowed, newly denied, newly and no longer needing."""
    new = Policy(permit("a", when=arg.x <= 20), forbid("a", when=arg.x < 0), need.delay("1m", "a", when=arg.x > 5))
    found = diff(OLD, new)
    assert {(one.kind, str(one.need or "")) for one in found.changes} == {
        ("newly allowed", ""),
        ("newly denied", ""),
        ("newly needs", "delay 60 s"),
        ("no longer needs", "confirmation"),
    }
    for one in found.changes:
        assert OLD.judge(one.example) == one.old
        assert new.judge(one.example) == one.new
        assert one.old != one.new


def test_an_action_that_only_one_of_them_names():
    """It is newly allowed, and the other way round newly denied."""
    assert [one.kind for one in diff(Policy(), OLD).changes] == ["newly allowed"]
    assert [one.kind for one in diff(OLD, Policy()).changes] == ["newly denied"]


def test_the_same_python_code_is_the_same():
    """Nobody can look into a predicate, but it equals itself."""
    policy = Policy(permit("a", when=lambda _: True))
    found = diff(policy, policy)
    assert (found.changes, found.undecided) == ((), ())


def test_reach_in_a_state():
    """A permit for one state is no reach in another, by proof."""
    policy = Policy(permit("a", when=state == "paying"))
    assert reachable(policy, "a", roots={"state": one_of("open")}).is_possible is False
    found = reachable(policy, "a", roots={"state": one_of("open", "paying")})
    assert found.is_possible is True
    assert found.example is not None
    assert found.example.state == "paying"
    assert reachable(policy, "b").is_possible is False
