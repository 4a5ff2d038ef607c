"""What the clients of earlier processes were not told: read from the journal at the start."""

from collections.abc import AsyncGenerator
from math import inf

import msgspec

from interlock.agents import Agent
from interlock.journal.journal import Journal
from interlock.journal.store import RunRow
from interlock.kernel import events as ev

CLIENT = "mcp client"
"""As whose turn it is recorded that a client went away in the middle of a call."""

LEFT = "left"
"""Under what name such a turn holds the call's key."""

UNENDED = ("running", "waiting", "sleeping", "idle", "parked")
PAGE = 500
DAY = 86_400.0
"""For how long the outcome of a call is kept that was in doubt when the process ended, in seconds."""


class Place(msgspec.Struct, frozen=True):
    """Where a call stands whose outcome nobody has been given.

    `mark` says what it asks for: the digest of the tool and its arguments. It is kept until `until`, in seconds since
    the epoch.
    """

    run: str
    key: str
    mark: str = ""
    until: float = inf


async def found(
    journal: Journal, agent: Agent, user: str | None, seconds: float
) -> AsyncGenerator[tuple[str, list[Place]]]:
    """Yield each run of the agent that has not ended, with the calls whose outcome was not handed over.

    Args:
        journal: Where they are read.
        agent: Whose runs.
        user: Whom they act for; those of others are left alone.
        seconds: For how long the outcome of a call is kept whose client went away.
    """
    for row in await _rows(journal):
        if row.agent == agent.name and row.user == user:
            state = await journal.state(row.id)
            places = [Place(row.id, one.key, one.digest) for one in state.calls.values() if not one.undoes]
            yield row.id, [*places, *await _closed(journal, row.id, seconds)]


async def _rows(journal: Journal) -> list[RunRow]:
    rows: list[RunRow] = []
    while page := await journal.store.rows(statuses=UNENDED, after=rows[-1].id if rows else "", limit=PAGE):
        rows += page
    return rows


async def _closed(journal: Journal, run: str, seconds: float) -> list[Place]:
    """Return the calls of a run that have their outcome, but had none, or no client, when somebody last looked."""
    kept: dict[str, float] = {}
    places: list[Place] = []
    types = (ev.TurnRecorded, ev.OutcomeUnknown, ev.Retried, ev.Done, ev.Failed)
    for one in await journal.history(run, 0, types):
        match one.event:
            case ev.TurnRecorded(model=model, response=response) if model == CLIENT:
                kept.setdefault(str(msgspec.json.decode(bytes(response)).get(LEFT)), seconds)
            case ev.OutcomeUnknown(call=call) | ev.Retried(call=call):
                kept[call] = DAY
            case _:
                pass
    for one in await journal.history(run, 0, (ev.Done, ev.Failed)) if kept else ():
        if isinstance(one.event, (ev.Done, ev.Failed)) and one.event.call in kept and not one.event.undoes:
            until = one.at / 1_000_000 + kept[one.event.call]
            places.append(Place(run, one.event.call, one.event.digest, until))
    return places
