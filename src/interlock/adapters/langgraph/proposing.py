"""One call on its way: proposed, performed with what was judged, paused for people, and told to the model."""

from collections.abc import Awaitable, Callable, Generator, Mapping
from contextlib import contextmanager
from typing import Any

from langchain_core.messages import ToolCall, ToolMessage
from langchain_core.tools import ToolException
from langgraph.errors import GraphBubbleUp

from interlock.actions.tool import Tool
from interlock.adapters.governor import Governor, Where
from interlock.adapters.langgraph import asking
from interlock.adapters.langgraph.results import Lost, Result, kept, message, restored, shown
from interlock.adapters.langgraph.tasks import Task
from interlock.adapters.telling import told
from interlock.models import Proposal
from interlock.runtime.outcomes import Done, Failed, Outcome
from interlock.runtime.records import writable

PAUSED = "the tool paused its graph, and is called again when that goes on"
"""What the journal says of a body that interrupted its graph."""


class _PausedError(Exception):
    """The body interrupted its graph, which LangGraph allows where nothing has happened before."""


class _AbsentError(Exception):
    """The model asked for a tool that its graph does not have."""


HARMLESS = (_PausedError, _AbsentError)


class Proposing:
    """A tool call, from its proposal to what the model is told of it.

    The mutable state: the tool as the governor knows it; how often it was proposed afresh; and of the last time
    whether its body began, and what that returned.

    Attributes:
        call: The call as the model made it.
        tool: The tool as the governor knows it; None where the graph has none of that name.
        quiet: Whether a `ToolException` of an effect is told to the model, if it is known that nothing has happened.

    Args:
        governor: Who judges.
        call: The call as the model made it.
        where: The run that it belongs to.
        key: Its key there.
        task: The task of the graph that it is performed in; None where the graph can't be paused.
        alone: Whether nothing else is performed in its task.
    """

    def __init__(
        self, governor: Governor, call: ToolCall, where: Where, key: str, task: Task | None, *, alone: bool
    ) -> None:
        self.call = call
        self.tool: Tool | None = None
        self.quiet = False
        self._governor = governor
        self._where = where
        self._key = key
        self._task = task
        self._alone = alone
        self._attempt = 1
        self._began = False
        self._live: Any = None

    def perform_sync(self, args: Mapping[str, Any], body: Callable[[dict[str, Any]], Any]) -> Result:
        """Propose the call with these arguments, until it has an outcome that the model can be told.

        Raises:
            GraphBubbleUp: the graph is paused, by a question or by the body itself.
            Exception: what the body raised, where nothing has happened.
            InterlockError: see `Governor.perform`.
        """
        outcome = self._known_sync(args, body)
        if self._task is not None and asking.is_asked(outcome):
            with self._task.one_by_one:
                while asking.is_asked(outcome := self._known_sync(args, body)):
                    self._governor.runtime.portal.run(self._pass_on(asking.paused(outcome, self.call)))
        return self._told(outcome)

    async def perform(self, args: Mapping[str, Any], body: Callable[[dict[str, Any]], Awaitable[Any]]) -> Result:
        """Do the same in an event loop."""
        outcome = await self._known(args, body)
        if self._task is not None and asking.is_asked(outcome):
            async with self._task.one_by_one_async:
                while asking.is_asked(outcome := await self._known(args, body)):
                    await self._governor.runtime.portal.wait_for(self._pass_on(asking.paused(outcome, self.call)))
        return self._told(outcome)

    def absent(self, args: dict[str, Any]) -> Any:
        """Stand for the body of a tool that the graph does not have, though the governor has heard of it."""
        raise _AbsentError(f"there is no tool {self.call['name']!r} here")

    async def absent_async(self, args: dict[str, Any]) -> Any:
        """Do the same in an event loop."""
        self.absent(args)

    # proposed, performed

    def _known_sync(self, args: Mapping[str, Any], body: Callable[[dict[str, Any]], Any]) -> Outcome:
        while self._is_spent(outcome := self._proposed_sync(args, body)):
            self._attempt += 1
        return outcome

    async def _known(self, args: Mapping[str, Any], body: Callable[[dict[str, Any]], Awaitable[Any]]) -> Outcome:
        while self._is_spent(outcome := await self._proposed(args, body)):
            self._attempt += 1
        return outcome

    def _proposed_sync(self, args: Mapping[str, Any], body: Callable[[dict[str, Any]], Any]) -> Outcome:
        def performed(given: dict[str, Any]) -> Any:
            with self._performing():
                return self._returned(body(given))

        try:
            return self._governor.perform_sync(self._where, self._proposal(args), performed, harmless=HARMLESS)
        except Exception as error:  # noqa: BLE001 - what is not handled there is raised there
            return self._failed(error)

    async def _proposed(self, args: Mapping[str, Any], body: Callable[[dict[str, Any]], Awaitable[Any]]) -> Outcome:
        async def performed(given: dict[str, Any]) -> Any:
            with self._performing():
                return self._returned(await body(given))

        try:
            return await self._governor.perform(self._where, self._proposal(args), performed, harmless=HARMLESS)
        except Exception as error:  # noqa: BLE001 - what is not handled there is raised there
            return self._failed(error)

    def _proposal(self, args: Mapping[str, Any]) -> Proposal:
        self._began, self._live = False, None
        key = self._key if self._attempt == 1 else f"{self._key}/{self._attempt}"
        return Proposal(writable(self.call["name"]), args, key=writable(key))

    @contextmanager
    def _performing(self) -> Generator[None]:
        self._began, self._live = True, None
        try:
            yield
        except GraphBubbleUp as pause:
            raise _PausedError(PAUSED) from pause

    def _returned(self, result: Any) -> Any:
        self._live = result
        return kept(result, self.call)

    def _failed(self, error: Exception) -> Failed:
        """Return a failure of which the model is told; raise what the tool node is to handle as it would without us."""
        if isinstance(error, _PausedError):
            assert error.__cause__ is not None
            raise error.__cause__
        if isinstance(error, _AbsentError) or (self.quiet and isinstance(error, ToolException)):
            return Failed(str(error))
        raise error

    # what becomes of it

    def _is_spent(self, outcome: Outcome) -> bool:
        """Whether the outcome is an old one of a body that may be called again: of a read, or of one that paused."""
        if self._began:
            return False
        is_read = self.tool is not None and self.tool.effect == "read"
        match outcome:
            case Failed(error):
                return is_read or error.startswith(PAUSED)
            case Done(result):
                return is_read and isinstance(restored(result, self.call), Lost)
            case _:
                return False

    async def _pass_on(self, answers: list[asking.Answer]) -> None:
        inner = self._governor.runtime.inner
        await asking.pass_on(inner, self._where.run, self._key, answers, alone=self._alone)

    def _told(self, outcome: Outcome) -> Result:
        showing = self._governor.showing(self._key)
        if not isinstance(outcome, Done):
            return message(showing.told(outcome), self.call, failed=True)
        if self._live is None and outcome.result is None:
            return message(outcome.problem or "It was done.", self.call)
        found = self._live if self._live is not None else restored(outcome.result, self.call)
        if isinstance(found, Lost):
            return message(f"It was done; what it returned is not there any more, {found.why}", self.call)
        found = shown(found, showing)
        if outcome.problem and isinstance(found, ToolMessage) and isinstance(found.content, str):
            return found.model_copy(update={"content": told(Done(found.content, outcome.problem))})
        return found
