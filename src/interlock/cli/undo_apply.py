"""Making an undo's plan from a journal that others may drive, and having whoever drives it apply the plan."""

import asyncio
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from interlock.actions.way import Change
from interlock.agents import Agent
from interlock.cli.inbox import posted
from interlock.cli.notes import logged
from interlock.cli.project import agent_named
from interlock.cli.reading import opened
from interlock.cli.undo_scope import Target, scope_of
from interlock.errors import DependenciesError, DriverConflictError
from interlock.journal.journal import Journal
from interlock.kernel import events as ev
from interlock.runtime import choosing
from interlock.runtime.applying import check_still, left_of, request_of
from interlock.runtime.clock import SystemClock
from interlock.runtime.mailbox import Mailbox
from interlock.runtime.pool import ThreadPool
from interlock.runtime.previewing import previewed
from interlock.runtime.records import said
from interlock.runtime.runtime import Runtime
from interlock.runtime.sending import Sender
from interlock.undo import Item, Otherwise, UndoPlan

LOOK = 0.05
"""How often it is looked whether the undo has ended, in seconds."""

UNSEEN = ("", "undo", "delay")
"""What takes an effect back without anything to look at before."""

Choice = Literal["", "with", "without"]
"""What becomes of effects that rest on those of the plan: not said yet, taken back too, left."""


class Planned(Struct, frozen=True):
    """A plan, and why how things stand now was not looked up, where that is so."""

    made: UndoPlan
    unseen: str = ""


class Left(Struct, frozen=True):
    """An effect that was not taken back: its run and seq, why, and the objects that stood in the way."""

    run: str
    seq: int
    action: str
    reason: str
    kind: str = ""
    changes: tuple[Change, ...] = ()

    @property
    def id(self) -> str:
        """What names it as a target."""
        return f"{self.run}:{self.seq}"


class Undone(Struct, frozen=True):
    """What became of an undo: effects that were not taken back, questions that it waits for."""

    left: tuple[Left, ...] = ()
    asks: tuple[str, ...] = ()


async def planned(path: Path, target: Target, known: dict[str, Agent], choice: Choice = "") -> Planned:
    """Return the plan for a target, with what is there now, and with the effects that rest on it where that is chosen.

    Raises:
        UsageError: there is no such run, or its agent is not known.
        UnknownRunError: there is nothing of that conversation.
        UnknownEffectError: the event is no effect, or it has been taken back.
    """
    async with opened(path) as journal:
        scope = await scope_of(journal, target)
        plan = partial(choosing.planned, journal, actions=lambda row: agent_named(known, row.agent).actions)
        made = await plan(scope)
        if choice == "with" and made.dependants:
            made = await plan(replace(scope, also=tuple((one.run, one.seq) for one in made.dependants)))
        return await _seen(journal, made, known)


async def _seen(journal: Journal, made: UndoPlan, known: dict[str, Agent]) -> Planned:
    """Look what the undo would find, with the agents' dependencies; nothing is driven for that."""
    agents: dict[str, Agent] = {}
    for run in {item.run for item in made.items}:
        row = await journal.store.row(run)
        assert row is not None
        agents[run] = agent_named(known, row.agent)
    sender = Sender(ThreadPool(), {}, journal, SystemClock())
    try:
        for agent in {agents[item.run] for item in made.items if item.by not in UNSEEN}:
            await sender.make(agent)
        return Planned(await previewed(journal, sender, made, agents.__getitem__))
    except DependenciesError as error:
        return Planned(made, f"what is there now: {said(error.__cause__ or error)}, when the dependencies were made")
    finally:
        await sender.close()


async def check(path: Path, made: UndoPlan) -> None:
    """See to it that no run of the plan is at work.

    Raises:
        RunEndedError: one is.
    """
    async with opened(path) as journal:
        await _check(journal, made)


async def _check(journal: Journal, made: UndoPlan) -> None:
    for run in made.runs:
        row = await journal.store.row(run)
        assert row is not None
        check_still(run, row.status, made)


async def begun(path: Path, made: UndoPlan, by: str, otherwise: Otherwise) -> str:
    """Post an undo to its first run, durably, and return its request; whoever drives the journal takes it in.

    Raises:
        RunEndedError: a run of the plan is at work.
    """
    async with opened(path) as journal:
        await _check(journal, made)
        first = request_of(made, by, otherwise, None)
        assert first is not None, "there is something to take back"
        await Mailbox(journal, SystemClock()).post(made.batches[0].run, "undo", first)
        return first.request


async def driven(runtime: Callable[[], Runtime], path: Path, made: UndoPlan, request: str) -> Undone:
    """Drive the journal, unless another process does, until the undo has ended or waits for people."""
    try:
        with logged(noted=False):
            async with runtime():
                return await followed(path, made, request)
    except DriverConflictError:
        return await followed(path, made, request)


async def followed(path: Path, made: UndoPlan, request: str) -> Undone:
    """Wait until whoever drives the journal has done the undo, or it waits for people; return what became of it."""
    async with opened(path) as journal:
        try:
            left = await left_of(journal, made, request, partial(_ended, journal))
        except _WaitsError as waits:
            return Undone(asks=waits.asks)
        return Undone(tuple([await _left(journal, item, request) for item in left]))


class _WaitsError(Exception):
    """The undo waits for people."""

    def __init__(self, asks: tuple[str, ...]) -> None:
        super().__init__(", ".join(asks))
        self.asks = asks


async def _ended(journal: Journal, run: str, request: str) -> ev.UndoEnded:
    while True:
        for one in await journal.history(run, 0, (ev.UndoEnded,)):
            if isinstance(one.event, ev.UndoEnded) and one.event.request == request:
                return one.event
        if asks := await _asks(journal, run):
            raise _WaitsError(asks)
        await asyncio.sleep(LOOK)


async def _asks(journal: Journal, run: str) -> tuple[str, ...]:
    """Return the questions of the run's undo that nobody has answered, or posted an answer to."""
    state = await journal.state(run)
    if state.undo is None:
        return ()
    calls = (call for call in state.calls.values() if call.undoes)
    seqs = [ask.seq for call in calls for ask in call.asks if not ask.decision]
    return tuple([f"{run}:{seq}" for seq in seqs if await posted(journal, run, seq) is None])


async def _left(journal: Journal, item: Item, request: str) -> Left:
    """Return why an effect was not taken back, from what the journal says of the undo's last try."""
    found: ev.NotUndone | None = None
    of = ""
    for one in await journal.history(item.run, 0, (ev.UndoStarted, ev.NotUndone)):
        if isinstance(one.event, ev.UndoStarted):
            of, found = one.event.request, None
        elif isinstance(one.event, ev.NotUndone) and one.event.target == item.seq:
            found = one.event
    if found is not None and of.rpartition("/")[0] == request.rpartition("/")[0]:
        changes = msgspec.json.decode(bytes(found.changes), type=tuple[Change, ...] | None) or ()
        return Left(item.run, item.seq, item.action, found.reason, found.kind, changes)
    late = item.way == "recall"
    reason = "it left before it could be recalled" if late else "the undo stopped before it"
    return Left(item.run, item.seq, item.action, reason)
