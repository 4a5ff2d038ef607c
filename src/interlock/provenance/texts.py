"""The longer texts that a run has read, found by the words in them."""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence

from interlock.provenance.places import Place

MOST_TEXT = 8_000_000
"""How many characters of texts are kept to look into; the oldest are forgotten first."""

SEGMENT = MOST_TEXT // 8
"""How many characters are forgotten at once."""

MOST_WORDS = 50_000
"""How many different words of a segment are listed; texts with more are read through at each look."""

_WORD = re.compile(r"[^\W_]+")


class Texts:
    """Texts to look into, in the order in which they were read.

    The mutable state: segments of texts, each with a list of where its words stand.
    """

    def __init__(self) -> None:
        self._segments: list[_Segment] = []
        self._characters = 0

    def add(self, place: Place) -> None:
        """Take in the text of a place; the oldest are forgotten where there are too many."""
        if not self._segments or self._segments[-1].characters > SEGMENT:
            self._segments.append(_Segment())
        self._segments[-1].add(place)
        self._characters += len(place.text)
        while self._characters > MOST_TEXT:
            oldest = self._segments.pop(0)
            self._characters -= oldest.characters
            for one in oldest.places:
                one.result.forget(one.text)

    def holding(self, text: str) -> Iterator[Place]:
        """Yield the places whose text holds this one between bounds of words, the last that was read first."""
        for segment in reversed(self._segments):
            for place in segment.candidates(text):
                if stands_in(text, place.text):
                    yield place

    def __iter__(self) -> Iterator[Place]:
        for segment in self._segments:
            yield from segment.places


class _Segment:
    """Some texts, and in which of them each word stands: a text between bounds of words has all its words whole."""

    def __init__(self) -> None:
        self.places: list[Place] = []
        self.characters = 0
        self._by_word: defaultdict[str, list[int]] = defaultdict(list)
        self._unlisted: list[int] = []

    def add(self, place: Place) -> None:
        number = len(self.places)
        self.places.append(place)
        self.characters += len(place.text)
        words = set(_WORD.findall(place.text))
        if len(self._by_word) + len(words) > MOST_WORDS:
            self._unlisted.append(number)
            return
        for word in words:
            self._by_word[word].append(number)

    def candidates(self, text: str) -> Iterator[Place]:
        """Yield the places whose text may hold all words of this one, the last first."""
        for number in sorted({*self._listed(text), *self._unlisted}, reverse=True):
            yield self.places[number]

    def _listed(self, text: str) -> Sequence[int]:
        rarest: Sequence[int] = range(len(self.places))
        for word in _WORD.finditer(text):
            found = self._by_word.get(word[0], ())
            if not found:
                return ()
            if len(found) < len(rarest):
                rarest = found
        return rarest


def stands_in(part: str, text: str) -> bool:
    """Whether *part* stands in *text* with no letter or digit right before or behind it."""
    start = text.find(part)
    while start >= 0:
        end = start + len(part)
        before = start == 0 or not (text[start - 1].isalnum() and part[0].isalnum())
        behind = end == len(text) or not (text[end].isalnum() and part[-1].isalnum())
        if before and behind:
            return True
        start = text.find(part, start + 1)
    return False
