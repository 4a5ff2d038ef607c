"""Properties over random trees, cases and rules, against an interpreter that is too simple to be wrong."""

from datetime import UTC, datetime
from decimal import Context, Decimal
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from interlock.guardian import (
    ANY,
    Case,
    Expr,
    Failed,
    Policy,
    arg,
    count,
    fact,
    forbid,
    need,
    now,
    origin,
    permit,
    state,
    total,
    user,
)
from interlock.guardian.english import label
from interlock.guardian.expr import tree_of
from interlock.guardian.tree import (
    And,
    Clock,
    Compare,
    Each,
    In,
    IsAbsent,
    Item,
    Length,
    Many,
    Matches,
    Math,
    Not,
    Or,
    Path,
    Value,
    Window,
)

# --- the reference ---

GONE = object()
WIDE = Context(prec=3000)


class Stuck(Exception):  # noqa: N818
    pass


def need_that(condition):
    if not condition:
        raise Stuck


def key(value):
    """A value as (kind, value) in the plainest Python there is."""
    need_that(value is not GONE and not isinstance(value, (list, dict)))
    if value is None or isinstance(value, (bool, str)):
        return type(value), value
    number = Decimal(repr(value) if isinstance(value, float) else value)
    need_that(number.is_finite())
    return "number", Fraction(number)


def is_same(one, other):
    if one is None or other is None:
        return one is other
    return one is not GONE and other is not GONE and key(one) == key(other)


def truth(value):
    need_that(isinstance(value, bool))
    return value


def step_in(value, step):
    if value is None or value is GONE:
        return GONE
    need_that(isinstance(value, dict if isinstance(step, str) else list))
    if isinstance(value, dict):
        return value.get(step, GONE)
    return value[step] if step < len(value) else GONE


def walk_in(value, steps):
    for step in steps:
        value = step_in(value, step)
    return value


ORDER = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}
MATH = {"+": lambda a, b: a + b, "-": lambda a, b: a - b, "*": lambda a, b: a * b}


