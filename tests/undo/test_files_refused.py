"""Files: no path leads out of the root, through a link, or to what could not be put back."""

import os
import socket
import tempfile
import threading
from pathlib import Path

import pytest
from files_world import ctx, perform, tree

from interlock.actions.way import ConflictError, RolledBackError
from interlock.undo.files import Files, Handle, PathRefusedError


@pytest.fixture
def outside(tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_text("secret")
    return outside


@pytest.fixture
def root(tmp_path, outside):
    root = tmp_path / "desk"
    (root / "d").mkdir(parents=True)
    (root / "a.txt").write_text("a")
    (root / "way_out").symlink_to(outside)
    (root / "d" / "link").symlink_to(outside / "secret")
    (root / "dangling").symlink_to(outside / "made")
    (root / "inner").symlink_to("d")
    return root


METHODS = {
    "read_bytes": lambda files, path: files.read_bytes(path),
    "read_text": lambda files, path: files.read_text(path),
    "exists": lambda files, path: files.exists(path),
    "is_dir": lambda files, path: files.is_dir(path),
    "list": lambda files, path: files.list(path),
    "write": lambda files, path: files.write_text(path, "x"),
    "append": lambda files, path: files.append(path, "x"),
    "delete": lambda files, path: files.delete(path),
    "mkdir": lambda files, path: files.mkdir(path),
    "mkdir parents": lambda files, path: files.mkdir(path, parents=True, exist_ok=True),
    "rmdir": lambda files, path: files.rmdir(path),
    "rmtree": lambda files, path: files.rmtree(path),
    "move from": lambda files, path: files.move(path, "free"),
    "move to": lambda files, path: files.move("a.txt", path),
    "copy from": lambda files, path: files.copy(path, "free"),
    "copy to": lambda files, path: files.copy("a.txt", path),
    "chmod": lambda files, path: files.chmod(path, 0o700),
}
READING = ("read_bytes", "read_text", "exists", "is_dir", "list")


@pytest.mark.parametrize("method", METHODS)
class TestEveryMethod:
    """Whatever is called with it."""

    @pytest.mark.parametrize(
        "path",
        [
            *("../outside/secret", "d/../../outside/secret", "..", "d/..", "/etc/passwd", "//etc/passwd", ""),
            *("way_out", "way_out/secret", "way_out/new", "d/link", "dangling", "inner", "inner/x"),
            *("a\0b", "x" * 256, "/".join(["x" * 200] * 21), "ä" * 128, "\udcff"),
        ],
    )
    def test_an_escape_is_refused(self, root, outside, method, path):
        """One clear error, and nothing is touched inside or outside."""
        before, out = tree(root), tree(outside)
        with pytest.raises(RolledBackError) as caught:
            perform(Files(root), "k1", lambda files: METHODS[method](files, path))
        assert isinstance(caught.value.__cause__, PathRefusedError)
        assert (tree(root), tree(outside)) == (before, out)

    @pytest.mark.parametrize("special", ["pipe", "socket"])
    def test_a_special_file_is_refused_without_waiting_for_it(self, root, method, special, monkeypatch):
        """A pipe without a writer does not hang anything."""
        monkeypatch.chdir(root)
        if special == "pipe":
            os.mkfifo("special")
        else:
            with socket.socket(socket.AF_UNIX) as bound:
                bound.bind("special")
        if method in {"exists", "is_dir"}:
            assert METHODS[method](Files(root).files(ctx()), "special") is (method == "exists")
            return
        with pytest.raises(RolledBackError) as caught:
            perform(Files(root), "k1", lambda files: METHODS[method](files, "special"))
        assert isinstance(caught.value.__cause__, PathRefusedError | NotADirectoryError)
        assert (root / "special").exists()

    def test_the_root_itself_is_not_changed(self, root, method):
        """It is declared, not made."""
        if method in READING:
            return
        before = tree(root)
        with pytest.raises(RolledBackError):
            perform(Files(root), "k1", lambda files: METHODS[method](files, "."))
        assert tree(root) == before


class TestTrees:
    """What is found inside of a directory."""

    @pytest.mark.parametrize("do", [lambda f: f.rmtree("d"), lambda f: f.move("d", "e"), lambda f: f.copy("d", "e")])
    def test_a_tree_with_a_link_in_it_is_left_alone(self, root, outside, do):
        """Nothing of it is removed, moved or copied."""
        before = tree(root)
        with pytest.raises(RolledBackError, match="'d/link' is a symbolic link"):
            perform(Files(root), "k1", do)
        assert tree(root) == before
        assert (outside / "secret").read_text() == "secret"

    @pytest.mark.parametrize(
        "do", [lambda f: f.move("t", "t/in"), lambda f: f.copy("t", "t/in"), lambda f: f.move("t", "t")]
    )
    def test_a_tree_does_not_go_into_itself(self, root, do):
        """It would have no end."""
        (root / "t").mkdir()
        with pytest.raises(RolledBackError, match="inside it"):
            perform(Files(root), "k1", do)


class TestHardLinks:
    """A file that has other names, maybe outside the root."""

    @pytest.mark.parametrize(
        "do", [lambda f: f.write_text("h", "x"), lambda f: f.append("h", "x"), lambda f: f.chmod("h", 0o600)]
    )
    def test_it_is_never_written_through(self, root, outside, do):
        """The other name keeps content and mode; the undo gives this name its own back."""
        os.link(outside / "secret", root / "h")
        before, out = tree(root), tree(outside)
        perform(Files(root), "k1", do)
        assert tree(root) != before
        assert tree(outside) == out
        Files(root).take_back(ctx("u1"), "k1")
        assert (tree(root), tree(outside)) == (before, out)


class TestWhatCouldNotBePutBack:
    """Said before it is done."""

    def test_attributes_would_be_lost(self, root):
        """A file with user attributes is not touched."""
        try:
            os.setxattr(root / "a.txt", "user.note", b"x")
        except (OSError, AttributeError):
            pytest.skip("no user attributes on this file system")
        with pytest.raises(RolledBackError, match=r"user\.note"):
            perform(Files(root), "k1", lambda files: files.write_text("a.txt", "x"))
        assert os.getxattr(root / "a.txt", "user.note") == b"x"

    def test_large_files(self, root):
        """Neither kept nor written nor read beyond the declared size."""
        way = Files(root, largest="1kB")
        (root / "big").write_bytes(bytes(1001))
        (root / "fits").write_bytes(bytes(1000))
        for do in (
            lambda files: files.delete("big"),
            lambda files: files.read_bytes("big"),
            lambda files: files.write_bytes("new", bytes(1001)),
            lambda files: files.append("fits", b"."),
        ):
            with pytest.raises(RolledBackError, match="largest"):
                perform(way, "k1", do)
        perform(way, "k1", lambda files: files.delete("fits"))

    @pytest.mark.parametrize(("path", "mode"), [("a.txt", 0o200), ("t", 0o600), ("a.txt", 0o4755), ("a.txt", -1)])
    def test_modes_that_lock_its_owner_out(self, root, path, mode):
        """What can't be read any more could not be compared at the undo."""
        (root / "t").mkdir()
        with pytest.raises(RolledBackError, match="keeps its own"):
            perform(Files(root), "k1", lambda files: files.chmod(path, mode))

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
    def test_another_users_file(self):
        """As a normal user: what is ours works; what belongs to others is refused; and the undo works."""
        # Not in tmp_path: only its owner gets there.
        with tempfile.TemporaryDirectory() as home:
            root = Path(home, "desk")
            root.mkdir()
            for name in ("a.txt", "theirs"):
                (root / name).write_text(name)
                (root / name).chmod(0o666)
            for path in (home, root, root / "a.txt"):
                os.chown(path, 65534, 65534)
            assert _as_nobody(lambda: _normal_user(root)) == 0


def _normal_user(root: Path) -> None:
    before = tree(root)
    way = Files(root)
    with pytest.raises(RolledBackError, match="belongs to another user"):
        perform(way, "k1", lambda files: files.write_text("theirs", "x"))

    def work(files: Handle) -> None:
        files.write_text("a.txt", "x")
        files.mkdir("t")
        files.write_text("t/f", "f")
        files.chmod("t/f", 0o400)
        files.copy("theirs", "mine")

    perform(way, "k1", work)
    way.take_back(ctx("u1"), "k1")
    assert tree(root) == before
    (root / "closed").mkdir()
    before = tree(root)
    perform(way, "k2", lambda files: (files.write_text("closed/f", "f"), files.delete("a.txt")))
    (root / "closed").chmod(0o500)
    stands = tree(root)
    with pytest.raises(PermissionError, match="closed"):
        way.take_back(ctx("u2"), "k2")
    assert tree(root) == stands
    (root / "closed").chmod(before["closed"][1])
    way.take_back(ctx("u2"), "k2")
    assert tree(root) == before


def _as_nobody(do) -> int:
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.setgroups([])
            os.setgid(65534)
            os.setuid(65534)
            do()
            code = 0
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


class TestRaces:
    """Somebody swaps a directory for a link while the action is at it."""

    def test_a_swapped_directory_never_leads_outside(self, root, outside):
        """Thousands of swaps: not one byte is written or read outside the root."""
        (root / "play").mkdir()
        stop = threading.Event()

        def swap() -> None:
            while not stop.is_set():
                (root / "play").rename(root / "aside")
                (root / "play").symlink_to(outside)
                (root / "play").unlink()
                (root / "aside").rename(root / "play")

        swapping = threading.Thread(target=swap)
        swapping.start()
        before = tree(outside)
        refused = done = 0
        try:
            for number in range(300):
                key = f"k{number}"
                try:
                    perform(Files(root), key, lambda files: files.write_text("play/secret", "x"))
                    done += 1
                except (RolledBackError, ConflictError, OSError, PathRefusedError):
                    refused += 1
                try:
                    assert Files(root).files(ctx()).read_text("play/secret") != "secret"
                except (OSError, PathRefusedError):
                    refused += 1
                assert tree(outside) == before
        finally:
            stop.set()
            swapping.join()
        assert tree(outside) == before
        assert refused

    def test_a_file_that_appears_meanwhile_is_not_replaced(self, root, monkeypatch):
        """A new file is put in its place by a link, which never replaces anything."""
        real = os.link

        def late(*args, **kwargs):
            (root / "new").write_text("theirs")
            return real(*args, **kwargs)

        monkeypatch.setattr(os, "link", late)
        with pytest.raises((RolledBackError, ConflictError)):
            perform(Files(root), "k1", lambda files: files.write_text("new", "mine"))
        assert (root / "new").read_text() == "theirs"
