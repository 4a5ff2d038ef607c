"""The endpoints, and what a client is told when something is wrong.

`POST /{agent}/chat` takes `{"text", "conversation"?, "message_id"?}` and answers with a stream of what comes of it, up
to the point where the agent has answered, or waits. `GET /runs/{run}/events` follows a run to its end; the header
`Last-Event-ID` (or `?after=` where a client can't set it) says which event was the last one seen.
`POST /questions/{id}` takes `{"decision": "approve" | "deny" | "answer", "text"?}` for what a run asks its own user:
204. With `?drafts=1` the streams also carry the model's words before anybody has looked at them.

A stream is made of these events, each with JSON as its data:

- `run` {id}: whose events follow. It comes first.
- `sentence` {text}: released to the user. Its event id is its place in the run.
- `draft` {text}: words on their way, to be replaced by sentences; only where asked for.
- `question` {id, kind, says}: the user is asked to confirm an action (kind confirmation), or to answer in words (kind
  question; the next message of the conversation answers it too).
- `waiting` {for}: other people are asked; the levels of their approvals.
- `done` {output}: the run ended well.
- `stopped` {status}: it failed, was cancelled, or is parked. Why is in the journal; the words of an error are not for a
  user.

Whatever is open is told anew to each stream; sentences and ends are told once. Errors are `{"error": …}`: 400 not
understood, 401 nobody is signed in, 403 not the user's to answer, 404 not there or not the caller's (the two look
alike), 409 no longer open, 413 too large, 415 not JSON, 500 a fault on this side, 503 not open.
"""

import logging
from collections.abc import Collection
from typing import Literal

from starlette.exceptions import HTTPException
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from interlock.errors import (
    DeclarationError,
    JournalUnavailableError,
    OtherUserError,
    OverloadedError,
    RuntimeClosedError,
    UnknownQuestionError,
    UnknownRunError,
)
from interlock.journal.store import RunRow
from interlock.runtime.options import Look
from interlock.runtime.questions import Question
from interlock.runtime.runtime import Runtime
from interlock.server.bodies import ChatBody, DecisionBody, place, read, wants_drafts
from interlock.server.callers import Caller, Callers
from interlock.server.following import FOR_THE_USER, drafts, ended_at, told
from interlock.server.streaming import EventStream
from interlock.server.talking import Talk

log = logging.getLogger("interlock")

TAKES: dict[str, tuple[str, ...]] = {"confirmation": ("approve", "deny"), "question": ("answer",)}
"""The decisions that each kind of question takes."""


def asgi(
    runtime: Runtime,
    *,
    user: Look | None = None,
    tenant: Look | None = None,
    agents: Collection[str] | None = None,
) -> ASGIApp:
    """Return the application; see `Runtime.asgi`.

    Raises:
        DeclarationError: `agents` names one that the runtime does not have.
    """
    unknown = set(agents or ()) - runtime.agents.keys()
    if unknown:
        raise DeclarationError(
            f"asgi(agents=…) names {', '.join(sorted(unknown))}; this runtime has: {', '.join(runtime.agents)}"
        )
    endpoints = _Endpoints(runtime, Callers(user, tenant), runtime.agents if agents is None else agents)
    router = Router(
        [
            # No slash in a name, so that sub-agents ("desk/clerk") are only reached through the agent above them.
            Route("/{agent}/chat", endpoints.chat, methods=["POST"]),
            Route("/runs/{run:path}/events", endpoints.events, methods=["GET"]),
            Route("/questions/{question:path}", endpoints.question, methods=["POST"]),
        ],
        redirect_slashes=False,
    )
    handled = ExceptionMiddleware(router, handlers={HTTPException: _refused, Exception: _failed})

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        # `request.app` stays the host's where there is one; Starlette's own would put itself there.
        scope.setdefault("app", router)
        await handled(scope, receive, send)

    return application


