"""A recorded conversation: what was said, what was called, and what the calls returned."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import takewhile
from pathlib import Path
from typing import Any, cast

from benchmarks.tau.actions import NAMES_OF_WRITES


@dataclass(frozen=True, slots=True)
class Call:
    """One call of an action; `observation` is None where the recording ends before the answer."""

    name: str
    args: dict[str, Any]
    observation: str | None = None

    @property
    def is_write(self) -> bool:
        """Whether the action can change the world."""
        return self.name in NAMES_OF_WRITES

    @property
    def is_refused(self) -> bool:
        """Whether the API turned it down."""
        return (self.observation or "").startswith("Error")

    @property
    def content(self) -> str:
        """The name and the arguments in one spelling: equal calls have equal content."""
        return json.dumps([self.name, self.args], sort_keys=True)

    def __str__(self) -> str:
        return f"{self.name}({json.dumps(self.args)})"


@dataclass(frozen=True, slots=True)
class Saying:
    """What one side said."""

    role: str
    text: str


Event = Saying | Call


@dataclass(frozen=True)
class Trajectory:
    """One conversation: its events in order, the gold calls of its task, and whether it counts as a success.

    `digest` is the hash of the world after the gold calls as the recording has it; empty where it has none.
    """

    id: str
    task: int
    is_success: bool
    user_id: str
    instruction: str
    gold: tuple[Call, ...]
    events: tuple[Event, ...]
    digest: str

    @cached_property
    def calls(self) -> list[Call]:
        """The calls that were answered."""
        return [one for one in self.events if isinstance(one, Call) and one.observation is not None]

    def is_gold(self, call: Call) -> bool:
        """Whether a gold call of the task has this name and these arguments."""
        return any(call.content == gold.content for gold in self.gold)


def load(folder: Path) -> list[Trajectory]:
    """Read every trajectory in the `*.json` of *folder*.

    Raises:
        ValueError: there is none.
    """
    found = [one for path in sorted(folder.glob("*.json")) for one in trajectories(path.stem, _listed(path))]
    if not found:
        raise ValueError(
            f"{folder} has no trajectories: a *.json with a list of {{task_id, trial, reward, info, traj}}"
        )
    return found


def _listed(path: Path) -> list[dict[str, Any]]:
    """Return the records of a file that are trajectories; other files lie in such folders, too."""
    content: Any = json.loads(path.read_text())
    records = cast("list[Any]", content if isinstance(content, list) else [])
    return [one for one in records if isinstance(one, dict) and {"task_id", "info", "traj"} <= one.keys()]


def trajectories(file: str, records: list[dict[str, Any]]) -> list[Trajectory]:
    """Return the trajectories of a file; one that broke off without its task has that of its task's other trials."""
    tasks = {one["task_id"]: one["info"]["task"] for one in records if one["info"].get("task")}
    return [_trajectory(file, one, tasks[one["task_id"]]) for one in records if one["task_id"] in tasks]


def _trajectory(file: str, record: dict[str, Any], task: dict[str, Any]) -> Trajectory:
    judged: dict[str, Any] = record["info"].get("reward_info") or {}
    told: dict[str, Any] = judged.get("info") or {}
    return Trajectory(
        id=f"{file}/{record['task_id']}.{record.get('trial', 0)}",
        task=record["task_id"],
        is_success=record["reward"] == 1,
        user_id=task.get("user_id", ""),
        instruction=task["instruction"],
        gold=tuple(Call(one["name"], one["kwargs"]) for one in task["actions"]),
        events=tuple(_events(record["traj"])),
        digest=told.get("gt_data_hash", ""),
    )


def _events(messages: list[dict[str, Any]]) -> Iterator[Event]:
    for place, message in enumerate(messages):
        if message["role"] in {"user", "assistant"} and message.get("content"):
            yield Saying(message["role"], message["content"])
        answers = takewhile(lambda one: one["role"] == "tool", messages[place + 1 :])
        for asked in message.get("tool_calls") or ():
            answer = next(answers, None)
            arguments = json.loads(asked["function"]["arguments"] or "{}")
            yield Call(asked["function"]["name"], arguments, None if answer is None else answer["content"])
