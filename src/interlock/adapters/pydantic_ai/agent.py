"""An agent of Pydantic AI, governed: every tool of every run, and a journal that a run goes on from after a crash."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from types import UnionType
from typing import Any, Union, cast, get_args, get_origin

from pydantic_ai import AgentRun, AgentRunResult, DeferredToolRequests, DeferredToolResults, RunContext, ToolDenied
from pydantic_ai.agent import AbstractAgent, WrapperAgent
from pydantic_ai.capabilities import AbstractCapability, CapabilityOrdering
from pydantic_ai.exceptions import UserError
from pydantic_ai.messages import ModelMessage, ModelResponse
from pydantic_ai.models import Model, ModelRequestContext
from pydantic_ai.output import OutputDataT
from pydantic_ai.tools import AgentDepsT, ToolApproved
from pydantic_ai.toolsets import AbstractToolset
from pydantic_core import to_jsonable_python

from interlock.adapters.governor import Governor
from interlock.adapters.pydantic_ai.toolset import GovernedToolset
from interlock.adapters.pydantic_ai.trail import Mark, Trail, User, pending, run_id_within
from interlock.adapters.pydantic_ai.turns import JournaledModel
from interlock.canonical import canonical
from interlock.errors import CanonicalError, DeclarationError
from interlock.models import Proposal


def govern(
    agent: AbstractAgent[AgentDepsT, OutputDataT], governor: Governor, *, user: User | None = None
) -> "GovernedAgent[AgentDepsT, OutputDataT]":
    """Return the agent, governed: its tools are judged and performed once, its runs go on after a crash.

    A run that is started again with the `run_id` of one that did not come to its end goes on where that was: what the
    model has said is not asked again, and what was performed is not performed again.

    Args:
        agent: The agent, with its tools; those that are added later, or given to a run, are governed too.
        governor: Who judges its tools, by the names that the model sees.
        user: Whom a run acts for, from its `RunContext`: what rules read as `user`.

    Raises:
        DeclarationError: the agent is governed already.
    """
    if isinstance(agent, GovernedAgent):
        raise DeclarationError(f"agent {agent.name!r} is governed already")
    return GovernedAgent(agent, governor, user)


class GovernedAgent(WrapperAgent[AgentDepsT, OutputDataT]):
    """An agent whose runs are governed; made by `govern`."""

    def __init__(
        self, wrapped: AbstractAgent[AgentDepsT, OutputDataT], governor: Governor, user: User | None = None
    ) -> None:
        super().__init__(wrapped)
        self.governor = governor
        self._user = user

    @asynccontextmanager
    async def iter(self, user_prompt: Any = None, **options: Any) -> AsyncGenerator[AgentRun[AgentDepsT, Any]]:
        """Run the agent step by step; `run`, `run_sync`, `run_stream` and all others end up here."""
        results = options.get("deferred_tool_results")
        denied: dict[str, str] = {}
        if results is not None:
            results, denied = _without_denials(results, _history(options))
        guarding = Guarding[Any](
            governor=self.governor,
            user=self._user,
            defers=_defers(options.get("output_type") or self.output_type),
            answered_by=None if results is None else results.answered_by,
            denied=denied,
        )
        if options.get("run_id") is None:
            options["run_id"] = run_id_within()
        options["capabilities"] = [guarding, *(options.get("capabilities") or ())]
        options["deferred_tool_results"] = results
        async with super().iter(user_prompt, **options) as run:
            yield run

    def realtime(self, *args: Any, **options: Any) -> Any:
        """Refuse: a realtime session takes another way than a run, and would not be governed.

        Raises:
            UserError: always.
        """
        raise UserError("realtime sessions are not governed; open one on the agent itself if you mean to")


@dataclass
class Guarding(AbstractCapability[AgentDepsT]):
    """What a governed run carries with it: around all other capabilities, with the tools themselves in its hands."""

    governor: Governor = field(kw_only=True)
    user: User | None = None
    defers: bool = False
    answered_by: Mapping[str, str] | None = None
    denied: Mapping[str, str] = field(default_factory=dict[str, str])
    trail: Trail | None = None

    def get_ordering(self) -> CapabilityOrdering:
        """Stand around all others: what they add to the tools is governed too."""
        return CapabilityOrdering(position="outermost", wraps=[AbstractCapability])

    async def for_run(self, ctx: RunContext[AgentDepsT]) -> "Guarding[AgentDepsT]":
        """Find the run's place in the journal."""
        more = {"defers": self.defers, "answered_by": self.answered_by, "denied": self.denied}
        return replace(self, trail=Trail.begin(ctx, self.user, **more))

    @property
    def _trail(self) -> Trail:
        assert self.trail is not None, "for_run comes first"
        return self.trail

    def get_wrapper_toolset(self, toolset: AbstractToolset[AgentDepsT]) -> AbstractToolset[AgentDepsT]:
        """Put the guardian before each tool, below all that other capabilities wrap around them."""

        def before(leaf: AbstractToolset[AgentDepsT]) -> AbstractToolset[AgentDepsT]:
            return GovernedToolset(leaf, self.governor, trail=self.trail, is_inner=True)

        return GovernedToolset(toolset.visit_and_replace(before), self.governor, trail=self.trail)

    def get_wrapper_model(self, model: Model) -> Model:
        """Record what the model says."""
        return JournaledModel(model, self.governor, self._trail)

    async def before_model_request(
        self, ctx: RunContext[AgentDepsT], request_context: ModelRequestContext
    ) -> ModelRequestContext:
        """Note the step that the agent is in."""
        self._trail.enter(ctx.run_step)
        return request_context

    async def after_model_request(
        self, ctx: RunContext[AgentDepsT], *, request_context: ModelRequestContext, response: ModelResponse
    ) -> ModelResponse:
        """Record what nobody has heard to its end, mark the response, and deny what it asks for that there is not."""
        await self._trail.record(response)
        self._trail.tell(ctx)
        mark = self._trail.mark(response, ctx.run_step)
        there = {} if ctx.tool_manager is None else ctx.tool_manager.tools or {}
        for place, call in enumerate(response.tool_calls):
            if call.tool_name not in there:
                proposal = Proposal(call.tool_name, call.args or {}, key=f"{mark.turn}/{place}")
                reason, instead = (
                    f"there is no tool {call.tool_name!r}",
                    f"there are: {', '.join(sorted(there)) or 'none'}",
                )
                await self.governor.refuse(self._trail.where, proposal, reason, instead)
        return response

    async def after_run(self, ctx: RunContext[AgentDepsT], *, result: AgentRunResult[Any]) -> AgentRunResult[Any]:
        """End the journal's run, unless something of it is open."""
        if not isinstance(result.output, DeferredToolRequests):
            await self.governor.finish(self._trail.where, _plain(result.output))
        return result


