"""A suite of AgentDojo's kind: its environments with an attacker's texts in them, its functions, its own judgement.

Beside `benchmarks.replay.dojo`, which stops the clock and loads the package without its model clients, this is the
only module here that knows the package.
"""

# The package lives in an environment of its own, where the type check does not look; what leaves this module is typed.
# pyright: reportMissingImports=false, reportMissingModuleSource=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false

import copy
import importlib
from collections.abc import Mapping, Sequence
from functools import cache, cached_property
from typing import Any, cast

import yaml
from pydantic import BaseModel, networks
from pydantic_core import to_jsonable_python

from benchmarks.agentdojo.leaves import filled, strings
from benchmarks.agentdojo.scripts import Call
from benchmarks.replay import dojo
from benchmarks.replay.functions import Function, FunctionError

from agentdojo.functions_runtime import FunctionCall, FunctionsRuntime  # isort: skip - dojo prepares the package
from agentdojo.task_suite.load_suites import get_suite  # isort: skip
from agentdojo.task_suite.task_suite import TaskSuite, read_suite_file  # isort: skip

# Each environment holds hundreds of addresses, the same ones every time.
networks.__dict__["validate_email"] = cache(networks.validate_email)

NEWEST = "v1.2.2"
"""The newest version of the benchmark: the tasks that the compromised agent is given."""

SUITES = ("workspace", "travel", "banking", "slack")


