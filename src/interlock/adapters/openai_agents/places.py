"""Where in a run a model turn or a tool call stands, and the ids of calls that say so."""

import hashlib
import re
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple, Self

from interlock.adapters.governor import Block, Governor, here
from interlock.errors import DeclarationError

_OURS = re.compile(r"il_([0-9a-f]{8})_(\d+(?:\.\d+)*)_", re.ASCII)
"""How an id begins that has been given out here: a mark of the run, and the path of the call."""

_body: ContextVar[tuple[Block, tuple[int, ...]] | None] = ContextVar("body", default=None)


class Place(NamedTuple):
    """A run of the SDK's `Runner` within a run of the journal.

    `path` is empty for what the application runs itself. Within the body of a tool it is the path of that call: the
    number of the turn, that of the call in it, and so on inward.
    """

    block: Block
    path: tuple[int, ...]

    @classmethod
    def current(cls, governor: Governor, what: str) -> Self:
        """Return the place that this code stands in.

        Raises:
            DeclarationError: it stands in no run of the governor.
        """
        block = here()
        if block is None or block.governor is not governor:
            raise DeclarationError(
                f'{what}: which run of the journal is it? Put `with governor.run("some id"):` around Runner.run'
            )
        body = _body.get()
        return cls(block, body[1] if body is not None and body[0] is block else ())

    @contextmanager
    def body_of(self, call: "CallId") -> Generator[None]:
        """Say that this is the body of a call: what runs in it has a place of its own."""
        token = _body.set((self.block, call.path))
        try:
            yield
        finally:
            _body.reset(token)

    def turn(self, number: int) -> str:
        """Return the key of a turn."""
        return key_of((*self.path, number))

    def call(self, turn: int, index: int, original: str) -> "CallId":
        """Return the id of a call of a turn."""
        return CallId(self.mark, (*self.path, turn, index), original)

    @property
    def mark(self) -> str:
        """What stands for the run in the ids of its calls."""
        return hashlib.sha256(self.block.where.run.encode()).hexdigest()[:8]

    def holds(self, path: tuple[int, ...]) -> bool:
        """Whether that is the path of a call of this place."""
        return len(path) == len(self.path) + 2 and path[:-2] == self.path

    def seen(self, call_id: object) -> int | None:
        """Return the number of the turn that made a call, if it was made in this place."""
        call = CallId.parse(call_id)
        if call is None or call.mark != self.mark or not self.holds(call.path):
            return None
        return call.path[-2]

    # how far it has come in this block

    @property
    def turns(self) -> int:
        """The number of the turn that comes next in this block, if nothing else tells it."""
        return self.block.calls[self._named("turns")]

    @turns.setter
    def turns(self, number: int) -> None:
        self.block.calls[self._named("turns")] = number

    @contextmanager
    def asking(self) -> Generator[None]:
        """Say that a model is being asked.

        Raises:
            DeclarationError: one is asked already: what either says could not be told from the other's.
        """
        if self.block.calls[self._named("asking")]:
            raise DeclarationError(
                f"run {self.block.where.run!r}: two Runner.run at once in one run; give each a run of its own"
            )
        self.block.calls[self._named("asking")] = 1
        try:
            yield
        finally:
            self.block.calls[self._named("asking")] = 0

    @property
    def may_go_on(self) -> bool:
        """Whether what comes next may be a state that waited for people."""
        return self.turns == 0 or self._named("waits") in self.block.open

    def waits(self, waiting: bool) -> None:
        """Say whether a call waits for people, in the journal or in a state of the SDK; the run does not end then."""
        (self.block.open.add if waiting else self.block.open.discard)(self._named("waits"))

    def is_new(self, what: str) -> bool:
        """Whether this is said for the first time in this block."""
        self.block.calls[self._named(what)] += 1
        return self.block.calls[self._named(what)] == 1

    def _named(self, what: str) -> str:
        return f"openai_agents {key_of(self.path)} {what}"


class CallId(NamedTuple):
    """The id of a call as the SDK knows it: a mark of the run, its path, and the provider's id.

    A provider may give the same id twice, and a turn that is recalled must be told from the same turn of another run:
    so the provider's ids are no keys.
    """

    mark: str
    path: tuple[int, ...]
    original: str

    @classmethod
    def parse(cls, text: Any) -> Self | None:
        """Return what an id says, or None if it was not given out here."""
        found = _OURS.match(text) if isinstance(text, str) else None
        if found is None:
            return None
        return cls(found[1], tuple(map(int, found[2].split("."))), text[found.end() :])

    @property
    def key(self) -> str:
        """The key of the call in the journal."""
        return key_of(self.path)

    def __str__(self) -> str:
        return f"il_{self.mark}_{'.'.join(map(str, self.path))}_{self.original}"


def key_of(path: tuple[int, ...]) -> str:
    """Return the key of a turn or a call in the journal."""
    return "/".join(map(str, path))


def path_of(key: str) -> tuple[int, ...]:
    """Return the path that a key says; none where it is a key of somebody else."""
    numbers = key.split("/")
    return tuple(map(int, numbers)) if all(map(str.isdecimal, numbers)) else ()
