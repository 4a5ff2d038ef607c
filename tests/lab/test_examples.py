"""Tables of examples: how a file is read, what holds, and what is wrong with one that can't be read."""

from datetime import date
from decimal import Decimal

import pytest

from interlock import Agent, Ctx, Policy, action, arg, count, fact, forbid, need, now, permit, state, user
from interlock.errors import PolicyError
from interlock.lab.examples import check, failures, read


@action.compensable
async def refund(ctx: Ctx[None], ref: str, amount: Decimal, day: date | None = None) -> str:
    """Refund."""
    return ref


@refund.undo
async def _(ctx: Ctx[None], done: str, ref: str, amount: Decimal, day: date | None = None) -> None: ...


@refund.fact
async def left(ctx: Ctx[None], ref: str, amount: Decimal, day: date | None = None) -> Decimal:
    return Decimal(5)


@refund.fact
async def booking(ctx: Ctx[None], ref: str, amount: Decimal, day: date | None = None) -> dict[str, date]:
    return {}


@action.read
async def look(ctx: Ctx[None]) -> None: ...


policy = Policy(
    permit(look),
    permit(refund, when=(arg.amount > 0) & (arg.amount <= fact.left)),
    forbid(refund, when=user.role == "guest", because="guests don't pay back"),
    forbid(refund, when=state == "closed"),
    forbid(refund, when=fact.booking.day < date(2026, 1, 1)),
    forbid(refund, when=count(refund) > 2),
    forbid(refund, when=now.hour() < 6, because="at night"),
    need.confirmation(refund),
    need.approval("finance", refund, when=arg.amount > 100),
)
desk = Agent("desk", [refund, look], policy=policy)

GIVEN = """
[given]
user = { id = "u1", role = "agent" }
at = 2026-11-23T12:00:00Z
windows = { "count(refund, per=conversation)" = 0 }
[given.facts]
left = "500.50"
booking = { day = 2026-03-01 }
"""


def written(tmp_path, text):
    """Return a file that holds *text*."""
    file = tmp_path / "examples.toml"
    file.write_text(text)
    return file


def case(rest="", expect='["confirmation"]', args='ref = "A", amount = "40"'):
    """Return one example as TOML."""
    return f'[[case]]\naction = "refund"\nargs = {{ {args} }}\nexpect = {expect}\n{rest}\n'


@pytest.mark.parametrize(
    "one",
    [
        case(),
        case(expect='["approval finance", "confirmation"]', args='ref = "A", amount = 400'),
        case(expect='["confirmation", "approval finance"]', args='ref = "A", amount = "400.5"'),
        case(expect='"deny"', args='ref = "A", amount = 500.51'),
        case(expect='"deny"', args='ref = "A", amount = 1e30'),
        case('user = { role = "guest" }\nbecause = "r3"', '"deny"'),
        case('user = { role = "guest" }\nbecause = "don\'t PAY"', '"deny"'),
        case('user = "u9"'),
        case('state = "closed"', '"deny"'),
        case('facts.booking.day = "2025-12-31"', '"deny"'),
        case('windows = { "count(refund, per=conversation)" = 3 }', '"deny"'),
        case("at = 2026-11-23T05:00:00", '"deny"'),
        case("at = 2026-11-23T05:00:00\nbecause = 'at night'", '"deny"'),
        case("at = 2026-11-23T05:00:00-02:00"),
        case(args='ref = "А\\u200b", amount = 1, day = 9999-12-31'),
        case('because = "no rule permits"', '"deny"', 'ref = "A", amount = 0'),
        '[[case]]\naction = "look"\nexpect = "permit"\n',
    ],
)
def test_what_holds(tmp_path, one):
    """Values with their types, what is given for all cases, needs in any order, and why."""
    examples = read(written(tmp_path, GIVEN + one), desk)
    assert failures(examples, policy) == []
    check(desk, written(tmp_path, GIVEN + one))


