"""The settings of a runtime, checked once."""

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

from msgspec import Struct

if TYPE_CHECKING:
    from starlette.requests import Request

Credentials = Mapping[str, str] | Callable[[str], str]
"""Where secrets come from: by name from a mapping, or from a function (a vault)."""

Found = str | Mapping[str, Any] | None
Look = Callable[["Request"], Found | Awaitable[Found]]
"""How a host application finds the user or the tenant of a request: from its own session, token or middleware."""


class Options(Struct, frozen=True):
    """How a runtime behaves; times in microseconds."""

    patience: int
    question_ttl: int
    confirmation_ttl: int
    max_runs: int
    credentials: Credentials
