"""Files: random histories of effects, deaths, edits by others and undos, each compared with the tree as it was."""

import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from files_world import DiedError, ctx, dying, perform, tree
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from interlock.actions.way import ConflictError, LostError, RolledBackError
from interlock.undo.files import Files, Handle, PathRefusedError

PATHS = st.sampled_from(["a", "b", "d", "d/a", "d/b", "d/e", "d/e/a", "f", "f/a"])
TEXTS = st.sampled_from(["", "one", "two", "three" * 400])
MODES = st.sampled_from([0o600, 0o644, 0o700, 0o755, 0o750])
STEPS = st.one_of(
    st.tuples(st.sampled_from(["write_text", "append"]), PATHS, TEXTS),
    st.tuples(st.sampled_from(["delete", "rmdir", "rmtree", "mkdir", "read_text", "list"]), PATHS),
    st.tuples(st.sampled_from(["move", "copy"]), PATHS, PATHS),
    st.tuples(st.just("chmod"), PATHS, MODES),
)
EDITS = st.sampled_from(["write", "remove", "mkdir", "chmod", "link"])
DEATHS = st.one_of(st.just(10**9), st.integers(1, 120))
Tree = dict[str, tuple[Any, ...]]


def _do(files: Handle, steps: list[tuple[Any, ...]]) -> None:
    """Carry steps out; what is refused is refused, and the function goes on."""
    for name, *args in steps:
        with suppress(OSError, PathRefusedError, UnicodeDecodeError):
            getattr(files, name)(*args)


class Histories(RuleBasedStateMachine):
    """A folder in the hands of agents and others."""

    def __init__(self) -> None:
        super().__init__()
        self.home = Path(tempfile.mkdtemp())
        self.root = self.home / "desk"
        self.root.mkdir()
        self.done: dict[str, tuple[tuple[str, ...], Tree, Tree]] = {}
        self.number = 0
        self.fsync, os.fsync = os.fsync, lambda _: None

    def teardown(self) -> None:
        os.fsync = self.fsync
        shutil.rmtree(self.home)

    @rule(steps=st.lists(STEPS, min_size=1, max_size=8), death=DEATHS, again=DEATHS)
    def effect(self, steps, death, again):
        """An effect is there with its result, or nothing happened, wherever its process and the next one die."""
        self.number += 1
        key, before = f"k{self.number}", tree(self.root)
        with suppress(DiedError), dying(death):
            perform(Files(self.root), key, lambda files: _do(files, steps))
        with suppress(DiedError), dying(again):
            Files(self.root).look(ctx(), key)
        found = Files(self.root).look(ctx(), key)
        after = tree(self.root)
        if found is None:
            assert after == before
            return
        wrote = tuple(name.removeprefix("desk:") for name in found.touched.wrote)
        assert set(wrote) == {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}
        self.done[key] = (wrote, before, after)

    @rule(steps=st.lists(STEPS, min_size=1, max_size=8))
    def failure(self, steps):
        """A function that raises changed nothing."""
        self.number += 1
        before = tree(self.root)

        def fail(files: Handle) -> None:
            _do(files, steps)
            raise ValueError

        with suppress(RolledBackError):
            perform(Files(self.root), f"k{self.number}", fail)
        assert tree(self.root) == before

    @rule(path=PATHS, edit=EDITS, text=TEXTS, mode=MODES)
    def somebody_else(self, path, edit, text, mode):
        """Others use the folder as they please."""
        place = self.root / path
        with suppress(OSError):
            match edit:
                case "write":
                    place.write_text(text)
                case "remove" if place.is_dir() and not place.is_symlink():
                    shutil.rmtree(place)
                case "remove":
                    place.unlink()
                case "mkdir":
                    place.mkdir()
                case "link":
                    place.symlink_to(self.home)
                case _ if not place.is_symlink():
                    place.chmod(mode)

    @rule(data=st.data(), death=DEATHS)
    def undo(self, data, death):
        """Every touched path is as before, and all others as they were; or it is a conflict, and nothing moved."""
        if not self.done:
            return
        key = data.draw(st.sampled_from(sorted(self.done)))
        wrote, before, after = self.done[key]
        stands, conflict = tree(self.root), None
        try:
            with suppress(DiedError), dying(death):
                Files(self.root).take_back(ctx(f"u{key}"), key)
            Files(self.root).take_back(ctx(f"u{key}"), key)
        except ConflictError as error:
            conflict = error
        assert (conflict is not None) == self._disturbed(wrote, before, after, stands)
        if conflict is not None:
            assert conflict.changes
            assert tree(self.root) == stands
            return
        expected = {path: state for path, state in stands.items() if path not in wrote}
        expected |= {path: before[path] for path in wrote if path in before}
        assert tree(self.root) == expected
        del self.done[key]

    def _disturbed(self, wrote: tuple[str, ...], before: Tree, after: Tree, stands: Tree) -> bool:
        """Whether somebody changed what would be restored, moved into what would go, or took away where it was."""
        return (
            any(stands.get(path) != after.get(path) for path in wrote)
            or any(
                str(Path(path).parent) in wrote and not _is_dir(before, str(Path(path).parent)) and path not in wrote
                for path in stands
            )
            or any(path in before and "/" in path and not _home(path, wrote, before, stands) for path in wrote)
        )

    @rule(path=PATHS)
    def expire(self, path):
        """Before-images that are kept stay; nothing is lost by a purge."""
        Files(self.root).purge(ctx())

    @invariant()
    def nothing_of_ours_shows(self):
        """The folder holds only what was put there by name."""
        assert {path.name for path in self.root.rglob("*") if not path.is_symlink()} <= {"a", "b", "d", "e", "f"}


def _is_dir(known: Tree, path: str) -> bool:
    return path in known and known[path][0] == 0o040000


def _home(path: str, wrote: tuple[str, ...], before: Tree, stands: Tree) -> bool:
    parent = str(Path(path).parent)
    return _is_dir(before if parent in wrote else stands, parent)


Histories.TestCase.settings = settings(
    max_examples=60, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)
TestHistories = Histories.TestCase


def test_lost_is_said_for_ever(tmp_path):
    """An undo of what has expired keeps saying so, whatever happens to the file."""
    (tmp_path / "desk").mkdir()
    way = Files(tmp_path / "desk", keep="0s")
    perform(way, "k1", lambda files: files.write_text("a", "x"))
    way.purge(ctx())
    for _ in range(2):
        try:
            way.take_back(ctx("u1"), "k1")
        except LostError:
            continue
        raise AssertionError("it can't be taken back")
