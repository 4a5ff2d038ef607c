"""git: a commit to a branch (a snapshot of the ref, set back by compare-and-swap) and a tag (deleted again)."""

# dulwich lives in an environment of its own, where the type check does not look; what leaves this module is typed.
# pyright: reportMissingImports=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dulwich.client import TCPGitClient
from dulwich.object_store import MemoryObjectStore
from dulwich.objects import Blob, Commit, Tree
from dulwich.repo import MemoryRepo, Repo

from benchmarks.undo.services.dumps import State
from interlock import Ctx, Refused, action

if TYPE_CHECKING:
    from benchmarks.undo.services.world import World

PATH = "desk.git"
MAIN, ELSE, TAG = "refs/heads/main", "refs/heads/else", "refs/tags/"
NOWHERE = "0" * 40
"""What the protocol says for a ref that is not there."""


class Repository:
    """A bare repository behind a git server."""

    name = "git"

    def __init__(self, port: int, folder: Path) -> None:
        self._client = TCPGitClient("127.0.0.1", port)
        self._folder = folder / PATH

    def refs(self) -> dict[str, str]:
        """Return the server's refs and the commits that they point to."""
        found = self._client.get_refs(PATH.encode()).refs
        return {name.decode(): sha.decode() for name, sha in found.items() if sha is not None}

    def commit(self, ref: str, path: str, text: str) -> str:
        """Commit one file on top of a branch, and return the commit's id."""
        repository = MemoryRepo()
        tips = {name.decode(): sha for name, sha in self._client.fetch(PATH.encode(), repository).refs.items() if sha}
        store, tip = repository.object_store, tips.get(ref)
        tree = store[store[tip].tree] if tip else Tree()
        made = _commit(store, tree, [tip] if tip else [], path, text)
        self.move(ref, tip.decode() if tip else NOWHERE, made.decode(), store)
        return made.decode()

    def move(self, ref: str, now: str, to: str, store: Any = None) -> None:
        """Point a ref from *now* to *to*, with the objects of *store* that the server lacks.

        Raises:
            Refused: it does not point to *now*.
        """

        def wanted(refs: dict[bytes, bytes], **_: object) -> dict[bytes, bytes]:
            if refs.get(ref.encode(), NOWHERE.encode()) != now.encode():
                raise Refused(f"somebody moved {ref} in the meantime")
            return {ref.encode(): to.encode()}

        def pack(have: object, want: object, **given: Any) -> tuple[int, Iterator[Any]]:
            return (0, iter(())) if store is None else store.generate_pack_data(have, want, **given)

        told = self._client.send_pack(PATH.encode(), wanted, pack).ref_status or {}
        if why := told.get(ref.encode()):
            raise Refused(f"the server did not move {ref}: {why}")

    def seed(self) -> None:
        """Begin with one commit on each of two branches."""
        if not self._folder.exists():
            Repo.init_bare(str(self._folder), mkdir=True).close()
        for ref, sha in self.refs().items():
            self.move(ref, sha, NOWHERE)
        for ref in (MAIN, ELSE):
            self.commit(ref, "README", f"the beginning of {ref}\n")

    def state(self) -> State:
        """Return all refs; the id of a commit is the hash of everything that can be reached from it."""
        return self.refs()

    def edit_another(self) -> None:
        """Push to another branch."""
        self.commit(ELSE, "eve.txt", "something else\n")

    def edit_ours(self) -> None:
        """Push on top of the agent's commit."""
        self.commit(MAIN, "eve.txt", "something more\n")


def _commit(store: MemoryObjectStore, tree: Any, parents: list[bytes], path: str, text: str) -> bytes:
    blob, made = Blob.from_string(text.encode()), Commit()
    tree.add(path.encode(), 0o100644, blob.id)
    made.tree, made.parents, made.message = tree.id, parents, f"write {path}\n".encode()
    made.author = made.committer = b"Desk <desk@example.org>"
    made.author_time = made.commit_time = 1_767_225_600  # The beginning of 2026: the same work makes the same ids.
    made.author_timezone = made.commit_timezone = 0
    for one in (blob, tree, made):
        store.add_object(one)
    return made.id


@action.reversible
def commit_file(ctx: Ctx["World"], path: str, text: str) -> str:
    """Commit a file to the main branch, and return the commit's id."""
    return ctx.deps.repository.commit(MAIN, path, text)


@commit_file.snapshot
def _(ctx: Ctx["World"], done: str | None, path: str, text: str) -> dict[str, Any]:
    return {MAIN: ctx.deps.repository.refs().get(MAIN)}


@commit_file.undo
def _(ctx: Ctx["World"], done: str, path: str, text: str) -> None:
    ctx.deps.repository.move(MAIN, ctx.now[MAIN], ctx.before[MAIN])


@action.reversible
def create_tag(ctx: Ctx["World"], tag: str) -> str:
    """Tag the newest commit of the main branch, and return its id."""
    tip = ctx.deps.repository.refs()[MAIN]
    ctx.deps.repository.move(TAG + tag, NOWHERE, tip)
    return tip


@create_tag.undo
def _(ctx: Ctx["World"], done: str, tag: str) -> None:
    if TAG + tag in ctx.deps.repository.refs():
        ctx.deps.repository.move(TAG + tag, done, NOWHERE)
