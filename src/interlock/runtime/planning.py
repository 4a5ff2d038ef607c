"""Asking an agent's planner once what a user's words call for, and writing down what it said."""

import asyncio
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any, Final
from weakref import WeakKeyDictionary

import msgspec

from interlock.actions.tool import Tool
from interlock.agents import Agent
from interlock.canonical import canonical, digest
from interlock.kernel import events as ev
from interlock.provenance.planner import Offered, Plan, Planner
from interlock.runtime.live import LiveRun
from interlock.runtime.records import said
from interlock.runtime.sending import Send, Sender

PATIENCE: Final = 20_000_000
"""How long a planner may take, in microseconds."""

MOST_NAMES: Final = 1_000
"""How many names of a planner's answer are looked at."""


class Planning:
    """Asks planners what users' words call for.

    Args:
        sender: What runs a planner, with its deadline.

    The mutable state: a lock for each run whose planner was needed, so that proposals that come at once ask it once.
    """

    def __init__(self, sender: Sender) -> None:
        self._sender = sender
        self._locks: WeakKeyDictionary[LiveRun, asyncio.Lock] = WeakKeyDictionary()

    async def see_to(self, live: LiveRun, planner: Planner) -> None:
        """Have the effects granted that the user's words call for, unless the planner was asked about these words.

        The grants are the journal's: who reads it again has them, and does not ask again.

        Raises:
            JournalError: what it said can't be recorded.
        """
        async with self._locks.setdefault(live, asyncio.Lock()):
            index = live.index
            if index is None or not index.words:
                return
            offered = effects_of(live.agent)
            asked = digest(index.words.encode(), canonical(msgspec.to_builtins(offered)))
            if index.is_planned(asked):
                return
            planned = await self._planned(live, planner, index.words, offered, asked)
            if not live.state.ended:
                await live.append(planned)

    async def _planned(
        self, live: LiveRun, planner: Planner, words: str, offered: Sequence[Offered], asked: str
    ) -> ev.Planned:
        began = live.clock.now()
        try:
            plan = _sound(await self._sender.look(Send(planner.plan, (words, offered), {}, PATIENCE)))
        except Exception as error:  # noqa: BLE001 - whatever a planner does, it grants nothing by it
            plan = Plan(error=said(error))
        meant = () if plan.error else {one.name for one in offered}.intersection(plan.grants)
        return ev.Planned(
            asked=asked,
            grants=tuple(sorted(meant)),
            model=plan.model,
            error=plan.error,
            input_tokens=plan.input_tokens,
            output_tokens=plan.output_tokens,
            latency=live.clock.now() - began,
            cost=plan.cost,
        )


def effects_of(agent: Agent) -> tuple[Offered, ...]:
    """Return an agent's effects as a planner is told of them."""
    effects = (one for one in agent.actions.values() if one.effect != "read")
    return tuple(
        Offered(one.name, "" if isinstance(one, Tool) else one.doc.strip().partition("\n")[0]) for one in effects
    )


def _sound(found: Any) -> Plan:
    """Return a planner's answer as it can be written and read again.

    Raises:
        TypeError: it is neither a plan nor names.
        msgspec.ValidationError: a field of the plan is not what it should be.
        UnicodeEncodeError: it holds what is no text.
    """
    plan = found if isinstance(found, Plan) else Plan(_names(found))
    return msgspec.json.decode(msgspec.json.encode(plan), type=Plan)


def _names(found: Iterable[Any]) -> tuple[str, ...]:
    if isinstance(found, (str, bytes)):
        raise TypeError(f"it answered a {type(found).__name__}, not names of actions")
    return tuple(islice(found, MOST_NAMES))
