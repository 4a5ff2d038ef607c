"""Declaring what an agent may do: a typed function, what it does to the world, and how it is taken back."""

import inspect
from collections.abc import Awaitable, Callable, Iterable
from functools import cached_property
from typing import Any, Concatenate, Generic, Literal, ParamSpec, TypeVar, overload

from interlock.actions.context import Ctx
from interlock.durations import microseconds
from interlock.actions.probe import Answer
from interlock.actions.schema import Signature
from interlock.errors import DeclarationError

D = TypeVar("D")
P = ParamSpec("P")
R = TypeVar("R")
F = TypeVar("F")

Effect = Literal["read", "reversible", "compensable", "irreversible"]

FOREVER = 2**62
"""An idempotency window that never ends, in microseconds."""


class Refused(Exception):  # noqa: N818 - it is an answer of the other side, not a fault of ours
    """Raised by an action to say: the other side refused, and nothing has happened.

    Any other exception of an effect leaves its outcome unknown (the payment may have gone through before the answer was
    lost), unless its type is listed in the action's `refuses`.
    """


class Action(Generic[D, P, R]):
    """Something that an agent can do: what `@action.read`, `.reversible`, `.compensable` and `.irreversible` make.

    It is not called directly: a session performs it, after the guardian has judged the proposal. `function` is the
    author's own, for unit tests.

    Attributes:
        name: How a model proposes it; the function's name.
        effect: What it does to the world.
        timeout: How long it may take, in microseconds; after that its outcome is unknown.
        idempotent: How long the other side honours the same idempotency key, in microseconds; 0 where it does not.
        settle: How long after its time to send a probe's `never` may still mean "on its way", in microseconds.
        refuses: Exceptions that mean that nothing has happened.
        credentials: The names of the secrets that it is given, and no others.
    """

    def __init__(
        self,
        function: Callable[Concatenate[Ctx[D], P], Awaitable[R] | R],
        effect: Effect,
        *,
        timeout: str,
        idempotent: bool | str,
        settle: str,
        refuses: Iterable[type[Exception]],
        credentials: Iterable[str],
    ) -> None:
        self.function = function
        self.name = function.__name__
        self.effect: Effect = effect
        self.timeout = microseconds(timeout)
        self.idempotent = _window(idempotent)
        self.settle = microseconds(settle)
        self.refuses = (Refused, *refuses)
        self.credentials = tuple(credentials)
        self.is_async = inspect.iscoroutinefunction(function)
        self.undo_function: Callable[..., Any] | None = None
        self.probe_function: Callable[..., Any] | None = None
        self.verify_function: Callable[..., Any] | None = None
        self.facts: dict[str, Callable[..., Any]] = {}
        if effect == "read" and idempotent:
            raise DeclarationError(f"action {self.name!r}: a read changes nothing, so idempotent= says nothing; drop it")

    @cached_property
    def signature(self) -> Signature:
        """The arguments and result of the function, read when they are first needed."""
        return Signature(self.name, self.function)

    @property
    def doc(self) -> str:
        """What the action does, from the function's docstring."""
        return inspect.getdoc(self.function) or ""

    def schema(self) -> dict[str, Any]:
        """Return name, description and JSON schema of the arguments, as a model API wants them."""
        return {"name": self.name, "description": self.doc, "parameters": self.signature.json_schema()}

    def undo(
        self, function: Callable[Concatenate[Ctx[D], R, P], Awaitable[None] | None]
    ) -> Callable[Concatenate[Ctx[D], R, P], Awaitable[None] | None]:
        """Attach the way back: it gets the action's result and its arguments.

        For a reversible action it restores the exact prior state, and may be run again after a crash: make it so. For
        a compensable one it is a counter-action, sent under its own idempotency key (`ctx.key`).
        """
        if self.effect not in ("reversible", "compensable"):
            raise DeclarationError(
                f"action {self.name!r} is declared {self.effect}, so it has no undo; "
                f"declare it @action.reversible (the exact state comes back) or @action.compensable (made good)"
            )
        self.undo_function = self._once("undo", self.undo_function, function)
        return function

    def probe(
        self, function: Callable[Concatenate[Ctx[D], P], Awaitable[Answer[R]] | Answer[R]]
    ) -> Callable[Concatenate[Ctx[D], P], Awaitable[Answer[R]] | Answer[R]]:
        """Attach the look that tells what became of an effect: `probe.done(result)`, `.never` or `.not_yet_known`."""
        if self.effect == "read":
            raise DeclarationError(f"action {self.name!r} is a read: nothing to probe for; a read is simply done again")
        self.probe_function = self._once("probe", self.probe_function, function)
        return function

    def fact(self, function: Callable[Concatenate[Ctx[D], P], F]) -> Callable[Concatenate[Ctx[D], P], F]:
        """Attach a read-only look-up, gathered before judging; rules read it as `fact.<the function's name>`."""
        name = function.__name__
        self.facts[name] = self._once(f"fact {name}", self.facts.get(name), function)
        return function

    def verify(
        self, function: Callable[Concatenate[Ctx[D], R, P], Awaitable[bool] | bool]
    ) -> Callable[Concatenate[Ctx[D], R, P], Awaitable[bool] | bool]:
        """Attach the look after the effect: False (or an exception) says that what should be there is not."""
        if self.effect == "read":
            raise DeclarationError(f"action {self.name!r} is a read: there is no effect to verify")
        self.verify_function = self._once("verify", self.verify_function, function)
        return function

    def _once(self, what: str, present: object, function: Any) -> Any:
        if present is not None:
            raise DeclarationError(f"action {self.name!r} has its {what} already; an action has one of each name")
        return function

    def check(self) -> None:
        """Refuse a declaration that can't keep its word.

        Raises:
            DeclarationError: a reversible or compensable action has no undo, or its hints give no schema.
        """
        if self.effect in ("reversible", "compensable") and self.undo_function is None:
            raise DeclarationError(
                f"action {self.name!r} is declared {self.effect} but has no way back; "
                f"write @{self.name}.undo, or declare it @action.irreversible"
            )
        _ = self.signature

    def __repr__(self) -> str:
        return f"<Action {self.name} {self.effect}>"


