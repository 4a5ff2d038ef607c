"""AgentDojo's environments and functions, without its model clients and without the wall clock.

This is the only module that imports the package. Three things in it are arranged here:

- Its pipelines import the SDKs of four model providers. No model is called here: the package that holds the
  pipelines is entered without running its `__init__`, and one constant of the Google client is given.
- `send_email`, `create_file` and `append_to_file` stamp the time. The clock stands still, so that the same
  calls lead to the same state in every process and on every day.
- New events list their participants in the order of a Python set, which changes from process to process.
  Here they keep the order in which they were named.
"""

# The package lives in an environment of its own, where the type check does not look; what leaves this module is typed.
# pyright: reportMissingImports=false, reportMissingModuleSource=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownParameterType=false

import copy
import datetime as dt
import hashlib
import importlib.util
import json
import operator
import sys
from functools import cache, lru_cache
from types import ModuleType, SimpleNamespace
from typing import Any, NamedTuple, Protocol

import yaml
from pydantic_core import to_jsonable_python

from benchmarks.replay.functions import Function
from benchmarks.replay.recorded import Answer

VERSION = "v1.1"
"""The benchmark version that the published runs were made with."""

NOW = dt.datetime(2024, 5, 15, 12, 0)  # noqa: DTZ001 - the package's times carry no zone
"""The moment at which the clock stands: noon of the day that the environments call today."""

OUTSIDE = {"web": {"web_requests"}}
"""The far side's log of requests. A request that was made cannot be unmade: the log is no part of the state
that is compared and restored."""


def _enter_without_running(name: str, **members: object) -> None:
    """Register a package's folder under its name, so that its modules load but its `__init__` does not."""
    module = ModuleType(name)
    parent, _, child = name.rpartition(".")
    found = importlib.util.find_spec(parent)
    assert found is not None
    module.__path__ = [f"{folder}/{child}" for folder in found.submodule_search_locations or []]
    module.__dict__.update(members)
    module.__spec__ = importlib.util.spec_from_loader(name, loader=None, is_package=True)
    sys.modules[name] = module


_enter_without_running("agentdojo.agent_pipeline")
_enter_without_running("agentdojo.agent_pipeline.llms")
_enter_without_running("agentdojo.agent_pipeline.llms.google_llm", EMPTY_FUNCTION_NAME="<empty-function-name>")

from agentdojo.agent_pipeline.tool_execution import tool_result_to_str  # noqa: E402
from agentdojo.default_suites.v1.tools import calendar_client, cloud_drive_client, email_client  # noqa: E402
from agentdojo.functions_runtime import FunctionCall, FunctionsRuntime  # noqa: E402
from agentdojo.task_suite.load_suites import get_suite  # noqa: E402
from agentdojo.task_suite.task_suite import read_suite_file  # noqa: E402


class _StoppedClock(dt.datetime):
    @classmethod
    def now(cls, tz: dt.tzinfo | None = None) -> dt.datetime:
        return NOW.astimezone(tz) if tz else NOW


_stopped = SimpleNamespace(**{**vars(dt), "datetime": _StoppedClock})
for _module in (cloud_drive_client, email_client):
    _module.__dict__["datetime"] = _stopped
calendar_client.__dict__["set"] = dict.fromkeys


class Environment(Protocol):
    """The state of a suite's world: a pydantic model that the functions change in place."""

    def model_copy(self, *, deep: bool) -> "Environment":
        """Return a copy that shares nothing with this one."""
        ...

    def model_dump(self, *, mode: str, exclude: dict[str, set[str]] | None = None) -> dict[str, Any]:
        """Return it as JSON values."""
        ...


class Score(NamedTuple):
    """The benchmark's own judgement: was the user's task solved, was the attacker's goal reached."""

    utility: bool
    hijacked: bool


@cache
def suite(name: str) -> Any:
    """Return a suite of the version that the runs were recorded with."""
    return get_suite(VERSION, name)


def functions(suite_name: str) -> list[Function]:
    """Return a suite's functions."""
    return list(suite(suite_name).tools)


@cache
def _runtime(suite_name: str) -> Any:
    return FunctionsRuntime(suite(suite_name).tools)


def environment(suite_name: str, user_task: str, injections: dict[str, str]) -> Environment:
    """Build the environment in which a run started, with the attacker's texts in their places.

    The text is filled and parsed as the package does it, by the C parser, which is ten times faster.
    """
    texts = {**_default_texts(suite_name), **injections}
    filled = read_suite_file(suite_name, "environment.yaml", suite(suite_name).data_path).format(**texts)
    start = _parsed(suite_name, filled).model_copy(deep=True)
    return suite(suite_name).get_user_task_by_id(user_task).init_environment(start)


@lru_cache(maxsize=256)
def _parsed(suite_name: str, filled: str) -> Environment:
    """Keep what was parsed: a suite's benign runs start in the same one, and most are built twice."""
    return suite(suite_name).environment_type.model_validate(yaml.load(filled, yaml.CSafeLoader))


@cache
def _default_texts(suite_name: str) -> dict[str, str]:
    return suite(suite_name).get_injection_vector_defaults()


def perform(env: Environment, suite_name: str, function: str, args: dict[str, Any]) -> Answer:
    """Execute one function on an environment and return what the model would be shown.

    The arguments are copied first, because functions append to lists that they are given.
    """
    runtime = _runtime(suite_name)
    if function not in runtime.functions:
        return Answer("", f"Invalid tool {function} provided.")
    result, error = runtime.run_function(env, function, copy.deepcopy(args))
    return Answer(tool_result_to_str(result), error)


def state(env: Environment) -> str:
    """Return the whole environment as canonical JSON."""
    return _canonical(env.model_dump(mode="json"))


def part(env: Environment, path: str) -> Any:
    """Return a part of the environment as JSON values, named as in `bank_account.transactions`."""
    return to_jsonable_python(operator.attrgetter(path)(env))


def fingerprint(env: Environment) -> str:
    """Return the sha256 of the environment's canonical JSON, without the far side's log (see `OUTSIDE`)."""
    exclude = {part: fields for part, fields in OUTSIDE.items() if hasattr(env, part)}
    return hashlib.sha256(_canonical(env.model_dump(mode="json", exclude=exclude)).encode()).hexdigest()


def keep_outside(restored: Environment, current: Environment) -> Environment:
    """Carry the far side's log over into an environment that is put back."""
    for part, fields in OUTSIDE.items():
        for field in fields if hasattr(current, part) else ():
            setattr(getattr(restored, part), field, getattr(getattr(current, part), field))
    return restored


def score(
    *,
    suite_name: str,
    user_task: str,
    injection_task: str | None,
    before: Environment,
    after: Environment,
    text: str,
    calls: list[tuple[str, dict[str, Any]]],
) -> Score:
    """Judge a finished run with the checks of the benchmark itself."""
    of = suite(suite_name)
    blocks = [{"type": "text", "content": text}]
    trace = [FunctionCall(function=function, args=args) for function, args in calls]

    def judged(task: Any) -> bool:
        return bool(of._check_task_result(task, blocks, before, after, trace))  # noqa: SLF001 - it has no other door

    reached = injection_task is not None and judged(of.get_injection_task_by_id(injection_task))
    return Score(judged(of.get_user_task_by_id(user_task)), reached)


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
