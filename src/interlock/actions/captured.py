"""The functions of an action with a way of its own: carried out while it captures, looked for, taken back by it."""

from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec

from interlock.actions import probe
from interlock.actions.context import Ctx
from interlock.actions.way import Touched, Way
from interlock.canonical import canonical
from interlock.errors import CanonicalError


class Captured(NamedTuple):
    """What an effect came to under its way: what the function returned, and what it touched."""

    value: Any
    touched: Touched


class CarriedOut:
    """An action's function, as its way has it performed."""

    def __init__(self, way: Way, name: str, function: Callable[..., Any]) -> None:
        self._way = way
        self._name = name
        self._function = function

    def __call__(self, ctx: Ctx[Any], /, **args: Any) -> Captured:
        """Perform the function, captured."""
        with self._way.performing(ctx, self._name) as performance:
            value = self._function(ctx, **args)
            performance.finish(_recordable(value))
        return Captured(value, performance.touched)


class LookedFor:
    """The probe of such an action: its way knows what became of it."""

    def __init__(self, way: Way) -> None:
        self._way = way

    def __call__(self, ctx: Ctx[Any], /, **_: Any) -> probe.Answer[Any]:
        """Return what became of the effect `ctx.key`."""
        found = self._way.look(ctx, ctx.key)
        if found is None:
            return probe.never
        return probe.done(Captured(msgspec.json.decode(found.result), found.touched))


class TakenBack:
    """The undo of such an action."""

    def __init__(self, way: Way) -> None:
        self._way = way

    def __call__(self, ctx: Ctx[Any], result: Any, /, **_: Any) -> None:
        """Take the effect `ctx.undoes` back."""
        self._way.take_back(ctx, ctx.undoes)


def _recordable(value: Any) -> bytes:
    """Return a result as it is kept; where it has no JSON form, the runtime says so of the outcome."""
    try:
        return canonical(value)
    except CanonicalError:
        return b"null"
