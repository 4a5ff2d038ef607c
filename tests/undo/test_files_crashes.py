"""Files: the process dies at any operation, or the disk is full; then all is there or nothing."""

import errno
import os
import shutil
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest
from files_world import DiedError, ctx, dying, perform, tree

from interlock.actions.way import LostError, RolledBackError
from interlock.undo.files import Files, Handle


def furnish(root: Path) -> None:
    """Fill a folder."""
    (root / "d").mkdir(parents=True)
    (root / "a").write_text("a before")
    (root / "d" / "b").write_text("b before")
    (root / "d").chmod(0o750)
    (root / "gone").write_text("gone before")


def work(files: Handle) -> None:
    """Touch files in every way."""
    files.write_text("a", "a after")
    files.write_text("new", "new")
    files.append("a", " and more")
    files.move("d", "e")
    files.chmod("e", 0o700)
    files.delete("gone")
    files.mkdir("gone")
    files.copy("a", "gone/copy")
    files.chmod("gone/copy", 0o600)


@pytest.fixture(autouse=True)
def no_waiting_for_the_disk(monkeypatch):
    """A process that dies takes nothing back of what it wrote; only a power failure would."""
    monkeypatch.setattr(os, "fsync", lambda _: None)


@pytest.fixture
def fresh(tmp_path):
    """Make a folder, the same one each time."""

    def make() -> Path:
        shutil.rmtree(tmp_path, ignore_errors=True)
        root = tmp_path / "desk"
        furnish(root)
        Files(root).check(ctx())
        return root

    return make


def deaths(fresh, do) -> list[int]:
    """Return every operation at which a process can die while it does something."""
    root = fresh()
    with dying(10**9) as death:
        do(root)
    return list(range(1, death.count + 1))


def fill_up(ballast: Path) -> None:
    """Leave no space on the disk."""
    with suppress(OSError), ballast.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))


def carry_out(root: Path) -> None:
    perform(Files(root), "k1", work)


def carried_out(fresh) -> tuple[Path, dict, dict]:
    """Carry the effect out; return the root, and the tree before and after."""
    root = fresh()
    before = tree(root)
    carry_out(root)
    return root, before, tree(root)


