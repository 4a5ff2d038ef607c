"""Limits: windows over what was done are exact, whatever runs at once and whatever process counts."""

import asyncio
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock import (
    ANY,
    Agent,
    Ctx,
    Denied,
    Done,
    MemoryStore,
    Policy,
    Proposal,
    Refused,
    Runtime,
    action,
    after,
    arg,
    before,
    count,
    forbid,
    limit,
    permit,
    since,
    surge,
    total,
)
from interlock.guardian import Expr
from interlock.guardian.expr import tree_of
from interlock.guardian.tree import Per
from interlock.journal import Redactor
from interlock.runtime.tallies import Deed, Record
from interlock.testing import FakeClock


class Till:
    """What was paid; `refuse` makes the next payment fail, `gate` holds payments back."""

    def __init__(self) -> None:
        self.paid: list[Decimal] = []
        self.refuse = False
        self.gate: asyncio.Event | None = None


@action.compensable(idempotent=True, repeatable=True)
async def pay(ctx: Ctx[Till], to: str, amount: Decimal) -> int:
    """Pay somebody."""
    if ctx.deps.gate is not None:
        await ctx.deps.gate.wait()
    if ctx.deps.refuse:
        raise Refused("not today")
    ctx.deps.paid.append(amount)
    return len(ctx.deps.paid)


@pay.undo
async def _(ctx: Ctx[Till], done: int, to: str, amount: Decimal) -> None:
    ctx.deps.paid.remove(amount)


@action.read
async def look(ctx: Ctx[Till], to: str) -> int:
    """How much was paid."""
    if ctx.deps.gate is not None:
        await ctx.deps.gate.wait()
    return len(ctx.deps.paid)


@action.reversible(repeatable=True)
async def change(ctx: Ctx[Till], to: str) -> None:
    """Change the address of somebody."""


@change.undo
async def _(ctx: Ctx[Till], done: None, to: str) -> None: ...


def desk(*rules: Any, till: Till) -> Agent:
    """Return an agent that may do everything but what the rules say."""
    return Agent("desk", [pay, look, change], policy=Policy(permit([pay, look, change]), *rules), deps=lambda: till)


def at_most(number: int, **window: Any) -> Any:
    """Return the rule of at most so many payments."""
    return forbid(pay, when=count(pay, **window) >= number, because=f"at most {number}")


async def paid(rt: Runtime, times: int = 1, to: str = "ann", amount: object = 1, **whose: Any) -> list[type]:
    """Pay so often at once, each payment in a run of its own, and return what came of it."""

    async def one() -> type:
        run = await rt.start("desk", **whose)
        async with rt.session(run.id) as session:
            return type(await session.perform(Proposal("pay", {"to": to, "amount": str(amount)})))

    return list(await asyncio.gather(*(one() for _ in range(times))))


@pytest.mark.parametrize(
    ("per", "same_scope", "other_scope"),
    [
        ("user", {"user": "u1"}, {"user": "u2"}),
        ("user", {"user": "u1", "tenant": "a"}, {"user": "u1", "tenant": "b"}),
        ("tenant", {"tenant": "a", "user": "u1"}, {"tenant": "b", "user": "u1"}),
        ("conversation", {"conversation": "c1"}, {"conversation": "c2"}),
        ("conversation", {"conversation": "c1", "tenant": "a"}, {"conversation": "c1", "tenant": "b"}),
    ],
)
async def test_each_scope_has_its_own_count(per: Per, same_scope: Any, other_scope: Any) -> None:
    """A quota is exact among twenty runs at once, and one scope's deeds are not another's."""
    till = Till()
    async with Runtime(":memory:", desk(at_most(3, per=per), till=till)) as rt:
        outcomes = await paid(rt, 20, **same_scope)
        assert outcomes.count(Done) == 3
        assert await paid(rt, 4, **other_scope) == [Done, Done, Done, Denied]
    assert len(till.paid) == 6


@pytest.mark.parametrize("per", ["agent", "everyone"])
async def test_a_scope_of_all(per: Per) -> None:
    """What all runs do together is counted together."""
    async with Runtime(":memory:", desk(at_most(3, per=per), till=Till())) as rt:
        outcomes = await paid(rt, 10, user="u1") + await paid(rt, 10, user="u2", tenant="b")
        assert outcomes.count(Done) == 3


