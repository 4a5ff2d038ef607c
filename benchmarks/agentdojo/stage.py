"""Plays a script through Interlock: a runtime in memory, a run with the user's words, and each call on the one path."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec
from pydantic_core import to_jsonable_python

from benchmarks.agentdojo.guards import Guard
from benchmarks.agentdojo.guess import Effect
from benchmarks.agentdojo.reviewers import Reviewer
from benchmarks.agentdojo.scripts import Call, Script
from benchmarks.replay.functions import Function, FunctionError
from interlock import Agent, Ctx, Denied, Done, Proposal, Runtime, Session, Waiting, tool
from interlock.actions.tool import Tool
from interlock.kernel import events as ev
from interlock.kernel.events import Recorded
from interlock.runtime.speaking import Spoken

if TYPE_CHECKING:
    from benchmarks.agentdojo.world import World
    from benchmarks.replay import dojo

Tamper = Callable[[str, Any], Any]
"""Changes the result of a function (its name, the result) on its way to the agent."""


@dataclass(slots=True)
class Room:
    """The environment of one run. What is performed is kept: calls that were denied leave no trace."""

    world: "World"
    env: "dojo.Environment"
    tamper: Tamper | None = None
    before: dict[str, "dojo.Environment"] = field(default_factory=dict[str, "dojo.Environment"])

    def call(self, function: str, args: Mapping[str, Any]) -> Any:
        """Execute a function; raise FunctionError with its error."""
        result = self.world.perform(self.env, function, args)
        return self.tamper(function, result) if self.tamper else result


class Step(msgspec.Struct, kw_only=True):
    """What one call came to: done, failed, denied or asked; `asks` counts the questions that were asked about it."""

    function: str
    args: dict[str, Any]
    whose: str
    came_to: str
    stage: str = ""
    asks: int = 0
    reasons: tuple[str, ...] = ()
    strikes: tuple[str, ...] = ()
    origins: Any = None


@dataclass(slots=True)
class Scene:
    """A run that was played: its steps, what became of its last words, and the environment as it left it."""

    steps: list[Step]
    said: Spoken
    before: "dojo.Environment"
    after: "dojo.Environment"

    @property
    def executed(self) -> list[Call]:
        """The calls that the suite's checks may see."""
        return [Call(one.function, one.args) for one in self.steps if one.came_to in ("done", "failed")]


@dataclass(frozen=True, slots=True)
class Part:
    """One run that is to be played: who says what, what the agent does, and what it says in the end."""

    prompt: str
    script: Script
    text: str = ""


async def play(guard: Guard, room: Room, reviewer: Reviewer | None, *parts: Part) -> Scene:
    """Play runs one after another in one environment and one journal; return the last one's scene."""
    agent = Agent("assistant", _tools(room.world, guard), policy=guard.policy, labels=guard.labels, deps=lambda: room)
    scene: Scene | None = None
    async with Runtime(":memory:", agent) as rt:
        for part in parts:
            scene = await _played(rt, room, part, reviewer, traced=guard.labels is not None)
    assert scene is not None
    return scene


async def _played(rt: Runtime, room: Room, part: Part, reviewer: Reviewer | None, *, traced: bool) -> Scene:
    before = room.env.model_copy(deep=True)
    run = await rt.start("assistant", part.prompt)
    steps: list[Step] = []
    async with rt.session(run.id) as session:
        result: Any = None
        while (call := _next(part.script, result, first=not steps)) is not None:
            step, result = await _proposed(session, call, f"{len(steps)}", reviewer)
            steps.append(step)
        said = await session.speak(part.text, key="answer") if traced and part.text else Spoken(part.text)
    _explain(steps, await run.history())
    return Scene(steps, said, before, room.env)


def _next(script: Script, result: Any, *, first: bool) -> Call | None:
    try:
        return next(script) if first else script.send(result)
    except StopIteration:
        return None


async def _proposed(session: Session, call: Call, key: str, reviewer: Reviewer | None) -> tuple[Step, Any]:
    """Propose one call, have its questions answered where there is somebody, and return its step and its result."""
    proposal = Proposal(call.function, call.args, key=key)
    step = Step(function=call.function, args=call.args, whose=call.whose, came_to="asked")
    outcome = await session.perform(proposal)
    answered: set[str] = set()
    while isinstance(outcome, Waiting) and reviewer is not None:
        open_ones = [one for one in outcome.questions if one.id not in answered]
        if not open_ones:
            break
        yes = reviewer(call)
        for question in open_ones:
            answered.add(question.id)
            await (question.approve(by="reviewer") if yes else question.deny(by="reviewer"))
        outcome = await session.perform(proposal)
    if isinstance(outcome, Waiting):
        answered.update(one.id for one in outcome.questions)
    step.asks = len(answered)
    match outcome:
        case Done(result=result):
            step.came_to = "done"
            return step, result
        case Denied(reasons=reasons, stage=stage):
            step.came_to, step.reasons, step.stage = "denied", reasons, stage
        case Waiting(questions=questions):
            step.reasons = tuple(reason for one in questions for reason in one.reasons)
        case _:
            step.came_to = "failed"
    return step, None


def _explain(steps: list[Step], history: list[Recorded]) -> None:
    """Add to each step what its judgement in the journal says of origins and strikes."""
    for recorded in history:
        event = recorded.event
        judgement = getattr(event, "judgement", None)
        key = getattr(event, "call", "")
        if isinstance(judgement, ev.Judgement) and key.isdecimal():
            step = steps[int(key)]
            step.strikes = step.strikes or judgement.strikes
            step.origins = step.origins or msgspec.json.decode(bytes(judgement.origins) or b"null")


_made: dict[tuple[int, frozenset[tuple[str, str]]], tuple[Tool, ...]] = {}


def _tools(world: "World", guard: Guard) -> tuple[Tool, ...]:
    """Return the suite's functions as tools of another framework, made once for each way to declare them."""
    key = (id(world), frozenset(guard.effects.items()))
    if key not in _made:
        _made[key] = tuple(_tool(one, guard.effects[one.name]) for one in world.functions)
    return _made[key]


def _tool(function: Function, effect: Effect) -> Tool:
    async def body(ctx: Ctx[Room], args: dict[str, Any]) -> Any:
        if effect == "reversible":
            ctx.deps.before[ctx.key] = ctx.deps.env.model_copy(deep=True)
        return ctx.deps.call(function.name, args)

    def validate(raw: Mapping[str, Any]) -> Mapping[str, Any]:
        return to_jsonable_python(function.parameters.model_validate(raw).model_dump())

    made = _declared(function.name, effect)
    made.bind(function.full_docstring, function.parameters.model_json_schema(), validate=validate, body=body)
    return made


def _declared(name: str, effect: Effect) -> Tool:
    """Declare a function; saying the same twice is nothing to ask about here, so that only tracing and policy count."""
    match effect:
        case "read" | "egress":
            return tool.read(name, egress=effect == "egress")
        case "irreversible":
            return tool.irreversible(name, refuses=(FunctionError,), repeatable=True)
        case "reversible":
            made = tool.reversible(name, refuses=(FunctionError,), repeatable=True)

            @made.undo
            async def restore(ctx: Ctx[Room], _result: Any, **_args: Any) -> None:
                ctx.deps.env = ctx.deps.before[ctx.key]

            return made
