"""The process that the demo kills: all conversations at once, with scripted customers and scripted approvers.

It knows nothing of a crash. Started again, it does the same from the beginning, and the journal answers what is over
already: `python -m demo.worker JOURNAL AIRLINE CONVERSATIONS`. It prints the id of each conversation that is over.
"""

import argparse
import asyncio
import time
from pathlib import Path

from demo import desk, script
from demo.conversations import conversations
from demo.desk import Place
from demo.script import Conversation
from interlock import Run, Runtime, Waiting

LAG = 0.2
"""How long each way to the airline's systems takes, in seconds: when a kill finds effects under way."""

ARRIVING = 0.01
"""How long after one customer the next one writes, in seconds: all are there before the first one is done."""

LOOK = 0.05
"""How often people look whether they are asked something, in seconds."""

THINKING = 500_000
"""How long an approver takes, in microseconds."""

APPROVERS = {"finance": "ana", "lead": "ben"}
"""Who answers for a level."""


async def work(place: Place, chosen: list[Conversation]) -> None:
    """Have these conversations, all at once."""
    agent = desk.agent(place.airline, script.model(chosen), lag=LAG)
    async with Runtime(place.journal, agent) as rt, asyncio.TaskGroup() as people:
        approvers = people.create_task(approve(rt, chosen))
        talks = [people.create_task(talk(rt, one, after=n * ARRIVING)) for n, one in enumerate(chosen)]
        await asyncio.wait(talks)
        approvers.cancel()


async def talk(rt: Runtime, one: Conversation, after: float) -> None:
    """Be the customer: write, answer what the desk asks, write again."""
    await asyncio.sleep(after)
    for number, words in enumerate(one.says):
        run = await rt.send(desk.NAME, words, conversation=one.id, user=one.user, message_id=f"{one.id}/{number}")
        await _attend(rt, run, one)
    print(one.id, flush=True)


async def _attend(rt: Runtime, run: Run, one: Conversation) -> None:
    answered: set[str] = set()
    while isinstance(result := await run.result(), Waiting):
        for question in result.questions:
            if question.id in answered:
                continue
            answered.add(question.id)
            if question.kind == "question":
                reply = f"{question.id}/reply"
                await rt.send(desk.NAME, one.reply, conversation=one.id, user=one.user, message_id=reply)
            elif question.kind == "confirmation" and one.confirms:
                await question.approve(by=one.user["id"])
            elif question.kind == "confirmation":
                await question.deny(by=one.user["id"], note="no, leave it")
        await asyncio.sleep(LOOK)


async def approve(rt: Runtime, chosen: list[Conversation]) -> None:
    """Be the approvers: a while after a question is asked say yes, or no where the script has an objection."""
    objections = {one.user["id"]: one.objection for one in chosen}
    answered: set[str] = set()
    while True:
        for question in await rt.questions():
            due = question.asked_at + THINKING < time.time_ns() // 1000
            if question.kind != "approval" or question.id in answered or not due:
                continue
            answered.add(question.id)
            objection = objections[await _customer(rt, question.run)]
            if objection:
                await question.deny(by=APPROVERS[question.level], note=objection)
            else:
                await question.approve(by=APPROVERS[question.level])
        await asyncio.sleep(LOOK)


async def _customer(rt: Runtime, run: str) -> str:
    row = await rt.journal.store.row(run)
    assert row is not None
    assert row.user is not None
    return row.user


def main() -> None:
    """Start from the command line."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("journal", type=Path)
    options.add_argument("airline", type=Path)
    options.add_argument("conversations", type=int)
    given = options.parse_args()
    asyncio.run(work(Place(given.journal, given.airline), conversations()[: given.conversations]))


if __name__ == "__main__":
    main()
