"""What is judged, and what comes out."""

from collections.abc import Mapping
from typing import Any, Literal

import msgspec


class Case(msgspec.Struct):
    """One proposal as the rules see it: validated arguments, gathered facts, who asks in which state, and when.

    An argument that was not given is not in `args`. A fact that could not be gathered is a `Failed` in
    `facts`. `at` is the moment of the judgement in microseconds since the epoch; `windows` holds what was counted, by
    the label of each window, `origins` by argument where its value came from (`trust`, `source`, `how`, `role`).
    """

    action: str
    args: Mapping[str, Any]
    facts: Mapping[str, Any] = {}
    user: Any = None
    agent: str = ""
    tenant: str = ""
    state: str = ""
    at: int | None = None
    windows: Mapping[str, Any] = {}
    origins: Mapping[str, Any] = {}


class Need(msgspec.Struct, frozen=True, omit_defaults=True):
    """What has to happen before a permitted action is performed; it never grants anything."""

    kind: Literal["confirmation", "approval", "delay"]
    level: str = ""
    seconds: float = 0.0

    def __str__(self) -> str:
        detail = f"{self.seconds:g} s" if self.kind == "delay" else self.level
        return f"{self.kind} {detail}".rstrip()


class Verdict(msgspec.Struct, frozen=True):
    """The answer of a policy: denied, or permitted with needs; with the rules and facts that it rests on.

    `rules` are the determining rules by their place in the policy (`r3` is the third). `read` holds every
    fact path that a rule looked at with its value, `ABSENT` where there was nothing; `counted` every window that it
    looked at, and `now` where it told the time. `shadowed` says what rules without effect would have done.
    `paradox` are the rules by which the action must be possible, though it is denied.
    """

    permitted: bool
    needs: tuple[Need, ...] = ()
    rules: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    instead: tuple[str, ...] = ()
    read: dict[str, Any] = {}
    counted: dict[str, Any] = {}
    shadowed: tuple[str, ...] = ()
    paradox: tuple[str, ...] = ()