async def test_a_run_alone() -> None:
    """`per="run"` counts what this run did."""
    async with Runtime(":memory:", desk(at_most(2, per="run"), till=Till())) as rt:
        run = await rt.start("desk", conversation="c1")
        async with rt.session(run.id) as session:
            outcomes = [await session.perform(Proposal("pay", {"to": "a", "amount": "1"})) for _ in range(3)]
        assert [type(one) for one in outcomes] == [Done, Done, Denied]
        assert await paid(rt, 1, conversation="c1") == [Done]


async def test_without_a_user_a_count_per_user_denies() -> None:
    """Nobody's calls can't be counted, and what can't be counted is not permitted."""
    async with Runtime(":memory:", desk(at_most(3, per="user"), till=Till())) as rt:
        run = await rt.start("desk")
        async with rt.session(run.id) as session:
            denied = await session.perform(Proposal("pay", {"to": "a", "amount": "1"}))
        assert isinstance(denied, Denied)
        assert "acts for no user" in denied.reasons[0]


async def test_what_is_under_way_counts() -> None:
    """A payment that has not returned yet holds its place; one that is refused gives it back."""
    till = Till()
    till.gate = asyncio.Event()
    async with Runtime(":memory:", desk(at_most(1, per="everyone"), till=till)) as rt:
        first = asyncio.create_task(paid(rt))
        while not await rt.journal.feed(0, 10, ()) or not any(
            type(one.event).__name__ == "Intended" for one in await rt.journal.feed(0, 10, ())
        ):
            await asyncio.sleep(0)
        assert await paid(rt) == [Denied]
        till.refuse = True
        till.gate.set()
        await first
        till.refuse = False
        assert await paid(rt, 2) == [Done, Denied]


async def test_reads_count_from_when_they_begin() -> None:
    """Of several reads at once, no more are performed than the limit says."""
    till = Till()
    till.gate = asyncio.Event()
    rule = forbid(look, when=count(look, per="run") >= 2, because="at most 2")
    async with Runtime(":memory:", desk(rule, till=till)) as rt:
        run = await rt.start("desk")
        async with rt.session(run.id) as session:
            reads = [asyncio.create_task(session.perform(Proposal("look", {"to": "a"}))) for _ in range(5)]
            for _ in range(20):
                await asyncio.sleep(0)
            till.gate.set()
            assert [type(one) for one in await asyncio.gather(*reads)].count(Done) == 2


@pytest.mark.parametrize("per", ["user", "conversation", "tenant", "agent", "everyone"])
async def test_another_process_counts_on(per: Per) -> None:
    """A runtime that opens the journal later knows what was done before, undone and refused left out."""
    store, till = MemoryStore(), Till()
    whose = {"user": "u1", "conversation": "c1", "tenant": "a"}
    rules = (at_most(4, per=per, within="30d"),)
    async with Runtime(store, desk(*rules, till=till)) as rt:
        assert await paid(rt, 2, **whose) == [Done, Done]
        till.refuse = True
        await paid(rt, 1, **whose)
        till.refuse = False
        undone = await rt.start("desk", run="undone", **whose)
        async with rt.session("undone") as session:
            await session.perform(Proposal("pay", {"to": "x", "amount": "9"}))
        await (await undone.undo_plan()).apply(by="ana")
        await rt.settled()
    twin = store.fork()
    async with Runtime(twin, desk(*rules, till=till)) as rt:
        assert (await paid(rt, 5, **whose)).count(Done) == 2


async def test_what_was_undone_gives_its_place_back() -> None:
    """An undone effect no longer counts."""
    async with Runtime(":memory:", desk(at_most(1, per="user"), till=Till())) as rt:
        run = await rt.start("desk", user="u")
        async with rt.session(run.id) as session:
            await session.perform(Proposal("pay", {"to": "a", "amount": "1"}))
        assert await paid(rt, user="u") == [Denied]
        await (await run.undo_plan()).apply(by="ana")
        await rt.settled()
        assert await paid(rt, 2, user="u") == [Done, Denied]