def _window(idempotent: bool | str) -> int:
    if isinstance(idempotent, bool):
        return FOREVER if idempotent else 0
    return microseconds(idempotent)


class _Effect:
    """One of the four decorators, bare or with keywords."""

    def __init__(self, effect: Effect) -> None:
        self._effect: Effect = effect

    @overload
    def __call__(
        self, function: Callable[Concatenate[Ctx[D], P], Awaitable[R]], /
    ) -> Action[D, P, R]: ...

    @overload
    def __call__(self, function: Callable[Concatenate[Ctx[D], P], R], /) -> Action[D, P, R]: ...

    @overload
    def __call__(
        self,
        *,
        timeout: str = ...,
        idempotent: bool | str = ...,
        settle: str = ...,
        refuses: Iterable[type[Exception]] = ...,
        credentials: Iterable[str] = ...,
    ) -> "_Declared": ...

    def __call__(
        self,
        function: Any = None,
        /,
        *,
        timeout: str = "30s",
        idempotent: bool | str = False,
        settle: str = "10s",
        refuses: Iterable[type[Exception]] = (),
        credentials: Iterable[str] = (),
    ) -> Any:
        declared = _Declared(
            self._effect,
            timeout=timeout,
            idempotent=idempotent,
            settle=settle,
            refuses=tuple(refuses),
            credentials=tuple(credentials),
        )
        return declared if function is None else declared(function)


class _Declared:
    """A decorator with its keywords given, waiting for the function."""

    def __init__(self, effect: Effect, **keywords: Any) -> None:
        self._effect: Effect = effect
        self._keywords = keywords

    @overload
    def __call__(
        self, function: Callable[Concatenate[Ctx[D], P], Awaitable[R]], /
    ) -> Action[D, P, R]: ...

    @overload
    def __call__(self, function: Callable[Concatenate[Ctx[D], P], R], /) -> Action[D, P, R]: ...

    def __call__(self, function: Any, /) -> Any:
        return Action[Any, Any, Any](function, self._effect, **self._keywords)


class action:  # noqa: N801 - it is written as a decorator, and reads as a word
    """The four ways to declare an action, by what it does to the world.

    Keywords, all optional: `timeout` ("30s"), `idempotent` (True, or how long the other side honours a key: "24h"),
    `settle` ("10s": how long an effect may still be on its way after it was sent), `refuses` (exceptions that mean that
    nothing has happened), `credentials` (names of the secrets that the action is given).
    """

    read = _Effect("read")
    """Changes nothing."""
    reversible = _Effect("reversible")
    """Its undo restores the exact prior state."""
    compensable = _Effect("compensable")
    """Its undo is a counter-action that makes it good."""
    irreversible = _Effect("irreversible")
    """Can't be taken back."""
