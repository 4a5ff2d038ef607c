"""What every operator means: one row a statement. "?" is unjudgeable, which denies."""

import dataclasses
import datetime as dt
import enum
import pathlib
import types
import uuid
from collections import OrderedDict, defaultdict, namedtuple
from decimal import Decimal
from typing import NamedTuple

import msgspec
import pydantic
import pytest

from interlock.guardian import Case, Failed, Policy, agent, arg, fact, forbid, permit, state, tenant, user

ERROR = "?"


def judged(condition, *, args=None, facts=None, **who):
    """Return what a condition is: a permit and a forbid on it tell true, false and unjudgeable apart."""
    case = Case("act", args or {}, facts or {}, **who)
    allowed = Policy(permit("act", when=condition)).judge(case)
    refused = Policy(permit("act"), forbid("act", when=condition)).judge(case)
    if not allowed.permitted and not refused.permitted:
        assert any("could not be judged" in reason for reason in allowed.reasons)
        assert any("could not be judged" in reason for reason in refused.reasons)
        return ERROR
    assert allowed.permitted is not refused.permitted
    return allowed.permitted


class Colour(enum.Enum):
    RED = "red"


class Level(enum.IntEnum):
    HIGH = 3


class Word(str):
    __slots__ = ()

    def __eq__(self, other):
        return True

    __hash__ = str.__hash__


D = Decimal
NAN, INFINITY = float("nan"), float("inf")
DAY = dt.date(2026, 3, 1)
NOON = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
NAIVE = dt.datetime(2026, 3, 1, 12)  # noqa: DTZ001 - that is the point
ABSENT = object()

# value of arg.x, other side, then the answers to == and <
COMPARED = [
    (5, 5, True, False),
    (4, 5, False, True),
    (5, D("5.00"), True, False),
    (D("0.1"), 0.1, True, False),
    (0.1, D("0.1"), True, False),
    (0.1 + 0.2, D("0.3"), False, False),
    (1e23, 10**23, True, False),
    (D("1E+999999"), 5, False, False),
    (5, D("1E+900"), False, True),
    (10**30, 10**30 + 1, False, True),
    (-0.0, 0, True, False),
    (True, 1, False, ERROR),
    (True, True, True, ERROR),
    (False, 0, False, ERROR),
    (1, True, False, ERROR),
    ("a", "a", True, False),
    ("a", "b", False, True),
    ("Z", "a", False, True),
    ("5", 5, False, ERROR),
    (5, "5", False, ERROR),
    ("", None, False, ERROR),
    (None, None, True, ERROR),
    (None, 0, False, ERROR),
    (NAN, 5, ERROR, ERROR),
    (INFINITY, 5, ERROR, ERROR),
    (D("NaN"), 5, ERROR, ERROR),
    (D("sNaN"), 5, ERROR, ERROR),
    (D("-Infinity"), 5, ERROR, ERROR),
    (D("NaN"), D(5), ERROR, ERROR),
    (ABSENT, 5, False, ERROR),
    (ABSENT, None, False, ERROR),
    (ABSENT, "", False, ERROR),
    (DAY, DAY, True, False),
    (DAY, dt.date(9999, 12, 31), False, True),
    (DAY, NOON, False, ERROR),
    (NOON, NOON.astimezone(dt.timezone(dt.timedelta(hours=5))), True, False),
    (NAIVE, NOON, False, ERROR),
    (dt.time(9), dt.time(10), False, True),
    (dt.timedelta(minutes=60), dt.timedelta(hours=1), True, False),
    (dt.timedelta(minutes=1), 60, False, ERROR),
    (Colour.RED, "red", True, False),
    ("red", Colour.RED, True, False),
    (Level.HIGH, 3, True, False),
    (Word("a"), "b", False, True),
    (uuid.UUID(int=1), str(uuid.UUID(int=1)), True, False),
    (pathlib.PurePosixPath("a/b"), "a/b", True, False),
    (pydantic.HttpUrl("https://corp.com/x"), "https://corp.com/x", True, False),
    ([1], 1, ERROR, ERROR),
    ({"a": 1}, "a", ERROR, ERROR),
    (b"a", "a", ERROR, ERROR),
    (object(), "a", ERROR, ERROR),
    (pydantic.SecretStr("s"), "**********", ERROR, ERROR),
    (3 + 0j, 3, ERROR, ERROR),
]


