"""What speaks against a proposal, counted so that nothing counts twice."""

from interlock.provenance.origin import Against, Strike

_RANK: dict[Against, int] = {
    about: rank for rank, about in enumerate(("sink", "egress", "leak", "link", "grant", "reference", "time", "amount"))
}
_LASTING = frozenset({"sink", "egress", "leak", "link"})
"""What strikes are about that no relaxing lifts."""

INVENTED = frozenset({""})
"""The source of what no source has: the model itself."""


class Weighing:
    """Collects strikes: what one source chose counts once, however many values it chose."""

    def __init__(self) -> None:
        self._chosen: list[tuple[frozenset[str], Strike]] = []

    def add(self, strike: Strike, sources: frozenset[str]) -> None:
        """Take in a strike and the sources in which its value stands; sources that share a value are one."""
        joined, rest = sources or INVENTED, list[tuple[frozenset[str], Strike]]()
        for others, one in self._chosen:
            if others.isdisjoint(joined):
                rest.append((others, one))
                continue
            joined |= others
            strike = min(strike, one, key=lambda each: _RANK[each.about])
        self._chosen = [*rest, (joined, strike)]

    def about_sinks(self) -> Strike | None:
        """Return a strike about a recipient, if there is one."""
        return next((strike for _, strike in self._chosen if strike.about == "sink"), None)

    def lasting(self) -> tuple[Strike, ...]:
        """Return the strikes that count against an action that is relaxed."""
        return tuple(strike for strike in self._strikes() if strike.about in _LASTING)

    def independent(self, *others: Strike) -> tuple[Strike, ...]:
        """Return the strikes and *others*, as far as they are independent of each other.

        Whoever had the idea of an effect said how much, too; and an object that the model made up was chosen by nobody
        else: beside another strike, these are none.
        """
        weighty = [strike for sources, strike in self._chosen if _is_weighty(strike, sources)]
        return (*sorted(weighty, key=lambda one: _RANK[one.about]), *others) or tuple(self._strikes()[:1])

    def _strikes(self) -> list[Strike]:
        return sorted((strike for _, strike in self._chosen), key=lambda one: _RANK[one.about])


def _is_weighty(strike: Strike, sources: frozenset[str]) -> bool:
    return strike.about != "amount" and not (strike.about == "reference" and sources == INVENTED)
