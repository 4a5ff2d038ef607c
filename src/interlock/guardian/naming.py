"""The actions that a rule names: declared ones, or names; one, or several."""

from collections.abc import Iterable
from typing import Protocol, runtime_checkable

from interlock.errors import PolicyError

EVERY = "*"
"""Stands in the data for every action."""


@runtime_checkable
class Named(Protocol):
    """Anything with a name: a declared action."""

    @property
    def name(self) -> str:
        """The action's name."""
        ...


Actions = Named | str | Iterable[Named | str]


def names(what: str, action: Actions) -> tuple[str, ...]:
    """Return the names of *action*, each once and in order.

    Raises:
        PolicyError: something in it is neither an action nor a name; *what* says where it was given.
    """
    if isinstance(action, (str, Named)) or not isinstance(action, Iterable):  # pyright: ignore[reportUnnecessaryIsInstance]
        return (_name(what, action),)
    return tuple(sorted({_name(what, each) for each in action}))


def _name(what: str, action: object) -> str:
    name = action if isinstance(action, str) else getattr(action, "name", None)
    if not isinstance(name, str) or name == EVERY:
        raise PolicyError(f"{what} takes actions or their names, not {action!r}")
    return name
