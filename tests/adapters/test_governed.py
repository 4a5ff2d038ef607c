"""Plain functions under a governor, in loops that call their tools themselves."""

import asyncio
import inspect
from decimal import Decimal

import pytest

from interlock import Governor, NotDoneError, Policy, arg, current, governed, need, permit, tool
from interlock.errors import DeclarationError, PolicyError, RunEndedError
from interlock.runtime.outcomes import Denied, Unknown, Waiting


@pytest.fixture
def governor():
    search, pay, lookup = tool.read("search"), tool.irreversible("pay", repeatable=True), tool.read("lookup")
    policy = Policy(
        permit(search),
        permit(lookup),
        permit(pay, when=arg.amount <= 100),
        need.approval("finance", pay, when=arg.amount > 50),
    )
    with Governor(":memory:", [search, pay, lookup], policy=policy, patience="1s") as governor:
        yield governor


class Shop:
    """A loop's tools, which keep count."""

    def __init__(self, governor):
        self.paid = []
        self.raises = None

        def pay(order: str, amount: Decimal = Decimal(5)) -> str:
            """Pay an order."""
            self.paid.append((order, amount, current().key))
            if self.raises is not None:
                raise self.raises
            return f"paid {amount}"

        async def search(query: str) -> list[str]:
            return [query]

        def lookup(order: str) -> str:
            raise LookupError(order)

        self.bare = pay
        self.pay = governed(pay, governor)
        self.search = governed(search, governor)
        self.lookup = governed(lookup, governor)


@pytest.fixture
def shop(governor):
    return Shop(governor)


def test_it_looks_like_the_function(shop):
    """Name, signature and docstring stay: a loop that makes schemas from them makes the same."""
    assert (shop.pay.__name__, shop.pay.__doc__) == ("pay", "Pay an order.")
    assert inspect.signature(shop.pay) == inspect.signature(shop.bare)
    assert inspect.iscoroutinefunction(shop.search)
    assert not inspect.iscoroutinefunction(shop.pay)


def test_it_returns_what_the_function_returns(governor, shop):
    """By place or by name, with defaults, and with the types that the hints say."""
    with governor.run("r1"):
        assert shop.pay("a", 10) == "paid 10"
        assert shop.pay(order="b", amount="10") == "paid 10"
        assert shop.pay("c") == "paid 5"
        assert asyncio.run(_searched(shop)) == ["x"]
    assert [(order, amount) for order, amount, _ in shop.paid] == [("a", 10), ("b", Decimal(10)), ("c", 5)]


async def _searched(shop):
    return await shop.search("x")


def test_what_is_not_done_raises_what_a_model_is_told(governor, shop):
    """A loop that tells its model the text of an exception tells it why, and what instead."""
    with governor.run("r1"):
        with pytest.raises(NotDoneError, match=r"It was not done: no rule permits pay") as denied:
            shop.pay("a", 1000)
        assert isinstance(denied.value.outcome, Denied)
        with pytest.raises(NotDoneError, match="ordr: there is no such argument; did you mean 'order'"):
            shop.pay(ordr="a")
        with pytest.raises(LookupError, match="a"):
            shop.lookup("a")
    assert shop.paid == []


def test_the_same_block_after_a_crash_repeats_nothing(governor, shop):
    """Calls are told apart by their arguments, equal ones by their order: a loop may run again from its start."""

    def loop():
        with governor.run("r1"):
            assert shop.pay("b", 7) == "paid 7"
            assert [shop.pay("a", 10), shop.pay("a", 10)] == ["paid 10"] * 2
            raise OSError("the loop falls over")

    for _ in range(2):
        with pytest.raises(OSError, match="falls over"):
            loop()
    assert [order for order, _, _ in shop.paid] == ["b", "a", "a"]
    assert len({key for _, _, key in shop.paid}) == 3


