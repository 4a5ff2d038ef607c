"""The scripted model: what a conversation is, and how its script is played. Nothing here is intelligent.

The model is a function of its request: the customer's last words say which conversation it is in, and how often it
has spoken since says where in it. So a process that is started again goes on where the last one was killed.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from demo import seed
from interlock.models import ModelSaid, Proposal, Request, ScriptedModel, UserSaid

Step = str | Proposal | Sequence[Proposal] | Callable[[Request], Proposal]
"""Words, a proposal, several at once, or a proposal made of what the model was told."""

PAUSE = 0.2
"""How long the scripted model takes to begin an answer, in seconds."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A sort of conversation: a word for ids and what it shows.

    `let_through` says what of it the desk's rules do not stop; {} stands for how often that was so.
    """

    name: str
    title: str
    let_through: str = ""


@dataclass(frozen=True, slots=True)
class Conversation:
    """One dialogue: the customer's messages, the model's steps after each, and how people answer.

    `reply` is what the customer answers when the desk asks, `confirms` whether they confirm what it asks them to
    confirm, and `objection` why an approver says no; empty where they say yes.
    """

    id: str
    kind: Kind
    customer: int
    says: tuple[str, ...]
    steps: tuple[tuple[Step, ...], ...]
    reply: str = ""
    confirms: bool = True
    objection: str = ""

    @property
    def user(self) -> dict[str, str]:
        """The customer, as a front end that has signed them in would say it."""
        identifier, name, email = seed.customer(self.customer)
        return {"id": identifier, "name": name, "email": email}


def model(conversations: Iterable[Conversation]) -> ScriptedModel:
    """Return the model that plays the scripts of these conversations."""
    steps = {words: then for one in conversations for words, then in zip(one.says, one.steps, strict=True)}
    return ScriptedModel(lambda request: _next(steps, request), pause=PAUSE)


def _next(steps: dict[str, tuple[Step, ...]], request: Request) -> str | Proposal | Sequence[Proposal]:
    spoken = 0
    for message in reversed(request.messages):
        if isinstance(message, UserSaid):
            step = steps[message.text][spoken]
            return step(request) if callable(step) else step
        spoken += isinstance(message, ModelSaid)
    raise LookupError("nobody has said anything to the scripted model")
