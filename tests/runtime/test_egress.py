"""A read whose arguments leave the trust boundary is treated like an effect."""

import asyncio
from typing import Any

import pytest

from interlock import Agent, Ctx, Done, Failed, Policy, Proposal, ScriptedModel, action, permit
from interlock.errors import DeclarationError
from interlock.testing import every_crash, runtime


class Web:
    """What was fetched, and how many fetches were under way at once."""

    def __init__(self) -> None:
        self.fetched: list[str] = []
        self.busy = 0
        self.most = 0


@action.read(egress=True)
async def fetch(ctx: Ctx[Web], url: str) -> str:
    """Fetch a page."""
    ctx.deps.busy += 1
    ctx.deps.most = max(ctx.deps.most, ctx.deps.busy)
    await asyncio.sleep(0)
    ctx.deps.busy -= 1
    ctx.deps.fetched.append(url)
    if url == "broken":
        raise OSError("no such page")
    return f"page {url}"


def agent(**more: Any) -> Agent:
    """Return an agent that may fetch."""
    return Agent("desk", [fetch], policy=Policy(permit(fetch)), **more)


async def test_it_is_written_down_before_it_leaves() -> None:
    """There is an intent before the fetch, and the same page may be fetched again without a question."""
    async with runtime(agent(), deps=Web()) as rt:
        run = await rt.start("desk", run="r1")
        async with rt.session("r1") as s:
            assert await s.perform(Proposal("fetch", {"url": "a"})) == Done("page a")
            assert await s.perform(Proposal("fetch", {"url": "a"})) == Done("page a")
        kinds = [type(one.event).__name__ for one in await run.history()]
        assert kinds == ["RunStarted", "Intended", "Done", "Intended", "Done"]
        plan = await run.undo_plan()
        assert [item.way for item in plan.items] == ["cannot", "cannot"]
        assert "have left" in plan.items[0].why


async def test_one_that_raises_has_failed() -> None:
    """A fetch changes nothing, so that nobody has to be asked what became of it."""
    async with runtime(agent(), deps=Web()) as rt:
        await rt.start("desk", run="r1")
        async with rt.session("r1") as s:
            outcome = await s.perform(Proposal("fetch", {"url": "broken"}))
        assert isinstance(outcome, Failed)
        assert "no such page" in outcome.error


async def test_fetches_of_one_turn_come_one_after_the_other() -> None:
    """What leaves is never performed beside another call."""
    web = Web()
    proposals = [Proposal("fetch", {"url": url}) for url in "abc"]
    async with runtime(agent(model=ScriptedModel([proposals, "done"])), deps=web) as rt:
        await rt.send("desk", "fetch", conversation="c", user="u")
        await rt.settled()
    assert web.fetched == ["a", "b", "c"]
    assert web.most == 1


async def test_after_any_crash_it_is_fetched_again() -> None:
    """No crash leaves a fetch open: it is simply done again."""

    async def play(rt: Any) -> None:
        run = await rt.start("desk", run="r1")
        if await run.status() != "done":
            async with rt.session("r1") as s:
                await rt.outcome(s, Proposal("fetch", {"url": "a"}, "k"))
                await s.finish()

    crashes = await every_crash(agent(), play, deps=Web)
    assert not crashes.asked


def test_only_reads_have_it() -> None:
    """An effect leaves anyway."""

    async def post(ctx: Ctx[Web]) -> None: ...

    with pytest.raises(DeclarationError, match="egress= is for reads"):
        action.irreversible(egress=True)(post)
