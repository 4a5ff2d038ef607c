"""Outcomes in words, for a model that proposed something and for the log of its framework."""

from collections.abc import Sequence
from datetime import UTC, datetime

from interlock.context.transcript import denial
from interlock.runtime.outcomes import Denied, Done, Failed, Outcome, Unknown, Waiting
from interlock.runtime.questions import Question


def told(outcome: Outcome) -> str:
    """Return what a model is told about an outcome: what happened, why, and what it may do now."""
    match outcome:
        case Done(result, problem):
            return f"{result}\n(but: {problem})" if problem else str(result)
        case Denied(reasons, instead, stage):
            return denial(reasons, instead, stage)
        case Failed(error):
            return f"It failed: {error}"
        case Unknown(reason, _, questions):
            who = f" A person is asked ({_ids(questions)})." if questions else ""
            return f"{reason}.{who} Do not propose it again."
        case Waiting():
            return _waiting(outcome)


def _waiting(waiting: Waiting) -> str:
    if not waiting.questions:
        when = datetime.fromtimestamp(waiting.until / 1_000_000, UTC).isoformat(" ", "seconds")
        return f"Nothing has been done yet: it has to wait until {when}. Go on without it."
    whom = " and ".join(_whom(one) for one in waiting.questions)
    return f"Nothing has been done yet: it waits for {whom}. Go on without it, and do not propose it in another form."


def _whom(question: Question) -> str:
    who = {"approval": f"the approval of {question.level or 'a person'}", "confirmation": "the user's confirmation"}
    return f"{who.get(question.kind, 'an answer')} (question {question.id})"


def _ids(questions: Sequence[Question]) -> str:
    return ", ".join(f"question {one.id}" for one in questions)