class TestDying:
    """A process dies, another goes on."""

    def test_anywhere_in_an_effect(self, fresh):
        """Found with its result, or as if it had never been: at each of its operations."""
        _, before, after = carried_out(fresh)
        ends = set()
        for at in deaths(fresh, carry_out):
            root = fresh()
            with pytest.raises(DiedError), dying(at):
                carry_out(root)
            found = Files(root).look(ctx(), "k1")
            assert tree(root) == (before if found is None else after), at
            assert found is None or found.result == b'"ok"'
            ends.add(found is None)
            if found is None:
                carry_out(root)
                assert tree(root) == after
            Files(root).take_back(ctx("u1"), "k1")
            assert tree(root) == before, at
        assert ends == {True, False}

    def test_and_again_while_it_is_put_right(self, fresh):
        """The second process dies too, at each of its operations; the third finishes."""
        _, before, _ = carried_out(fresh)
        points = deaths(fresh, carry_out)

        def half_done(at: int) -> Path:
            root = fresh()
            with pytest.raises(DiedError), dying(at):
                carry_out(root)
            return root

        tried = 0
        for at in points[::13]:
            root = half_done(at)
            with dying(10**9) as death:
                found = Files(root).look(ctx(), "k1")
            if found is not None:
                continue
            for second in range(1, death.count + 1):
                root = half_done(at)
                with pytest.raises(DiedError), dying(second):
                    Files(root).look(ctx(), "k1")
                assert Files(root).look(ctx(), "k1") is None
                assert tree(root) == before, (at, second)
                tried += 1
        assert tried > 50

    def test_anywhere_in_an_undo(self, fresh):
        """Done again under the same key, the undo finishes; twice interrupted as well."""
        _, before, after = carried_out(fresh)

        def undo(root: Path) -> None:
            Files(root).take_back(ctx("u1"), "k1")

        root, *_ = carried_out(fresh)
        with dying(10**9) as death:
            undo(root)
        for at in range(1, death.count + 1):
            root, *_ = carried_out(fresh)
            with pytest.raises(DiedError), dying(at):
                undo(root)
            with suppress(DiedError), dying(at // 2 + 1):
                undo(root)
            undo(root)
            assert tree(root) == before, at
            undo(root)
            assert tree(root) == before
        assert before != after

    def test_another_effect_puts_right_first_what_a_dead_one_left(self, fresh):
        """Before-images of a half done effect are never taken for the state before."""
        for at in deaths(fresh, carry_out)[::5]:
            root = fresh()
            before = tree(root)
            with pytest.raises(DiedError), dying(at):
                carry_out(root)
            perform(Files(root), "k2", lambda files: files.write_text("a", "second"))
            Files(root).take_back(ctx("u2"), "k2")
            if Files(root).look(ctx(), "k1") is not None:
                Files(root).take_back(ctx("u1"), "k1")
            assert tree(root) == before, at

    def test_what_a_dead_process_was_making_is_cleared_away(self, fresh):
        """Nothing is left in the store but before-images and logs; nothing of ours ever shows in the root."""
        for at in deaths(fresh, carry_out)[::5]:
            root = fresh()
            with pytest.raises(DiedError), dying(at):
                carry_out(root)
            assert {path.name for path in root.iterdir()} <= {"a", "d", "e", "new", "gone"}
            Files(root).look(ctx(), "k1")
            perform(Files(root), "k2", lambda files: files.exists("a"))
            store = Path(f"{root}.interlock")
            assert not list((store / "making").iterdir())
            assert not list((store / "open").iterdir())

    def test_a_purge_may_die_too(self, fresh):
        """An effect whose images were half dropped is lost or whole, never wrong."""
        root, before, after = carried_out(fresh)
        with dying(10**9) as death:
            Files(root, keep="0s").purge(ctx())
        for at in range(1, death.count + 1):
            root, *_ = carried_out(fresh)
            with pytest.raises(DiedError), dying(at):
                Files(root, keep="0s").purge(ctx())
            assert Files(root).look(ctx(), "k1").result == b'"ok"'
            try:
                Files(root).take_back(ctx("u1"), "k1")
                assert tree(root) == before
            except LostError:
                assert tree(root) == after

    def test_a_killed_process_lets_its_locks_go(self, fresh):
        """kill -9 in the middle of an effect: another process finds out, and puts it right."""
        root = fresh()
        before = tree(root)
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                with Files(root).performing(ctx(), "tidy"):
                    pass
            finally:
                os._exit(9)
        os.waitpid(child, 0)
        child = os.fork()
        if child == 0:
            way = Files(root)
            with way.performing(ctx(), "tidy"):
                work(way.files(ctx()))
                os.write(writer, b".")
                signal.pause()
            os._exit(0)
        os.read(reader, 1)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        assert tree(root) != before
        assert Files(root).look(ctx(), "k1") is None
        assert tree(root) == before

    @pytest.mark.parametrize("at", range(5, 100, 12))
    def test_a_process_that_really_ends_there(self, fresh, at):
        """The same as above with a real end of a real process."""
        root, before, after = carried_out(fresh)
        root = fresh()
        child = os.fork()
        if child == 0:
            try:
                with dying(at):
                    carry_out(root)
            finally:
                os._exit(9)
        os.waitpid(child, 0)
        found = Files(root).look(ctx(), "k1")
        assert tree(root) == (before if found is None else after)


class TestFullDisk:
    """No space is left in the middle."""

    def test_from_any_write_on(self, fresh, monkeypatch):
        """Each write fails from one on, also while it is put back: rolled back, one clear error."""
        real, left = os.write, 0

        def write(opened: int, data: bytes) -> int:
            nonlocal left
            left -= 1
            if left < 0:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return real(opened, data)

        root = fresh()
        before = tree(root)
        monkeypatch.setattr(os, "write", write)
        for allowed in range(200):
            left = allowed
            try:
                carry_out(root)
            except RolledBackError as error:
                assert "No space left" in str(error)  # noqa: PT017 - the loop ends where there is no error
                assert tree(root) == before, allowed
            else:
                break
        assert allowed > 10
        left = 10**9
        Files(root).take_back(ctx("u1"), "k1")
        assert tree(root) == before

    def test_a_disk_that_fails_once_to_make_durable(self, fresh, monkeypatch):
        """Also where the line that says done was written already: rolled back is rolled back."""
        root, left = fresh(), 0
        before = tree(root)

        def fsync(_: int) -> None:
            nonlocal left
            left -= 1
            if left == -1:
                raise OSError(errno.EIO, os.strerror(errno.EIO))

        monkeypatch.setattr(os, "fsync", fsync)
        rolled_back = 0
        for allowed in range(200):
            left = allowed
            try:
                carry_out(root)
            except RolledBackError:
                rolled_back += 1
                assert tree(root) == before, allowed
                assert Files(root).look(ctx(), "k1") is None, allowed
            else:
                break
        assert rolled_back > 10
        assert Files(root).look(ctx(), "k1") is not None

    def test_in_an_undo(self, fresh, monkeypatch):
        """All contents are made before anything is changed: nothing is half done."""
        root, before, after = carried_out(fresh)
        real, left = os.write, 0

        def write(opened: int, data: bytes) -> int:
            nonlocal left
            left -= 1
            if left < 0:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return real(opened, data)

        monkeypatch.setattr(os, "write", write)
        for allowed in range(3):
            left = allowed
            with pytest.raises(OSError, match="No space left"):
                Files(root).take_back(ctx("u1"), "k1")
            assert tree(root) == after
        left = 10**9
        Files(root).take_back(ctx("u1"), "k1")
        assert tree(root) == before

    def test_a_disk_that_is_really_full(self, tmp_path):
        """On a file system of 1 MB, with as much already in use."""
        disk = tmp_path / "disk"
        disk.mkdir()
        mount = shutil.which("mount")
        made = mount and subprocess.run([mount, "-t", "tmpfs", "-o", "size=1m", "none", disk], check=False).returncode
        if made != 0:
            pytest.skip("no right to mount a small file system here")
        try:
            root = disk / "desk"
            root.mkdir()
            (root / "big").write_bytes(os.urandom(300_000))
            before = tree(root)

            def fill(files: Handle) -> None:
                files.write_bytes("big", b"small now")
                for number in range(100):
                    files.write_bytes(f"f{number}", os.urandom(50_000))

            with pytest.raises(RolledBackError, match="No space left"):
                perform(Files(root), "k1", fill)
            assert tree(root) == before
            perform(Files(root), "k2", lambda files: files.write_text("small", "fits"))
            perform(Files(root), "k3", lambda files: files.write_bytes("big", b"less"))
            fill_up(disk / "ballast")
            stands = tree(root)
            with pytest.raises(OSError, match="No space left"):
                Files(root).take_back(ctx("u3"), "k3")
            assert tree(root) == stands
            (disk / "ballast").unlink()
            Files(root).take_back(ctx("u3"), "k3")
            Files(root).take_back(ctx("u2"), "k2")
            assert tree(root) == before
        finally:
            subprocess.run(["umount", disk], check=True)