@pytest.mark.parametrize(
    ("one", "said"),
    [
        (case(expect='"permit"'), "refund: expected permit, is permit with confirmation by r2: permit refund when"),
        (
            case(expect='["approval finance"]'),
            "expected permit with approval finance, is permit with confirmation by r2",
        ),
        (case('state = "closed"'), 'is deny by r4: forbid refund when the state is "closed"'),
        (case(args='ref = "A", amount = 0'), "is deny by no rule permits refund in this case"),
        (case('name = "a name"\nbecause = "r9"'), "a name: expected because of 'r9', decided by r2: permit"),
        (case('because = "elephants"'), "refund: expected because of 'elephants', decided by r2"),
    ],
)
def test_what_does_not_hold(tmp_path, one, said):
    """Where it stands, what was expected, what is said, by which rules."""
    file = written(tmp_path, GIVEN + case() + one)
    with pytest.raises(AssertionError) as error:
        check(desk, str(file))
    (line,) = str(error.value).splitlines()
    assert line.startswith(f"{file}:14: ")
    assert said in line


def test_a_missing_fact_denies(tmp_path):
    """What no example gives is not looked up."""
    (one,) = failures(read(written(tmp_path, case()), desk), policy)
    assert "nobody looked it up" in "".join(one.verdict.reasons)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[case]\n", "examples.toml: Expected ']]' at the end of an array declaration (at line 1, column 7)"),
        ("", "holds no example; write [[case]]"),
        ("case = 1", "holds no example"),
        ("case = [1]", "case 1: this is not a table"),
        ("[[cases]]\n", "there is no 'cases'; did you mean case?"),
        ("[given]\nfact = 1\n" + case(), "[given]: there is no 'fact'; did you mean facts?"),
        ('\n\n[[case]]\nexpect = "deny"\n', "examples.toml:3: action is missing"),
        ('[[case]]\naction = "look"\n', "examples.toml:1: expect is missing"),
        (
            case() + '[[case]]\naction = "refnd"\nexpect = "deny"',
            ":6: agent desk has no action refnd; did you mean refund?",
        ),
        (case(args='ref = "A", amout = 1'), "amout: there is no such argument; did you mean 'amount'?"),
        (case(args='ref = "A", amount = nan'), "amount: Input should be a finite number"),
        (case(args='ref = 1, amount = "x"'), "ref: Input should be a valid string (got 1); amount: "),
        (case("facts = { lft = 1 }"), "refund has no fact lft; did you mean left?"),
        (
            case('windows = { "count(refund)" = 1 }'),
            "no rule looks at a window 'count(refund)'; did you mean count(refund, per",
        ),
        (case("at = 2026-11-23"), "at = 2026-11-23 is no moment; write 2026-11-23T09:00:00Z"),
        (case('at = "noon"'), "at = noon is no moment; write 2026-11-23T09:00:00Z"),
        (case("user = 5"), "user: this is not a table"),
        (case(expect='"ask"'), 'expect = \'ask\': write "permit", "deny", or the needs: ["confirmation"'),
        (case(expect="[]"), "expect = []: write"),
        (case(expect='["finance"]'), "expect = ['finance']: write"),
        (case(expect="[1]"), "expect = [1]: write"),
        (case("expected = 1"), "there is no 'expected'; did you mean expect?"),
        ("a = " + "[" * 5000, "examples.toml: "),
        ("a = " + "9" * 5000, "examples.toml: Exceeds the limit"),
    ],
)
def test_a_file_that_can_not_be_read(tmp_path, text, said):
    """File and line, what is wrong, and what to write."""
    with pytest.raises(PolicyError) as error:
        read(written(tmp_path, text), desk)
    assert said in str(error.value)


def test_no_file_and_no_text(tmp_path):
    """A file that isn't there, or holds no text, is an error that names it."""
    (tmp_path / "binary.toml").write_bytes(b"\xff\x00")
    for name in ("none.toml", "binary.toml"):
        with pytest.raises(PolicyError, match=name):
            read(tmp_path / name, desk)
