"""Texts that may not leave, found in a text in time that hardly depends on how many there are."""

from collections.abc import ItemsView, Iterator

from interlock.provenance.places import Place

SHORTEST = 4
"""How many characters such a text has at least: shorter ones are in everything."""

MOST = 200_000
"""How many are kept; the oldest are forgotten first."""

_FEW = 50


class Confidential:
    """Texts that may not leave, each with the action that returned it and the place where it stood.

    The mutable state: these texts, also by their first characters.
    """

    def __init__(self) -> None:
        self._places: dict[str, tuple[str, Place]] = {}
        self._by_start: dict[str, list[str]] = {}

    def add(self, text: str, action: str, place: Place) -> None:
        """Keep a text (in its one spelling)."""
        if len(text) < SHORTEST:
            return
        if text not in self._places:
            self._by_start.setdefault(text[:SHORTEST], []).append(text)
        self._places[text] = (action, place)
        if len(self._places) > MOST:
            oldest = next(iter(self._places))
            del self._places[oldest]
            self._by_start[oldest[:SHORTEST]].remove(oldest)

    def within(self, text: str) -> Iterator[tuple[str, Place]]:
        """Yield action and place of those that stand in a text (in its one spelling)."""
        for one in self._near(text):
            if one in text:
                yield self._places[one]

    def _near(self, text: str) -> Iterator[str]:
        if len(self._places) <= _FEW:
            yield from self._places
            return
        starts = {text[at : at + SHORTEST] for at in range(len(text) - SHORTEST + 1)}
        for start in starts & self._by_start.keys():
            yield from self._by_start[start]

    def items(self) -> ItemsView[str, tuple[str, Place]]:
        """Return the texts, each with action and place."""
        return self._places.items()