def reference(node, case, bound):  # noqa: C901, PLR0911, PLR0912
    """Evaluate by the book."""

    def go(part):
        return reference(part, case, bound)

    match node:
        case Value():
            return node.python()
        case Path("state"):
            return case.state
        case Path(root, steps):
            if root == "fact":
                need_that(steps[0] in case.facts)
            if root == "origin":
                need_that(steps[0] in case.origins or steps[0] not in case.args)
                need_that(not isinstance(case.origins.get(steps[0]), Failed))
            whole = {"arg": case.args, "fact": case.facts, "user": case.user, "origin": case.origins}
            return walk_in(whole[root], steps)
        case Item(number, steps):
            return walk_in(bound[number], steps)
        case Compare("==", left, right):
            return is_same(go(left), go(right))
        case Compare("!=", left, right):
            return not is_same(go(left), go(right))
        case Compare(op, left, right):
            (kind, one), (other_kind, other) = key(go(left)), key(go(right))
            need_that(kind == other_kind and kind in {str, "number"})
            return ORDER[op](one, other)
        case Math(op, left, right):
            (kind, one), (other_kind, other) = key(go(left)), key(go(right))
            need_that(kind == other_kind == "number")
            return as_number(MATH[op](one, other))
        case And(parts):
            return all(truth(go(part)) for part in parts)
        case Or(parts):
            return any(truth(go(part)) for part in parts)
        case Not(part):
            return not truth(go(part))
        case In(part, among):
            value = go(part)
            among = [each.python() for each in among.values] if isinstance(among, Many) else go(among)
            need_that(isinstance(among, list))
            wanted = GONE if value is GONE else key(value)
            return wanted is not GONE and sum(key(each) == wanted for each in among) > 0
        case Matches(part, pattern):
            value = go(part)
            need_that(isinstance(value, str))
            return set(value) <= set(pattern.removesuffix("*").strip("[]"))
        case IsAbsent(part):
            return go(part) is GONE
        case Length(part):
            value = go(part)
            need_that(isinstance(value, (str, list, dict)))
            return len(value)
        case Each(op, over, number, body):
            elements = go(over)
            need_that(isinstance(elements, list))
            found = [reference(body, case, {**bound, number: each}) for each in elements]
            if op == "sum":
                terms = [key(each) for each in found]
                need_that(all(kind == "number" for kind, _ in terms))
                return as_number(sum((term for _, term in terms), Fraction(0)))
            held = [truth(each) for each in found]
            return {"any": any, "all": all, "count": sum}[op](held)
        case Window():
            value = case.windows.get(label(node), GONE)
            need_that(value is not GONE and not isinstance(value, Failed))
            return value
        case Clock():
            need_that(case.at is not None)
            return datetime.fromtimestamp(case.at // 1_000_000, UTC).hour


def as_number(exact):
    """A fraction of decimals is a decimal: its denominator divides a power of ten."""
    places = 400
    scaled = exact * 10**places
    assert scaled.denominator == 1
    return int(exact) if exact.denominator == 1 else Decimal(scaled.numerator).scaleb(-places, WIDE)


def expected(tree, case):
    try:
        return truth(reference(tree, case, {}))
    except Stuck:
        return None


# --- random things ---

NAMES = st.sampled_from("abc")
ATOMS = st.one_of(
    st.integers(-3, 3),
    st.integers(10**18, 10**30),
    st.sampled_from([Decimal("0.1"), Decimal("1.0"), Decimal("-2.50"), 0.1, 1.0, -0.0]),
    st.sampled_from(["", "a", "ab", "b", "1"]),
    st.booleans(),
    st.none(),
)
ODD = st.sampled_from([float("nan"), float("inf"), Decimal("NaN"), Decimal("sNaN"), Decimal("-Infinity")])
VALUES = st.recursive(
    ATOMS | ATOMS | ODD,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=6,
)
NUMBERS = st.integers(-3, 3) | st.sampled_from([Decimal("0.1"), 0.1, 10**20])
TYPED = st.fixed_dictionaries(
    {"a": NUMBERS, "b": st.sampled_from(["", "a", "ab"])},
    optional={"c": st.lists(NUMBERS, max_size=3) | st.lists(st.fixed_dictionaries({"a": NUMBERS}), max_size=3)},
)
MAPPINGS = st.dictionaries(NAMES, VALUES, max_size=3) | TYPED | TYPED
WINDOWS = [count("act"), total("act", "a", per="user", within="1h")]
COUNTED = st.dictionaries(
    st.sampled_from([label(tree_of(window)) for window in WINDOWS]), NUMBERS | st.just(Failed("not today"))
)
ORIGINS = st.dictionaries(
    NAMES,
    st.fixed_dictionaries({"trust": st.integers(0, 7), "label": st.sampled_from(["", "a", "ab"])})
    | st.just(Failed("not today")),
    max_size=3,
)
CASES = st.builds(
    Case,
    st.just("act"),
    MAPPINGS,
    MAPPINGS,
    st.none() | MAPPINGS,
    state=st.sampled_from(["", "a", "ab"]),
    at=st.none() | st.integers(0, 10**17),
    windows=COUNTED,
    origins=ORIGINS,
)
ROOTS = st.one_of(
    st.builds(lambda root, name: root[name], st.sampled_from([arg, fact, user]), NAMES),
    st.just(state),
)


def deeper(path, steps):
    for step in steps if path is not state else ():
        path = path[step]
    return path


TOLD = st.builds(lambda name, part: origin[name][part], NAMES, st.sampled_from(["trust", "label"]))
PATHS = ROOTS | ROOTS | TOLD | st.builds(deeper, ROOTS, st.lists(NAMES | st.integers(0, 2), max_size=2))
COMPARISONS = ["__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__"]


def expressions(paths=PATHS, depth=2):
    """Random conditions; deeper ones may quantify, with the element among the paths below."""
    terms = st.one_of(
        paths,
        paths,
        st.builds(Expr.length, paths),
        st.sampled_from([*WINDOWS, now.hour()]),
        st.builds(
            lambda path, op, other: getattr(path, op)(other),
            paths,
            st.sampled_from(["__add__", "__sub__", "__mul__"]),
            ATOMS,
        ).filter(lambda expr: isinstance(expr, Expr)),
    )
    compared = st.builds(lambda path, op, other: getattr(path, op)(other), paths, st.sampled_from(COMPARISONS), NUMBERS)
    leaves = st.one_of(
        compared,
        compared,
        st.builds(lambda one, op, two: getattr(one, op)(two), terms, st.sampled_from(COMPARISONS), terms | ATOMS),
        st.builds(lambda path, among: path.in_(among), paths, st.lists(ATOMS, max_size=3) | paths),
        st.builds(lambda path, chars: path.matches(chars), paths, st.sampled_from(["[ab]*", "[a]*", "[1]*"])),
        st.builds(Expr.is_absent, paths),
        paths,
    )
    if depth:
        counted = st.builds(quantified, paths, st.sampled_from(["count", "sum"]), st.data(), st.just(depth - 1))
        leaves = leaves | st.builds(
            lambda one, op, two: getattr(one, op)(two), counted, st.sampled_from(COMPARISONS), NUMBERS
        )
        leaves = leaves | st.builds(quantified, paths, st.sampled_from(["any", "all"]), st.data(), st.just(depth - 1))
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.builds(Expr.__and__, inner, inner),
            st.builds(Expr.__or__, inner, inner),
            st.builds(Expr.__invert__, inner),
        ),
        max_leaves=4,
    )


