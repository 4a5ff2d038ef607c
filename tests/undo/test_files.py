"""Files: what an action does to them is taken back exactly, and what others did since is not touched."""

import os
import threading
from pathlib import Path

import pytest
from files_world import ctx, perform, tree

from interlock import Ctx
from interlock.actions.way import ConflictError, LostError, RolledBackError
from interlock.errors import DeclarationError
from interlock.undo.files import Files, Handle


@pytest.fixture
def root(tmp_path):
    root = tmp_path / "desk"
    (root / "letters" / "old").mkdir(parents=True)
    (root / "a.txt").write_text("a as it was")
    (root / "run.sh").write_text("#!/bin/sh\n")
    (root / "run.sh").chmod(0o755)
    (root / "letters" / "one.txt").write_text("Dear One")
    (root / "letters" / "old" / "two.bin").write_bytes(b"\xff\x00two")
    (root / "letters" / "old").chmod(0o750)
    os.utime(root / "a.txt", ns=(10**18, 10**18))
    return root


@pytest.fixture
def way(root):
    return Files(root)


def everything(files: Handle) -> None:
    """Use every method that changes something."""
    files.write_text("new.txt", "new")
    files.write_text("a.txt", "a changed")
    files.append("run.sh", "echo hello\n")
    files.append("log/day.txt", b"") if files.exists("log") else files.mkdir("log")
    files.append("log/day.txt", "line\n")
    files.chmod("run.sh", 0o644)
    files.move("letters/one.txt", "log/one.txt")
    files.copy("letters", "copy")
    files.move("letters/old", "older")
    files.chmod("older", 0o700)
    files.mkdir("deep/er/still", parents=True)
    files.delete("new.txt")
    files.rmdir("deep/er/still")
    files.rmtree("letters")


class TestTakingBack:
    """An effect and its undo."""

    def test_everything_that_a_handle_can_do_is_taken_back(self, root, way):
        """Names, contents, modes, owners and a file's time are as before."""
        before = tree(root)
        perform(way, "k1", everything)
        after = tree(root)
        assert after != before
        assert (root / "older" / "two.bin").read_bytes() == b"\xff\x00two"
        assert not (root / "letters").exists()
        touched = way.take_back(ctx("u1"), "k1")
        assert tree(root) == before
        assert (root / "a.txt").stat().st_mtime_ns == 10**18
        assert "desk:a.txt" in touched.wrote
        assert "desk:new.txt" not in touched.wrote  # made and deleted again: nothing changed

    def test_done_twice_under_one_key_it_changes_nothing_and_says_the_same(self, root, way):
        """The undo is idempotent, also when the file has been changed since."""
        perform(way, "k1", lambda files: files.write_text("a.txt", "x"))
        first = way.take_back(ctx("u1"), "k1")
        (root / "a.txt").write_text("somebody's")
        assert way.take_back(ctx("u1"), "k1") == first
        assert (root / "a.txt").read_text() == "somebody's"

    def test_under_another_key_it_was_taken_back_already(self, root, way):
        """A second undo is refused and names the first."""
        perform(way, "k1", lambda files: files.write_text("a.txt", "x"))
        way.take_back(ctx("u1"), "k1")
        with pytest.raises(LostError, match="already, under the key 'u1'"):
            way.take_back(ctx("u2"), "k1")
        with pytest.raises(LostError, match="already"):
            way.preview(ctx(), "k1")

    def test_the_last_effect_first(self, root, way):
        """Two effects on one file are taken back in reverse order; the first alone is a conflict."""
        before = tree(root)
        perform(way, "k1", lambda files: files.write_text("a.txt", "one"))
        perform(way, "k2", lambda files: files.append("a.txt", " two"))
        with pytest.raises(ConflictError):
            way.take_back(ctx("u1"), "k1")
        way.take_back(ctx("u2"), "k2")
        assert (root / "a.txt").read_text() == "one"
        way.take_back(ctx("u1"), "k1")
        assert tree(root) == before

    def test_a_file_becomes_a_directory_and_is_a_file_again(self, root, way):
        """Kinds may change over an effect, both ways."""
        before = tree(root)

        def swap(files: Handle) -> None:
            files.delete("a.txt")
            files.mkdir("a.txt")
            files.write_text("a.txt/inside", "x")
            files.rmtree("letters")
            files.write_text("letters", "now a file")

        perform(way, "k1", swap)
        way.take_back(ctx("u1"), "k1")
        assert tree(root) == before

    def test_a_stranger_is_not_known(self, way):
        """What was never carried out can't be taken back."""
        assert way.look(ctx(), "nobody") is None
        with pytest.raises(LostError, match="nothing is known"):
            way.take_back(ctx("u"), "nobody")
        with pytest.raises(LostError, match="nothing is known"):
            way.preview(ctx(), "nobody")

    def test_another_object_on_the_same_root_takes_it_back(self, root, way):
        """All that an undo needs is on the disk."""
        before = tree(root)
        perform(way, "k1", everything)
        Files(root).take_back(ctx("u1"), "k1")
        assert tree(root) == before

    def test_a_read_only_directory_comes_back_with_what_was_in_it(self, root, way):
        """Its mode is set last, so that it can be filled."""
        (root / "letters" / "old").chmod(0o500)
        before = tree(root)

        def remove(files: Handle) -> None:
            files.chmod("letters/old", 0o700)
            files.rmtree("letters")

        perform(way, "k1", remove)
        way.take_back(ctx("u1"), "k1")
        assert tree(root) == before


