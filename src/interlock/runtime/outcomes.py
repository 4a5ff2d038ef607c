"""What comes out of a session: what became of a proposal, and of a run."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from msgspec import Struct

if TYPE_CHECKING:
    from interlock.runtime.questions import Question


class Turn(Struct, frozen=True):
    """One model turn, recorded for the journal.

    `request` holds the messages that are new since the turn before, not the whole prompt; `response` what the model
    answered (both: anything with a JSON form). `latency` is in seconds. A `key` makes recording it idempotent.
    """

    model: str
    request: Any = None
    response: Any = None
    input_tokens: int = 0
    output_tokens: int = 0
    latency: float = 0.0
    key: str = ""


class Done(Struct, frozen=True):
    """It was performed, once; `result` is what the action returned.

    `problem` says what is amiss where something is: a result that could not be recorded (it is None then), or a
    verification that did not find what should be there.
    """

    result: Any = None
    problem: str = ""


class Denied(Struct, frozen=True):
    """It was not performed: why, and what may be done instead."""

    reasons: tuple[str, ...]
    instead: tuple[str, ...] = ()
    stage: str = "judge"


@dataclass(frozen=True, slots=True, match_args=False)
class Waiting:
    """It waits: for the answers to `questions`, or until `until` (microseconds since the epoch) when a delay runs.

    Perform the same key again to find out. `case Waiting(question)` matches the first question.
    """

    questions: "tuple[Question, ...]" = ()
    until: int = 0

    __match_args__ = ("question",)

    @property
    def question(self) -> "Question":
        """The first of the questions.

        Raises:
            LookupError: it waits for a delay to pass, not for people.
        """
        if not self.questions:
            raise LookupError("nobody was asked: it waits for its delay to pass, see `until`")
        return self.questions[0]


class Failed(Struct, frozen=True):
    """It was tried and did not happen, and that is known."""

    error: str


class Unknown(Struct, frozen=True):
    """Something was sent, and nobody knows yet what became of it.

    It is looked for at `again_at` (microseconds since the epoch; 0: people were asked, see `questions`). It is never
    sent again blindly. Perform the same key again to find out.
    """

    reason: str
    again_at: int = 0
    questions: "tuple[Question, ...]" = ()


class Finished(Struct, frozen=True):
    """The run came to its end well; `output` is what it left."""

    output: Any = None


class Stopped(Struct, frozen=True):
    """The run failed, was cancelled or is parked (`status`), and why."""

    status: str
    reason: str = ""


Outcome = Done | Denied | Waiting | Failed | Unknown