@pytest.mark.parametrize(("value", "other", "equal", "less"), COMPARED)
def test_comparisons(value, other, equal, less):
    """A comparison is between values of one kind; all six operators agree with each other."""
    args = {} if value is ABSENT else {"x": value}
    turned = {True: False, False: True, ERROR: ERROR}
    assert judged(arg.x == other, args=args) == equal
    assert judged(arg.x != other, args=args) == turned[equal]
    assert judged(arg.x < other, args=args) == less
    assert judged(arg.x >= other, args=args) == turned[less]
    more = ERROR if less == ERROR else not (less or equal)
    assert judged(arg.x > other, args=args) == more
    assert judged(arg.x <= other, args=args) == turned[more]


@pytest.mark.parametrize(("value", "other", "equal", "less"), COMPARED)
def test_comparisons_between_two_values_of_the_case(value, other, equal, less):
    """A literal and a value of the case mean the same, on either side."""
    if value is ABSENT:
        value = None
        assert judged(arg.gone == arg.y, args={"y": other}) is False
        assert judged(arg.y == arg.gone, args={"y": other}) is False
        return
    args = {"x": value, "y": other}
    assert judged(arg.x == arg.y, args=args) == equal
    assert judged(arg.y == arg.x, args=args) == equal
    assert judged(arg.x < arg.y, args=args) == less
    assert judged(arg.y > arg.x, args=args) == less


def test_nothing_equals_what_is_absent_not_even_itself():
    """Two absent values are not equal, so no permit rests on two omissions."""
    assert judged(arg.x == arg.y) is False
    assert judged(arg.x != arg.y) is True
    assert judged(fact.booking.owner == user.id, facts={"booking": {}}) is False