class TestConflicts:
    """Others change things too."""

    def test_a_foreign_edit_is_shown_and_kept(self, root, way):
        """Before, after and now are shown; nothing at all is restored."""

        def change(files: Handle) -> None:
            files.write_text("a.txt", "by the agent")
            files.write_text("b.txt", "b")

        perform(way, "k1", change)
        (root / "a.txt").write_text("by a person")
        stands = tree(root)
        with pytest.raises(ConflictError, match=r"desk/a\.txt") as caught:
            way.take_back(ctx("u1"), "k1")
        assert tree(root) == stands
        (change_,) = caught.value.changes
        assert change_.object == "desk/a.txt"
        assert (change_.before["text"], change_.after["text"]) == ("a as it was", "by the agent")
        assert change_.now["text"] == "by a person"
        assert change_.now["size"] == 11
        assert change_.now["mode"] == "0644"

    @pytest.mark.parametrize(
        "edit",
        [
            lambda root: (root / "a.txt").unlink(),
            lambda root: (root / "a.txt").chmod(0o600),
            lambda root: ((root / "a.txt").unlink(), (root / "a.txt").mkdir()),
            lambda root: ((root / "a.txt").unlink(), (root / "a.txt").symlink_to("/etc/passwd")),
            lambda root: ((root / "a.txt").unlink(), os.mkfifo(root / "a.txt")),
            lambda root: (root / "letters" / "one.txt").write_text("back again"),
            lambda root: (root / "made").rmdir(),
            lambda root: (root / "made").chmod(0o700),
        ],
        ids=["deleted", "mode", "directory", "link", "pipe", "made again", "directory gone", "directory mode"],
    )
    def test_whatever_others_did_is_a_conflict(self, root, way, edit):
        """Kind, mode, content, presence: each is looked at, and nothing is changed."""

        def change(files: Handle) -> None:
            files.write_text("a.txt", "x")
            files.delete("letters/one.txt")
            files.mkdir("made")

        perform(way, "k1", change)
        edit(root)
        stands = tree(root)
        with pytest.raises(ConflictError):
            way.take_back(ctx("u1"), "k1")
        assert tree(root) == stands

    def test_what_somebody_put_into_a_new_directory_is_named(self, root, way):
        """A directory that would have to go is not empty: its strangers are named, and stay."""
        perform(way, "k1", lambda files: files.mkdir("made/inner", parents=True))
        (root / "made" / "inner" / "theirs.txt").write_text("theirs")
        with pytest.raises(ConflictError) as caught:
            way.take_back(ctx("u1"), "k1")
        assert [change.object for change in caught.value.changes] == ["desk/made/inner/theirs.txt"]
        assert caught.value.changes[0].now["text"] == "theirs"
        (root / "made" / "inner" / "theirs.txt").unlink()
        way.take_back(ctx("u1"), "k1")
        assert not (root / "made").exists()

    def test_a_directory_that_is_gone_is_missed(self, root, way):
        """A file can't come back into a directory that somebody removed, or made a link of."""
        perform(way, "k1", lambda files: files.delete("letters/one.txt"))
        (root / "letters").rename(root.parent / "elsewhere")
        with pytest.raises(ConflictError, match="desk/letters"):
            way.take_back(ctx("u1"), "k1")
        (root / "letters").symlink_to(root.parent / "elsewhere")
        with pytest.raises(ConflictError, match="desk/letters"):
            way.take_back(ctx("u1"), "k1")
        assert not (root.parent / "elsewhere" / "one.txt").exists()

    def test_foreign_files_elsewhere_survive(self, root, way):
        """Only what the effect touched is restored."""
        perform(way, "k1", everything)
        (root / "theirs.txt").write_text("theirs")
        (root / "log2").mkdir()
        way.take_back(ctx("u1"), "k1")
        assert (root / "theirs.txt").read_text() == "theirs"
        assert (root / "log2").is_dir()

    def test_the_same_content_written_again_is_no_conflict(self, root, way):
        """States are compared, not times."""
        perform(way, "k1", lambda files: files.write_text("a.txt", "x"))
        (root / "a.txt").write_text("x")
        way.take_back(ctx("u1"), "k1")
        assert (root / "a.txt").read_text() == "a as it was"


