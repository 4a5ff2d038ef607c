"""What a run has seen, atom by atom: typed values under one spelling, with the results that they stood in."""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from interlock.provenance import shapes
from interlock.provenance.amounts import cents
from interlock.provenance.confidential import Confidential
from interlock.provenance.leaves import Fields, Leaf, texts_in
from interlock.provenance.normal import code, days, has_digit, number, numbers, plain
from interlock.provenance.places import Place, Result
from interlock.provenance.short import Short, read
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

# A member takes longer to look up in its class than in the module, and this is done for every value.
_THIRD_PARTY, _COLLEAGUE, _DIRECTORY = Trust.THIRD_PARTY, Trust.COLLEAGUE, Trust.DIRECTORY
_SYSTEM, _USER = Trust.SYSTEM, Trust.USER


class Seen:
    """The atoms of a run's results.

    Args:
        written: What agents wrote.

    The mutable state: places by atom (the oldest first), texts to look into, the totals of lists, what is secret, and
    the least trust of all.
    """

    def __init__(self, written: Written) -> None:
        self._written = written
        self._atoms: dict[Key, tuple[Place, ...]] = {}
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
        doubted = bool(echoed or self._written)
        for leaf in fields.leaves(value):
            trust = min(leaf.trust, most)
            is_text = isinstance(leaf.value, str)
            if is_text and doubted and _COLLEAGUE < trust < _USER and self._came_back(leaf, echoed):
                trust = _THIRD_PARTY
            if self.least is None or trust < self.least:
                self.least = trust
            place = Place(trust, result, leaf.path, leaf.record)
            secret = self._text(leaf.value, place) if is_text else self._number(leaf.value, place, totals)
            if leaf.secret and secret:
                self.secrets.add(secret, action, place)
        self._texts.settle()
        self.totals |= dict.fromkeys(totals.values())
        self._shrink()

    def _came_back(self, leaf: Leaf, echoed: frozenset[str]) -> bool:
        """Whether a text is what an agent wrote before, or what this very call was asked with: that proves nothing."""
        if leaf.trust is _SYSTEM and not read(leaf.value).is_address:
            # A system that returns a thing under its id says that there is one; an id sends nothing anywhere.
            echoed = frozenset()
        if not echoed and not self._written:
            return False
        return any(one in echoed or self._written.holds(one) for one in spellings(leaf.value))

    def places(self, key: Key) -> tuple[Place, ...]:
        """Return where an atom stood."""
        return self._atoms.get(key, ())

    def within(self, text: str) -> list[Place]:
        """Return the last few texts of low trust in which this one stands, between bounds of words."""
        return list(islice(self._texts.holding(text), MOST_PLACES))

    def texts(self) -> Iterator[Place]:
        """Yield the texts that are long enough to be looked into."""
        return iter(self._texts)

    def _number(self, value: Any, place: Place, totals: dict[str, int]) -> str:
        """Keep a number; return how it is written."""
        if (found := number(value)) is not None:
            self._atom(("number", found), place)
            if place.trust >= _DIRECTORY:
                amount = cents(found)
                self.numbers[amount] = None
                totals[place.path] = totals.get(place.path, 0) + amount
        return str(value)

    def _text(self, value: str, place: Place) -> str:
        """Keep a text; return its one spelling."""
        # Only what can be a field is trusted that far, and fields are short.
        short = read(value) if place.trust > _COLLEAGUE else None
        text = plain(value) if short is None else short.text
        if not text:
            return text
        if len(text) <= LONGEST_ATOM:
            self._atom(("text", text), place)
        if short is not None and len(text) <= shapes.LONGEST_FIELD:
            place.result.records.setdefault(place.record, []).append(text)
            self._typed(short, place)
        else:
            self._into(value, text, place)
        return text

    def _typed(self, short: Short, place: Place) -> None:
        """Keep what a field is besides its text: a code, a number, a day."""
        if short.code:
            self._atom(("code", short.code), place)
        if short.number is not None:
            self._atom(("number", short.number), place)
            if place.trust >= _DIRECTORY:
                self.numbers[cents(short.number)] = None
        for day in short.days:
            self._atom(("day", day), place)

    def _into(self, value: str, text: str, place: Place) -> None:
        """Keep a text to look into, and the days and numbers that it names."""
        place.result.texts.append(text)
        self._texts.add(Place(place.trust, place.result, place.path, place.record, text, value))
        if len(value) < LONGEST_READ and has_digit(value):
            for day in days(value):
                self._atom(("day", day), place)
            for one in numbers(value):
                self._atom(("number", one), place)
            for one in shapes.accounts(value):
                if squeezed := code(one):
                    self._atom(("code", squeezed), place)

    def _atom(self, key: Key, place: Place) -> None:
        # Tuples of places, other than lists, are nothing that the garbage collector comes back to.
        places = self._atoms.get(key, ())
        if len(places) < MOST_PLACES:
            self._atoms[key] = (*places, place)
            return
        for at, one in enumerate(places):
            if one.trust < place.trust:
                self._atoms[key] = (*places[:at], place, *places[at + 1 :])
                return

    def _shrink(self) -> None:
        _keep(self._atoms, MOST_ATOMS)
        _keep(self.totals, MOST_ATOMS // 20)
        _keep(self.numbers, MOST_ATOMS // 20)


def _keep(kept: dict[Any, Any], most: int) -> None:
    """Forget the oldest of more than *most*, all at once: one by one, each search for the oldest would be longer."""
    for key in list(islice(kept, max(len(kept) - most, 0))):
        del kept[key]
