"""The protocol of a model, its one error, and the way from a name like `openai:gpt-5` to a model."""

from collections.abc import AsyncGenerator
from importlib.util import find_spec
from typing import Protocol, runtime_checkable

from interlock.errors import DeclarationError, InterlockError
from interlock.models.messages import Exchange, Request, Response


class ModelError(InterlockError):
    """A model did not answer; nothing of what it may have begun to say counts.

    Args:
        message: What happened, at which provider, and what to do.
        transient: Whether asking again may help (a network down, an overloaded provider), or not (a wrong key).
        retry_after: In how many seconds the provider wants to be asked again, where it said so.
        wire: What went over the wire all the same.
    """

    def __init__(
        self,
        message: str,
        *,
        transient: bool,
        retry_after: float | None = None,
        wire: tuple[Exchange, ...] = (),
    ) -> None:
        super().__init__(message)
        self.transient = transient
        self.retry_after = retry_after
        self.wire = wire


@runtime_checkable
class Model(Protocol):
    """Something that answers requests."""

    @property
    def name(self) -> str:
        """What the journal calls it, such as `openai:gpt-5`."""
        ...

    def respond(self, request: Request) -> AsyncGenerator[str | Response]:
        """Yield the text of the answer piece by piece as it comes, and last the whole `Response`.

        It asks once: whoever calls decides whether to ask again. Closing the generator stops the model.

        Raises:
            ModelError: there is no answer.
        """
        ...


@runtime_checkable
class Closing(Protocol):
    """A model that holds connections; whoever used it in an event loop closes them there."""

    async def aclose(self) -> None:
        """Close what it holds in the running event loop."""
        ...


def opened(model: "str | Model") -> Model:
    """Return the model that *model* names: `openai:…`, `anthropic:…`, `google:…`, or any that is one already.

    Raises:
        DeclarationError: the name is not understood, or its package is not installed.
    """
    if not isinstance(model, str):
        return model
    if not all(model.partition(":")):
        raise DeclarationError(f"model {model!r} names no provider; write it like 'openai:gpt-5'")
    if find_spec("pydantic_ai") is None:
        raise DeclarationError(f"model {model!r} needs the providers' classes: pip install 'interlock[models]'")
    from interlock.models.provided import ProvidedModel  # noqa: PLC0415 - a second to import: only who uses it pays

    return ProvidedModel(model)