CONDITIONS = [
    (arg.x.is_absent(), {}, True),
    (arg.x.is_absent(), {"x": None}, False),
    (arg.x.is_present(), {"x": None}, True),
    (arg.x.is_none(), {"x": None}, True),
    (arg.x.is_none(), {"x": ["a"]}, False),
    (arg.x.is_none() | arg.x.all(lambda it: it == "a"), {"x": ["a"]}, True),
    (arg.x.is_none() | arg.x.all(lambda it: it == "a"), {"x": None}, True),
    (arg.x.is_none(), {"x": {"y": 1}}, False),
    (arg.x.is_none(), {}, False),
    (arg.x.y.z.is_absent(), {}, True),
    (arg.x.y.is_absent(), {"x": None}, True),
    (arg.x.y.is_absent(), {"x": {}}, True),
    (arg.x.y.is_absent(), {"x": 5}, ERROR),
    (arg.x.y.is_absent(), {"x": [1]}, ERROR),
    (arg.x[0] == 1, {"x": [1]}, True),
    (arg.x[7].is_absent(), {"x": [1]}, True),
    (arg.x[0].is_absent(), {"x": {"0": 1}}, ERROR),
    (arg["odd name"] == 1, {"odd name": 1}, True),
    (arg.length == 1, {"length": 1}, True),
    (arg.x["length"] == 1, {"x": {"length": 1}}, True),
    # arithmetic
    (arg.x + 1 == 3, {"x": 2}, True),
    (1 + arg.x == 3, {"x": 2}, True),
    (10 - arg.x == 8, {"x": 2}, True),
    (arg.x - 10 == -8, {"x": 2}, True),
    (2 * arg.x == 4, {"x": 2}, True),
    (arg.x * 100 == D("1.10") * 100, {"x": D("1.1")}, True),
    (arg.x * 3 == D("0.3"), {"x": 0.1}, True),
    (arg.x + arg.y == 10**40 + 1, {"x": 10**40, "y": 1}, True),
    (arg.x + arg.y == D("10000000000000000000000000000000000000000.1"), {"x": 10**40, "y": D("0.1")}, True),
    (arg.x + 1 > 0, {"x": D("1E+5000")}, ERROR),
    (arg.x * arg.x > 0, {"x": D("1E+999999999999999999")}, ERROR),
    (arg.x + 1 > 0, {"x": "2"}, ERROR),
    (arg.x + 1 > 0, {"x": True}, ERROR),
    (arg.x + 1 > 0, {"x": None}, ERROR),
    (arg.x + 1 > 0, {}, ERROR),
    (arg.x + 1 > 0, {"x": NAN}, ERROR),
    (arg.x * 0 == 0, {"x": D("Infinity")}, ERROR),
    # truth
    (arg.x, {"x": True}, True),
    (~arg.x, {"x": True}, False),
    (arg.x, {"x": 1}, ERROR),
    (arg.x, {"x": "yes"}, ERROR),
    (arg.x, {"x": [1]}, ERROR),
    (arg.x, {}, ERROR),
    (~arg.x, {"x": None}, ERROR),
    (arg.x & arg.y, {"x": True, "y": False}, False),
    (arg.x | arg.y, {"x": False, "y": True}, True),
    (arg.x | arg.y, {"x": True}, True),
    (arg.x | arg.y, {"y": True}, ERROR),
    (arg.x & arg.y, {"x": False}, False),
    (arg.x & arg.y, {"x": True}, ERROR),
    (arg.x.is_present() & (arg.x > 1), {}, False),
    (arg.x.is_absent() | (arg.x > 1), {}, True),
    ((arg.x > 1) | arg.x.is_absent(), {}, ERROR),
    # membership
    (arg.x.in_(["a", "b"]), {"x": "a"}, True),
    (arg.x.in_(["a", "b"]), {"x": "ab"}, False),
    (arg.x.in_(["a", 5]), {"x": D("5.0")}, True),
    (arg.x.in_([1]), {"x": True}, False),
    (arg.x.in_([None]), {"x": None}, True),
    (arg.x.in_([None]), {}, False),
    (arg.x.in_([]), {"x": "a"}, False),
    (arg.x.in_([]), {"x": []}, ERROR),
    (arg.x.in_(arg.y), {"x": [], "y": []}, ERROR),
    (~arg.x.in_(["a"]), {}, True),
    (arg.x.in_(["a"]), {"x": ["a"]}, ERROR),
    (arg.x.in_(["a"]), {"x": NAN}, ERROR),
    (arg.x.in_(arg.y), {"x": "a", "y": ["b", "a"]}, True),
    (arg.x.in_(arg.y), {"x": "a", "y": ("b",)}, False),
    (arg.x.in_(arg.y), {"x": "a", "y": {"a"}}, True),
    (arg.x.in_(arg.y), {"x": "a", "y": "abc"}, ERROR),
    (arg.x.in_(arg.y), {"x": "a", "y": {"a": 1}}, ERROR),
    (arg.x.in_(arg.y), {"x": "a"}, ERROR),
    (arg.x.in_(arg.y), {"y": ["a"]}, False),
    (arg.x.in_(arg.y), {"x": "a", "y": ["a", []]}, ERROR),
    # patterns
    (arg.x.matches("a+"), {"x": "aaa"}, True),
    (arg.x.matches("a+"), {"x": "aaab"}, False),
    (arg.x.matches("a+"), {"x": "baaa"}, False),
    (arg.x.matches("a|ab"), {"x": "ab"}, True),
    (arg.x.matches("a$"), {"x": "a\n"}, False),
    (arg.x.matches(".*bad.*"), {"x": "one\nbad\nthree"}, True),
    (arg.x.matches("(?i)corp"), {"x": "CORP"}, True),
    (arg.x.matches("(?i)k"), {"x": "\u212a"}, False),
    (arg.x.matches(r"\d+"), {"x": "\u0663"}, False),
    (arg.x.matches("corp"), {"x": "co\u200brp"}, False),
    (arg.x.matches("corp"), {"x": "c\u043erp"}, False),
    (arg.x.matches(".*"), {"x": "x" * 10_001}, ERROR),
    (arg.x.matches("5"), {"x": 5}, ERROR),
    (arg.x.matches(".*"), {"x": None}, ERROR),
    (arg.x.matches(".*"), {}, ERROR),
    # length
    (arg.x.length() == 3, {"x": "añb"}, True),
    (arg.x.length() == 2, {"x": [1, 2]}, True),
    (arg.x.length() == 2, {"x": {1, 2}}, True),
    (arg.x.length() == 1, {"x": {"a": 1}}, True),
    (arg.x.length() >= 0, {"x": 5}, ERROR),
    (arg.x.length() >= 0, {"x": None}, ERROR),
    (arg.x.length() >= 0, {}, ERROR),
    # quantifiers
    (arg.x.any(lambda it: it > 2), {"x": [1, 3]}, True),
    (arg.x.any(lambda it: it > 2), {"x": []}, False),
    (arg.x.all(lambda it: it > 2), {"x": []}, True),
    (arg.x.all(lambda it: it > 2), {"x": [3, 1]}, False),
    (arg.x.all(lambda it: it.n > 2), {"x": [{"n": 3}, {"n": 4}]}, True),
    (arg.x.any(lambda it: it > 2), {"x": [3, "a"]}, ERROR),
    (arg.x.any(lambda it: it > 2), {"x": ["a", 3]}, ERROR),
    (arg.x.all(lambda it: it > 2), {"x": [1, "a"]}, ERROR),
    (arg.x.all(lambda it: it > 2), {"x": "345"}, ERROR),
    (arg.x.all(lambda it: it > 2), {"x": {"a": 3}}, ERROR),
    (arg.x.all(lambda it: it > 2), {"x": None}, ERROR),
    (arg.x.all(lambda it: it > 2), {}, ERROR),
    (arg.x.any(lambda it: it), {"x": [1]}, ERROR),
    (arg.x.any(lambda a: arg.y.any(lambda b: a == b)), {"x": [1, 2], "y": [2, 3]}, True),
    (arg.x.any(lambda a: arg.y.any(lambda b: a == b)), {"x": [1, 2], "y": [4, 3]}, False),
    (arg.x.all(lambda a: a.y.any(lambda b: b == a.z) & (a.z > 0)), {"x": [{"y": [1, 2], "z": 2}]}, True),
    (arg.x.all(lambda a: arg.x.all(lambda b: a == b)), {"x": ["a"] * 317}, ERROR),
]


