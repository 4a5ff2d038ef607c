"""Models: what an agent thinks with, behind one small protocol.

Open `messages.py` first (what goes in and comes out), then `model.py` (the protocol). `ScriptedModel` and
`RecordedModel` need nothing; the providers' classes come with the extra `models` and are imported when one is used.
"""

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
from interlock.models.model import Model, ModelError, opened
from interlock.models.played import RecordedModel, ScriptedModel

__all__ = [
    "Definition",
    "Example",
    "Exchange",
    "Message",
    "Model",
    "ModelError",
    "ModelSaid",
    "Note",
    "Proposal",
    "RecordedModel",
    "Request",
    "Response",
    "Result",
    "ScriptedModel",
    "UserSaid",
    "opened",
]
