"""The part of every prompt that stays the same: instructions, few-shot examples, actions."""

from msgspec import Struct

from interlock.canonical import canonical
from interlock.models import Definition, Example

EXAMPLES = (
    "Examples of how to answer. They are invented: their names, numbers and references belong to nobody, and none of "
    "them may appear in what you propose or say."
)


class Head(Struct, frozen=True):
    """What a model is told at every turn of a run; the journal stores it by its content.

    Examples stand in a field of their own, so that the journal tells them from everything else.
    """

    instructions: str
    examples: tuple[Example, ...]
    actions: tuple[Definition, ...]
    must_propose: bool = False

    def text(self) -> str:
        """Return the instructions with the examples behind them, labelled as such."""
        if not self.examples:
            return self.instructions
        shown = "\n\n".join(_written(number, one) for number, one in enumerate(self.examples, 1))
        return f"{self.instructions}\n\n{EXAMPLES}\n\n{shown}".lstrip()

    def data(self) -> bytes:
        """Return it as canonical JSON."""
        return canonical(self)


def _written(number: int, example: Example) -> str:
    lines = [f"<example {number}>", f"User: {example.user}"]
    lines += [f"You propose: {one.action} {canonical(one.args).decode()}" for one in example.proposals]
    if example.answer:
        lines.append(f"You answer: {example.answer}")
    return "\n".join([*lines, "</example>"])
