"""A way back: what Interlock writes down of an effect while it happens, so that it can take it back by itself."""

from abc import ABC, abstractmethod
from contextlib import AbstractContextManager
from typing import Any, ClassVar

from msgspec import Struct

from interlock.actions.context import Ctx


class Change(Struct, frozen=True):
    """One object that an effect changed: as it stood before, after it, and now (plain data; None: not there).

    `object` names it for people: `bookings ref='AB12'`, `notes/a.txt`.
    """

    object: str
    before: Any = None
    after: Any = None
    now: Any = None


class Touched(Struct, frozen=True):
    """The objects that an effect wrote, and those that what it wrote rests on, by names that stay the same.

    They tell which later effect depends on which earlier one: names are compared, and nothing else is read from them.
    """

    wrote: tuple[str, ...] = ()
    read: tuple[str, ...] = ()


class Found(Struct, frozen=True):
    """What is known of an effect that was carried out: its recorded result (JSON), and what it touched."""

    result: bytes
    touched: Touched = Touched()


class UndoError(Exception):
    """An effect was not taken back; `kind` says why in a word, `changes` are the objects that stood in the way."""

    kind: ClassVar[str] = ""

    def __init__(self, why: str, changes: tuple[Change, ...] = ()) -> None:
        super().__init__(why)
        self.changes = changes


class ConflictError(UndoError):
    """Somebody changed since what an effect had changed; nothing was taken back."""

    kind = "conflict"


class LostError(UndoError):
    """The way back is closed for good: what was kept has expired, or what it was kept of has another form now."""

    kind = "lost"


class WrongError(UndoError):
    """An undo said that it was done, and not all is as it was before the effect."""

    kind = "wrong"


class RolledBackError(Exception):
    """The function raised (`__cause__`), and all that it had done was taken back at once: nothing has happened."""


class Performance(ABC):
    """One effect while it is carried out."""

    touched: Touched = Touched()
    """What it touched; known once it is over."""

    @abstractmethod
    def finish(self, result: bytes) -> None:
        """Note the result (JSON) with what was done; called once, last."""


class Way(ABC):
    """How the effects of actions are taken back exactly, by Interlock.

    All methods are called in threads, of several effects at once. `ctx` has the agent's dependencies; a key is the
    idempotency key under which an effect is, or was, carried out. What a way keeps is durable before it is needed:
    a process may die at any instant.
    """

    name: str
    """Names it for people and in what is touched: no two ways of an agent have the same."""

    @abstractmethod
    def performing(self, ctx: Ctx[Any], action: str) -> AbstractContextManager[Performance]:
        """Enclose the carrying out of the effect `ctx.key`.

        What was done is there, with its result, once the block has been left without an error; otherwise nothing is.

        Raises:
            RolledBackError: the block raised, and nothing has happened.
        """

    @abstractmethod
    def look(self, ctx: Ctx[Any], key: str) -> Found | None:
        """Return what is known of the effect, None where it was not carried out and never will be.

        What a killed process left half done is taken back first. It waits for one that is still at it.

        Raises:
            ConflictError: it was cut off half done, and somebody changed since what it had done; a person has to look.
        """

    @abstractmethod
    def preview(self, ctx: Ctx[Any], key: str) -> tuple[Change, ...]:
        """Return the objects that taking the effect back would restore, as they are now; nothing is changed.

        Raises:
            LostError: it can't be taken back any more.
        """

    @abstractmethod
    def take_back(self, ctx: Ctx[Any], key: str) -> Touched:
        """Restore every object that the effect `key` changed, all or none, once under `ctx.key`.

        Done again under the same `ctx.key` after it succeeded, it changes nothing and returns the same.

        Raises:
            ConflictError: an object is not as the effect left it; nothing was changed.
            LostError: it can't be taken back any more.
        """

    def check(self, ctx: Ctx[Any]) -> None:  # noqa: B027 - most ways need nothing
        """Look whether effects can be captured as things stand; called once before the first.

        Raises:
            Exception: they can't; the action is not permitted.
        """
