"""What went wrong in one line, and the exit code that goes with it; never a traceback for what a user can cause."""

from interlock.errors import (
    DeclarationError,
    DriverConflictError,
    InterlockError,
    UnknownEffectError,
    UnknownQuestionError,
    UnknownRunError,
)

WELL, NO, WRONG_USAGE, INTERRUPTED = 0, 1, 2, 130
"""All is well · the answer is no: failed, denied, differs, not intact · wrongly called · ended by ^C."""


class UsageError(InterlockError):
    """What was asked for can't be: there is no such run, file, agent or project; the message says what there is."""


class AnswerError(InterlockError):
    """What was asked for was tried, and the answer is no; the message says why."""


def told(error: BaseException) -> tuple[str, int]:
    """Return what to tell a person of an error that a user can cause, and the exit code."""
    if isinstance(error, DriverConflictError):
        what = str(error).partition(";")[0]
        return f"{what}; stop it first, or go through it: approve, deny, answer, unpark and undo work beside it", NO
    unknown = (UnknownRunError, UnknownEffectError, UnknownQuestionError)
    wrong = isinstance(error, (UsageError, *unknown, DeclarationError))
    return str(error), WRONG_USAGE if wrong else NO
