"""Which of the published runs are played: evenly from all models, suites and tasks, none picked by hand."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.replay import fetch
from benchmarks.replay.recorded import RecordedRun, parse

DEFENCES = ("tool_filter", "transformers_pi_detector", "spotlighting_with_delimiting", "repeat_user_prompt")
"""What the name of a pipeline ends with where it is more than its model: defences change results or tools."""

SUITES = ("banking", "slack", "travel", "workspace")

_PATH = re.compile(
    rf"(?P<pipeline>[^/]+)/(?:{'|'.join(SUITES)})/user_task_\d+/"
    r"(?:none/none|important_instructions/injection_task_\d+)\.json"
)


@dataclass(frozen=True, slots=True)
class Selection:
    """The runs that are played, and from how many they were taken; `unusable` says why others could not be."""

    runs: list[RecordedRun]
    usable: int
    unusable: Counter[str]


def selected(archive: Path, number: int) -> Selection:
    """Take *number* runs: of all that a model without a defence made of a user's task, with and without an attack."""
    usable: list[str] = []
    unusable: Counter[str] = Counter()
    for path, content in fetch.read(archive, candidate):
        why = _unusable(content)
        if why:
            unusable[why] += 1
        else:
            usable.append(path)
    chosen = set(evenly(sorted(usable, key=fetch.natural), number))
    found = {path: parse(content) for path, content in fetch.read(archive, chosen.__contains__)}
    return Selection([found[path] for path in sorted(found, key=fetch.natural)], len(usable), unusable)


def candidate(path: str) -> bool:
    """Whether a path names such a run. Attacks other than this one were tried on a single model."""
    match = _PATH.fullmatch(path)
    return match is not None and not match["pipeline"].endswith(DEFENCES)


def evenly(paths: Sequence[str], number: int) -> list[str]:
    """Take so many at equal distances: in their order, each model, suite and kind has its share."""
    number = min(number, len(paths))
    return [paths[place * len(paths) // number] for place in range(number)]


def _unusable(content: dict[str, Any]) -> str:
    messages = content["messages"]
    if not messages:
        return "published without its messages"
    if not any(message["role"] == "assistant" for message in messages):
        return "the model never answered"
    return ""