async def test_a_window_moves_on() -> None:
    """What lies further back than the window no longer counts, to the microsecond."""
    clock = FakeClock()
    agent = desk(at_most(2, per="user", within="1h"), till=Till())
    async with Runtime(":memory:", agent, clock=clock) as rt:
        assert await clock.run(paid(rt, 3, user="u")) == [Done, Done, Denied]
        clock.advance("3599s")
        assert await clock.run(paid(rt, user="u")) == [Denied]
        clock.advance("1s")
        assert await clock.run(paid(rt, 3, user="u")) == [Done, Done, Denied]


async def test_a_total_is_exact() -> None:
    """Cents add up without rounding, and the call that is judged adds to them."""
    rule = forbid(pay, when=total(pay, "amount", per="user") + arg.amount > 1, because="at most 1")
    till = Till()
    async with Runtime(":memory:", desk(rule, till=till)) as rt:
        outcomes = await paid(rt, 12, amount="0.1", user="u")
        assert outcomes.count(Done) == 10
    assert sum(till.paid) == 1


async def test_only_the_same_arguments_count() -> None:
    """`same` counts what had the same value, whatever else differs."""
    rule = forbid(pay, when=count(pay, same="to", per="user") >= 1)
    async with Runtime(":memory:", desk(rule, till=Till())) as rt:
        assert await paid(rt, to="ann", user="u") == [Done]
        assert await paid(rt, to="bob", user="u") == [Done]
        assert await paid(rt, to="ann", amount=7, user="u") == [Denied]
        assert await paid(rt, to="ann", user="v") == [Done]


async def test_after_before_and_since() -> None:
    """What has to come first, what must not have, and what has to be done anew after a change."""
    rules = (
        forbid(pay, when=before(look, same="to"), because="look first"),
        forbid(pay, when=~since(look, change, same="to"), because="look again"),
        forbid(change, when=after(pay), because="too late"),
    )
    async with Runtime(":memory:", desk(*rules, till=Till())) as rt:
        run = await rt.start("desk")
        async with rt.session(run.id) as session:

            async def done(name: str, to: str) -> tuple[str, ...]:
                args = {"to": to, "amount": "1"} if name == "pay" else {"to": to}
                outcome = await session.perform(Proposal(name, args))
                return outcome.reasons if isinstance(outcome, Denied) else ()

            assert await done("pay", "ann") == ("look first", "look again")
            assert await done("look", "ann") == ()
            assert await done("look", "bob") == ()
            assert await done("change", "ann") == ()
            assert await done("pay", "ann") == ("look again",)
            assert await done("pay", "bob") == ()
            assert await done("change", "bob") == ("too late",)


async def test_a_redacted_value_counts_as_any() -> None:
    """What was not recorded could have been the same: after a restart it counts, so that no limit is slipped."""
    store, till = MemoryStore(), Till()
    rule = forbid(pay, when=count(pay, same="to", per="user") >= 1)
    async with Runtime(store, desk(rule, till=till), redact=Redactor(secrets={"name": "anneliese"})) as rt:
        assert await paid(rt, to="anneliese", user="u") == [Done]
        assert await paid(rt, to="bob", user="u") == [Done]
    async with Runtime(store.fork(), desk(rule, till=till)) as rt:
        assert await paid(rt, to="eve", user="u") == [Denied]


async def test_a_surge_is_told_from_the_usual() -> None:
    """A burst trips the rule; a steady stream does not. Another process comes to the same."""
    clock, till, store = FakeClock(), Till(), MemoryStore()
    rule = forbid(ANY, when=surge(pay, per="agent", bucket="1m") > 4, because="a surge")
    async with Runtime(store, desk(rule, till=till), clock=clock) as rt:
        for _ in range(60):
            assert await clock.run(paid(rt, user="u")) == [Done]
            clock.advance("60s")
        outcomes = await clock.run(paid(rt, 20, user="u"))
        assert 2 <= outcomes.count(Done) < 10
    async with Runtime(store.fork(), desk(rule, till=till), clock=clock) as rt:
        assert await clock.run(paid(rt, user="u")) == [Denied]


