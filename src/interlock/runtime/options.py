"""The settings of a runtime, checked once."""

from collections.abc import Callable, Mapping

from msgspec import Struct

Credentials = Mapping[str, str] | Callable[[str], str]
"""Where secrets come from: by name from a mapping, or from a function (a vault)."""


class Options(Struct, frozen=True):
    """How a runtime behaves; times in microseconds."""

    patience: int
    question_ttl: int
    max_runs: int
    credentials: Credentials
