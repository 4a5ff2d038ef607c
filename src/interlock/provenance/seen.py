"""What a run has seen, atom by atom: typed values under one spelling, with the results that they stood in."""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from interlock.provenance import shapes
from interlock.provenance.amounts import cents
from interlock.provenance.confidential import Confidential
from interlock.provenance.leaves import Fields, Leaf, texts_in
from interlock.provenance.normal import code, days, number, numbers, plain
from interlock.provenance.places import Place, Result
from interlock.provenance.texts import Texts
from interlock.provenance.trust import Trust
from interlock.provenance.written import Written, spellings

Key = tuple[str, Any]
"""The kind of an atom (text, code, number, day) and its value."""

MOST_ATOMS = 200_000
"""How many atoms of a run are kept; the oldest are forgotten first, and count as known from nowhere then."""

MOST_PLACES = 6
"""How many places of one atom are kept."""

LONGEST_ATOM = 1_000
"""How many characters a text has at most that is found as a whole."""


LONGEST_READ = 100_000
"""How many characters a text has at most whose days and numbers are told apart."""


class Seen:
    """The atoms of a run's results.

    Args:
        written: What agents wrote.

    The mutable state: places by atom (the oldest first), texts to look into, the totals of lists, what is secret, and
    the least trust of all.
    """

    def __init__(self, written: Written) -> None:
        self._written = written
        self._atoms: dict[Key, list[Place]] = {}
        self._texts = Texts()
        self.totals: dict[int, None] = {}
        self.numbers: dict[int, None] = {}
        self.secrets = Confidential()
        self.least: Trust | None = None

    def add(  # noqa: PLR0917 - a result is all of this
        self,
        action: str,
        words: str,
        asked: Mapping[str, Any],
        value: Any,
        fields: Fields,
        most: Trust,
        echoed: frozenset[str],
    ) -> None:
        """Take in a result; none of its values is trusted more than *most*, and none of what is *echoed* at all."""
        result = Result(words, tuple(plain(one) for one in texts_in(asked)))
        totals: dict[str, int] = {}
        for leaf in fields.leaves(value):
            trust = min(leaf.trust, most)
            if isinstance(leaf.value, str) and Trust.COLLEAGUE < trust < Trust.USER and self._came_back(leaf, echoed):
                trust = Trust.THIRD_PARTY
            self.least = trust if self.least is None else min(self.least, trust)
            self._put(action, leaf, Place(trust, result, leaf.path, leaf.record), totals)
        self.totals |= dict.fromkeys(totals.values())
        self._shrink()

    def _came_back(self, leaf: Leaf, echoed: frozenset[str]) -> bool:
        """Whether a text is what an agent wrote before, or what this very call was asked with: that proves nothing."""
        if not echoed and not self._written:
            return False
        if leaf.trust is Trust.SYSTEM and not shapes.is_address(leaf.value):
            # A system that returns a thing under its id says that there is one; an id sends nothing anywhere.
            echoed = frozenset()
        return any(one in echoed or self._written.holds(one) for one in spellings(leaf.value))

    def places(self, key: Key) -> list[Place]:
        """Return where an atom stood."""
        return self._atoms.get(key, [])

    def within(self, text: str) -> list[Place]:
        """Return the last few texts of low trust in which this one stands, between bounds of words."""
        return list(islice(self._texts.holding(text), MOST_PLACES))

    def texts(self) -> Iterator[Place]:
        """Yield the texts that are long enough to be looked into."""
        return iter(self._texts)

    def _put(self, action: str, leaf: Leaf, place: Place, totals: dict[str, int]) -> None:
        value = leaf.value
        if not isinstance(value, str):
            if leaf.secret:
                self.secrets.add(str(value), action, place)
            if (found := number(value)) is not None:
                self._atom(("number", found), place)
                if place.trust >= Trust.DIRECTORY:
                    self.numbers[cents(found)] = None
                    totals[leaf.path] = totals.get(leaf.path, 0) + cents(found)
            return
        text = plain(value)
        if not text:
            return
        if len(text) <= LONGEST_ATOM:
            self._atom(("text", text), place)
        if place.trust > Trust.COLLEAGUE and len(text) <= shapes.LONGEST_FIELD:
            place.result.records.setdefault(place.record, []).append(text)
            self._typed(value, place)
        else:
            self._into(value, text, place)
        if leaf.secret:
            self.secrets.add(text, action, place)

    def _typed(self, value: str, place: Place) -> None:
        """Keep what a field is besides its text: a code, a number, a day."""
        if squeezed := code(value):
            self._atom(("code", squeezed), place)
        if (found := number(value)) is not None:
            self._atom(("number", found), place)
            if place.trust >= Trust.DIRECTORY:
                self.numbers[cents(found)] = None
        for day in days(value):
            self._atom(("day", day), place)

    def _into(self, value: str, text: str, place: Place) -> None:
        """Keep a text to look into, and the days and numbers that it names."""
        place.result.texts.append(text)
        self._texts.add(place._replace(text=text, raw=value))
        if len(value) < LONGEST_READ:
            for day in days(value):
                self._atom(("day", day), place)
            for one in numbers(value):
                self._atom(("number", one), place)
            for one in shapes.accounts(value):
                if squeezed := code(one):
                    self._atom(("code", squeezed), place)

    def _atom(self, key: Key, place: Place) -> None:
        places = self._atoms.get(key)
        if places is None:
            self._atoms[key] = [place]
            return
        if len(places) < MOST_PLACES:
            places.append(place)
            return
        for at, one in enumerate(places):
            if one.trust < place.trust:
                places[at] = place
                return

    def _shrink(self) -> None:
        _keep(self._atoms, MOST_ATOMS)
        _keep(self.totals, MOST_ATOMS // 20)
        _keep(self.numbers, MOST_ATOMS // 20)


def _keep(kept: dict[Any, Any], most: int) -> None:
    """Forget the oldest of more than *most*, all at once: one by one, each search for the oldest would be longer."""
    for key in list(islice(kept, max(len(kept) - most, 0))):
        del kept[key]
