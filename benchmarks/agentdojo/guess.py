"""What a function does to the world, by the first word of its name: where nobody has said it.

It is what a server's `readOnlyHint` says of a well-kept tool, and no more: what does not read is irreversible.
"""

from collections.abc import Iterable
from typing import Literal

Effect = Literal["read", "egress", "reversible", "irreversible"]
"""What a function is declared as; egress is a read whose arguments leave the house."""

READING = frozenset(
    (
        *("browse", "check", "count", "describe", "download", "fetch", "find", "get", "is", "list", "load", "lookup"),
        *("open", "query", "read", "search", "show", "summarize", "view"),
    )
)
ADDRESS = frozenset({"url", "uri", "link", "href", "endpoint"})


def effect(function: str, arguments: Iterable[str]) -> Effect:
    """Guess an effect from the name of a function and of its arguments."""
    if function.partition("_")[0] not in READING:
        return "irreversible"
    return "egress" if ADDRESS.intersection(arguments) else "read"