def quantified(over, op, data, depth):
    def body(element):
        elements = st.builds(deeper, st.just(element), st.lists(NAMES, max_size=1))
        if op == "sum":
            return data.draw(elements | NUMBERS)
        return data.draw(expressions(elements | elements | PATHS, depth))

    return getattr(over, op)(body)


CONDITIONS = expressions()
NEEDS = [
    need.confirmation,
    lambda *a, **k: need.approval("boss", *a, **k),
    lambda *a, **k: need.delay("1m", *a, **k),
]
NOT_PERMITS = st.builds(
    lambda kind, action, when: kind(action, when=when),
    st.sampled_from([forbid, *NEEDS]),
    st.sampled_from(["act", "other", ANY]),
    st.none() | CONDITIONS,
)
PERMITS = st.builds(permit, st.sampled_from(["act", "other"]), st.none() | CONDITIONS)
RULES = st.lists(PERMITS | NOT_PERMITS, max_size=5)

# --- the properties ---


@settings(deadline=None, max_examples=300)
@given(CONDITIONS, CASES)
def test_the_evaluator_is_the_reference(condition, case):
    """Compiled closures and the plain interpreter agree: true, false, or unjudgeable."""
    answer = expected(tree_of(condition), case)
    assert Policy(permit("act", when=condition)).judge(case).permitted is (answer is True)
    assert Policy(permit("act"), forbid("act", when=condition)).judge(case).permitted is (answer is False)


@settings(deadline=None, max_examples=60)
@given(RULES, CASES)
def test_storage_keeps_hash_and_verdict(rules, case):
    """A policy read from its JSON is the same policy."""
    policy = Policy(*rules)
    stored = Policy.from_json(policy.to_json())
    assert stored.to_json() == policy.to_json()
    assert stored.hash == policy.hash
    assert repr(stored.judge(case)) == repr(policy.judge(case))
    assert str(stored) == str(policy)


@settings(deadline=None, max_examples=60)
@given(RULES, NOT_PERMITS, CASES)
def test_a_forbid_or_need_never_grants(rules, more, case):
    """Adding one never turns a denial into a permit, and never takes a need away."""
    before, after = Policy(*rules).judge(case), Policy(*rules, more).judge(case)
    assert before.permitted or not after.permitted
    assert not after.permitted or set(before.needs) <= set(after.needs)


@settings(deadline=None, max_examples=60)
@given(st.lists(NOT_PERMITS, max_size=5), CASES)
def test_without_a_permit_nothing_is_permitted(rules, case):
    """Default deny."""
    assert not Policy(*rules).judge(case).permitted


@settings(deadline=None, max_examples=60)
@given(RULES, st.integers(0, 5), CASES)
def test_a_forbid_always_wins(rules, place, case):
    """Wherever it stands."""
    assert not Policy(*rules[:place], forbid("act"), *rules[place:]).judge(case).permitted


@settings(deadline=None, max_examples=60)
@given(RULES, st.randoms(), CASES)
def test_the_order_of_rules_decides_nothing(rules, random, case):
    """Shuffled rules give the same answer with the same set of needs."""
    verdict = Policy(*rules).judge(case)
    random.shuffle(rules)
    shuffled = Policy(*rules).judge(case)
    assert shuffled.permitted is verdict.permitted
    assert set(shuffled.needs) == set(verdict.needs)
