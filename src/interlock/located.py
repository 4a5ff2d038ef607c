"""Where in a user's own files an error arose, in one line."""

from pathlib import Path
from types import TracebackType

from interlock.errors import InterlockError


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
