"""Middleware for `create_agent`: tool calls are governed, model turns recorded, and a turn of the user is a run."""

from collections.abc import Awaitable, Callable
from time import perf_counter
from typing import Annotated, Any, NotRequired

from langchain.agents.middleware.types import (
    AgentMiddleware,
    AgentState,
    ExtendedModelResponse,
    ModelRequest,
    ModelResponse,
    PrivateStateAttr,
    ToolCallRequest,
)
from langchain_core.messages import AIMessage, ToolMessage
from langchain_core.tools import BaseTool
from langgraph.config import get_config
from langgraph.runtime import ExecutionInfo
from langgraph.runtime import Runtime as GraphRuntime
from langgraph.types import Command
from msgspec import structs

from interlock.adapters.governor import Governor, Where
from interlock.adapters.langgraph import turns
from interlock.adapters.langgraph.calls import AsyncExecute, Calls, Execute
from interlock.adapters.langgraph.places import RUN, User, branch_of, configured_user, run_begun, where_of
from interlock.errors import RunEndedError
from interlock.kernel.events import TurnRecorded
from interlock.runtime.outcomes import Turn

Handler = Callable[[ModelRequest[Any]], ModelResponse[Any]]
Response = ModelResponse[Any] | ExtendedModelResponse[Any]
AsyncHandler = Callable[[ModelRequest[Any]], Awaitable[ModelResponse[Any]]]


class GovernedState(AgentState[Any]):
    """The state of a governed agent: with the id of the run that its turn is."""

    interlock_run: NotRequired[Annotated[str, PrivateStateAttr]]


class GovernorMiddleware(AgentMiddleware[GovernedState, Any, Any]):
    """Governs an agent of LangChain: `create_agent(model, tools, middleware=[GovernorMiddleware(governor)])`.

    Each turn of the user is a run: what an undo takes back as a whole. Put it last, so that what is recorded of a model
    is what it was asked and said. Wherever it stands, what is judged is what the tool is called with.

    The mutable state: of each run under way in this process, which request to a model was the last, and in which step.

    Args:
        governor: Who judges.
        user: Whom the graph runs for, from its config and its runtime context; by default what the config has as
            `user_id`.
    """

    state_schema = GovernedState

    def __init__(self, governor: Governor, *, user: User = configured_user) -> None:
        super().__init__()
        self._governor = governor
        self._calls = Calls(governor, user, one_by_one=True)
        self._user = user
        self._last: dict[str, tuple[str, ExecutionInfo | None]] = {}

    def before_agent(self, state: GovernedState, runtime: GraphRuntime[Any]) -> dict[str, Any]:
        """Begin a run."""
        return {RUN: run_begun(get_config(), state["messages"])}

    def wrap_tool_call(self, request: ToolCallRequest, handler: Execute) -> ToolMessage | Command[Any]:
        """Have a call executed with a tool that asks the governor first."""
        return self._calls.wrap(request, handler)

    async def awrap_tool_call(self, request: ToolCallRequest, handler: AsyncExecute) -> ToolMessage | Command[Any]:
        """Do the same in an event loop."""
        return await self._calls.awrap(request, handler)

    def wrap_model_call(self, request: ModelRequest[Any], handler: Handler) -> Response:
        """Ask the model and record its turn; what it answered to the very same step before a crash stands."""
        asked = self._asked(request)
        if asked.key and turns.is_repeatable(request):
            known = turns.again(self._governor.recall_sync(asked.where, asked.key))
            if known is not None:
                return known
        began = perf_counter()
        turn, response = self._answered(asked, handler(request), began)
        try:
            self._governor.record_sync(asked.where, turn)
        except RunEndedError:
            branch = self._governor.runtime.portal.run(self._branch(asked))
            self._governor.record_sync(branch, turn)
            return ExtendedModelResponse(response, Command(update={RUN: branch.run}))
        return response

    async def awrap_model_call(self, request: ModelRequest[Any], handler: AsyncHandler) -> Response:
        """Do the same in an event loop."""
        asked = self._asked(request)
        if asked.key and turns.is_repeatable(request):
            known = turns.again(await self._governor.recall(asked.where, asked.key))
            if known is not None:
                return known
        began = perf_counter()
        turn, response = self._answered(asked, await handler(request), began)
        try:
            await self._governor.record(asked.where, turn)
        except RunEndedError:
            branch = await self._governor.runtime.portal.wait_for(self._branch(asked))
            await self._governor.record(branch, turn)
            return ExtendedModelResponse(response, Command(update={RUN: branch.run}))
        return response

    def after_agent(self, state: GovernedState, runtime: GraphRuntime[Any]) -> None:
        """End the run with the agent's last words, unless something of it is still open."""
        where = self._where(state, runtime.context)
        self._last.pop(where.run, None)
        self._governor.finish_sync(where, _last_words(state))

    async def aafter_agent(self, state: GovernedState, runtime: GraphRuntime[Any]) -> None:
        """Do the same in an event loop."""
        where = self._where(state, runtime.context)
        self._last.pop(where.run, None)
        await self._governor.finish(where, _last_words(state))

    def _asked(self, request: ModelRequest[Any]) -> turns.Asked:
        """Return the request; without a key where other middleware asks the same again, for it wants another answer."""
        for tool in request.tools:
            if isinstance(tool, BaseTool):
                self._calls.bind(tool)
        where = self._where(request.state, request.runtime.context)
        asked = turns.asked(request, where, get_config())
        this_time = (asked.key, request.runtime.execution_info)
        if self._last.get(where.run) == this_time:
            return asked._replace(key="")
        self._last[where.run] = this_time
        return asked

    def _answered(
        self, asked: turns.Asked, response: ModelResponse[Any], began: float
    ) -> tuple[Turn, ModelResponse[Any]]:
        journal = self._governor.runtime.inner.journal
        return turns.answered(asked, response, perf_counter() - began, journal.redacted)

    async def _branch(self, asked: turns.Asked) -> Where:
        """Return the run that begins where somebody goes on from an older checkpoint of a turn that has ended.

        Raises:
            RunEndedError: the turn did ask its model in this step. It can't be told from a repeated one, of which a
                checkpoint was lost; then nothing may be done twice, so nothing new is begun.
        """
        history = await self._governor.runtime.inner.run(asked.where.run).history()
        if any(isinstance(one.event, TurnRecorded) and turns.is_of_step(one.event.call, asked) for one in history):
            raise RunEndedError(f"run {asked.where.run!r} has ended; send a new message, with which another begins")
        return structs.replace(asked.where, run=branch_of(asked.where.run, get_config()))

    def _where(self, state: Any, context: Any) -> Where:
        return where_of(get_config(), context, state, user=self._user)


def _last_words(state: GovernedState) -> str:
    said = [one for one in state["messages"] if isinstance(one, AIMessage)]
    return str(said[-1].text).encode(errors="backslashreplace").decode() if said else ""