async def test_the_decision_records_what_was_counted() -> None:
    """Each judgement in the journal has the windows that it rested on."""
    async with Runtime(":memory:", desk(at_most(2, per="user"), till=Till())) as rt:
        await paid(rt, 3, user="u")
        judged = [
            bytes(one.event.judgement.counted)
            for one in await rt.journal.feed(0, 100)
            if type(one.event).__name__ in ("Intended", "Denied")
        ]
        assert judged == [b'{"count(pay, per=user)":%d}' % number for number in (0, 1, 2)]


class TestLimit:
    """`limit(action, most)`: a quota in one line."""

    async def test_a_number(self) -> None:
        """So often and no oftener; the reason says the quota, `instead` what to do."""
        rule = limit(pay, 2, per="user", within="1h", instead="wait an hour")
        async with Runtime(":memory:", desk(rule, till=Till())) as rt:
            assert (await paid(rt, 9, user="u")).count(Done) == 2
            run = await rt.start("desk", user="u")
            async with rt.session(run.id) as session:
                denied = await session.perform(Proposal("pay", {"to": "a", "amount": "1"}))
        assert denied == Denied(("the limit is 2 times per user within 1h",), ("wait an hour",), "judge")

    async def test_an_amount(self) -> None:
        """So much in all, to the cent, for each value of `same`."""
        rule = limit(pay, Decimal("1.00"), of="amount", per="everyone", same="to", because="enough")
        till = Till()
        async with Runtime(":memory:", desk(rule, till=till)) as rt:
            await paid(rt, 9, amount="0.3", to="ann")
            await paid(rt, 9, amount="0.3", to="bob")
        assert sum(till.paid) == Decimal("1.8")


class TestForgetting:
    """What has left a window is not kept."""

    def record(self, window: Expr) -> Record:
        """Return the record of a window."""
        return Record(tree_of(window))

    def test_a_window_keeps_only_what_is_in_it(self) -> None:
        """However many deeds there were, of however many values, only those within the window are held."""
        record = self.record(count("pay", same="to", per="everyone", within="1s"))
        for number in range(10_000):
            record.see(Deed("settled", ("r", str(number)), "pay", number * 100_000, number, {"to": str(number)}))
        assert record.value({"to": "9999"}, 999_900_000) == 1
        assert len(record) <= 10

    def test_a_rate_keeps_an_hour(self) -> None:
        """A surge remembers the calls of an hour, so that none is counted twice, and no more."""
        record = self.record(surge("pay", per="everyone", bucket="1m"))
        for number in range(10_000):
            record.see(Deed("settled", ("r", str(number)), "pay", number * 1_000_000, number, {"to": "a"}))
        assert len(record) <= 3_600

    @given(
        st.lists(
            st.tuples(
                st.sampled_from(["begun", "settled", "released", "undone"]), st.integers(0, 5), st.integers(0, 30)
            ),
            max_size=40,
        )
    )
    def test_it_counts_as_a_list_would(self, steps: list[tuple[Any, int, int]]) -> None:
        """Whatever happens to calls in whatever order, the number is that of a plain list of what stands."""
        record = self.record(count("pay", per="everyone", within="10s"))
        now, stands = 0, {}
        for seq, (kind, call, later) in enumerate(steps, 1):
            now += later * 1_000_000
            name = ("r", str(call))
            known = stands.get(name)
            if kind == "begun":
                record.see(Deed("begun", name, "pay", now, 0, {}))
                stands[name] = (now, 0)
            elif kind == "settled":
                record.see(Deed("settled", name, "pay", now, seq))
                if known is not None:
                    stands[name] = (known[0], seq)
            elif kind == "released":
                record.see(Deed("released", name, "pay", now))
                stands.pop(name, None)
            elif known is not None and known[1]:
                record.see(Deed("undone", ("r", "undo"), "pay", now, known[1]))
                del stands[name]
            stands = {one: (at, seq) for one, (at, seq) in stands.items() if at > now - 10_000_000}
            assert record.value({}, now) == len(stands)