@pytest.mark.parametrize(
    ("condition", "args", "answer"), CONDITIONS, ids=[str(number) for number in range(len(CONDITIONS))]
)
def test_conditions(condition, args, answer):
    """A condition is true, false or unjudgeable, and the same after a journey through JSON."""
    assert judged(condition, args=args) == answer
    stored = Policy.from_json(Policy(permit("act", when=condition)).to_json())
    assert stored.judge(Case("act", args)).permitted is (answer is True)


def test_an_inner_quantifier_that_was_built_before_keeps_its_element():
    """A condition may be composed of parts that were built elsewhere, in any order."""
    small = arg.y.any(lambda it: it < 3)
    condition = arg.x.all(lambda it: small & (it > 10))
    assert judged(condition, args={"x": [11, 12], "y": [5, 2]}) is True
    assert judged(condition, args={"x": [11, 9], "y": [5, 2]}) is False


class Model(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="allow")
    n: int = 5

    @property
    def computed(self):
        raise AssertionError("a property was run")


class Strict(pydantic.BaseModel):
    n: int = 5

    @pydantic.computed_field
    @property
    def computed(self) -> int:
        raise AssertionError("a property was run")


@dataclasses.dataclass
class Data:
    n: int = 5

    @property
    def computed(self):
        raise AssertionError("a property was run")


@dataclasses.dataclass(slots=True)
class Slotted:
    n: int = 5


class Struct(msgspec.Struct):
    n: int = 5
    unset: int | msgspec.UnsetType = msgspec.UNSET


class Tuple(NamedTuple):
    n: int = 5


class Guile:
    """Has a value for everything, through code."""

    def __getattr__(self, name):
        raise AssertionError("code of the value was run")

    n = 5


