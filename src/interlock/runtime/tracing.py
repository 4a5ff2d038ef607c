"""Tracing where values came from: the index of each live run, and what the agents of each tenant wrote.

Both are read from the journal when they are first needed, and grow with every append from then on. Nothing of it is
done for an agent without `labels=`.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final, cast
from weakref import WeakSet, WeakValueDictionary

from interlock.actions.action import Action
from interlock.actions.tool import Tool
from interlock.agents import Agent
from interlock.canonical import canonical
from interlock.journal.journal import PAGE, Journal
from interlock.journal.store import RunRow
from interlock.kernel import events as ev
from interlock.kernel.events import Event
from interlock.models import Example
from interlock.provenance import Index, Known, Trust, Written
from interlock.runtime.deeds import Deeds
from interlock.runtime.live import LiveRun

log = logging.getLogger("interlock")

FOLDED: Final = (ev.RunStarted, ev.MessageReceived, ev.Answered, ev.Intended, ev.Done, ev.Planned)
"""The types of events that an index is made of. A denied call is not among them: it leaves no trace."""

MOST_TENANTS: Final = 1024
"""Of how many tenants it is kept in memory what their agents wrote; of others it is read again when needed."""


class Tracing:
    """Makes indexes and keeps them up to date.

    Args:
        journal: Where runs are read from.
        deeds: What knows which events are on their way into the journal.
        agents: What returns the agents of the runtime, by name.

    The mutable state: what the agents of each tenant wrote (as long as an index needs it, or it was used not long ago),
    the runs that have an index, and what happens to tenants and runs that are being read.
    """

    def __init__(self, journal: Journal, deeds: Deeds, agents: Callable[[], Mapping[str, Agent]]) -> None:
        self._journal = journal
        self._deeds = deeds
        self._agents = agents
        self.is_on = any(agent.labels is not None for agent in agents().values())
        """Whether there is an agent with labels."""
        self._written: WeakValueDictionary[str, Written] = WeakValueDictionary()
        self._kept: OrderedDict[str, Written] = OrderedDict()
        self._indexed: WeakSet[LiveRun] = WeakSet()
        self._reading: dict[str, tuple[asyncio.Future[None], list[ev.Intended]]] = {}
        self._building: dict[LiveRun, tuple[asyncio.Future[None], list[tuple[int, Event]]]] = {}

    # seeing

    def seen(self, live: LiveRun, first: int, events: Iterable[Event]) -> None:
        """Take in events that are about to be written as the next of a run, the first of them at seq *first*."""
        for seq, event in enumerate(events, first):
            if isinstance(event, FOLDED):
                self._fold(live, seq, event)
            if isinstance(event, ev.Intended):
                self._wrote(live.state.tenant, event)

    def _fold(self, live: LiveRun, seq: int, event: Event) -> None:
        if live in self._building:
            self._building[live][1].append((seq, event))
        if live.index is None:
            return
        try:
            live.index.add(seq, event)
        except Exception:
            # What happened is written whatever tracing makes of it. The next judgement builds the index anew, and
            # denies if it can't.
            log.exception("run %s: event %d could not be traced", live.id, seq)
            live.index = None

    def _wrote(self, tenant: str, event: ev.Intended) -> None:
        if tenant in self._reading:
            self._reading[tenant][1].append(event)
        written = self._written.get(tenant)
        if written is None:
            return
        try:
            written.add(event)
        except Exception:
            log.exception("what %s writes could not be taken in", event.action)
            self._forget(tenant)

    def _forget(self, tenant: str) -> None:
        """Have what a tenant's agents wrote read anew, and all that rests on it."""
        self._written.pop(tenant, None)
        self._kept.pop(tenant, None)
        for live in tuple(self._indexed):
            if live.state.tenant == tenant:
                live.index = None

    # the index of a run

    async def index(self, live: LiveRun) -> Index:
        """Return the run's index; built once, it grows with each append.

        Raises:
            JournalError: what it is made of can't be read.
        """
        while live.index is None:
            if live in self._building:
                await asyncio.shield(self._building[live][0])
            else:
                await self._build(live)
        return live.index

    async def _build(self, live: LiveRun) -> None:
        behind: list[tuple[int, Event]] = []
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._building[live] = (done, behind)
        submitted = live.state.seq
        try:
            before = await self._before(live)
            written = await self.written(live.state.tenant)
            index = self._empty(live.agent, before, written)
            for row in before:
                for one in await self._journal.history(row.id, 0, FOLDED):
                    index.add(one.seq, one.event)
            await self._durable(live, submitted)
            for one in await self._journal.history(live.id, 0, FOLDED):
                if one.seq <= submitted:
                    index.add(one.seq, one.event)
            for seq, event in behind:
                index.add(seq, event)
            if self._written.get(live.state.tenant) is written:
                live.index = index
                self._indexed.add(live)
        finally:
            del self._building[live]
            done.set_result(None)

    async def _durable(self, live: LiveRun, seq: int) -> None:
        """Wait until the run's event at *seq*, which was submitted, can be read."""
        while await self._journal.store.last_seq(live.id) < seq:
            if live.broken is not None:
                raise live.broken
            await asyncio.sleep(0.001)

    def _empty(self, agent: Agent, before: Iterable[RunRow], written: Written) -> Index:
        assert agent.labels is not None
        agents = self._agents()
        actions: dict[str, Known] = {}
        for one in (*[agents[row.agent] for row in before if row.agent in agents], agent):
            actions |= {action.name: known(action) for action in one.actions.values()}
        examples = [text for example in agent.examples for text in texts_of(example)]
        return Index(agent.labels, actions, written, operator=[agent.instructions], examples=examples)

    async def _before(self, live: LiveRun) -> list[RunRow]:
        """Return the runs that this one may know of: those that handed it its task, and what their dialogue was before.

        Runs of another user are left out, even of the same conversation: their words are not this user's.
        """
        chain: list[RunRow] = []
        parent = live.state.parent
        while parent:
            row = await self._journal.store.row(parent)
            assert row is not None
            chain.insert(0, row)
            started = (await self._journal.event(parent, 1)).event
            assert isinstance(started, ev.RunStarted)
            parent = "" if started.parent is None else started.parent[0]
        first = chain[0].id if chain else live.id
        conversation = chain[0].conversation if chain else live.state.conversation
        if conversation is None:
            return chain
        rows = await self._journal.conversation(live.state.tenant, conversation)
        place = next((at for at, row in enumerate(rows) if row.id == first), len(rows))
        return [*[row for row in rows[:place] if row.user == live.whose.user], *chain]

    # what agents wrote

    async def written(self, tenant: str) -> Written:
        """Return what the agents of a tenant wrote, in any run.

        Raises:
            JournalError: it can't be read.
        """
        while (found := self._written.get(tenant)) is None:
            if tenant in self._reading:
                await asyncio.shield(self._reading[tenant][0])
            else:
                await self._read(tenant)
        self._keep(tenant, found)
        return found

    def _keep(self, tenant: str, written: Written) -> None:
        self._kept[tenant] = written
        self._kept.move_to_end(tenant)
        if len(self._kept) > MOST_TENANTS:
            self._kept.popitem(last=False)

    async def _read(self, tenant: str) -> None:
        meanwhile = [one for one in self._deeds.on_their_way(tenant) if isinstance(one, ev.Intended)]
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._reading[tenant] = (done, meanwhile)
        try:
            written, after, tenants = Written(), 0, dict[str, str]()
            while page := await self._journal.feed(after, PAGE, (ev.Intended,)):
                for one in page:
                    assert isinstance(one.event, ev.Intended)
                    if await self._tenant_of(one.run, tenants) == tenant:
                        written.add(one.event)
                after = page[-1].position
            for event in meanwhile:
                written.add(event)
            self._written[tenant] = written
            self._keep(tenant, written)
        finally:
            del self._reading[tenant]
            done.set_result(None)

    async def _tenant_of(self, run: str, known: dict[str, str]) -> str:
        if run not in known:
            row = await self._journal.store.row(run)
            assert row is not None
            known[run] = row.tenant
        return known[run]

    # the end of a run

    async def least(self, live: LiveRun) -> int | None:
        """Return the least trust of what the run has read, which is what its output is worth; None where untraced.

        Where nothing was read, all that it had are words of the user and the operator. Where it can't be told, it is
        worth nothing.
        """
        if live.agent.labels is None:
            return None
        try:
            found = (await self.index(live)).least
        except Exception:
            log.exception("run %s: it can't be told what its output is made of, so nobody trusts it", live.id)
            return int(Trust.NOWHERE)
        return int(Trust.USER if found is None else found)


def known(action: Action[Any, Any, Any]) -> Known:
    """Return what tracing has to know of an action."""
    return Known(
        action.name,
        effect=action.effect,
        doc=action.doc,
        egress=action.egress,
        open_world=action.open_world,
        listed=(name for name, _ in values_listed(action)),
    )


def values_listed(action: Action[Any, Any, Any]) -> Iterator[tuple[str, int]]:
    """Yield the arguments that take one of a few values that the action's author listed, and how many.

    What a tool of somebody else lists is that one's word, and counts for nothing.
    """
    if isinstance(action, Tool):
        return
    schema = cast("Mapping[str, Any]", action.signature.json_schema())
    for name, one in schema.get("properties", {}).items():
        meant = schema.get("$defs", {}).get(str(one.get("$ref", "")).rpartition("/")[2], one)
        if many := len(meant.get("enum", ())):
            yield name, many


def texts_of(example: Example) -> Iterable[str]:
    """Yield the texts of a few-shot example: what a model may have copied from it."""
    yield example.user
    yield example.answer
    for proposal in example.proposals:
        yield canonical(proposal.args).decode()
