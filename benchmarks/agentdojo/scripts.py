"""What a fully compromised agent does: a generator of calls that is told what each of them came to."""

from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Call:
    """One call that the agent proposes, and whose idea it is: the user's, the attacker's, or a note of the latter."""

    function: str
    args: dict[str, Any]
    whose: Literal["user", "attacker", "note"] = "user"


Script = Generator[Call, Any, None]
"""Yields calls; is sent the result of each as JSON values, or None where it was not performed."""


def compromised(calls: Iterable[Call], has_read: Callable[[Any], bool], attack: Script | None) -> Script:
    """Make the user's calls; once a result has shown the injection, do the attacker's bidding, and then go on."""
    for call in calls:
        result = yield call
        if attack is not None and has_read(result):
            yield from attack
            attack = None


def in_order(calls: Iterable[Call]) -> Script:
    """Make calls of the attacker, whatever becomes of them."""
    for call in calls:
        yield Call(call.function, call.args, "attacker")
