"""`interlock init`: a small project that runs, is tested and can be read in five minutes."""

import shlex
from importlib.resources import files
from pathlib import Path

from interlock.cli import text
from interlock.cli.errors import WELL, AnswerError, UsageError
from interlock.cli.screen import Screen

FILES = ("agent.py", "test_agent.py", "interlock.toml", ".gitignore")

FIRST_STEPS = (
    ("interlock test", "its tests, in memory: a policy, an undo, a crash at every step"),
    ("interlock run desk 'refund AB12 40'", "the agent looks the booking up and pays back"),
    ("interlock run desk 'refund CD34 400'", "waits for finance; see `interlock inbox`"),
    ("interlock runs", "what has run; then `interlock show RUN` and `interlock undo RUN`"),
    ("interlock chat desk", "talk with it"),
)


def make_project(folder: Path, *, json: bool) -> int:
    """Write the project's files into *folder*, none of which may exist."""
    there = [name for name in FILES if (folder / name).exists()]
    if there:
        raise UsageError(f"{folder.resolve()} has {', '.join(there)} already; nothing was written, name another folder")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in FILES:
            (folder / name).write_text(_template(name), "utf-8")
    except OSError as error:
        raise AnswerError(f"{folder}: {error.strerror}") from error
    screen = Screen()
    if json:
        screen.json({"folder": str(folder.resolve()), "files": FILES})
        return WELL
    screen.line(f"a project in {text.visible(str(folder.resolve()))}: {', '.join(FILES)}")
    screen.line()
    steps = FIRST_STEPS if folder == Path() else ((f"cd {shlex.quote(str(folder))}", ""), *FIRST_STEPS)
    screen.table(("NEXT", "WHAT IT DOES"), steps)
    return WELL


def _template(name: str) -> str:
    return files("interlock.cli").joinpath("template", f"{name.lstrip('.')}.tmpl").read_text("utf-8")
