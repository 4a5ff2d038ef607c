"""The command group: help in sections, and every error as one line with its exit code."""

import io
import sys
from typing import Any, NoReturn

import typer
from typer.core import TyperGroup

from interlock.cli.errors import INTERRUPTED, NO, WELL, WRONG_USAGE, told
from interlock.errors import InterlockError

SECTIONS = {
    "Begin": ("init", "test", "run", "chat", "proxy"),
    "Look": ("runs", "show", "tail"),
    "Decide": ("inbox", "approve", "deny", "answer", "unpark", "undo"),
    "Check": ("policy", "labels", "verify", "replay"),
}


class Commands(TyperGroup):
    """All commands of `interlock`."""

    def main(self, *args: Any, **extra: Any) -> NoReturn:
        """Run one command and exit: what it returns is the exit code."""
        extra["standalone_mode"] = False
        _write_anything()
        try:
            code = super().main(*args, **extra)
        except InterlockError as error:
            message, code = told(error)
            _complain("interlock", message)
        except typer.Abort:
            code = INTERRUPTED
        except BrokenPipeError:
            code = _pipe_closed()
        except Exception as error:
            if not hasattr(error, "format_message"):
                raise  # a fault of ours
            code = _wrong_usage(error)
        sys.exit(code or WELL)

    def invoke(self, ctx: Any) -> Any:
        """Run the command; ^C ends it quietly."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            return INTERRUPTED

    def get_help_option(self, ctx: Any) -> Any:
        """Return `--help`, which is False where it isn't given: typer imports pydantic to make a truth of None."""
        option = super().get_help_option(ctx)
        if option is not None:
            option.default = False
        return option

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the commands in the order in which they are needed."""
        return [name for names in SECTIONS.values() for name in names]

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the commands in sections."""
        for title, names in SECTIONS.items():
            commands = [(name, self.get_command(ctx, name)) for name in names]
            width = formatter.width - 12
            rows = [(name.ljust(7), one.get_short_help_str(width)) for name, one in commands if one is not None]
            if rows:
                with formatter.section(title):
                    formatter.write_dl(rows)


def _write_anything() -> None:
    """Have what the terminal's encoding can't say written out, instead of failing on it."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _wrong_usage(error: Any) -> int:
    """Say what typer found wrong with the arguments."""
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "interlock"
    message = " ".join(error.format_message().split()).replace("Value error, ", "")
    _complain(path, f"{message.rstrip('.')} (see `{path} --help`)")
    return int(getattr(error, "exit_code", WRONG_USAGE))


def _complain(path: str, message: str) -> None:
    from interlock.cli.text import visible  # noqa: PLC0415 - only who fails pays for it

    sys.stderr.write(f"{path}: {visible(message, lines=True)}\n")


def _pipe_closed() -> int:
    """Whoever read the output has gone (`| head`): there is nobody left to tell."""
    sys.stdout = None
    return NO
