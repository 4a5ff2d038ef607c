"""Files: one is written, one moved and one deleted below a folder; Interlock keeps what was there."""

import hashlib
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.undo.services.dumps import State
from interlock import Ctx, action
from interlock.undo import Files

if TYPE_CHECKING:
    from benchmarks.undo.services.world import World

BORN = 1_767_225_600
"""When the files of the beginning were modified last: the beginning of 2026."""

BEGINNING = {"notes/plan.txt": "the plan\n", "notes/old.txt": "old\n", "drafts/a.txt": "draft\n", "else.txt": "else\n"}


class Workspace:
    """A folder of files."""

    name = "files"

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def seed(self) -> None:
        """Begin with four files, one of which only its owner reads."""
        for path in self._folder.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        for name, text in BEGINNING.items():
            path = self._folder / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
            path.chmod(0o600 if "old" in name else 0o644)
            os.utime(path, (BORN, BORN))

    def state(self) -> State:
        """Return all files and folders: permissions, and of a file when it was modified and the hash of its content."""
        paths = sorted(self._folder.rglob("*"))
        return {str(path.relative_to(self._folder)): _entry(path) for path in paths}

    def edit_another(self) -> None:
        """Write a file that the agent does not touch, and a new one beside one that it does."""
        (self._folder / "else.txt").write_text("something else\n")
        (self._folder / "notes" / "eve.txt").write_text("eve was here\n")

    def edit_ours(self) -> None:
        """Write the file that the agent has written."""
        (self._folder / "notes" / "plan.txt").write_text("the plan as eve has it\n")


def _entry(path: Path) -> dict[str, str]:
    status = path.lstat()
    entry = {"mode": oct(status.st_mode), "owner": f"{status.st_uid}:{status.st_gid}"}
    if path.is_dir():
        return entry
    # As text: a number of nanoseconds is too large for JSON's numbers in other languages.
    return {**entry, "modified": str(status.st_mtime_ns), "content": hashlib.sha256(path.read_bytes()).hexdigest()}


def _root(deps: "World") -> Path:
    return deps.addresses.workspace


files = Files(_root, name="workspace")


@action.reversible(way=files)
def write_file(ctx: Ctx["World"], path: str, text: str) -> None:
    """Write a text file."""
    files.files(ctx).write_text(path, text)


@action.reversible(way=files)
def move_file(ctx: Ctx["World"], path: str, to: str) -> None:
    """Move a file."""
    files.files(ctx).move(path, to)


@action.reversible(way=files)
def delete_file(ctx: Ctx["World"], path: str) -> None:
    """Delete a file."""
    files.files(ctx).delete(path)
