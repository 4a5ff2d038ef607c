"""Where the actions find their conversation: one runtime plays many, each with a world of its own."""

from dataclasses import dataclass, field

from benchmarks.tau.world import World
from interlock import Ctx


@dataclass(slots=True)
class Conversation:
    """The world of one conversation and what was said in it so far: pairs of role and text, oldest first."""

    world: World
    said: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])

    def of(self, role: str) -> str:
        """Return everything that one side said, as one text."""
        return "\n".join(text for who, text in self.said if who == role)


Desk = dict[str, Conversation]
"""The conversations by the id of their run."""


def here(ctx: Ctx[Desk]) -> Conversation:
    """Return the conversation that a call belongs to."""
    return ctx.deps[ctx.run]
