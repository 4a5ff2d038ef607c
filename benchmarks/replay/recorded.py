"""A recorded run of a real model, as the list of its turns and of the calls that it proposed."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile
from typing import Any, NamedTuple

Message = dict[str, Any]


class Answer(NamedTuple):
    """What a function answered: the text that a model is shown, or the error."""

    output: str
    error: str | None


@dataclass(frozen=True, slots=True)
class RecordedCall:
    """One call as the model proposed it, with what the environment answered at the time.

    `key` is made from the position in the run: not every model's API gave its calls an id.
    `answered` is false when the recording stopped (at its limit of iterations) before the call was executed.
    """

    key: str
    function: str
    args: dict[str, Any]
    output: str
    error: str | None
    answered: bool


@dataclass(frozen=True, slots=True)
class Turn:
    """One response of the model: its text and the calls that it asked for, possibly several at once."""

    content: str
    calls: tuple[RecordedCall, ...]


@dataclass(frozen=True, slots=True)
class RecordedRun:
    """One published run.

    `utility` says whether the user's task was solved; `attacked` whether a text in the environment had been
    planted; `hijacked` whether the model then reached the attacker's goal (always false in a benign run).
    """

    id: str
    model: str
    suite: str
    user_task: str
    injection_task: str | None
    injections: dict[str, str]
    system: str
    prompt: str
    turns: tuple[Turn, ...]
    utility: bool
    hijacked: bool

    @property
    def attacked(self) -> bool:
        """Whether a text was planted in this run's environment."""
        return self.injection_task is not None

    @property
    def calls(self) -> tuple[RecordedCall, ...]:
        """Every call of the run, in order."""
        return tuple(call for turn in self.turns for call in turn.calls)

    @property
    def executed(self) -> tuple[RecordedCall, ...]:
        """The calls that were executed, in order."""
        return tuple(call for call in self.calls if call.answered)

    @property
    def final_text(self) -> str:
        """What the model said last, which some tasks are judged by."""
        return self.turns[-1].content if self.turns else ""


def parse(content: dict[str, Any]) -> RecordedRun:
    """Read one run as it was published."""
    messages: list[Message] = content["messages"]
    injection_task: str | None = content["injection_task_id"]
    model, suite, user_task = content["pipeline_name"], content["suite_name"], content["user_task_id"]
    name = f"{model}/{suite}/{user_task}/{injection_task or 'none'}"
    return RecordedRun(
        id=name,
        model=model,
        suite=suite,
        user_task=user_task,
        injection_task=injection_task,
        injections=content["injections"],
        system=_text(messages, "system"),
        prompt=_text(messages, "user"),
        turns=tuple(_turns(name, messages)),
        utility=content["utility"],
        hijacked=injection_task is not None and content["security"],
    )


def _text(messages: list[Message], role: str) -> str:
    return next((message["content"] for message in messages if message["role"] == role), "")


def _turns(name: str, messages: list[Message]) -> Iterator[Turn]:
    """Pair each response with the tool results that follow it, which stand in the order of its calls."""
    number = 0
    for position, message in enumerate(messages):
        if message["role"] != "assistant":
            continue
        results = list(takewhile(lambda later: later["role"] == "tool", messages[position + 1 :]))
        calls: list[Message] = message["tool_calls"] or []
        yield Turn(
            content=message["content"] or "",
            calls=tuple(
                _call(f"{name}#{number}.{index}", call, results[index] if index < len(results) else None)
                for index, call in enumerate(calls)
            ),
        )
        number += 1


def _call(key: str, call: Message, result: Message | None) -> RecordedCall:
    return RecordedCall(
        key=key,
        function=call["function"],
        args=call["args"],
        output=result["content"] if result else "",
        error=result["error"] if result else None,
        answered=result is not None,
    )
