"""Declaring what an agent may do: a typed function, what it does to the world, and how it is taken back."""

import inspect
import re
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any, Concatenate, Generic, Literal, ParamSpec, TypeVar, cast, overload

from interlock.actions.captured import CarriedOut, LookedFor, TakenBack
from interlock.actions.context import Ctx
from interlock.actions.probe import Answer
from interlock.actions.schema import Signature
from interlock.actions.way import Way
from interlock.durations import microseconds
from interlock.errors import DeclarationError

D = TypeVar("D")
P = ParamSpec("P")
R = TypeVar("R")
F = TypeVar("F")

Looked = Mapping[str, Any]
"""Objects by name, as a snapshot returns them."""

Effect = Literal["read", "reversible", "compensable", "irreversible"]

FOREVER = 2**62
"""An idempotency window that never ends, in microseconds."""


class Refused(Exception):  # noqa: N818 - it is an answer of the other side, not a fault of ours
    """Raised by an action to say: the other side refused, and nothing has happened.

    Any other exception of an effect leaves its outcome unknown (the payment may have gone through before the
    answer was lost), unless its type is listed in the action's `refuses`.
    """


class Action(Generic[D, P, R]):
    """Something that an agent can do; made by `@action.read`, `.reversible`, `.compensable`, `.irreversible`.

    It is not called directly: a session performs it, after the guardian has judged the proposal. `function`
    is the author's own, for unit tests.

    Attributes:
        name: How a model proposes it; the function's name.
        effect: What it does to the world.
        timeout: How long it may take, in microseconds; after that its outcome is unknown.
        idempotent: How long the other side honours the same idempotency key, in microseconds; 0 where it does
            not.
        settle: How long after its time to send a probe's `never` may still mean "on its way", in
            microseconds.
        refuses: Exceptions that mean that nothing has happened.
        credentials: The names of the secrets that it is given, and no others.
        egress: Whether a read's arguments leave the trust boundary (a web fetch, a search elsewhere): then it is
            written down before it is performed, as an effect is, and never performed beside another call.
        repeatable: Whether doing the same once more, in one conversation, is nothing to ask about.
        way: How Interlock takes its effects back by itself; None where the undo function does.
        stays: What no undo of it takes back, in words: who has read it, what it set off elsewhere.
        failed: What tells of a recorded result (as plain data) that it says that nothing came of the effect; None where
            a result always means that it was done.
        open_world: Whether whoever offers it says that its results come from an open world; such a word only ever
            lowers how far the texts of them are trusted.
        proposer_performs: Whether only whoever proposes it can perform it, because its body comes with the proposal.
    """

    def __init__(
        self,
        function: Callable[Concatenate[Ctx[D], P], Awaitable[R] | R],
        effect: Effect,
        *,
        name: str | None = None,
        timeout: str,
        idempotent: bool | str,
        settle: str,
        refuses: Iterable[type[Exception]],
        credentials: Iterable[str],
        egress: bool = False,
        repeatable: bool = False,
        way: Way | None = None,
        stays: str = "",
    ) -> None:
        self.name = _named(function) if name is None else name
        self.function = function
        self.effect: Effect = effect
        self.timeout = microseconds(timeout)
        self.egress = egress
        self.repeatable = repeatable or effect == "read"
        # What left with a read has left; reading once more changes nothing, and one that raises has failed.
        self.idempotent = FOREVER if egress else _window(idempotent)
        # A way waits for what is still at it, so that what it does not know now never will be.
        self.settle = microseconds(settle) if way is None else 0
        self.refuses = (Exception,) if egress else (Refused, *_exceptions(self.name, refuses))
        self.credentials = _names(self.name, credentials)
        self.is_async = inspect.iscoroutinefunction(function)
        self.proposer_performs = False
        self.open_world = False
        self.failed: Callable[[Any], bool] | None = None
        self.way = way
        self.stays = stays
        self.undo_function: Callable[..., Any] | None = None if way is None else TakenBack(way)
        self.undo_probe_function: Callable[..., Any] | None = None
        self.snapshot_function: Callable[..., Any] | None = None
        self.probe_function: Callable[..., Any] | None = None if way is None else LookedFor(way)
        self.verify_function: Callable[..., Any] | None = None
        self.facts: dict[str, Callable[..., Any]] = {}
        if not self.timeout:
            raise DeclarationError(f"action {self.name!r}: timeout={timeout!r} leaves it no time; write '30s'")
        if effect == "read" and idempotent:
            raise DeclarationError(
                f"action {self.name!r}: a read changes nothing, so idempotent= says nothing; drop it"
            )
        if way is not None:
            self._check_way(way)
        if egress and effect != "read":
            raise DeclarationError(f"action {self.name!r}: egress= is for reads; an effect leaves anyway, so drop it")

    def _check_way(self, way: Way) -> None:
        if self.effect != "reversible":
            raise DeclarationError(
                f"action {self.name!r} is declared {self.effect}, and a way restores the exact state; "
                "declare it @action.reversible"
            )
        if self.is_async:
            raise DeclarationError(
                f"action {self.name!r}: what it does is captured while it runs in a thread; write a plain def"
            )
        if not isinstance(way, Way):  # pyright: ignore[reportUnnecessaryIsInstance] - not everybody checks types
            raise DeclarationError(f"action {self.name!r}: way= takes a way such as SqliteRows(…), not {way!r}")

    @property
    def performs(self) -> Callable[..., Any]:
        """What performs it: its function, within its way where it has one."""
        return self.function if self.way is None else CarriedOut(self.way, self.name, self.function)

    @cached_property
    def signature(self) -> Signature:
        """The arguments and result of the function, read when they are first needed."""
        return Signature(self.name, self.function)

    @property
    def doc(self) -> str:
        """What the action does: the function's docstring without its section on arguments."""
        return self.signature.doc

    @property
    def argument_names(self) -> frozenset[str] | None:
        """What rules may read as `arg.…`; None where that is not known."""
        return frozenset(self.signature.names)

    def schema(self) -> dict[str, Any]:
        """Return name, description and JSON schema of the arguments, as a model API wants them."""
        return {"name": self.name, "description": self.doc, "parameters": self.signature.json_schema()}

    def undo(
        self, function: Callable[Concatenate[Ctx[D], R, P], Awaitable[None] | None]
    ) -> Callable[Concatenate[Ctx[D], R, P], Awaitable[None] | None]:
        """Attach the way back: it gets the action's result and its arguments.

        For a reversible action it restores the exact prior state, and may be run again after a crash: make it
        so. For a compensable one it is a counter-action, sent under its own idempotency key (`ctx.key`).
        """
        if self.effect not in ("reversible", "compensable"):
            raise DeclarationError(
                f"action {self.name!r} is declared {self.effect}, so it has no undo; "
                "declare it @action.reversible (restores the exact state) or @action.compensable"
            )
        if self.way is not None:
            raise DeclarationError(f"action {self.name!r} has a way back of its own, {self.way.name!r}; drop its undo")
        self.undo_function = self._once("undo", self.undo_function, function)
        return function

    def undo_probe(
        self, function: Callable[Concatenate[Ctx[D], R, P], Awaitable[Answer[None]] | Answer[None]]
    ) -> Callable[Concatenate[Ctx[D], R, P], Awaitable[Answer[None]] | Answer[None]]:
        """Attach the look that tells what became of an undo: it gets what the undo gets, and `ctx.key` is the undo's.

        It answers as a probe does.
        """
        self.undo_probe_function = self._once("undo_probe", self.undo_probe_function, function)
        return function

    def snapshot(
        self, function: Callable[Concatenate[Ctx[D], R | None, P], Awaitable[Looked] | Looked]
    ) -> Callable[Concatenate[Ctx[D], R | None, P], Awaitable[Looked] | Looked]:
        """Attach the look at the objects that a call touches, by name: its before-image.

        It is read before the effect (its result is None then), after it, and at an undo: an object that is not as the
        effect left it is not overwritten, and one that the undo did not bring back as it was is a failure. An object
        that is not there is None; where the other side has versions, it is a `Versioned`. The undo finds the objects
        as they are to be again in `ctx.before`, and as they are in `ctx.now`.

        An object that only the look after the effect names was made by it: name such a one by the result, never by a
        search, in which somebody else's could turn up meanwhile.
        """
        if self.effect != "reversible" or self.way is not None:
            raise DeclarationError(
                f"action {self.name!r}: a snapshot is for the undo of an @action.reversible without a way= of its own"
            )
        self.snapshot_function = self._once("snapshot", self.snapshot_function, function)
        return function

    def probe(
        self, function: Callable[Concatenate[Ctx[D], P], Awaitable[Answer[R]] | Answer[R]]
    ) -> Callable[Concatenate[Ctx[D], P], Awaitable[Answer[R]] | Answer[R]]:
        """Attach the look that tells what became of an effect.

        It answers `probe.done(result)`, `probe.never` or `probe.not_yet_known`.
        """
        if self.way is not None:
            raise DeclarationError(
                f"action {self.name!r}: its way {self.way.name!r} tells what became of it; drop its probe"
            )
        if self.effect == "read":
            raise DeclarationError(f"action {self.name!r} is a read: nothing to probe for; a read is simply done again")
        self.probe_function = self._once("probe", self.probe_function, function)
        return function

    def fact(self, function: Callable[Concatenate[Ctx[D], P], F]) -> Callable[Concatenate[Ctx[D], P], F]:
        """Attach a read-only look-up, gathered before judging; rules read it as `fact.<its name>`."""
        name = function.__name__
        if name == "_":
            raise DeclarationError(f"action {self.name!r}: a fact needs a name; rules read it as fact.<name>")
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
            raise DeclarationError(f"action {self.name!r} has its {what} already; there is one of each")
        return function

    def check(self) -> None:
        """Refuse a declaration that can't keep its word.

        Raises:
            DeclarationError: a reversible or compensable action has no undo, its hints give no schema, or one
                of its functions does not take what it will be given.
        """
        if self.effect in ("reversible", "compensable") and self.undo_function is None:
            raise DeclarationError(
                f"action {self.name!r} is declared {self.effect} but has no way back; "
                f"write @{self.name}.undo, or declare it @action.irreversible"
            )
        if self.undo_function is None and (self.snapshot_function is not None or self.undo_probe_function is not None):
            raise DeclarationError(f"action {self.name!r} has looks for its undo, but no undo; write @{self.name}.undo")
        self.signature.json_schema()
        for what, function, given in self._attached():
            self._check_takes(what, function, given)

    def _attached(self) -> Iterator[tuple[str, Callable[..., Any], tuple[str, ...]]]:
        """Yield the functions that belong to the action, and what each gets before the arguments."""
        if self.undo_function is not None:
            yield "undo", self.undo_function, ("ctx", "result")
        if self.undo_probe_function is not None:
            yield "undo_probe", self.undo_probe_function, ("ctx", "result")
        if self.snapshot_function is not None:
            yield "snapshot", self.snapshot_function, ("ctx", "result")
        if self.probe_function is not None:
            yield "probe", self.probe_function, ("ctx",)
        if self.verify_function is not None:
            yield "verify", self.verify_function, ("ctx", "result")
        for name, function in self.facts.items():
            yield f"fact {name}", function, ("ctx",)

    def _check_takes(self, what: str, function: Callable[..., Any], given: tuple[str, ...]) -> None:
        names = self.signature.names
        try:
            inspect.signature(function).bind(*given, **dict.fromkeys(names))
        except TypeError as error:
            raise DeclarationError(
                f"action {self.name!r}: its {what} does not take what it is given ({error}); "
                f"write def …({', '.join((*given, *names))})"
            ) from None

    def __repr__(self) -> str:
        return f"<Action {self.name} {self.effect}>"


