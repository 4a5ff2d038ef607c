"""Planning an undo and applying the plan: what is posted to begin it, and what it came to."""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from interlock.agents import Agent
from interlock.canonical import canonical
from interlock.errors import RunEndedError
from interlock.journal.journal import Journal
from interlock.journal.store import RunRow
from interlock.kernel import events as ev
from interlock.runtime.choosing import Scope, planned
from interlock.runtime.ids import run_id
from interlock.runtime.previewing import previewed
from interlock.runtime.sending import Sender
from interlock.runtime.undoing import next_request
from interlock.runtime.watching import Watching
from interlock.undo import Dependant, Item, Otherwise, UndoPlan

Undone = Callable[[str, str], Awaitable[ev.UndoEnded]]
"""Waits for the end of an undo, by its run and its request."""

AgentOf = Callable[[RunRow], Agent]

Post = Callable[[str, str, ev.Event], Awaitable[None]]
"""Puts a signal into a run's inbox: the run, its kind, what it says."""


class Plan:
    """An undo plan that can be applied."""

    def __init__(self, applying: "Applying", made: UndoPlan, scope: Scope) -> None:
        self._applying = applying
        self._scope = scope
        self.made = made

    @property
    def items(self) -> tuple[Item, ...]:
        """The effects, the last one first, and what will become of each."""
        return self.made.items

    @property
    def dependants(self) -> tuple[Dependant, ...]:
        """Later effects, not in the plan, that rest on what it takes back."""
        return self.made.dependants

    async def with_dependants(self) -> "Plan":
        """Return the plan that also takes back what rests on this one's effects."""
        more = tuple((one.run, one.seq) for one in self.made.dependants)
        return await self._applying.plan(msgspec.structs.replace(self._scope, also=(*self._scope.also, *more)))

    async def apply(self, by: str, *, otherwise: Otherwise = "stop", user: Any = None) -> tuple[Item, ...]:
        """Take back what the plan names, and return what could not be; survives crashes.

        Args:
            by: Who undoes.
            otherwise: What is done where an effect can't be taken back: because somebody changed since what it had
                changed, because its undo fails again and again, or because `by` may not. "stop" leaves it and all that
                came before it, "leave" goes on with the rest, "ask" asks people and waits for them.
            user: Who undoes, as rules about `undoing(…)` know a user; without it, `{"id": by}`.

        Raises:
            RunEndedError: a run is still going; cancel it first.
        """
        return await self._applying.apply(self.made, by, otherwise, user)

    def __str__(self) -> str:
        return str(self.made)


class Applying:
    """Plans undos and applies them.

    Args:
        journal: What was done.
        watching: What tells that an undo has ended.
        agent: Returns the agent of a run, by its row.
        sender: What looks up how things stand.
        post: What puts a signal into a run's inbox.
    """

    def __init__(self, journal: Journal, watching: Watching, agent: AgentOf, sender: Sender, post: Post) -> None:
        self._journal = journal
        self._watching = watching
        self._agent = agent
        self._sender = sender
        self._post = post

    async def plan(self, scope: Scope) -> Plan:
        """Return what an undo of *scope* would do now.

        Raises:
            UnknownRunError: there is no such run, or nothing of that conversation.
            UnknownEffectError: the run has no such effect, or it has been taken back.
        """
        made = await planned(self._journal, scope, lambda row: self._agent(row).actions)
        agents = {run: self._agent(await self._watching.row(run)) for run in made.runs}
        return Plan(self, await previewed(self._journal, self._sender, made, agents.__getitem__), scope)

    async def apply(self, made: UndoPlan, by: str, otherwise: Otherwise, user: Any) -> tuple[Item, ...]:
        """Take back what a plan names, and return what could not be.

        Raises:
            RunEndedError: a run is still going; cancel it first.
        """
        for run in made.runs:
            check_still(run, (await self._watching.row(run)).status, made)
        first = request_of(made, by, otherwise, user)
        if first is None:
            return ()
        await self._post(made.batches[0].run, "undo", first)
        return await left_of(self._journal, made, first.request, self._watching.undone)


def check_still(run: str, status: str, made: UndoPlan) -> None:
    """See to it that no run is at work while its effects are taken back; one that waits for a delay may be recalled.

    Raises:
        RunEndedError: it is.
    """
    recalled = any(item.way == "recall" and item.run == run for item in made.items)
    if status == "running" or (status == "sleeping" and not recalled):
        raise RunEndedError(f"run {run!r} is {status}; let it end, or cancel it, before its effects are taken back")


def batches_from(made: UndoPlan, run: str = "") -> tuple[ev.Batch, ...]:
    """Return the plan's batches; with an empty one before, where they begin in *run* and the first is another's."""
    batches = made.batches
    return (ev.Batch(run), *batches) if run and batches and batches[0].run != run else batches


def request_of(made: UndoPlan, by: str, otherwise: Otherwise, user: Any, run: str = "") -> ev.UndoStarted | None:
    """Return what begins the undo, in *run* or in the first batch's; None where there is nothing to take back."""
    if not made.batches:
        return None
    first, *then = batches_from(made, run)
    return ev.UndoStarted(
        by=by,
        targets=first.targets,
        recalls=first.recalls,
        otherwise=otherwise,
        request=f"{run_id()}/0",
        user=ev.NOTHING if user is None else msgspec.Raw(canonical(user)),
        then=tuple(then),
    )


async def left_of(journal: Journal, made: UndoPlan, request: str, undone: Undone) -> tuple[Item, ...]:
    """Wait until a plan has been applied, batch by batch, and return what could not be taken back."""
    failed: set[tuple[str, int]] = set()
    for place, batch in enumerate(made.batches):
        ended = await undone(batch.run, request)
        failed.update((batch.run, seq) for seq in ended.failed)
        if ended.stopped:
            failed.update((one.run, seq) for one in made.batches[place + 1 :] for seq in one.targets)
            break
        request = next_request(request)
    items: list[Item] = []
    for item in made.items:
        left = await _has_left(journal, item) if item.way == "recall" else (item.run, item.seq) in failed
        if left:
            items.append(item)
    return tuple(items)


async def _has_left(journal: Journal, item: Item) -> bool:
    """Whether a call was performed after all: its delay had ended before it could be recalled."""
    found = await journal.find(item.run, item.call)
    return found is None or not isinstance(found.event, ev.Denied)
