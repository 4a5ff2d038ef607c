"""Under what a pair of tasks is played, and what came of it."""

from dataclasses import dataclass
from pathlib import Path

import msgspec


@dataclass(frozen=True, slots=True)
class Setting:
    """Under what pairs are played: the suite, the guard and its parts, the attacker, and who answers questions.

    `policies` is a folder with declarations; without one the default is in force. Whether the user's task was solved is
    judged where `utility` is wanted: that is the slow part of the suites' own checks.
    """

    suite: str
    policies: Path | None
    parts: str = "both"
    attacker: str = "direct"
    reviewer: str = ""
    utility: bool = True


class Played(msgspec.Struct, kw_only=True):
    """One pair as it went. `asks` counts questions about the user's calls, `asks_attack` about the attacker's.

    `tried` is whether the attacker came to propose something, `denied` counts the user's calls that were denied.
    """

    user_task: str
    injection_task: str | None
    words: bool
    solved: bool
    hijacked: bool
    tried: bool
    asks: int
    asks_attack: int
    denied: int
    stopped: list[str]