def test_the_order_may_change_on_the_way(governor, shop):
    """Another order of calls, or others between them, finds the same outcomes."""
    block = governor.run("r1")
    block.__enter__()
    shop.pay("a", 1)
    shop.pay("b", 1)
    assert not block.__exit__(OSError, OSError("it falls over"), None)
    with governor.run("r1"):
        shop.pay("c", 1)
        shop.pay("b", 1)
        shop.pay("a", 1)
    assert [order for order, _, _ in shop.paid] == ["a", "b", "c"]


def test_a_question_is_found_again(governor, shop):
    """The loop calls again, in this block or a later one: nobody is asked twice, and the yes counts once."""
    with governor.run("r1"):
        for _ in range(2):
            with pytest.raises(NotDoneError) as waits:
                shop.pay("a", 70)
            assert isinstance(waits.value.outcome, Waiting)
    [question] = governor.runtime.questions()
    question.approve(by="ana")
    with governor.run("r1"):
        assert shop.pay("a", 70) == "paid 70"
        with pytest.raises(NotDoneError, match="waits for the approval of finance"):
            shop.pay("a", 70)
    assert len(shop.paid) == 1


def test_the_same_effect_once_more_is_asked_about():
    """The second payment waits for the user; a yes makes it once, and nothing is asked about other arguments."""
    pay = tool.irreversible("pay")
    with Governor(":memory:", [pay], policy=Policy(permit(pay)), patience="1s") as governor:
        shop = Shop(governor)
        with governor.run("r1"):
            assert shop.pay("a", 10) == "paid 10"
            for _ in range(2):
                with pytest.raises(NotDoneError, match="waits for the user's confirmation") as waits:
                    shop.pay("a", 10)
            assert "the same was done in this conversation" in waits.value.outcome.question.reasons[-1]
            assert shop.pay("a", 11) == "paid 11"
        [question] = governor.runtime.questions()
        question.approve(by="ana")
        with governor.run("r1"):
            assert [shop.pay("a", 10), shop.pay("a", 10)] == ["paid 10"] * 2
    assert [amount for _, amount, _ in shop.paid] == [10, 11, 10]


def test_an_unknown_outcome_is_not_repeated(governor, shop):
    """A payment that may have gone through is not made again because a loop retries."""
    shop.raises = ConnectionError("lost")
    with governor.run("r1"):
        for _ in range(3):
            with pytest.raises(NotDoneError) as lost:
                shop.pay("a", 10)
            assert isinstance(lost.value.outcome, Unknown)
    assert len(shop.paid) == 1


async def test_in_parallel(governor, shop):
    """Tasks of a block share its run; each of their calls is its own."""
    with governor.run("r1"):
        found = await asyncio.gather(*(shop.search(str(n % 3)) for n in range(30)))
    assert found == [[str(n % 3)] for n in range(30)]


def test_outside_a_block(governor, shop):
    """Without a run nothing is done; the message says what to write."""
    with pytest.raises(DeclarationError, match=r'with governor.run\("some id"\)'):
        shop.pay("a")
    assert shop.paid == []


def test_another_governors_block(governor, shop):
    """A block is its own governor's."""
    with Governor(":memory:", policy=Policy()) as other, other.run("r1"), pytest.raises(DeclarationError):
        shop.pay("a")


def test_a_block_ends_its_run(governor, shop):
    """What ended well tells what was done and takes nothing more: another piece of work has another id."""
    with governor.run("r1", user="u42", conversation="c1"):
        shop.pay("a")
    assert governor.runtime.run("r1").status() == "done"
    with governor.run("r1"):
        shop.pay("a")
        with pytest.raises(RunEndedError):
            shop.pay("b")
    assert len(shop.paid) == 1


def test_a_rule_about_an_argument_that_is_not_there(governor):
    """It is told where the function is governed, not at the first call."""

    def pay(order: str) -> str: ...

    with pytest.raises(PolicyError, match="pay has no argument amount"):
        governed(pay, governor)


def test_hints_are_needed(governor):
    """Without types nobody can say what an argument may be."""

    def pay(order, amount): ...

    with pytest.raises(DeclarationError, match="parameter 'order' has no type"):
        governed(pay, governor)
