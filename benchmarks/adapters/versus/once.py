"""One kill at the worst instant: the bank has booked, and its answer is on the way."""

import asyncio
import time
from dataclasses import dataclass

from benchmarks.adapters import journal, scene
from benchmarks.adapters.app import App, heard
from benchmarks.adapters.script import pay_task
from benchmarks.crash.lives import Life
from interlock.kernel import events as ev

PATIENCE = 30.0
"""Seconds that a life may take."""

AMOUNT = 40


@dataclass(frozen=True)
class Killed:
    """What became of one payment."""

    order: str
    booked_after: float
    """Seconds from the life's start to the booking; the kill came right after that."""

    says: str
    """What the application said in the end, or why it did not come to an end."""

    book: list[str]
    """The receipts in the bank's book, one for each booking of the order."""

    journal: list[str]
    """What the journal says of the payment, where there is one."""


async def killed(app: App) -> Killed:
    """Pay an order, kill the application between the bank's booking and its answer, and start it again."""
    order = f"{app.name}-17"
    home = app.scratch / f"{app.name}-pays"
    scene.orders(home, [order], AMOUNT)
    tasks = {f"run-{order}": pay_task(order, AMOUNT)}
    began = time.monotonic()
    life = await app.work(home, tasks)
    async with life.at_most(PATIENCE):
        await _booked(app, order, asyncio.create_task(life.end()))
        booked_after = time.monotonic() - began
        life.kill()
        await life.end()
    again = await app.work(home, tasks)
    async with again.at_most(PATIENCE):
        await again.end()
    receipts = (await app.bank.truth()).receipts.get(order, [])
    return Killed(
        order,
        booked_after,
        _says(again),
        receipts,
        [text for event in await journal.events(home) if (text := _told(event))],
    )


async def _booked(app: App, order: str, end: asyncio.Task[None]) -> None:
    """Wait until the bank has booked, or the life has ended without."""
    while not (await app.bank.truth()).booked(order):
        if (await asyncio.wait([end], timeout=0.005))[0]:
            break


def _says(life: Life) -> str:
    for done in heard(life, "DONE"):
        return done["says"]
    for failed in heard(life, "FAILED"):
        return failed["error"]
    return f"(its process ended with {life.code})"


def _told(event: ev.Event) -> str:
    match event:
        case ev.Intended(action="pay"):
            return "intent: pay"
        case ev.OutcomeUnknown(reason=reason):
            return f"unknown: {reason}"
        case ev.Done(action="pay", via=via):
            return f"outcome: paid, {'told by the bank when asked' if via == 'probe' else via}"
        case ev.Asked(says=says):
            return f"question: {says}"
        case _:
            return ""
