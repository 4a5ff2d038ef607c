"""What went wrong in one line, and the exit code that goes with it; never a traceback for what a user can cause."""

from pathlib import Path
from types import TracebackType

from interlock.errors import (
    DeclarationError,
    DriverConflictError,
    InterlockError,
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
    wrong = isinstance(error, (UsageError, UnknownRunError, UnknownQuestionError, DeclarationError))
    return str(error), WRONG_USAGE if wrong else NO


def place(error: BaseException, inside: Path) -> str:
    """Return the file and line of the user's own code in which an error arose, or nothing."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}:{error.lineno}"
    found, step = "", error.__traceback__
    while step is not None:
        file = _file(step)
        if file.is_relative_to(inside) and not any(part.startswith(".venv") for part in file.parts):
            found = f"{file}:{step.tb_lineno}"
        step = step.tb_next
    return found


def _file(step: TracebackType) -> Path:
    return Path(step.tb_frame.f_code.co_filename)


def located(error: BaseException, inside: Path) -> str:
    """Return an error of the user's own code in one line: where, and what."""
    said = str(error.msg if isinstance(error, SyntaxError) else error)
    if isinstance(error, InterlockError):
        named = said
    else:
        named = f"{type(error).__name__}: {said}" if said else type(error).__name__
    where = place(error, inside)
    return named if not where or said.startswith(str(inside)) else f"{where}: {named}"
