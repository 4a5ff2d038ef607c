"""A history played: runs in sessions side by side, and others in between, with a dump after every step."""

from collections.abc import Collection, Sequence
from contextlib import AsyncExitStack, suppress
from itertools import pairwise
from typing import NamedTuple

from benchmarks.undo.histories.acts import Act
from benchmarks.undo.histories.bank import Bank, Dump, RefusedByDatabaseError
from benchmarks.undo.histories.history import History
from benchmarks.undo.histories.oracle import Diff, Name, changed
from benchmarks.undo.histories.others import Foreign
from interlock import Done, Proposal, Runtime, Session

CONVERSATION = "trip"


class Played(NamedTuple):
    """What each step has changed (by name where it was an effect that happened), and how things stand after all."""

    steps: tuple[tuple[Name | None, Diff], ...]
    now: Dump

    @property
    def effects(self) -> list[tuple[Name, Diff]]:
        """The effects that happened, in order."""
        return [(name, diff) for name, diff in self.steps if name is not None]


def run_name(history_name: str, run: int) -> str:
    """Return the id of a run; no two histories share one."""
    return f"{history_name}-{run}"


async def play(
    rt: Runtime, bank: Bank, history: History, name: str, *, without: Collection[Name] = frozenset()
) -> Played:
    """Play a history, but for some of its effects. Where one run is undone, the others are still going then."""
    seen = [bank.dump()]
    names: list[Name | None] = []
    async with AsyncExitStack() as stack:
        sessions = [await _session(rt, stack, run_name(name, run)) for run in range(history.runs)]
        for number, step in enumerate(history.steps):
            names.append(await _step(bank, sessions, number, step, without))
            seen.append(bank.dump())
        for run, session in enumerate(sessions):
            if history.undo.kind != "run" or run in history.undo.order:
                await session.finish("ok")
    diffs = [changed(one, other) for one, other in pairwise(seen)]
    return Played(tuple(zip(names, diffs, strict=True)), seen[-1])


async def _session(rt: Runtime, stack: AsyncExitStack, run: str) -> Session:
    await rt.start("desk", run=run, conversation=CONVERSATION)
    return await stack.enter_async_context(rt.session(run))


async def _step(
    bank: Bank, sessions: Sequence[Session], number: int, step: Act | Foreign, without: Collection[Name]
) -> Name | None:
    """Do a step; return its name if it was an effect that happened."""
    match step:
        case Foreign(statements):
            with suppress(RefusedByDatabaseError):  # then nobody did it
                bank.edit(statements)
            return None
        case Act(run, action, args):
            if (run, number) in without:
                return None
            outcome = await sessions[run].perform(Proposal(action, args, f"step {number}"))
            return (run, number) if isinstance(outcome, Done) else None
