"""One change of one path; each is atomic, and touches nothing that is not as it was known."""

import os
from pathlib import Path
from typing import NamedTuple

from interlock.actions.way import ConflictError
from interlock.undo.files.beneath import Root
from interlock.undo.files.states import State, of_directory, unmoved


class Step(NamedTuple):
    """Bring a path from one state to another.

    The content of a file comes from `staged`, a file made outside the root, or from `source`, the path below the root
    that it moves away from; with neither, only its mode changes.
    """

    path: str
    now: State
    to: State
    staged: Path | None = None
    source: str = ""


def apply(root: Root, step: Step) -> State:
    """Carry out a step; return what stands there then.

    Raises:
        ConflictError: the path is not as it was known, or somebody was faster; it was not changed.
        OSError: the file system refused.
    """
    with root.parent(step.path) as (above, name):
        if not unmoved(above, name, step.now):
            raise ConflictError(f"{step.path!r} was changed by somebody at this very moment")
        match step.to.kind, step.now.kind:
            case "absent", "dir":
                os.rmdir(name, dir_fd=above)
            case "absent", _:
                os.unlink(name, dir_fd=above)
            case "dir", "absent":
                os.mkdir(name, 0o700, dir_fd=above)
                return _dressed(root, step)
            case "dir", _:
                return _dressed(root, step)
            case _ if step.staged is not None:
                _put(step.staged, step.now, above, name)
            case _ if step.source:
                _link(root, step, above, name)
            case _:
                return _dressed(root, step)
    return step.to


def _put(staged: Path, now: State, above: int, name: str) -> None:
    if now.kind == "absent":
        # Unlike a rename, a link never replaces what somebody put there in between.
        os.link(staged, name, dst_dir_fd=above, follow_symlinks=False)
        staged.unlink()
    else:
        os.rename(staged, name, dst_dir_fd=above)


def _link(root: Root, step: Step, above: int, name: str) -> None:
    with root.parent(step.source) as (source, old):
        os.link(old, name, src_dir_fd=source, dst_dir_fd=above, follow_symlinks=False)
    if not unmoved(above, name, step.to):
        raise ConflictError(f"{step.source!r} was changed by somebody while it was moved")


def _dressed(root: Root, step: Step) -> State:
    """Give a file or directory its owner and mode in place."""
    with root.opened(step.path) as (opened, status):
        if (status.st_uid, status.st_gid) != (step.to.uid, step.to.gid):
            os.fchown(opened, step.to.uid, step.to.gid)
        os.fchmod(opened, step.to.mode)
        return of_directory(os.fstat(opened)) if step.to.kind == "dir" else step.to
