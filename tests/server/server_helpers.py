"""A desk that books, asks and writes letters, and a host application that serves it."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx2
import uvicorn

from interlock import (
    Agent,
    Ctx,
    Policy,
    Proposal,
    ScriptedModel,
    action,
    ask_user,
    need,
    permit,
)
from interlock.models import ModelSaid, Request, Response, UserSaid

SENT: list[str] = []
"""The letters that were sent."""


@action.irreversible
async def mail(ctx: Ctx[None], to: str) -> str:
    """Send a letter."""
    SENT.append(to)
    return f"sent to {to}"


@action.irreversible
async def pay(ctx: Ctx[None], amount: int) -> str:
    """Pay somebody."""
    return f"paid {amount}"


POLICY = Policy(
    permit([mail, pay, ask_user]),
    need.confirmation(mail),
    need.approval("finance", pay),
)


class PacedModel:
    """A scripted model that says its sentences one by one, each when the test lets it."""

    name = "scripted"

    def __init__(self, *sentences: str) -> None:
        self.sentences = sentences
        self.allowed = asyncio.Semaphore(0)
        self.asked = 0

    def go_on(self, sentences: int = 1) -> None:
        for _ in range(sentences):
            self.allowed.release()

    async def respond(self, request: Request) -> AsyncGenerator[str | Response]:
        self.asked += 1
        for sentence in self.sentences:
            await self.allowed.acquire()
            yield sentence + " "
        yield Response(text="".join(one + " " for one in self.sentences))


def helpful(request: Request) -> str | Proposal:
    """A script that does what the user's last words name, and then says what came of it."""
    last = request.messages[-1]
    if not isinstance(last, UserSaid):
        return f"All done: {last.text}."
    match last.text.split():
        case ["mail", to]:
            return Proposal("mail", {"to": to})
        case ["pay", amount]:
            return Proposal("pay", {"amount": int(amount)})
        case ["ask"]:
            return Proposal("ask_user", {"question": "Which colour?"})
        case ["recall"]:
            said = [one.text for one in request.messages if isinstance(one, UserSaid)]
            return f"You said: {', '.join(said)}."
        case _:
            turns = sum(isinstance(one, ModelSaid) for one in request.messages)
            return f"Hello. This is answer {turns + 1}."


def desk(model=None) -> Agent:
    return Agent("desk", [mail, pay, ask_user], model=model or ScriptedModel(helpful), policy=POLICY)


@dataclass
class Event:
    """One server-sent event, or a comment (without a name)."""

    name: str = ""
    id: int | None = None
    data: dict = field(default_factory=dict)


async def events_of(response) -> AsyncGenerator[Event]:
    """Read a stream as a client does."""
    now = Event()
    async for line in response.aiter_lines():
        if line.startswith(":"):
            yield Event("comment")
        elif not line:
            if now.name:
                yield now
            now = Event()
        else:
            key, _, value = line.partition(": ")
            match key:
                case "event":
                    now.name = value
                case "id":
                    now.id = int(value)
                case "data":
                    now.data = json.loads(value)


class Client:
    """A client with the name of its user in a header, as a host's session would give it."""

    def __init__(self, base: str, user: str = "ana") -> None:
        self.http = httpx2.AsyncClient(base_url=base, headers={"X-User": user} if user else {}, timeout=20)

    @asynccontextmanager
    async def chat(self, text: str, *, agent: str = "desk", drafts: bool = False, **body):
        address = f"/agents/{agent}/chat" + ("?drafts=1" if drafts else "")
        async with self.http.stream("POST", address, json={"text": text, **body}) as response:
            assert response.status_code == 200, await response.aread()
            yield events_of(response)

    async def said(self, text: str, **body) -> list[Event]:
        """Send a message and return the whole stream of what came of it."""
        async with self.chat(text, **body) as events:
            return [one async for one in events]

    @asynccontextmanager
    async def following(self, run: str, after: int | None = None):
        headers = {} if after is None else {"Last-Event-ID": str(after)}
        async with self.http.stream("GET", f"/agents/runs/{run}/events", headers=headers) as response:
            assert response.status_code == 200, await response.aread()
            yield events_of(response)

    async def decide(self, question: str, decision: str, text: str = ""):
        return await self.http.post(f"/agents/questions/{question}", json={"decision": decision, "text": text})


def user_of(request):
    return request.headers.get("x-user")


@asynccontextmanager
async def served(app):
    """Serve an application on a free port."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, lifespan="off", timeout_graceful_shutdown=1))
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.005)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        await task
