"""Executes sequences through sessions, has each run undone with one undo, and looks at what is left of it."""

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from pydantic_core import to_jsonable_python

from benchmarks.agentdojo import guards
from benchmarks.agentdojo.world import World, world
from benchmarks.replay.functions import Function, FunctionError
from benchmarks.undo.environments import foreign, room
from benchmarks.undo.environments.objects import Objects
from benchmarks.undo.environments.room import Room, States
from benchmarks.undo.environments.sequences import Sequence
from benchmarks.undo.environments.touched import TOUCHED
from interlock import Agent, Ctx, Done, Failed, MemoryStore, Outcome, Proposal, Runtime, tool
from interlock.actions.tool import Tool
from interlock.kernel import events as ev
from interlock.runtime.handles import Run

BY = "ana"
"""Who undoes."""

Desk = dict[str, Room]
"""The rooms by the id of their run: one runtime plays many."""


class Played(msgspec.Struct, kw_only=True):
    """What came of one sequence: with others at work elsewhere, and with others at work on what it touched.

    `exact` is whether the environment is as before plus what others did, `kept` whether all of that is still there.
    `conflicts` and `found` count effects: those that can't be taken back any more, and those that were reported.
    """

    name: str
    effects: int = 0
    exact: bool = False
    kept: bool = False
    conflicts: int = 0
    found: int = 0
    trampled: bool = False
    rest_exact: bool = True


async def played(sequences: list[Sequence]) -> list[Played]:
    """Play sequences of one suite, one after another."""
    desk: Desk = {}
    of = world(sequences[0].suite)
    agent = Agent("assistant", tools(of), policy=guards.all_permitted(of), deps=lambda: desk)
    async with Runtime(MemoryStore(), agent) as rt:
        return [await _Stage(rt, desk, one).played() for one in sequences]


@dataclass(frozen=True, slots=True)
class _Stage:
    """One sequence, and where it is played."""

    rt: Runtime
    desk: Desk
    sequence: Sequence

    async def played(self) -> Played:
        told = Played(name=str(self.sequence))
        ours, calls = await self._with_conflict(told)
        await self._with_others(told, ours, 1 + self.sequence.number % max(calls, 1))
        return told

    async def _with_conflict(self, told: Played) -> tuple[set[str], int]:
        """Change an object that the run touched, once it is over; return what it changed, and its number of calls."""
        here = _room(self.sequence)
        run, calls = await self._executed(here, lambda _: None)
        told.effects = len(here.effects)
        if changed := foreign.clash(here, self.sequence.number):
            expected = copy.deepcopy(here.objects)
            told.conflicts = room.taken_back(expected, here.effects)
            await (await run.undo_plan()).apply(by=BY, otherwise="leave")
            found = [one.event for one in await run.history() if isinstance(one.event, ev.NotUndone)]
            told.found = len([one for one in found if one.kind == "conflict"])
            told.trampled = not _stands(here, changed)
            told.rest_exact = _dump(here.objects) == _dump(expected)
        return {name for effect in here.effects for name in effect.changed}, calls

    async def _with_others(self, told: Played, ours: set[str], after: int) -> None:
        """Let others change and add objects that are not *ours* after so many calls; undo must leave that alone."""
        here = _room(self.sequence)
        expected = copy.deepcopy(here.objects)
        theirs: States = {}

        def meddle(calls: int) -> None:
            if calls == after:
                theirs.update(foreign.meddle(here.objects, ours))

        run, _ = await self._executed(here, meddle)
        left = await (await run.undo_plan()).apply(by=BY)
        room.put_back(expected, theirs)
        told.exact = not left and _dump(here.objects) == _dump(expected)
        told.kept = _stands(here, theirs)

    async def _executed(self, here: Room, meanwhile: Callable[[int], None]) -> tuple[Run, int]:
        """Make the calls in a run, with *meanwhile* after each; return the run, and how many calls there were."""
        run = await self.rt.start("assistant")
        self.desk[run.id] = here
        script = self.sequence.script(here.objects.world)
        calls = 0
        async with self.rt.session(run.id) as session:
            call = next(script, None)
            while call is not None:
                result = _result(await session.perform(Proposal(call.function, call.args, key=f"{calls}")))
                calls += 1
                meanwhile(calls)
                try:
                    call = script.send(result)
                except StopIteration:
                    call = None
            await session.finish("done")
        return run, calls


def _room(sequence: Sequence) -> Room:
    env: Any = sequence.environment()
    return Room(Objects(env), lambda function, args: world(sequence.suite).perform(env, function, args))


def _dump(objects: Objects) -> Any:
    return objects.world.model_dump(mode="json")


def _stands(here: Room, states: States) -> bool:
    return all(here.objects.read(name) == state for name, state in states.items())


def _result(outcome: Outcome) -> Any:
    """Return what a call told the agent; nothing where the function answered with an error."""
    match outcome:
        case Done(result={"result": result, "touched": _}):
            return result
        case Done(result=result):
            return result
        case Failed():
            return None
        case _:
            raise AssertionError(outcome)


def tools(of: World) -> tuple[Tool, ...]:
    """Declare a suite's functions: those that change the environment are reversible, also where reading does it.

    Nothing here reaches a real person, so that restoring is exact also for what was sent.
    """
    return tuple(_reversible(one) if one.name in TOUCHED else _read(of, one) for one in of.functions)


def _read(of: World, function: Function) -> Tool:
    async def body(ctx: Ctx[Desk], args: dict[str, Any]) -> Any:
        return ctx.deps[ctx.run].perform(function.name, args)

    return _bound(tool.read(function.name), function, body)


def _reversible(function: Function) -> Tool:
    made = tool.reversible(function.name, refuses=(FunctionError,), repeatable=True)

    @made.snapshot
    async def _(ctx: Ctx[Desk], done: Mapping[str, Any] | None, **args: Any) -> States:
        return room.look(ctx.deps[ctx.run].objects, function.name, done, args)

    @made.undo
    async def _(ctx: Ctx[Desk], done: Mapping[str, Any], **_args: Any) -> None:
        before: States = {name: ctx.before[name] for name in done["changed"]}
        room.put_back(ctx.deps[ctx.run].objects, before | dict.fromkeys(done["created"]))

    async def body(ctx: Ctx[Desk], args: dict[str, Any]) -> Any:
        return ctx.deps[ctx.run].call(function.name, args)

    return _bound(made, function, body)


def _bound(made: Tool, function: Function, body: Callable[..., Any]) -> Tool:
    def validate(raw: Mapping[str, Any]) -> Mapping[str, Any]:
        return to_jsonable_python(function.parameters.model_validate(raw).model_dump())

    made.bind(function.full_docstring, function.parameters.model_json_schema(), validate=validate, body=body)
    return made
