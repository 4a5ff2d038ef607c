"""`--model NAME`: a chat with the desk in the terminal, with a real model; you are the customer and the approvers."""

import asyncio

from demo import desk, seed
from demo.desk import Place
from interlock import Finished, Question, Run, Runtime, Waiting
from interlock.models import Model

CUSTOMER = 2
"""Who you are."""

LOOK = 0.05
"""How often to look whether an answer has reached the run, in seconds."""


async def chat(place: Place, model: str | Model) -> int:
    """Talk until the customer has nothing more to say.

    Raises:
        DeclarationError: there is no such model, or its package or key is missing.
    """
    identifier, name, email = seed.customer(CUSTOMER)
    user = {"id": identifier, "name": name, "email": email}
    agent = desk.agent(place.airline, model)
    _ = agent.model  # what is missing is said now, not after the first message
    print(f"You are {name}; your booking is {seed.ref(CUSTOMER)}. An empty line ends the chat.")
    async with Runtime(place.journal, agent) as rt:
        while words := await _ask("> "):
            await _hear(await rt.send(desk.NAME, words, conversation="chat", user=user))
    print(f"The journal is {place.journal}, the airline's database {place.airline}.")
    return 0


async def _hear(run: Run) -> None:
    """Print what the desk says, and answer what it asks, until the run has ended or is parked."""
    answered: set[str] = set()
    while True:
        async for sentence in run.text():
            print(sentence, end="", flush=True)
        match await run.result():
            case Waiting() as waiting:
                for question in waiting.questions:
                    if question.id not in answered:
                        answered.add(question.id)
                        await _answer(question)
                await asyncio.sleep(LOOK)
            case Finished():
                print()
                return
            case stopped:
                print(f"({stopped.status}: {stopped.reason})")
                return


async def _answer(question: Question) -> None:
    if question.kind == "question":
        await question.answer(await _ask(f"{question.says}\n> "), by="you")
        return
    whom = "You confirm" if question.kind == "confirmation" else f"As {question.level}, you approve"
    yes = (await _ask(f"{whom}: {question.says} (y/n) ")).lower().startswith("y")
    await (question.approve if yes else question.deny)(by="you")


async def _ask(prompt: str) -> str:
    return (await asyncio.to_thread(input, prompt)).strip()
