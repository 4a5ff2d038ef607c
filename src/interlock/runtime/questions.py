"""Questions to people: read from the journal, answered through the run's inbox; they outlive every process."""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from interlock.errors import UnknownQuestionError
from interlock.kernel import events as ev


class Decision(msgspec.Struct, frozen=True, omit_defaults=True):
    """A person's answer on its way to the run."""

    question: int
    decision: str
    by: str
    note: str = ""
    result: msgspec.Raw = ev.NOTHING
    message: str = ""


_ANSWERS = {
    "approval": "approve() or deny()",
    "confirmation": "approve() or deny()",
    "unknown": "happened() or never()",
    "question": "answer()",
    "undo": "again(), leave() or stop()",
}
"""What answers each kind of question."""


class Question:
    """One question that waits for a person.

    Attributes:
        id: The run's id, a colon, and the place in the run's journal where it was asked.
        kind: approval (may this be done?), confirmation (the user: is this what you want?), unknown (did it happen?),
            question (the agent asks its user something) or undo (an effect can't be taken back as things are).
        level: Whose approval is needed, for example "finance".
        says: What is asked, in words.
        action: The action's name.
        args: Its arguments, as they will be (or were) performed.
        reasons: The rules' words for why a person is asked.
        digest: What an approval is bound to: the digest of exactly this action and these arguments.
        expires: Until when an answer counts, in microseconds since the epoch; 0 for ever.
        asked_at: When it was asked, in microseconds since the epoch.
    """

    def __init__(
        self, run: str, seq: int, at: int, asked: ev.Asked, answer: Callable[[str, Decision], Awaitable[None]]
    ) -> None:
        self.id = f"{run}:{seq}"
        self.run = run
        self.kind = asked.kind
        self.level = asked.level
        self.says = asked.says
        self.action = asked.action
        self.args: Any = msgspec.json.decode(bytes(asked.args))
        self.reasons = asked.reasons
        self.digest = asked.digest
        self.expires = asked.expires
        self.asked_at = at
        self._seq = seq
        self._answer = answer

    async def approve(self, by: str, note: str = "") -> None:
        """Say yes: to exactly this action, once. Returns when the answer is durable; the run goes on by itself.

        Raises:
            UnknownQuestionError: this question takes another answer, which the message names.
        """
        self._only("approval", "confirmation")
        await self._answer(self.run, Decision(self._seq, "approve", by, note))

    async def deny(self, by: str, note: str = "") -> None:
        """Say no; the *note* is told to the model.

        Raises:
            UnknownQuestionError: this question takes another answer, which the message names.
        """
        self._only("approval", "confirmation")
        await self._answer(self.run, Decision(self._seq, "deny", by, note))

    async def happened(self, by: str, result: Any = None, note: str = "") -> None:
        """Say that the effect in question did happen, and with what result.

        Raises:
            UnknownQuestionError: this question takes another answer, which the message names.
        """
        self._only("unknown")
        raw = msgspec.Raw(msgspec.json.encode(result))
        await self._answer(self.run, Decision(self._seq, "happened", by, note, raw))

    async def never(self, by: str, note: str = "") -> None:
        """Say that the effect in question did not happen and will not; it may then be judged and performed afresh.

        Raises:
            UnknownQuestionError: this question takes another answer, which the message names.
        """
        self._only("unknown")
        await self._answer(self.run, Decision(self._seq, "never", by, note))

    async def again(self, by: str, note: str = "") -> None:
        """Have the undo try again: what stood in its way is gone.

        Raises:
            UnknownQuestionError: this question takes another answer, which the message names.
        """
        await self._of_undo("again", by, note)

    async def leave(self, by: str, note: str = "") -> None:
        """Have the undo leave this effect as it is, and go on with the rest.

        Raises:
            UnknownQuestionError: this question takes another answer, which the message names.
        """
        await self._of_undo("leave", by, note)

    async def stop(self, by: str, note: str = "") -> None:
        """Have the undo end here: this effect and all that came before it stay as they are.

        Raises:
            UnknownQuestionError: this question takes another answer, which the message names.
        """
        await self._of_undo("stop", by, note)

    async def _of_undo(self, decision: str, by: str, note: str) -> None:
        self._only("undo")
        await self._answer(self.run, Decision(self._seq, decision, by, note))

    async def answer(self, text: str, by: str, *, message: str = "") -> None:
        """Answer a question that the agent asks its user.

        *message* is the id of the user's message, if it has one.

        Raises:
            UnknownQuestionError: this question asks for a decision, not for words.
        """
        self._only("question")
        raw = msgspec.Raw(msgspec.json.encode(text))
        await self._answer(self.run, Decision(self._seq, "answer", by, result=raw, message=message))

    def _only(self, *kinds: str) -> None:
        if self.kind not in kinds:
            instead = _ANSWERS.get(self.kind, "what a newer version has for it")
            raise UnknownQuestionError(f"question {self.id} is of kind {self.kind!r}; answer it with {instead}")

    def __repr__(self) -> str:
        level = f" {self.level}" if self.level else ""
        return f"<Question {self.id} {self.kind}{level}: {self.says[:60]}>"


def parse(question_id: str) -> tuple[str, int]:
    """Return the run and seq that a question's id names.

    Raises:
        UnknownQuestionError: it is not the id of a question.
    """
    run, _, seq = question_id.rpartition(":")
    if not run or not seq.isdigit():
        raise UnknownQuestionError(f"{question_id!r} is not the id of a question; ids look like RUN:SEQ")
    return run, int(seq)
