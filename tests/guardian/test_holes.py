"""The ways in which existing guards let a call through, one test each: here every one of them is a denial."""

import asyncio
import sys

import pytest

from interlock.guardian import Case, Failed, Policy, arg, fact, forbid, need, permit, user


def judge(*rules, **args):
    return Policy(*rules).judge(Case("act", args))


def test_an_overflow_does_not_skip_a_forbid():
    """A 64-bit engine drops `forbid amount * 100 > 50000` for this amount; here numbers have no end."""
    over = forbid("act", when=arg.amount * 100 > 50_000)
    assert not judge(permit("act"), over, amount=92233720368547759).permitted
    assert not judge(permit("act"), over, amount=10**4000).permitted
    assert judge(permit("act"), over, amount=500).permitted


@pytest.mark.parametrize("amount", ["501", None, float("nan"), float("inf"), [501], {"value": 501}, True])
def test_a_forbid_that_errors_denies(amount):
    """A rule about numbers is not switched off by something that isn't one."""
    assert not judge(permit("act"), forbid("act", when=arg.amount > 500), amount=amount).permitted


@pytest.mark.parametrize("rule", [permit, forbid, need.confirmation])
def test_an_error_in_any_rule_denies(rule):
    """Also when the rule could only have permitted, or asked."""
    verdict = judge(permit("act"), rule("act", when=arg.gone > 1))
    assert not verdict.permitted
    assert verdict.rules == ("r2",)
    assert not verdict.needs


@pytest.mark.parametrize(
    "url",
    [
        "https://corp.com.evil.net",
        "https://corp.com@evil.net",
        "http://evil.net/https://corp.com",
        "https://corp.com\n",
        "https://corpxcom",
        "xhttps://corp.com",
        "https://c\u043erp.com",
    ],
)
def test_a_pattern_is_for_the_whole_text(url):
    """Unanchored or prefix matching lets all of these through."""
    assert not judge(permit("act", when=arg.url.matches(r"https://corp\.com")), url=url).permitted


@pytest.mark.parametrize("to", ["eve@mallory.com", "eve@yahoo.com", "eve@outlook.com", "eve@protonmail.com"])
def test_a_domain_is_not_a_set_of_letters(to):
    """The negated rule of a well-known README, written as what it means."""
    assert not judge(permit("act"), forbid("act", when=~arg.to.matches(r"[^@]+@ourmail\.com")), to=to).permitted


def test_an_omitted_argument_is_not_a_skipped_check():
    """A guard that checks only arguments that are present permits `cc` without `recipients`."""
    policy = Policy(permit("act", when=arg.recipients.all(lambda it: it.matches(r"[^@]+@corp\.com"))))
    assert not policy.judge(Case("act", {"cc": ["eve@evil.net"]})).permitted
    assert not policy.judge(Case("act", {})).permitted
    assert policy.judge(Case("act", {"recipients": ["bob@corp.com"]})).permitted
    assert not policy.judge(Case("act", {"recipients": ["bob@corp.com", "eve@evil.net"]})).permitted


def test_an_extra_argument_can_be_forbidden():
    """Validation refuses undeclared arguments before; a rule can also speak of an unwanted one."""
    rules = permit("act", when=arg.to == "bob"), forbid("act", when=arg.bcc.is_present())
    assert not judge(*rules, to="bob", bcc="eve").permitted
    assert judge(*rules, to="bob").permitted


def test_default_deny():
    """An empty policy, an unknown action and an unmet condition deny."""
    assert not judge().permitted
    assert Policy().judge(Case("act", {})).reasons == ("no rule permits act",)
    assert not Policy(permit("other")).judge(Case("act", {})).permitted
    assert not judge(permit("act", when=arg.x == 1), x=2).permitted


def test_two_absent_owners_are_not_the_same_owner():
    """`owner == user` must not hold because neither is known."""
    policy = Policy(permit("act", when=fact.doc.owner == user.id))
    assert not policy.judge(Case("act", {}, {"doc": {}}, user={})).permitted
    assert not policy.judge(Case("act", {}, {"doc": {}}, user=None)).permitted


def test_a_need_alone_permits_nothing():
    """Asking first is no permission."""
    assert not judge(need.approval("boss", "act"), need.confirmation("act"), need.delay("1s", "act")).permitted


class Awkward(Exception):  # noqa: N818
    def __str__(self):
        raise RuntimeError("no words")


def deep(case):
    return deep(case)


def raiser(error):
    def predicate(case):
        raise error

    return predicate


ERRORS = [
    ValueError("x"),
    RecursionError(),
    MemoryError(),
    SystemExit(0),
    GeneratorExit(),
    StopIteration(True),
    asyncio.CancelledError(),
    Awkward(),
    BaseException("base"),
]


class Liar:
    def __bool__(self):
        raise AssertionError("asked for its truth")

    def __eq__(self, other):
        return True

    __hash__ = None


@pytest.mark.parametrize("kind", [permit, forbid, need.confirmation])
@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_a_predicate_that_raises_denies(kind, error):
    """Whatever it raises, and whatever the exception does when it is printed."""
    verdict = judge(permit("act"), kind("act", when=raiser(error)))
    assert not verdict.permitted
    assert type(error).__name__ in verdict.reasons[0]


@pytest.mark.parametrize("kind", [permit, forbid, need.confirmation])
@pytest.mark.parametrize("garbage", [None, 1, 0, "True", [], Liar(), NotImplemented, object, sys])
def test_a_predicate_that_returns_no_bool_denies(kind, garbage):
    """Only True is true."""
    assert not judge(permit("act"), kind("act", when=lambda _: garbage)).permitted


def test_a_predicate_without_end_denies():
    """Endless recursion is an error like any other."""
    assert not judge(permit("act", when=deep)).permitted


def test_the_keyboard_is_not_swallowed():
    """Ctrl-C goes to the person who pressed it; no verdict comes out, so nothing is permitted."""
    with pytest.raises(KeyboardInterrupt):
        judge(permit("act", when=raiser(KeyboardInterrupt())))


def test_a_predicate_never_sees_a_failed_fact():
    """`fact != "blocked"` would hold for the marker of a failure."""
    policy = Policy(permit("act", when=lambda case: case.facts["card"] != "blocked"))
    assert policy.judge(Case("act", {}, {"card": "fine"})).permitted
    assert not policy.judge(Case("act", {}, {"card": Failed("down")})).permitted


@pytest.mark.parametrize(
    "case",
    [
        Case("act", None),
        Case("act", 5),
        Case(None, {}),
        Case([], {}),
        Case("act", {}, None),
        Case("act", [("x", 1)], facts=7),
        None,
        "act",
    ],
)
def test_a_malformed_case_denies(case):
    """Judging never raises."""
    assert not Policy(permit("act"), permit("x", when=arg.y == 1)).judge(case).permitted
