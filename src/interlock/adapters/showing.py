"""What the model of another framework is shown of a call: cleaned where the governor's agent has labels."""

from typing import Any, NamedTuple

import msgspec

from interlock.adapters.telling import told
from interlock.provenance import cleaning
from interlock.runtime.outcomes import Done, Failed, Outcome


class Showing(NamedTuple):
    """Shows a model what came of one call; the journal keeps it as it came.

    Where values are traced, texts are shown as our own loop shows them (see `provenance.cleaning`): marked as data from
    elsewhere, without what only machines see. Without labels everything is shown as it is.

    Attributes:
        is_traced: Whether the agent has labels.
        call: The key of the call: it decides the mark.
    """

    is_traced: bool
    call: str

    def text(self, text: str) -> str:
        """Return a text as the model may see it."""
        if not self.is_traced:
            return text
        whole = text.encode(errors="replace").decode()  # Half of a surrogate pair is nothing that a model can see.
        return cleaning.shown(msgspec.json.encode(whole), self.call)

    def data(self, value: Any) -> Any:
        """Return plain data as the model may see it: what has texts in it becomes one text."""
        if isinstance(value, str):
            return self.text(value)
        if not self.is_traced or not isinstance(value, (dict, list)):
            return value
        return cleaning.shown(msgspec.json.encode(value), self.call)

    def told(self, outcome: Outcome) -> str:
        """Return what the model is told about an outcome; a result or an error in it as the model may see that."""
        match outcome:
            case Done(result, problem):
                return told(Done(self.data(result), problem))
            case Failed(error):
                return told(Failed(self.text(error)))
            case _:
                return told(outcome)