class Hidden:
    def __init__(self):
        self.n = 5


RECORDS = [
    {"n": 5},
    OrderedDict(n=5),
    defaultdict(lambda: 5, {"n": 5}),
    types.MappingProxyType({"n": 5}),
    Model(),
    Strict(),
    Data(),
    Slotted(),
    Struct(),
    Tuple(),
    namedtuple("Old", "n")(5),  # noqa: PYI024
]


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: type(record).__name__)
def test_fields_are_read_from_every_kind_of_record(record):
    """Mappings by key, records by declared field."""
    assert judged(arg.x.n == 5, args={"x": record}) is True
    assert judged(arg.x.n == 6, args={"x": record}) is False
    assert judged(arg.x.any(lambda it: it == 5), args={"x": record}) == ERROR


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: type(record).__name__)
def test_a_missing_key_is_absent_but_an_undeclared_field_is_a_mistake(record):
    """A mapping may lack a key; a typo against a typed record must not quietly compare unequal."""
    open_ended = isinstance(record, (dict, types.MappingProxyType, Model))
    assert judged(arg.x.refundabel == 5, args={"x": record}) == (False if open_ended else ERROR)


@pytest.mark.parametrize("record", [Model(), Strict(), Data(), Guile(), Hidden()], ids=lambda each: type(each).__name__)
def test_no_code_of_a_value_is_run(record):
    """Properties and __getattr__ are not fields."""
    assert judged(arg.x.computed == 5, args={"x": record}) in {ERROR, False}
    assert judged(arg.x.computed.is_absent(), args={"x": record}) in {ERROR, True}


@pytest.mark.parametrize("record", [Guile(), Hidden(), object(), len], ids=lambda each: type(each).__name__)
def test_an_arbitrary_object_has_no_fields(record):
    """Facts are returned as data; anything else is refused loudly."""
    assert judged(arg.x.n == 5, args={"x": record}) == ERROR


def test_extra_fields_of_a_model_and_unset_fields():
    """A model that allows extra fields is a mapping beyond its fields; UNSET is absent."""
    assert judged(arg.x.more == 1, args={"x": Model(more=1)}) is True
    assert judged(arg.x.unset.is_absent(), args={"x": Struct()}) is True


def test_who_asks():
    """User, agent, tenant and state are values like any other."""
    who = {"user": {"id": "u1", "roles": ["lead"]}, "agent": "desk", "tenant": "acme", "state": "resolve"}
    condition = (
        (user.id == "u1")
        & user.roles.any(lambda role: role == "lead")
        & (agent == "desk")
        & tenant.in_(["acme"])
        & (state != "done")
    )
    assert judged(condition, **who) is True
    assert judged(user.id.is_absent()) is True
    assert judged(user.id == "u1") is False


@pytest.mark.parametrize("facts", [{}, {"booking": Failed("the database is down")}])
@pytest.mark.parametrize(
    "condition",
    [
        fact.booking.open,
        fact.booking.open != 1,
        fact.booking.is_absent(),
        fact.booking.is_present(),
        fact.booking == 1,
    ],
    ids=str,
)
def test_a_fact_that_failed_or_was_not_gathered_denies(facts, condition):
    """Not even is_absent() can be answered about what nobody knows."""
    assert judged(condition, facts=facts) == ERROR


def test_the_reason_says_what_failed():
    """A denial by error names the rule, the place in the case and the error."""
    policy = Policy(permit("pay"), forbid("pay", when=arg.amount > 10), forbid("pay", when=fact.card.blocked))
    verdict = policy.judge(Case("pay", {}, {"card": Failed("timed out after 2 s")}))
    assert verdict.rules == ("r2", "r3")
    first, second = verdict.reasons
    assert first == (
        "rule r2 (forbid pay when the amount is over 10) could not be judged: "
        "arg.amount: what is absent can only be compared by == and !="
    )
    assert second == (
        "rule r3 (forbid pay when the card's blocked) could not be judged: "
        "the fact card could not be gathered: timed out after 2 s"
    )
