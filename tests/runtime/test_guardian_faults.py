"""Whatever happens inside the guardian, no effect is performed without a permit in the journal."""

import asyncio
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from interlock import (
    Agent,
    Ctx,
    Labels,
    MemoryStore,
    Policy,
    Proposal,
    Runtime,
    action,
    arg,
    count,
    fact,
    forbid,
    need,
    permit,
)
from interlock.guardian import Need, Verdict
from interlock.kernel import events as ev
from interlock.provenance import Origin, Strike, Traced
from interlock.testing import FakeClock


class World:
    """What was done, and what the facts do."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.fact: Callable[[], Any] = lambda: 1


@action.irreversible(repeatable=True)
async def act(ctx: Ctx[World], amount: Any = 0) -> str:
    """Do something."""
    ctx.deps.done.append(ctx.key)
    return "done"


@act.fact
async def level(ctx: Ctx[World], amount: Any = 0) -> Any:
    """A fact that may do anything."""
    found = ctx.deps.fact()
    return await found if asyncio.iscoroutine(found) else found


RULES = (
    permit(act, when=(fact.level >= 0) & (count(act, per="user", within="1h") < 5)),
    forbid(act, when=arg.amount == 13),
)


def raising(error: BaseException) -> Callable[..., Any]:
    """Return a function that raises."""

    def broken(*_: Any, **__: Any) -> Any:
        raise error

    return broken


async def forever() -> Any:
    """Never come to an end."""
    await asyncio.Event().wait()


class Liar:
    """Says yes to every question."""

    def __getattr__(self, name: str) -> Any:
        return self

    def __bool__(self) -> bool:
        return True

    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 0

    def __ge__(self, other: object) -> bool:
        return True

    __le__ = __lt__ = __gt__ = __ge__


ERRORS = st.sampled_from(
    [ValueError("no"), RecursionError(), MemoryError(), StopIteration(), AssertionError("x"), KeyError()]
)
FACTS = st.one_of(
    st.sampled_from(
        [1, -1, Decimal("NaN"), float("nan"), float("inf"), None, "1", [], {}, object(), Liar(), 10**30]
    ).map(lambda value: lambda: value),
    ERRORS.map(raising),
    st.just(forever),
)
GARBAGE = st.one_of(
    st.sampled_from([None, True, "permit", 1, (), Liar()]),
    st.builds(Verdict, st.sampled_from(["yes", 1, Liar(), None, False, [True]])),
    st.builds(Verdict, st.just(value=True), st.sampled_from([None, "needs", (None,), (1,), (Liar(),)])),
)
JUDGES = st.one_of(
    st.none(),
    ERRORS.map(raising),
    GARBAGE.map(lambda value: lambda *_: value),
    st.just(lambda *_: Verdict(True, (Need("confirmation"),), ("r1",))),
)
COUNTS = st.one_of(
    st.none(), ERRORS.map(raising), st.sampled_from([{}, None, {"x": 1}]).map(lambda value: lambda *_: value)
)
TRACES = st.one_of(
    st.none(),
    ERRORS.map(raising),
    st.sampled_from(
        [
            None,
            True,
            (),
            "trusted",
            Liar(),
            Traced(origins=None),  # type: ignore[arg-type]
            Traced(strikes=(Liar(),), level="boss"),  # type: ignore[arg-type]
            Traced(strikes=(Strike("sink", "one"),)),
            Traced(origins=(Origin("amount", "amount", -1),)),  # type: ignore[arg-type]
            Traced(strikes=(Strike("sink", "one"),), level="boss"),
            Traced(strikes=(Strike("sink", "one"), Strike("grant", "two")), level="boss"),
        ]
    ).map(lambda value: lambda *_: value),
)


@settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(FACTS, JUDGES, COUNTS, TRACES, st.sampled_from([0, 13, "x", None])), min_size=1, max_size=4))
def test_no_effect_without_a_permit(steps: list[tuple[Any, Any, Any, Any, Any]]) -> None:
    """Facts, judge, counter and tracing raise, hang, lie or return garbage: what was done has its permit recorded."""
    asyncio.run(play(steps))


async def play(steps: list[tuple[Any, Any, Any, Any, Any]]) -> None:
    world, clock = World(), FakeClock()
    policy = Policy(*RULES)
    labels = Labels(relaxed=["act"], arguments={"act": {"amount": "selector"}})
    agent = Agent("desk", [act], policy=policy, deps=lambda: world, labels=labels)
    honest = policy.judge
    async with Runtime(MemoryStore(), agent, clock=clock) as rt:
        count_honestly = rt._deeds.values
        for number, (facts, judge, counts, trace, amount) in enumerate(steps):
            world.fact = facts
            policy.judge = judge if judge is not None else honest
            rt._deeds.values = counts if counts is not None else count_honestly
            run = await rt.start("desk", user="u")
            before = len(world.done)
            if trace is not None:
                async with rt.held(run.id) as live:
                    (await rt._tracing.index(live)).trace = trace
            async with rt.session(run.id) as s:
                outcome = await clock.run(s.perform(Proposal("act", {"amount": amount}, f"k{number}")))
            assert outcome is not None
            history = [one.event for one in await run.history()]
            intents = [one for one in history if isinstance(one, ev.Intended)]
            assert len(world.done) - before == len(intents)
            for intent in intents:
                assert intent.judgement.rules
                assert intent.judgement.policy == policy.hash
                assert judge is None
                assert counts is None
                assert trace is None
                assert intent.judgement.origins != ev.NOTHING
                assert amount != 13


def test_a_need_is_never_met_by_garbage() -> None:
    """A rule that needs something always asks, whatever the proposal holds."""

    async def main() -> None:
        world = World()
        agent = Agent("desk", [act], policy=Policy(permit(act), need.approval("boss", act)), deps=lambda: world)
        async with Runtime(MemoryStore(), agent) as rt:
            run = await rt.start("desk")
            async with rt.session(run.id) as s:
                for amount in (None, "", 0, [], {}, 10**30, "\u200b", "𝟏𝟑"):
                    await s.perform(Proposal("act", {"amount": amount}))
        assert world.done == []

    asyncio.run(main())
