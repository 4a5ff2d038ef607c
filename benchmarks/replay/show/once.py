"""Whether every effect happened once: the journal against the world's log, and against a world done anew."""

import asyncio
from dataclasses import dataclass

from benchmarks.replay.recorded import RecordedRun
from benchmarks.replay.show.accounts import Account
from benchmarks.replay.show.client import WorldClient


@dataclass(slots=True)
class Once:
    """What was compared; `wrong` names runs in which something was lost or done twice.

    `effects` are done in the journal, `lost` of them are not in the world; `refused` reached the world and
    had no effect; `twice` were done under a key that the journal does not have, or executed again under one.
    """

    effects: int = 0
    lost: int = 0
    refused: int = 0
    twice: int = 0
    compared: int = 0
    equal: int = 0
    wrong: tuple[str, ...] = ()


async def check(runs: list[RecordedRun], accounts: dict[str, Account], world: WorldClient) -> Once:
    """Compare every run."""
    found = Once()
    wrong = await asyncio.gather(*(_check(run, accounts[run.id], world, found) for run in runs))
    found.wrong = tuple(run for run in wrong if run)
    return found


async def _check(run: RecordedRun, account: Account, world: WorldClient, found: Once) -> str:
    """Return the run's id if the journal and the world do not agree, else nothing."""
    log = await world.log(run.id)
    keys = [effect.key for effect in account.effects]
    found.effects += len(keys)
    found.lost += len(set(keys) - set(log.done))
    found.refused += log.keys - len(log.done)
    found.twice += len(set(log.done) - set(keys)) + log.executed - log.keys
    same = log.done == keys and log.executed == log.keys
    if account.effects:
        found.compared += 1
        equal = await world.hash(run.id) == await _done_anew(run, account, world)
        found.equal += equal
        same = same and equal
    return "" if same else run.id


async def _done_anew(run: RecordedRun, account: Account, world: WorldClient) -> str:
    """Do the journal's effects once each in a fresh environment, and return its hash."""
    again = f"again/{run.id}"
    await world.open(run, again)
    for effect in account.effects:
        await world.call(again, effect.function, effect.args, effect.key)
    return await world.hash(again)
