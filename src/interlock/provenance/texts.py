"""The longer texts that a run has read, found by the words in them."""

import re
from collections import defaultdict
from collections.abc import Collection, Iterator
from itertools import filterfalse

from interlock.provenance.places import Place

MOST_TEXT = 8_000_000
"""How many characters of texts are kept to look into; the oldest are forgotten first."""

SEGMENT = MOST_TEXT // 8
"""How many characters are forgotten at once."""

MOST_WORDS = 50_000
"""How many different words of a segment are listed; texts with more are read through at each look."""

BLOCK = 2_000
"""How many characters of texts are listed together: short ones share most of the work, and most of the words."""

_WORD = re.compile(r"[^\W_]+")
_NARROWING = 3
"""By how many words of a text, the rarest ones, the places are narrowed down where it may stand."""


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
            self.settle()
            self._segments.append(_Segment())
        self._segments[-1].add(place)
        self._characters += len(place.text)
        while self._characters > MOST_TEXT:
            oldest = self._segments.pop(0)
            self._characters -= oldest.characters
            for one in oldest.places:
                one.result.forget(one.text)

    def settle(self) -> None:
        """Make what was added findable: called once behind the texts of a result."""
        if self._segments:
            self._segments[-1].settle()

    def holding(self, text: str) -> Iterator[Place]:
        """Yield the places whose text holds this one between bounds of words, the last that was read first."""
        for segment in reversed(self._segments):
            for place in segment.candidates(text):
                if text in place.text and stands_in(text, place.text):
                    yield place

    def __iter__(self) -> Iterator[Place]:
        for segment in self._segments:
            yield from segment.places


class _Segment:
    """Some texts in blocks, and in which block each word stands: a text between bounds has all its words whole."""

    def __init__(self) -> None:
        self.places: list[Place] = []
        self.characters = 0
        self._blocks: list[tuple[int, int]] = []
        self._by_word: defaultdict[str, list[int]] = defaultdict(list)
        self._unlisted: list[int] = []
        self._settled = 0
        self._waiting: list[str] = []
        self._waiting_characters = 0

    def add(self, place: Place) -> None:
        self.places.append(place)
        self.characters += len(place.text)
        self._waiting.append(place.text)
        self._waiting_characters += len(place.text)
        if self._waiting_characters > BLOCK:
            self.settle()

    def settle(self) -> None:
        """List the words of the texts that wait, as one block."""
        if not self._waiting:
            return
        number = len(self._blocks)
        self._blocks.append((self._settled, len(self.places)))
        words = _words(" ".join(self._waiting))
        self._settled, self._waiting, self._waiting_characters = len(self.places), [], 0
        if len(self._by_word) + len(words) > MOST_WORDS:
            self._unlisted.append(number)
            return
        for word in words:
            self._by_word[word].append(number)

    def candidates(self, text: str) -> Iterator[Place]:
        """Yield the places whose text may hold all words of this one, the last first."""
        for number in sorted({*self._listed(text), *self._unlisted}, reverse=True):
            first, end = self._blocks[number]
            yield from reversed(self.places[first:end])

    def _listed(self, text: str) -> Collection[int]:
        """Return the blocks that hold the rarest words of a text; all where it has none."""
        found: list[list[int]] = []
        for word in _WORD.finditer(text):
            listed = self._by_word.get(word[0])
            if listed is None:
                return ()
            found.append(listed)
        if not found:
            return range(len(self._blocks))
        found.sort(key=len)
        return set(found[0]).intersection(*found[1:_NARROWING])


def _words(text: str) -> set[str]:
    """Return the words of a text. Most stand between spaces, and need no pattern to be found."""
    words = set(text.split())
    mixed = list(filterfalse(str.isalnum, words))
    words.difference_update(mixed)
    words.update(_WORD.findall(" ".join(mixed)))
    return words


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
