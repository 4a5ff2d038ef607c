"""Declaring what a tool does whose body stays where it is: in another framework, or on another server."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextvars import ContextVar
from typing import Any, Protocol, cast

from interlock.actions.action import Action, Effect
from interlock.actions.context import Ctx
from interlock.actions.foreign import Foreign, Unseen, Validate
from interlock.errors import DeclarationError

Body = Callable[[Ctx[Any], dict[str, Any]], Awaitable[Any]]
"""What performs a tool: it gets the context of the call and the judged arguments."""

LONGEST_NAME = 128
"""How many characters the name of a tool may have, as the Model Context Protocol has it."""

proposed_body: ContextVar[Body | None] = ContextVar("proposed_body", default=None)
"""The body of the tool that is being proposed, set by whoever brings the proposal."""


class Takes(Protocol):
    """What is known of the arguments and results of a tool; `Signature` and `Foreign` are such."""

    @property
    def doc(self) -> str:
        """What it does."""
        ...

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the arguments."""
        ...

    def json_schema(self) -> dict[str, Any]:
        """Return the JSON schema of the arguments."""
        ...

    def arguments(self, raw: object) -> dict[str, Any]:
        """Return validated arguments."""
        ...

    def result(self, recorded: bytes) -> Any:
        """Return a recorded result."""
        ...


class Tool(Action[Any, Any, Any]):
    """What another framework calls a tool; made by `tool.read`, `.reversible`, `.compensable`, `.irreversible`.

    Its effect, way back, probe and facts are declared as those of any action. What it takes is known once an adapter
    has seen it (`bind`). Its body is brought by each proposal, unless `bind` was given one that can be called at any
    time.
    """

    def __init__(self, name: str, effect: Effect, **keywords: Any) -> None:
        if not 0 < len(name) <= LONGEST_NAME or not name.isprintable():
            raise DeclarationError(f"{name!r} can't name a tool: up to {LONGEST_NAME} printable characters can")
        self._body: Body | None = None
        super().__init__(self._perform, effect, name=name, **keywords)
        self.is_async = True
        self.proposer_performs = True
        self.takes(Unseen())

    def bind(
        self,
        doc: str,
        schema: Mapping[str, Any],
        *,
        validate: Validate | None = None,
        body: Body | None = None,
    ) -> None:
        """Say what the tool takes, and with *body* what performs it at any time.

        Args:
            doc: What it does, in the other side's words.
            schema: The JSON schema of its arguments.
            validate: The other side's own validation of them; without it the schema is used.
            body: What performs it, also after a crash and with nobody who proposes; None where each proposal brings
                its body.

        Raises:
            DeclarationError: the schema is none, or an attached function does not take the arguments.
        """
        self.takes(Foreign(self.name, doc, schema, validate))
        self._body = body
        self.proposer_performs = body is None
        self.check()

    def takes(self, what: Takes) -> None:
        """Set what is known of its arguments and results."""
        vars(self)["signature"] = what

    @property
    def is_bound(self) -> bool:
        """Whether it is known what it takes."""
        return type(cast("Takes", self.signature)) is not Unseen

    @property
    def argument_names(self) -> frozenset[str] | None:
        """What rules may read as `arg.…`; None where it may take anything."""
        return None if getattr(self.signature, "open", False) else super().argument_names

    def _check_takes(self, what: str, function: Callable[..., Any], given: tuple[str, ...]) -> None:
        if self.is_bound:
            super()._check_takes(what, function, given)

    async def _perform(self, ctx: Ctx[Any], /, **arguments: Any) -> Any:
        body = self._body or proposed_body.get()
        if body is None:
            raise DeclarationError(f"tool {self.name!r} has no body here: it is its framework that performs it")
        return await body(ctx, arguments)


class _Declaring:
    """One of the four ways to declare a tool."""

    def __init__(self, effect: Effect) -> None:
        self._effect: Effect = effect

    def __call__(
        self,
        name: str,
        /,
        *,
        timeout: str = "10m",
        idempotent: bool | str = False,
        settle: str = "10s",
        refuses: Iterable[type[Exception]] = (),
        credentials: Iterable[str] = (),
        egress: bool = False,
        repeatable: bool = False,
    ) -> Tool:
        return Tool(
            name,
            self._effect,
            timeout=timeout,
            idempotent=idempotent,
            settle=settle,
            refuses=refuses,
            credentials=credentials,
            egress=egress,
            repeatable=repeatable,
        )


class tool:  # noqa: N801 - it reads as a word, like `action`
    """The four ways to declare what a framework's tool does to the world, by the name that the framework gives it.

    The keywords are those of `action`, and so are `undo`, `probe`, `fact` and `verify` of what they return. The tool's
    own body stays where it is; the functions that are attached here run beside it, without the framework's context.
    """

    read = _Declaring("read")
    """Changes nothing."""
    reversible = _Declaring("reversible")
    """Its undo restores the exact prior state."""
    compensable = _Declaring("compensable")
    """Its undo is a counter-action that makes it good."""
    irreversible = _Declaring("irreversible")
    """Can't be taken back."""