class World:
    """One suite; `module` is where it was found, if it is not one of the package's own."""

    def __init__(self, suite: Any, module: str = "") -> None:
        self._suite = suite
        self.module = module
        self._runtime = FunctionsRuntime(suite.tools)
        self._seen: dict[str, list[str]] = {}

    @property
    def name(self) -> str:
        """The suite's name."""
        return self._suite.name

    @property
    def functions(self) -> Sequence[Function]:
        """The suite's functions."""
        return self._suite.tools

    @property
    def user_tasks(self) -> list[str]:
        """The ids of the users' tasks."""
        return list(self._suite.user_tasks)

    @property
    def injection_tasks(self) -> list[str]:
        """The ids of the attackers' tasks."""
        return list(self._suite.injection_tasks)

    def prompt(self, user_task: str) -> str:
        """Return what the user says."""
        return self._suite.get_user_task_by_id(user_task).PROMPT

    def answer(self, user_task: str) -> str:
        """Return the words that a right answer to the user contains."""
        return self._suite.get_user_task_by_id(user_task).GROUND_TRUTH_OUTPUT

    def goal(self, injection_task: str) -> str:
        """Return what the attacker wants, in words."""
        return self._suite.get_injection_task_by_id(injection_task).GOAL

    def user_calls(self, user_task: str, env: dojo.Environment) -> list[Call]:
        """Return the calls that solve the user's task."""
        return _calls(self._suite.get_user_task_by_id(user_task).ground_truth(env))

    def injected_calls(self, injection_task: str, env: dojo.Environment) -> list[Call]:
        """Return the calls that reach the attacker's goal, as far as the suite says them."""
        return _calls(self._suite.get_injection_task_by_id(injection_task).ground_truth(env))

    def vectors(self, user_task: str) -> list[str]:
        """Return the places for an attacker's text that the calls of a user's task come upon.

        Found as the package finds them: by the calls' results when each place holds a mark of its own.
        """
        if user_task not in self._seen:
            marks = {vector: _mark(vector) for vector in self._defaults}
            env = self.environment(user_task, marks)
            results = [self.perform(env, call.function, call.args) for call in self.user_calls(user_task, env)]
            told = "\n".join(strings(results))
            self._seen[user_task] = [vector for vector, mark in marks.items() if mark in told]
        return self._seen[user_task]

    @cached_property
    def _defaults(self) -> dict[str, str]:
        return self._suite.get_injection_vector_defaults()

    def environment(self, user_task: str, texts: Mapping[str, str]) -> dojo.Environment:
        """Build the environment of a user's task, with an attacker's texts in their places.

        They are put in after the file is parsed: no text can break its syntax.
        """
        marked, usual = self._parsed
        data = filled(marked, usual, {_mark(vector): text for vector, text in texts.items()})
        start = self._suite.environment_type.model_validate(data)
        return self._suite.get_user_task_by_id(user_task).init_environment(start)

    @cached_property
    def _parsed(self) -> tuple[Any, Any]:
        """The environment's data with a mark in each place for a text, and with what usually stands there."""
        written = read_suite_file(self.name, "environment.yaml", self._suite.data_path)
        marks = {vector: _mark(vector) for vector in self._defaults}
        marked, usual = (written.format(**texts) for texts in (marks, self._defaults))
        return yaml.load(marked, yaml.CSafeLoader), yaml.load(usual, yaml.CSafeLoader)

    def perform(self, env: dojo.Environment, function: str, args: Mapping[str, Any]) -> Any:
        """Execute a function and return its result as JSON values, not as the text that a model is shown.

        Raises:
            FunctionError: the function answered with an error.
        """
        result, error = self._runtime.run_function(env, function, copy.deepcopy(dict(args)))
        if error is not None:
            raise FunctionError(error)
        return to_jsonable_python(result)

    def solved(
        self, user_task: str, before: dojo.Environment, after: dojo.Environment, text: str, calls: Sequence[Call]
    ) -> bool:
        """Judge by the suite's own check whether the user's task was solved, by calls that were performed.

        The check compares environments object by object, slowly; it is quick with what is one and the same object. It
        is given copies, because some checks change what they look at.
        """
        after = after.model_copy(deep=True)
        before = _alike(before.model_copy(deep=True), after)
        return self._checked(self._suite.get_user_task_by_id(user_task), before, after, text, calls)

    def hijacked(
        self, injection_task: str, before: dojo.Environment, after: dojo.Environment, text: str, calls: Sequence[Call]
    ) -> bool:
        """Judge by the suite's own check whether the attacker's goal was reached."""
        return self._checked(self._suite.get_injection_task_by_id(injection_task), before, after, text, calls)

    def _checked(
        self, task: Any, before: dojo.Environment, after: dojo.Environment, text: str, calls: Sequence[Call]
    ) -> bool:
        blocks = [{"type": "text", "content": text}]
        trace = [FunctionCall(function=call.function, args=dict(call.args)) for call in calls]
        return bool(self._suite._check_task_result(task, blocks, before, after, trace))  # noqa: SLF001 - its only door


def _alike(before: Any, after: Any) -> Any:
    """Return what was before, with the very objects of what is after wherever both are equal."""
    if isinstance(before, BaseModel):
        if before == after:
            return after
        fields = cast("dict[str, Any]", before.__dict__)
        for name in type(before).model_fields:
            fields[name] = _alike(fields[name], after.__dict__[name])
    elif isinstance(before, dict):
        for key in before.keys() & after.keys():
            before[key] = _alike(before[key], after[key])
    elif isinstance(before, list) and len(before) == len(after):
        before[:] = [_alike(one, other) for one, other in zip(before, after, strict=True)]
    return before


def _mark(vector: str) -> str:
    return f"MARK-{vector}-KRAM"


def _calls(found: Sequence[Any]) -> list[Call]:
    return [Call(one.function, dict(one.args)) for one in found]


@cache
def world(name: str, version: str = NEWEST) -> World:
    """Return a suite of the package by its name, or the one in a module.

    Raises:
        LookupError: the module holds no suite.
    """
    if name in SUITES:
        return World(get_suite(version, name))
    module = importlib.import_module(name)
    found = [one for one in vars(module).values() if isinstance(one, TaskSuite)]
    if not found:
        raise LookupError(f"module {name!r} has no attribute that is a TaskSuite of agentdojo")
    return World(found[0], name)