_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


def _named(function: Any) -> str:
    """Return the function's name, after a look whether it is a function that can be an action at all."""
    if not inspect.isroutine(function):
        raise DeclarationError(f"{function!r} is not a function; write @action.… above a def or an async def")
    name = function.__name__
    if _NAME.fullmatch(name) is None:
        raise DeclarationError(
            f"{name!r} can't name an action: model APIs take up to 64 ASCII letters, digits, _ and -; "
            "write a def with such a name"
        )
    inner = inspect.unwrap(function)
    if inspect.isgeneratorfunction(inner) or inspect.isasyncgenfunction(inner):
        raise DeclarationError(f"action {name!r} yields; an action returns one result, for example a list")
    if inspect.iscoroutinefunction(inner) and not inspect.iscoroutinefunction(function):
        raise DeclarationError(
            f"action {name!r}: a decorator hides that it is async; make its wrapper an async def too"
        )
    return name


def _exceptions(name: str, refuses: object) -> tuple[type[Exception], ...]:
    try:
        kinds = tuple(cast("Iterable[Any]", refuses))
    except TypeError:
        kinds = (refuses,)
    if isinstance(refuses, type) or not all(isinstance(one, type) and issubclass(one, Exception) for one in kinds):
        raise DeclarationError(
            f"action {name!r}: refuses= lists the exceptions that mean that nothing has happened; "
            "write for example refuses=(CardDeclined,)"
        )
    return cast("tuple[type[Exception], ...]", kinds)