class TestPerforming:
    """An effect is there whole, or not at all."""

    def test_an_error_takes_everything_back_at_once(self, root, way):
        """The block raised: the tree is as before, and the key is free."""
        before = tree(root)

        def fail(files: Handle) -> None:
            everything(files)
            raise ValueError("the function's own")

        with pytest.raises(RolledBackError, match=r"tidy changed nothing .*the function's own") as caught:
            perform(way, "k1", fail)
        assert isinstance(caught.value.__cause__, ValueError)
        assert tree(root) == before
        assert way.look(ctx(), "k1") is None
        perform(way, "k1", everything)
        assert way.look(ctx(), "k1") is not None

    def test_an_interrupt_takes_everything_back_and_stays_what_it_is(self, root, way):
        """What is no Exception is passed on as it came."""
        before = tree(root)

        def fail(files: Handle) -> None:
            everything(files)
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            perform(way, "k1", fail)
        assert tree(root) == before

    def test_without_a_result_nothing_happened(self, root, way):
        """A block that does not call finish is rolled back."""
        before = tree(root)
        with pytest.raises(RolledBackError, match="finish"), way.performing(ctx(), "tidy"):
            everything(way.files(ctx()))
        assert tree(root) == before

    def test_the_result_is_found_again(self, root, way):
        """look() has the result as it was noted, and what was touched."""
        effect = perform(way, "k1", everything, b'{"n": 1}')
        found = Files(root).look(ctx(), "k1")
        assert found is not None
        assert found.result == b'{"n": 1}'
        assert found.touched == effect.touched

    def test_once_per_key(self, root, way):
        """A key under which something was done is refused, without a change."""
        perform(way, "k1", lambda files: files.append("a.txt", "1"))
        with pytest.raises(ValueError, match="before under the key 'k1'"):
            perform(way, "k1", lambda files: files.append("a.txt", "1"))
        assert (root / "a.txt").read_text() == "a as it was1"

    def test_a_key_is_needed(self, way):
        """Without one nothing could be found again."""
        with pytest.raises(ValueError, match="no idempotency key"):
            perform(way, "", everything)

    def test_what_is_touched(self, way):
        """Written paths; read ones, and the directories that they are in: what the effect rests on."""

        def work(files: Handle) -> None:
            files.write_text("letters/new.txt", files.read_text("a.txt"))
            files.read_text("letters/new.txt")
            files.exists("gone")
            files.append("run.sh", "")

        touched = perform(way, "k1", work).touched
        assert touched.wrote == ("desk:letters/new.txt",)
        assert touched.read == ("desk:a.txt", "desk:gone", "desk:letters")

    def test_a_copied_file_was_read(self, way):
        """Its source is what the copy rests on."""
        touched = perform(way, "k1", lambda files: files.copy("letters/old", "o")).touched
        assert touched.wrote == ("desk:o", "desk:o/two.bin")
        assert touched.read == ("desk:letters/old", "desk:letters/old/two.bin")

    def test_somebody_changes_a_path_that_the_effect_is_at(self, root, way):
        """Neither is their edit overwritten by the effect, nor by its rollback: a person has to see."""

        def race(files: Handle) -> None:
            files.write_text("a.txt", "mine")
            files.write_text("b.txt", "mine")
            (root / "a.txt").write_text("theirs")
            files.append("a.txt", "more")

        with pytest.raises(ConflictError) as caught:
            perform(way, "k1", race)
        assert [change.object for change in caught.value.changes] == ["desk/a.txt"]
        assert (root / "a.txt").read_text() == "theirs"
        with pytest.raises(ConflictError, match="cut off"):
            way.look(ctx(), "k1")
        with pytest.raises(RolledBackError, match="left half done"):
            perform(way, "k2", lambda files: files.write_text("b.txt", "other"))
        perform(way, "k3", lambda files: files.write_text("c.txt", "elsewhere"))
        (root / "a.txt").write_text("mine")  # a person decides
        assert way.look(ctx(), "k1") is None
        assert (root / "a.txt").read_text() == "a as it was"
        assert not (root / "b.txt").exists()

    def test_threads_go_one_after_another(self, root, way):
        """No update is lost, and what is read is never half of an effect."""

        def count(files: Handle) -> None:
            number = int(files.read_text("count")) if files.exists("count") else 0
            files.write_text("count", str(number + 1))
            files.write_text("twin", str(number + 1))

        threads = [threading.Thread(target=perform, args=(way, f"k{n}", count)) for n in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert (root / "count").read_text() == (root / "twin").read_text() == "16"

    def test_a_look_waits_for_an_effect_that_is_under_way(self, root, way):
        """It neither rolls it back nor says that it never will be."""
        inside, go, seen = threading.Event(), threading.Event(), []

        def slow(files: Handle) -> None:
            files.write_text("a.txt", "x")
            inside.set()
            go.wait(30)

        worker = threading.Thread(target=perform, args=(way, "k1", slow))
        worker.start()
        inside.wait(30)
        looker = threading.Thread(target=lambda: seen.append(Files(root).look(ctx(), "k1")))
        looker.start()
        assert not seen
        go.set()
        worker.join()
        looker.join()
        assert seen[0].result == b'"ok"'

    def test_a_handle_ends_with_its_effect(self, root, way):
        """What a function keeps of it can't change anything afterwards."""
        kept: list[Handle] = []
        perform(way, "k1", kept.append)
        with pytest.raises(RuntimeError, match="is over"):
            kept[0].write_text("a.txt", "late")
        assert (root / "a.txt").read_text() == "a as it was"

    def test_outside_an_effect_files_can_be_read(self, root, way):
        """An action that only reads uses the same handle; changing is refused."""
        files = way.files(ctx("other"))
        assert files.read_text("a.txt") == "a as it was"
        assert files.list() == ("a.txt", "letters", "run.sh")
        assert files.list("letters") == ("letters/old", "letters/one.txt")
        assert files.is_dir("letters")
        assert not files.is_dir("a.txt")
        with pytest.raises(PermissionError, match="way="):
            files.write_text("a.txt", "x")


class TestHandle:
    """The methods, as pathlib's."""

    def test_a_file_keeps_its_mode_and_readers_see_old_or_new(self, root, way):
        """A write replaces the file whole."""
        inode = (root / "run.sh").stat().st_ino
        perform(way, "k1", lambda files: files.write_text("run.sh", "new"))
        assert (root / "run.sh").stat().st_mode & 0o777 == 0o755
        assert (root / "run.sh").stat().st_ino != inode

    def test_new_files_and_directories_have_the_modes_of_this_process(self, root, way):
        """The umask counts, as everywhere."""
        old = os.umask(0o027)
        try:
            perform(way, "k1", lambda files: (files.write_text("f", ""), files.mkdir("d")))
        finally:
            os.umask(old)
        assert (root / "f").stat().st_mode & 0o777 == 0o640
        assert (root / "d").stat().st_mode & 0o777 == 0o750

    def test_a_directory_that_hands_its_group_on_does_so(self, root, way):
        """setgid directories work as for any program, and are restored."""
        (root / "letters").chmod(0o2775)
        before = tree(root)
        perform(way, "k1", lambda files: (files.mkdir("letters/d"), files.write_text("letters/d/f", "")))
        assert (root / "letters" / "d").stat().st_mode & 0o2000
        way.take_back(ctx("u1"), "k1")
        assert tree(root) == before

    def test_mkdir_with_parents_and_exist_ok(self, root, way):
        """As pathlib's."""

        def make(files: Handle) -> None:
            files.mkdir("x/y/z", parents=True)
            files.mkdir("x/y/z", exist_ok=True)
            files.mkdir("letters", exist_ok=True)

        assert perform(way, "k1", make).touched.wrote == ("desk:x", "desk:x/y", "desk:x/y/z")

    @pytest.mark.parametrize(
        ("do", "error"),
        [
            (lambda files: files.read_bytes("none"), FileNotFoundError),
            (lambda files: files.read_bytes("letters"), IsADirectoryError),
            (lambda files: files.read_bytes("a.txt/b"), NotADirectoryError),
            (lambda files: files.write_bytes("none/b", b""), FileNotFoundError),
            (lambda files: files.write_bytes("letters", b""), IsADirectoryError),
            (lambda files: files.append("letters", b""), IsADirectoryError),
            (lambda files: files.delete("none"), FileNotFoundError),
            (lambda files: files.delete("letters"), IsADirectoryError),
            (lambda files: files.mkdir("letters"), FileExistsError),
            (lambda files: files.mkdir("a.txt", exist_ok=True), FileExistsError),
            (lambda files: files.mkdir("p/q"), FileNotFoundError),
            (lambda files: files.rmdir("letters"), OSError),
            (lambda files: files.rmdir("a.txt"), NotADirectoryError),
            (lambda files: files.rmtree("a.txt"), NotADirectoryError),
            (lambda files: files.rmtree("none"), FileNotFoundError),
            (lambda files: files.move("none", "b"), FileNotFoundError),
            (lambda files: files.move("a.txt", "run.sh"), FileExistsError),
            (lambda files: files.move("a.txt", "letters"), FileExistsError),
            (lambda files: files.copy("a.txt", "run.sh"), FileExistsError),
            (lambda files: files.chmod("none", 0o644), FileNotFoundError),
            (lambda files: files.list("a.txt"), NotADirectoryError),
        ],
    )
    def test_errors_are_pathlibs_and_nothing_happens(self, root, way, do, error):
        """The action's error is the cause, and the tree is as it was."""
        before = tree(root)
        with pytest.raises(RolledBackError) as caught:
            perform(way, "k1", lambda files: (files.write_text("first", "x"), do(files)))
        assert isinstance(caught.value.__cause__, error)
        assert tree(root) == before

    def test_a_function_may_catch_an_error_and_go_on(self, root, way):
        """What failed changed nothing; the rest is there and is taken back."""
        before = tree(root)

        def work(files: Handle) -> None:
            files.write_text("one", "1")
            with pytest.raises(OSError, match="not empty"):
                files.rmdir("letters")
            with pytest.raises(FileNotFoundError):
                files.write_text("none/x", "x")
            files.write_text("two", "2")

        perform(way, "k1", work)
        assert (root / "two").read_text() == "2"
        way.take_back(ctx("u1"), "k1")
        assert tree(root) == before


class TestKeeping:
    """Before-images are kept for a time."""

    def test_expired_before_images_are_dropped_and_the_loss_is_said(self, root):
        """After purge the effect is still known, but can't be taken back."""
        way = Files(root, keep="0s")
        perform(way, "k1", lambda files: files.write_text("a.txt", "secret"))
        assert way.purge(ctx()) == 1
        assert way.purge(ctx()) == 0
        assert way.look(ctx(), "k1").result == b'"ok"'
        with pytest.raises(LostError, match="kept until 20"):
            way.take_back(ctx("u1"), "k1")
        with pytest.raises(LostError, match="kept until 20"):
            way.preview(ctx(), "k1")
        kept = [path.read_bytes() for path in Path(f"{root}.interlock").rglob("*") if path.is_file()]
        assert not any(b"as it was" in content or b"secret" in content for content in kept)

    def test_nothing_is_dropped_that_others_need(self, root):
        """Two effects replaced the same content; one has expired."""
        before = tree(root)
        perform(Files(root, keep="0s"), "k1", lambda files: files.copy("a.txt", "b.txt"))
        perform(Files(root), "k2", lambda files: files.write_text("a.txt", "x"))
        assert Files(root, keep="30d").purge(ctx()) == 0
        Files(root).take_back(ctx("u2"), "k2")
        Files(root).take_back(ctx("u1"), "k1")
        assert tree(root) == before
        perform(Files(root), "k3", lambda files: files.write_text("a.txt", "x"))
        Files(root).take_back(ctx("u3"), "k3")
        assert Files(root).purge(ctx()) == 0
        assert not list(Path(f"{root}.interlock", "objects").iterdir())  # all were taken back: none is needed

    @pytest.mark.parametrize("damage", [Path.unlink, lambda path: path.write_bytes(b"other")], ids=["gone", "other"])
    def test_a_damaged_store_is_said_and_changes_nothing(self, root, way, damage):
        """A before-image that is gone, or not what its name says, is never restored."""
        perform(way, "k1", lambda files: (files.write_text("a.txt", "x"), files.write_text("n", "n")))
        for image in Path(f"{root}.interlock", "objects").iterdir():
            damage(image)
        stands = tree(root)
        with pytest.raises(LostError, match="before-image"):
            way.take_back(ctx("u1"), "k1")
        assert tree(root) == stands


class TestPreview:
    """What an undo would restore."""

    def test_a_preview_shows_before_after_and_now(self, root, way):
        """Nothing is changed by it."""
        perform(
            way, "k1", lambda files: (files.write_text("a.txt", "x"), files.mkdir("d"), files.write_text("d/n", "n"))
        )
        stands = tree(root)
        shown = way.preview(ctx(), "k1")
        assert [change.object for change in shown] == ["desk/a.txt", "desk/d", "desk/d/n"]
        assert shown[0].before["text"] == "a as it was"
        assert shown[0].after == shown[0].now
        assert shown[1].before is None
        assert shown[1].now["kind"] == "dir"
        assert tree(root) == stands


class TestDeclaring:
    """Root and store."""

    def test_the_root_may_be_known_only_from_the_dependencies(self, tmp_path):
        """Each set of dependencies has its own root."""
        (tmp_path / "one").mkdir()
        (tmp_path / "two").mkdir()
        way = Files(lambda deps: deps["root"])
        assert way.name == "files"
        for name in ("one", "two"):
            call = Ctx({"root": tmp_path / name}, key="same", run="r")
            with way.performing(call, "write") as effect:
                way.files(call).write_text("f", name)
                effect.finish(b"null")
        assert (tmp_path / "one" / "f").read_text() == "one"
        assert (tmp_path / "two" / "f").read_text() == "two"

    def test_a_store_inside_the_root_is_refused(self, root):
        """An action could change its own before-images."""
        with pytest.raises(DeclarationError, match="inside the root"):
            Files(root, store=root / ".store").check(ctx())
        (root.parent / "link").symlink_to(root)
        with pytest.raises(DeclarationError, match="inside the root"):
            Files(root, store=root.parent / "link" / "s").check(ctx())

    def test_a_root_that_is_not_there_is_refused(self, tmp_path):
        """It is not made: it may be a typing error."""
        with pytest.raises(DeclarationError, match="is not a directory"):
            Files(tmp_path / "none").check(ctx())
        assert not (tmp_path / "none.interlock").exists()

    def test_a_store_belongs_to_one_root(self, root, tmp_path):
        """The paths of two roots would be mixed up."""
        (tmp_path / "other").mkdir()
        Files(root, store=tmp_path / "s").check(ctx())
        with pytest.raises(DeclarationError, match="another root"):
            Files(tmp_path / "other", store=tmp_path / "s").check(ctx())

    def test_root_and_store_may_move_together(self, root, tmp_path):
        """A store knows its root by the way from one to the other."""
        before = tree(root)
        perform(Files(root), "k1", everything)
        (tmp_path / "moved").mkdir()
        for path in (root, Path(f"{root}.interlock")):
            path.rename(tmp_path / "moved" / path.name)
        Files(tmp_path / "moved" / "desk").take_back(ctx("u1"), "k1")
        assert tree(tmp_path / "moved" / "desk") == before

    def test_only_we_can_read_the_store(self, root, way):
        """It holds what files held."""
        perform(way, "k1", everything)
        store = Path(f"{root}.interlock")
        assert store.stat().st_mode & 0o777 == 0o700
        assert {path.stat().st_mode & 0o077 for path in store.rglob("*") if path.is_file()} == {0}

    @pytest.mark.parametrize("size", ["64", "64 MB", "MB", "-1MB", "64mb"])
    def test_a_size_has_a_unit(self, root, size):
        """What can't be read is refused with an example."""
        with pytest.raises(DeclarationError, match="64MB"):
            Files(root, largest=size)
