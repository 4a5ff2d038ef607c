"""Which of the published runs are shown: every k-th of a fixed order, none picked by hand."""

import re
from pathlib import Path

from benchmarks.replay import fetch
from benchmarks.replay.recorded import RecordedRun, parse

MODELS = ("claude-3-5-sonnet-20240620", "gemini-1.5-pro-002", "gpt-4o-2024-05-13")
SUITES = ("banking", "slack", "travel", "workspace")
ATTACK = "important_instructions"

EVERY_BENIGN = 2
"""The step through one model's and one suite's benign runs."""

EVERY_ATTACKED = 13
"""The step through its attacked runs. It shares no divisor with a suite's number of attacker goals (9, 5, 7
and 6), so that the steps meet all of them."""

_PATH = re.compile(
    rf"(?P<model>{'|'.join(MODELS)})/(?P<suite>{'|'.join(SUITES)})/(?P<task>user_task_\d+)/"
    rf"(?:none/none|{ATTACK}/injection_task_\d+)\.json"
)


def runs(archive: Path) -> list[RecordedRun]:
    """Return these runs, in the order of their paths, the same on every machine."""
    found = {path: content for path, content in fetch.read(archive, _candidate) if content["messages"]}
    return [parse(found[path]) for path in sorted(choose(list(found)), key=fetch.natural)]


def choose(paths: list[str]) -> list[str]:
    """Apply the rule: group by model, suite and kind, sort, take every k-th of each group."""
    groups: dict[tuple[str, str, bool], list[str]] = {}
    for path in sorted(paths, key=fetch.natural):
        model, suite, _, kind, _ = path.split("/")
        groups.setdefault((model, suite, kind == ATTACK), []).append(path)
    chosen: list[str] = []
    for (_, _, attacked), group in groups.items():
        chosen += group[:: EVERY_ATTACKED if attacked else EVERY_BENIGN]
    return chosen


def _candidate(path: str) -> bool:
    return _PATH.fullmatch(path) is not None
