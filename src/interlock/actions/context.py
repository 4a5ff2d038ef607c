"""What an action's function is given besides its arguments."""

from collections.abc import Mapping
from typing import Any, Generic, TypeVar

from interlock.errors import DeclarationError

D = TypeVar("D")


class Ctx(Generic[D]):
    """The context of one call.

    Attributes:
        deps: What the agent's factory of dependencies made; live, also in a resumed run.
        key: The idempotency key of this call: the same for every attempt, different for every other call.
        run: The id of the run.
        user: The principal that the run acts for: plain data as given at the start of the run, or None.
        attempt: 1 for the first sending, more when the same intent is sent again.
        undoes: In an undo, the idempotency key under which the effect that is taken back was performed; else
            empty.
        before: In an undo of an action with a snapshot, its objects as they are to be again, by name: as before the
            effect, or as they are now where it did not change them; else empty.
        now: In such an undo, the objects as they are.
        perform_before: Nothing may be sent after this time (microseconds since the epoch); 0 where nothing is
            sent.
    """

    __slots__ = ("_credentials", "attempt", "before", "deps", "key", "now", "perform_before", "run", "undoes", "user")

    def __init__(
        self,
        deps: D,
        *,
        key: str = "",
        run: str = "",
        user: Any = None,
        attempt: int = 1,
        perform_before: int = 0,
        undoes: str = "",
        credentials: Mapping[str, str] | None = None,
    ) -> None:
        self.deps = deps
        self.key = key
        self.run = run
        self.user = user
        self.attempt = attempt
        self.perform_before = perform_before
        self.undoes = undoes
        self.before: Mapping[str, Any] = {}
        self.now: Mapping[str, Any] = {}
        self._credentials: Mapping[str, str] = credentials or {}

    def credential(self, name: str) -> str:
        """Return the secret *name*; only those that the action declares are here.

        Raises:
            DeclarationError: the action does not declare it.
        """
        try:
            return self._credentials[name]
        except KeyError:
            raise DeclarationError(
                f"credential {name!r} is not this action's: declare it with credentials=({name!r},)"
            ) from None

    def __repr__(self) -> str:
        return f"<Ctx run={self.run} key={self.key} attempt={self.attempt}>"
