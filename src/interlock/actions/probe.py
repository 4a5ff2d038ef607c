"""What a probe answers about an effect whose outcome is unknown.

`done(result)`, `refused(reason)`, `never` or `not_yet_known`.

`never` means: the other side does not know this effect now. It counts as "did not and will not happen" only
once the intent's time to send and the action's settle time are over; until then the effect may still be on
its way.
"""

from typing import Final, Generic, TypeVar

R = TypeVar("R")


class Happened(Generic[R]):
    """The effect happened, and `result` is what the action would have returned."""

    __slots__ = ("result",)

    def __init__(self, result: R) -> None:
        self.result = result

    def __repr__(self) -> str:
        return f"probe.done({self.result!r})"


class TurnedDown:
    """The other side got the call and refused it: it did not happen, and won't."""

    __slots__ = ("reason",)

    def __init__(self, reason: str) -> None:
        self.reason = reason

    def __repr__(self) -> str:
        return f"probe.refused({self.reason!r})"


class Never:
    """The other side does not know the effect."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "probe.never"


class NotYetKnown:
    """The other side can't tell now; look again later."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "probe.not_yet_known"


Answer = Happened[R] | TurnedDown | Never | NotYetKnown

done = Happened
refused = TurnedDown
never: Final = Never()
not_yet_known: Final = NotYetKnown()