def _plain(output: Any) -> Any:
    """Return the JSON form of an output; of what has none, its text."""
    plain = to_jsonable_python(output, serialize_unknown=True)
    try:
        canonical(plain)
    except CanonicalError:
        return ascii(output)
    return plain


def _defers(output_type: Any) -> bool:
    """Whether an output may be deferred tool requests."""
    if isinstance(output_type, (list, tuple)):
        return any(map(_defers, cast("Sequence[Any]", output_type)))
    if get_origin(output_type) in {Union, UnionType}:
        return any(map(_defers, get_args(output_type)))
    return output_type is DeferredToolRequests


def _history(options: Mapping[str, Any]) -> Sequence[ModelMessage]:
    conversation = options.get("conversation")
    return conversation.messages if conversation is not None else options.get("message_history") or ()


def _without_denials(
    results: DeferredToolResults, history: Sequence[ModelMessage]
) -> tuple[DeferredToolResults, dict[str, str]]:
    """Take out the no's to our questions: the framework would keep them to itself, and the journal has to know."""
    response = pending(history)
    mark = Mark.of(response) if response is not None else None
    asked = mark.asked if mark is not None else {}
    unsaid = ToolDenied().message
    denied = {
        call: "" if result.message == unsaid else result.message
        for call, result in results.to_tool_call_results().items()
        if isinstance(result, ToolDenied) and call in asked
    }
    approvals = {**results.approvals, **dict.fromkeys(denied, ToolApproved())}
    return replace(results, approvals=approvals), denied