def _names(name: str, credentials: Iterable[str]) -> tuple[str, ...]:
    if isinstance(credentials, str):
        raise DeclarationError(f"action {name!r}: credentials= lists names; write credentials=({credentials!r},)")
    return tuple(credentials)


def _window(idempotent: bool | str) -> int:
    if isinstance(idempotent, bool):
        return FOREVER if idempotent else 0
    return microseconds(idempotent)


class _Effect:
    """One of the four decorators, bare or with keywords."""

    def __init__(self, effect: Effect) -> None:
        self._effect: Effect = effect

    @overload
    def __call__(self, function: Callable[Concatenate[Ctx[D], P], Awaitable[R]], /) -> Action[D, P, R]: ...

    @overload
    def __call__(self, function: Callable[Concatenate[Ctx[D], P], R], /) -> Action[D, P, R]: ...

    @overload
    def __call__(
        self,
        /,
        *,
        timeout: str = ...,
        idempotent: bool | str = ...,
        settle: str = ...,
        refuses: Iterable[type[Exception]] = ...,
        credentials: Iterable[str] = ...,
        egress: bool = ...,
        repeatable: bool = ...,
        way: Way | None = ...,
        stays: str = ...,
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
        egress: bool = False,
        repeatable: bool = False,
        way: Way | None = None,
        stays: str = "",
    ) -> Any:
        declared = _Declared(
            self._effect,
            timeout=timeout,
            idempotent=idempotent,
            settle=settle,
            refuses=refuses,
            credentials=credentials,
            egress=egress,
            repeatable=repeatable,
            way=way,
            stays=stays,
        )
        return declared if function is None else declared(function)


