"""The planner of grants: what tells, from a user's words alone, which of an agent's effects they call for."""

from collections.abc import Iterable, Sequence
from typing import Protocol

from msgspec import Struct


class Offered(Struct, frozen=True):
    """One of the agent's effects as a planner is told of it: its name, and the first line of its documentation.

    `doc` is empty where the action is a foreign tool, because what that says of itself is somebody else's word.
    """

    name: str
    doc: str = ""


class Plan(Struct, frozen=True):
    """What a planner may return in place of names, where it has more to say for the journal.

    `model` is who was asked, `error` why there is no plan (then nothing is granted), `cost` US dollars as a decimal
    (empty: no price is known).
    """

    grants: tuple[str, ...] = ()
    model: str = ""
    error: str = ""
    input_tokens: int = 0
    output_tokens: int = 0
    cost: str = ""


class Planner(Protocol):
    """Something that understands what users ask for beyond the names of actions and declared phrases.

    It sees no result of any action, so nothing that a run has read can have it grant anything. One that raises, or has
    not answered in time, grants nothing.
    """

    async def plan(self, words: str, actions: Sequence[Offered]) -> Iterable[str] | Plan:
        """Return the names of the effects that the user's words call for; names that are not offered are dropped.

        Args:
            words: All that the user said by now, one text a line.
            actions: The agent's effects.
        """
        ...
