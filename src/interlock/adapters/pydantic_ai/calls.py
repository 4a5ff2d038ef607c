"""One call of a tool: from what the model asks for to what it is told."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from pydantic_ai import RunContext, ToolDenied
from pydantic_ai.exceptions import ApprovalRequired, CallDeferred, ToolFailed, UserError
from pydantic_ai.toolsets import ToolsetTool

from interlock.actions.action import Refused
from interlock.adapters.governor import Governor
from interlock.adapters.pydantic_ai.results import (
    NothingHappenedError,
    kept,
    restored,
    says_nothing_happened,
    shown,
)
from interlock.adapters.pydantic_ai.trail import Asked, Place, Trail
from interlock.adapters.telling import told
from interlock.canonical import canonical, digest
from interlock.errors import UnknownQuestionError
from interlock.models import Proposal
from interlock.runtime.outcomes import Denied, Done, Failed, Outcome, Waiting

_OTHERS = "other arguments were approved instead"


@dataclass(frozen=True)
class ToolCall:
    """One call of a tool.

    Args:
        governor: Who judges it.
        trail: Where its agent run stands in the journal.
        ctx: The framework's context of the call.
        tool: The tool.
        body: Performs it with the judged arguments.
    """

    governor: Governor
    trail: Trail
    ctx: RunContext[Any]
    tool: ToolsetTool[Any]
    body: Callable[[dict[str, Any]], Awaitable[Any]]

    async def perform(self, action: str, arguments: Mapping[str, Any]) -> Any:
        """Propose the call, have it performed if it is permitted, and return what the framework makes of it.

        Raises:
            ApprovalRequired: it waits for a person, and the agent's output may be deferred tool requests.
            CallDeferred: the tool has handed it on.
            ModelRetry: the tool wants better arguments.
            ToolFailed: it was tried and did not happen.
            UserError: it was approved by nobody knows whom.
            InterlockError: it can't be journaled; nothing was done.
        """
        place = self.trail.place(self.ctx)
        key = place.key
        asked = self._asked(place)
        if asked is not None:
            key, arguments = await self._answered(place, asked, action, arguments)
        elif self.ctx.tool_call_approved:
            # The framework asked by itself, perhaps in a first attempt of this body, which is in the journal.
            key = f"{key}:approved"
        returned: list[Any] = []
        outcome = await self._propose(Proposal(action, arguments, key=key), returned)
        self.trail.note(key, action, outcome)
        return self._result(place, key, outcome, returned)

    async def _propose(self, proposal: Proposal, returned: list[Any]) -> Outcome:
        async def body(arguments: dict[str, Any]) -> Any:
            with self.trail.inside(proposal.key):
                value = await self._performed(arguments)
            returned.append(value)
            return kept(value)

        try:
            return await self.governor.perform(self.trail.where, proposal, body, harmless=(NothingHappenedError,))
        except NothingHappenedError as said:
            raise said.error from None

    async def _performed(self, arguments: dict[str, Any]) -> Any:
        try:
            return await self.body(arguments)
        except CallDeferred as deferred:
            return deferred
        except Exception as error:
            if says_nothing_happened(error, self.tool):
                raise NothingHappenedError(error) from error
            raise

    def _result(self, place: Place, key: str, outcome: Outcome, returned: list[Any]) -> Any:
        showing = self.governor.showing(key)
        match outcome:
            case Done(result, problem) if not problem:
                value = returned[0] if returned else restored(result)
                if isinstance(value, CallDeferred):
                    raise value
                return shown(value, showing)
            case Denied():
                return ToolDenied(told(outcome))
            case Failed():
                raise ToolFailed(showing.told(outcome))
            case Waiting() if outcome.questions and self.trail.defers and place.response is not None:
                raise self._question(place, key, outcome)
            case _:
                return showing.told(outcome)

    # questions

    def _asked(self, place: Place) -> Asked | None:
        """Return the question that this call waited for when its agent run ended, if it comes back with an answer."""
        if place.response is None or not self.ctx.tool_call_approved or self.ctx.tool_call_id is None:
            return None
        return self.trail.mark(place.response, self.ctx.run_step).asked.get(self.ctx.tool_call_id)

    async def _answered(
        self, place: Place, asked: Asked, action: str, arguments: Mapping[str, Any]
    ) -> tuple[str, Mapping[str, Any]]:
        """Pass on what a person has answered; return the key and the arguments of what is proposed now."""
        no = self.trail.denied.get(self.ctx.tool_call_id or "")
        given = self._digest(action, arguments)
        same = given == asked.digest
        by = self._answered_by()
        if by is not None:
            yes = same and no is None
            note = "" if yes else _OTHERS if no is None else no
            with suppress(UnknownQuestionError):  # Somebody has answered it meanwhile: then that counts.
                await self.governor.answer(asked.question, yes, by, note)
        if same or no is not None:
            return asked.key, arguments if same else asked.args
        with suppress(Refused):
            await self.governor.perform(self.trail.where, Proposal(action, asked.args, key=asked.key), _replaced)
        return f"{place.key}={given[:12]}", arguments

    def _answered_by(self) -> str | None:
        metadata: dict[str, Any] = self.ctx.tool_call_metadata or {}
        return self.trail.answered_by.get(self.ctx.tool_call_id or "", metadata.get("by"))

    def _question(self, place: Place, key: str, waiting: Waiting) -> Exception:
        """Return what asks a person in the framework's way; the mark of the response remembers what was asked."""
        call = self.ctx.tool_call_id
        assert call is not None
        assert place.response is not None
        if self.ctx.tool_call_approved and self._answered_by() is None:
            said = f"DeferredToolResults(…, answered_by={{{call!r}: …}})"
            return UserError(f"tool call {call!r} was answered, but by whom? Write {said}")
        question = waiting.question
        mark = self.trail.mark(place.response, self.ctx.run_step)
        mark.asked[call] = Asked(question.id, question.digest, key, question.args)
        mark.put(place.response)
        return ApprovalRequired(
            {
                "question": question.id,
                "level": question.level,
                "says": question.says,
                "reasons": list(question.reasons),
            }
        )

    def _digest(self, action: str, arguments: Mapping[str, Any]) -> str:
        """Return the digest of a proposal, as a question has it."""
        try:
            taken = self.governor.agent.actions[action].signature.arguments(arguments)
            return digest(action.encode(), canonical(taken))
        except ValueError:
            return ""


async def _replaced(arguments: dict[str, Any]) -> Any:
    raise Refused(_OTHERS)