class _Declared:
    """A decorator with its keywords given, waiting for the function."""

    def __init__(self, effect: Effect, **keywords: Any) -> None:
        self._effect: Effect = effect
        self._keywords = keywords

    @overload
    def __call__(self, function: Callable[Concatenate[Ctx[D], P], Awaitable[R]], /) -> Action[D, P, R]: ...

    @overload
    def __call__(self, function: Callable[Concatenate[Ctx[D], P], R], /) -> Action[D, P, R]: ...

    def __call__(self, function: Any, /) -> Any:
        return Action[Any, Any, Any](function, self._effect, **self._keywords)


class action:  # noqa: N801 - it is written as a decorator, and reads as a word
    """The four ways to declare an action, by what it does to the world.

    Keywords, all optional:

    - `timeout`: how long it may take ("30s"); after that its outcome is unknown.
    - `idempotent`: True, or for how long the other side honours an idempotency key ("24h").
    - `settle`: how long an effect may still be on its way after it was sent ("10s").
    - `refuses`: exceptions that mean that nothing has happened.
    - `credentials`: the names of the secrets that it is given.
    - `egress`: of a read: its arguments leave the trust boundary, so that it is judged and written down like an effect.
    - `way`: of a reversible action: what captures its effects and takes them back (`undo.SqliteRows`, `.PostgresRows`,
      `.Files`, or one of your own), instead of an undo function.
    - `stays`: what no undo takes back, in words ("the customer has read it"); undo plans say it.
    - `repeatable`: doing exactly the same again in one conversation is nothing to ask the user about.
    """

    read = _Effect("read")
    """Changes nothing."""
    reversible = _Effect("reversible")
    """Its undo restores the exact prior state."""
    compensable = _Effect("compensable")
    """Its undo is a counter-action that makes it good."""
    irreversible = _Effect("irreversible")
    """Can't be taken back."""
