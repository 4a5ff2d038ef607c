"""Looking at what an undo would find: each effect's objects before it, after it, and now. Nothing is changed."""

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec
from msgspec.structs import replace

from interlock.actions import snapshot
from interlock.actions.action import Action
from interlock.actions.context import Ctx
from interlock.actions.way import Change, UndoError
from interlock.agents import Agent
from interlock.journal.journal import Journal
from interlock.kernel import events as ev
from interlock.runtime.records import said
from interlock.runtime.sending import Send, Sender
from interlock.runtime.snapshots import Kept
from interlock.undo import Item, UndoPlan

AT_ONCE = 8
"""How many effects are looked at side by side."""

AgentOf = Callable[[str], Agent]
"""Returns the agent of a run, by the run's id."""


async def previewed(journal: Journal, sender: Sender, made: UndoPlan, agent: AgentOf) -> UndoPlan:
    """Return the plan with what stands in its way now, as far as that can be looked up."""
    few = asyncio.Semaphore(AT_ONCE)

    async def look(item: Item) -> Item:
        if item.by in ("", "undo", "delay"):
            return item
        async with few:
            return await _looked(journal, sender, item, agent(item.run))

    items: list[Item] = []
    again: set[str] = set()
    for item, looked in zip(made.items, await asyncio.gather(*map(look, made.items)), strict=True):
        # What a later effect changed again is taken back first.
        if looked.trouble and looked.changes and again.intersection(item.objects):
            looked = replace(looked, trouble="")  # noqa: PLW2901 - it is the same item, seen with the others
        again.update(item.objects if item.way != "cannot" else ())
        items.append(looked)
    return replace(made, items=tuple(items))


async def _looked(journal: Journal, sender: Sender, item: Item, agent: Agent) -> Item:
    try:
        changes = await _changes(journal, sender, item, agent)
    except UndoError as error:
        return replace(item, trouble=str(error), changes=error.changes)
    except Exception as error:  # noqa: BLE001 - a look that fails tells nothing, and says so
        return replace(item, trouble=f"how things stand could not be looked up: {said(error)}")
    changed = [one.object for one in changes if one.now not in (one.after, one.before)]
    return replace(item, changes=changes, trouble=f"{', '.join(changed)} changed since" if changed else "")


async def _changes(journal: Journal, sender: Sender, item: Item, agent: Agent) -> tuple[Change, ...]:
    await sender.make(agent)
    action = agent.actions[item.action]
    done = (await journal.event(item.run, item.seq)).event
    assert isinstance(done, ev.Done)
    intent = (await journal.event(item.run, done.intent)).event
    assert isinstance(intent, ev.Intended)
    ctx = sender.glance(agent, action, item.run, (await journal.state(item.run)).user, intent.key)
    if action.way is not None:
        return await sender.look(Send(action.way.preview, (ctx, intent.key), {}, action.timeout))
    return await _snapshot(sender, action, ctx, intent, done)


async def _snapshot(
    sender: Sender, action: Action[Any, Any, Any], ctx: Ctx[Any], intent: ev.Intended, done: ev.Done
) -> tuple[Change, ...]:
    args = action.signature.arguments(msgspec.json.decode(bytes(intent.args)))
    before, after = snapshot.of(intent.before), snapshot.of(done.after)
    assert before is not None
    kept = Kept(action, action.signature.result(bytes(done.result)), args, (before, after))
    now = await kept.now(sender, ctx)
    kept.check(now)
    return snapshot.changes(before, after, now)
