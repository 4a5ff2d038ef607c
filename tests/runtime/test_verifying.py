"""Post-conditions: looked at after the effect, across crashes; what is not as it should be is taken back."""

from typing import Any

import pytest

from interlock import Agent, Ctx, Denied, Done, Policy, Proposal, Runtime, action, permit
from interlock.testing import every_crash


class Shelf:
    """What stands on the shelf; `broken` says how the look at it goes wrong."""

    def __init__(self, broken: str = "") -> None:
        self.books: list[str] = []
        self.sent: list[str] = []
        self.broken = broken
        self.stuck = False


@action.reversible(idempotent=True)
async def put(ctx: Ctx[Shelf], book: str) -> int:
    """Put a book on the shelf."""
    if book not in ctx.deps.books:
        ctx.deps.books.append(book)
    return len(ctx.deps.books)


@put.undo
async def _(ctx: Ctx[Shelf], done: int, book: str) -> None:
    if ctx.deps.stuck:
        raise RuntimeError("glued")
    if book in ctx.deps.books:
        ctx.deps.books.remove(book)


@put.verify
async def _(ctx: Ctx[Shelf], done: int, book: str) -> bool:
    if ctx.deps.broken == "raises":
        raise OSError("no light")
    return not ctx.deps.broken and book in ctx.deps.books


@action.irreversible(idempotent=True)
async def send(ctx: Ctx[Shelf], book: str) -> str:
    """Send a book away."""
    if book not in ctx.deps.sent:
        ctx.deps.sent.append(book)
    return "sent"


@send.verify
async def _(ctx: Ctx[Shelf], done: str, book: str) -> bool:
    return not ctx.deps.broken


async def test_the_look_has_the_key() -> None:
    """What looks after an effect is given the key under which it was performed."""
    keys: list[str] = []

    @action.irreversible(idempotent=True)
    async def pay(ctx: Ctx[None]) -> str:
        """Pay."""
        keys.append(ctx.key)
        return "paid"

    @pay.verify
    async def _(ctx: Ctx[None], done: str) -> bool:
        keys.append(ctx.key)
        return True

    async with (
        Runtime(":memory:", Agent("till", [pay], policy=Policy(permit(pay)))) as rt,
        rt.session((await rt.start("till")).id) as s,
    ):
        assert isinstance(await s.perform(Proposal("pay", {})), Done)
    assert keys[0] == keys[1] != ""


def desk(shelf: Shelf | None = None) -> Agent:
    """Return the agent that may do all of it."""
    return Agent("desk", [put, send], policy=Policy(permit([put, send])), deps=None if shelf is None else lambda: shelf)


async def kinds(rt: Any, run: Any) -> list[str]:
    """Return the types of a run's events."""
    return [type(one.event).__name__ for one in await rt.run(run.id).history()]


async def test_as_it_should_be() -> None:
    """What was looked at, and found, is in the journal."""
    async with Runtime(":memory:", desk(Shelf())) as rt:
        run = await rt.start("desk")
        async with rt.session(run.id) as s:
            assert await s.perform(Proposal("put", {"book": "a"})) == Done(1)
        assert await kinds(rt, run) == ["RunStarted", "Intended", "Done", "Verified"]


@pytest.mark.parametrize(("broken", "why"), [("false", "answered False"), ("raises", "OSError: no light")])
async def test_what_is_not_there_is_taken_back(broken: str, why: str) -> None:
    """A failed look undoes the effect, and the outcome tells both."""
    shelf = Shelf(broken)
    async with Runtime(":memory:", desk(shelf)) as rt:
        run = await rt.start("desk")
        async with rt.session(run.id) as s:
            outcome = await s.perform(Proposal("put", {"book": "a"}))
            assert isinstance(outcome, Done)
            assert why in outcome.problem
            assert outcome.problem.endswith("it was taken back")
        assert await kinds(rt, run) == ["RunStarted", "Intended", "Done", "VerifyFailed", "Intended", "Done"]
    assert shelf.books == []


async def test_what_can_not_be_taken_back_is_left_to_a_person() -> None:
    """The run is parked with the reason; nothing new begins until somebody lets it go on."""
    shelf = Shelf("false")
    async with Runtime(":memory:", desk(shelf)) as rt:
        run = await rt.start("desk")
        async with rt.session(run.id) as s:
            outcome = await s.perform(Proposal("send", {"book": "a"}))
            assert isinstance(outcome, Done)
            assert "a person was asked" in outcome.problem
            denied = await s.perform(Proposal("put", {"book": "b"}))
            assert isinstance(denied, Denied)
            assert "parked" in denied.reasons[0]
        assert await run.status() == "parked"
        await run.unpark(by="ana")
        shelf.broken = ""
        async with rt.session(run.id) as s:
            assert isinstance(await s.perform(Proposal("put", {"book": "b"})), Done)


async def test_a_way_back_that_fails_is_left_to_a_person() -> None:
    """Where taking back does not work either, the run is parked and says so."""
    shelf = Shelf("false")
    shelf.stuck = True
    async with Runtime(":memory:", desk(shelf), patience="0s") as rt:
        run = await rt.start("desk")
        async with rt.session(run.id) as s:
            outcome = await s.perform(Proposal("put", {"book": "a"}))
            assert isinstance(outcome, Done)
            assert "did not work" in outcome.problem


async def play(rt: Any) -> None:
    """Put a book on the shelf and send one away, and go on wherever a crash left it."""
    run = await rt.start("desk", run="r1")
    if await run.status() not in ("done", "parked"):
        async with rt.session("r1") as session:
            await rt.outcome(session, Proposal("put", {"book": "a"}, "p1"))
            await rt.outcome(session, Proposal("put", {"book": "b"}, "p2"))
            if await run.status() != "parked":
                await session.finish()


@pytest.mark.parametrize("broken", ["", "false"])
async def test_whenever_the_process_dies(broken: str) -> None:
    """After a crash anywhere, every effect has been looked at, and what was not as it should be is gone."""

    async def check(rt: Any) -> None:
        history = await rt.run("r1").history()
        done = {one.seq for one in history if type(one.event).__name__ == "Done" and not one.event.undoes}
        looked = {one.event.outcome for one in history if type(one.event).__name__ in ("Verified", "VerifyFailed")}
        assert done == looked
        assert rt.deps.books == ([] if broken else ["a", "b"])

    crashes = await every_crash(desk(), play, check=check, deps=lambda: Shelf(broken))
    assert len(crashes.boundaries) > 5