class _Endpoints:
    """What each endpoint does; each first finds out who is asking."""

    def __init__(self, runtime: Runtime, callers: Callers, agents: Collection[str]) -> None:
        self._runtime = runtime
        self._callers = callers
        self._agents = agents

    async def chat(self, request: Request) -> Response:
        """Bring a message to an agent, and stream what comes of it."""
        caller = await self._caller(request)
        agent = self._agent(request.path_params["agent"])
        body = await read(request, ChatBody)
        if body.message_id and body.conversation is None and caller.id is None:
            raise HTTPException(400, "a message_id needs a conversation that it is unique in")
        talk = Talk(self._runtime, agent, body, caller)
        try:
            run = await talk.bring()
        except OtherUserError:
            raise HTTPException(404, "there is no such conversation") from None
        words = drafts(self._runtime, run) if wants_drafts(request) else None
        return EventStream(talk.told(), words, self._runtime.closing)

    async def events(self, request: Request) -> Response:
        """Stream what goes on in a run, from where the client has seen it, to its end."""
        caller = await self._caller(request)
        run = (await self._own(request.path_params["run"], caller, "run")).id
        after = min(place(request), await self._runtime.journal.store.last_seq(run))
        end = await ended_at(self._runtime, run)
        if end is not None and end <= after:
            return Response(status_code=204)  # This is how a browser's EventSource is told not to come back.
        words = drafts(self._runtime, run) if wants_drafts(request) else None
        return EventStream(told(self._runtime, run, after, to_the_end=True), words, self._runtime.closing)

    async def question(self, request: Request) -> Response:
        """Take the user's answer to a question of a run of theirs."""
        caller = await self._caller(request)
        question = await self._question(request.path_params["question"], caller)
        body = await read(request, DecisionBody)
        if question.kind not in FOR_THE_USER:
            raise HTTPException(403, "this question is put to somebody else")
        if body.decision not in TAKES[question.kind]:
            raise HTTPException(400, f"this question takes one of: {', '.join(TAKES[question.kind])}")
        if question.id not in [one.id for one in await self._runtime.questions(question.run)]:
            raise HTTPException(409, "this question is no longer open")
        await _decide(question, body.decision, body.text, caller.id or "user")
        return Response(status_code=204)

    async def _caller(self, request: Request) -> Caller:
        self._runtime.check_open()
        return await self._callers.of(request)

    def _agent(self, name: str) -> str:
        known = self._runtime.agents.get(name) if name in self._agents else None
        # An agent that a loop of the host's own drives would take the message and never answer.
        if known is None or known.machine is None:
            raise HTTPException(404, "there is no such agent")
        return name

    async def _own(self, run: str, caller: Caller, what: Literal["run", "question"]) -> RunRow:
        """Return the row of a run of the caller's; one of somebody else looks like none."""
        row = await self._runtime.journal.store.row(run)
        if row is None or (row.tenant, row.user) != (caller.tenant, caller.id):
            raise HTTPException(404, f"there is no such {what}")
        return row

    async def _question(self, name: str, caller: Caller) -> Question:
        await self._own(name.rpartition(":")[0], caller, "question")
        try:
            return await self._runtime.question(name)
        except (UnknownQuestionError, UnknownRunError):
            raise HTTPException(404, "there is no such question") from None


async def _decide(question: Question, decision: str, text: str, by: str) -> None:
    if decision == "approve":
        await question.approve(by, text)
    elif decision == "deny":
        await question.deny(by, text)
    elif text.strip():
        await question.answer(text, by)
    else:
        raise HTTPException(400, "an answer needs text")


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return JSONResponse({"error": error.detail}, error.status_code, error.headers)


async def _failed(request: Request, error: Exception) -> Response:
    """Tell that it is not the client's fault, and nothing else; the log has the rest."""
    if isinstance(error, (RuntimeClosedError, JournalUnavailableError, OverloadedError)):
        log.warning("a request can't be served now: %s", error)
        return JSONResponse({"error": "this can't be done now; try again"}, 503)
    log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return JSONResponse({"error": "something went wrong on this side"}, 500)
