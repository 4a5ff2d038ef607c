"""Models: what an agent thinks with, behind one small protocol.

Open `messages.py` first (what goes in and comes out), then `model.py` (the protocol). `ScriptedModel` and
`RecordedModel` need nothing; the providers' classes come with the extra `models` and are imported when one is used.
"""

from typing import TYPE_CHECKING, Any

from interlock.models.messages import (
    Definition,
    Example,
    Exchange,
    Message,
    ModelSaid,
    Note,
    Proposal,
    Request,
    Response,
    Result,
    UserSaid,
)
from interlock.models.model import Closing, Model, ModelError, opened
from interlock.models.played import RecordedModel, ScriptedModel

if TYPE_CHECKING:
    from interlock.models.provided import ProvidedModel

__all__ = [
    "Closing",
    "Definition",
    "Example",
    "Exchange",
    "Message",
    "Model",
    "ModelError",
    "ModelSaid",
    "Note",
    "Proposal",
    "ProvidedModel",
    "RecordedModel",
    "Request",
    "Response",
    "Result",
    "ScriptedModel",
    "UserSaid",
    "opened",
]


def __getattr__(name: str) -> Any:
    """Import the providers' classes when they are asked for: they take a second, and come with an extra."""
    if name != "ProvidedModel":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from interlock.models.provided import ProvidedModel  # noqa: PLC0415 - see above

    return ProvidedModel
