"""Questions put to the person at the client, as far as it is for them to answer."""

import asyncio
import json
from collections.abc import Collection, Mapping
from typing import Any, cast

from mcp.shared.exceptions import MCPError

from interlock.adapters.mcp.link import Who
from interlock.errors import InterlockError
from interlock.runtime.outcomes import Waiting
from interlock.runtime.questions import Question
from interlock.runtime.runtime import Runtime

LONGEST = 8000
"""How many characters a question may have to be put to somebody at the client: a person approves all of it."""

OURS = "interlock/"
"""How the ids of our own questions begin, where a client answers them with its next request."""

FORM: dict[str, Any] = {"type": "object", "properties": {}}
"""Nothing is to be filled in: accepting is the yes."""


class Asking:
    """Puts questions to the person at a client, and takes in what they say.

    A confirmation is the user's. An approval is put to them only where the operator said that the person at this
    client has that level.

    The mutable state: the questions that are being put to somebody now.

    Args:
        runtime: Where the questions wait.
        server: How the server is called to people.
        user: Who the person is; by default their client's name stands for them.
        levels: Which approvals they may give.
    """

    def __init__(self, runtime: Runtime, server: str, user: str | None, levels: Collection[str]) -> None:
        self._runtime = runtime
        self._server = server
        self._user = user
        self._levels = frozenset(levels)
        self._put: set[str] = set()

    def theirs(self, waiting: Waiting, who: Who) -> list[Question]:
        """Return what is to be asked, where all that is waited for is for the person at the client to say."""
        if not waiting.questions or not _asks_forms(who.capabilities):
            return []
        fitting = [one for one in waiting.questions if self._is_theirs(one) and len(self._words(one)) <= LONGEST]
        return fitting if len(fitting) == len(waiting.questions) else []

    async def ask(self, questions: list[Question], channel: Any, who: Who) -> bool:
        """Put the questions to the person, and return whether all were answered."""
        for one in questions:
            if one.id in self._put:
                return False
            self._put.add(one.id)
            try:
                answer = await channel.send_raw_request("elicitation/create", self._params(one))
            except MCPError:
                return False  # It can't after all; whoever else may answers, from the inbox.
            finally:
                self._put.discard(one.id)
            if not await self._take(one, answer, who):
                return False
        return True

    def demand(self, questions: list[Question]) -> dict[str, Any]:
        """Return the result that asks a client for its person's answers, where the protocol has it call again."""
        wanted = {
            f"{OURS}{one.id}": {"method": "elicitation/create", "params": {"mode": "form", **self._params(one)}}
            for one in questions
        }
        return {"resultType": "input_required", "inputRequests": wanted}

    async def take(self, params: Mapping[str, Any], who: Who) -> Mapping[str, Any]:
        """Take in the answers to our own questions that a request carries, and return it without them."""
        given = params.get("inputResponses")
        if not isinstance(given, Mapping) or not _asks_forms(who.capabilities):
            return params
        answers = cast("Mapping[str, Any]", given)
        for name in [one for one in answers if one.startswith(OURS)]:
            try:
                question = await self._runtime.question(name.removeprefix(OURS))
            except InterlockError:
                continue
            if self._is_theirs(question) and question.action == params.get("name"):
                await self._take(question, answers[name], who)
        left = {name: one for name, one in answers.items() if not name.startswith(OURS)}
        rest = {name: value for name, value in params.items() if name != "inputResponses"}
        return {**rest, "inputResponses": left} if left else rest

    async def _take(self, question: Question, answer: Any, who: Who) -> bool:
        """Write an answer down; what is neither yes nor no leaves the question where it is."""
        said = cast("Mapping[str, Any]", answer).get("action") if isinstance(answer, Mapping) else None
        by = self._user or f"the user of {who.name}"
        if said == "accept":
            await asyncio.shield(question.approve(by))
        elif said == "decline":
            await asyncio.shield(question.deny(by))
        return said in ("accept", "decline")

    def _params(self, question: Question) -> dict[str, Any]:
        return {"message": self._words(question), "requestedSchema": FORM}

    def _is_theirs(self, question: Question) -> bool:
        if question.kind == "confirmation":
            return True
        return question.kind == "approval" and question.level in self._levels

    def _words(self, question: Question) -> str:
        why = f"\nWhy you are asked: {'; '.join(question.reasons)}." if question.reasons else ""
        as_whom = f", as {question.level}" if question.level else ""
        arguments = json.dumps(question.args, indent=1)
        return f"Interlock asks{as_whom}: shall {self._server} perform {question.action}?\n{arguments}{why}"


def _asks_forms(capabilities: Mapping[str, Any]) -> bool:
    """Whether a client can put a form to its user: one that says `elicitation` and no more can."""
    offered = capabilities.get("elicitation")
    return isinstance(offered, Mapping) and (not offered or "form" in offered)
