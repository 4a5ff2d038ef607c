"""Detectors of injection: what they find in a result lowers its trust; they never raise it and never decide alone."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Protocol

from interlock.provenance.encoded import decoded
from interlock.provenance.orders import FORMS, ORDERS
from interlock.provenance.scripts import invisible, mixed, without_invisible

LOOKED_AT = 50_000
"""How many characters of one result a detector is given: as many as a model is shown."""

MOST_INVISIBLE = 3
"""How many invisible characters a text may hold by accident (a joiner too many, a mark left by a copy)."""


class Detector(Protocol):
    """Something that tells whether a text tries to order an agent about, such as a classifier behind an API.

    It sees the text of a result before any model does. One that raises, or has not answered in time, counts as one that
    found something: the trust of the result is lowered either way.
    """

    @property
    def name(self) -> str:
        """What the journal calls it."""
        ...

    async def look(self, text: str, source: str) -> Sequence[str]:
        """Return what is suspicious in *text*, each in a few words of the detector's own; empty where nothing is.

        Args:
            text: The texts of a result, one a line, as they came (not cleaned).
            source: The action whose result it is.
        """
        ...


class Heuristic:
    """Looks for what a text would say to an assistant and not to a person; knows no attack by heart.

    Words (in eleven languages where the phrase is short), role markers of chat formats, calls of tools written out,
    invisible characters, and the same again within what is encoded. It is cheap and easily got round: a hint, no more.
    """

    name = "heuristic"

    async def look(self, text: str, source: str) -> Sequence[str]:
        """Return what is suspicious in *text*."""
        found = list(_found(text))
        for how, inner in decoded(text):
            found += [f"{one}, in {how}" for one in _found(inner)]
        return tuple(dict.fromkeys(found))


def _found(text: str) -> Iterator[str]:
    hidden = invisible(text)
    if len(hidden) > MOST_INVISIBLE:
        yield "invisible characters"
    # What is written in tags is ASCII, each letter at a fixed distance.
    told = "".join(chr(ord(one) - _TAGS) for one in hidden if _TAGS < ord(one) < _TAGS + 0x7F)
    lines = _seen(text)
    for says, pattern in FORMS:
        if pattern.search(lines):
            yield says
    words = _WRAPPED.sub(" ", lines)
    readings = [words, told.casefold()]
    if mixed(words):
        readings.append(words.translate(_LIKE))
    for says, pattern in ORDERS:
        if any(pattern.search(one) for one in readings):
            yield says


def _seen(text: str) -> str:
    """Return a text as its reader sees it: in plain letters and spaces, nothing invisible, no capitals."""
    plain = text if text.isascii() else unicodedata.normalize("NFKC", without_invisible(text))
    return _SPACES.sub(" ", plain.casefold())


_TAGS = 0xE0000
_SPACES = re.compile(r"[ \t\r\f\v]+")
_WRAPPED = re.compile(r"(?<!\n) ?\n ?(?![ \n])")
_LIKE = str.maketrans(
    "\u0430\u0435\u0456\u0458\u043e\u0440\u0441\u0443\u0445\u0455\u0501\u04bb\u04cf\u03bd\u03bf\u03b9\u03ba\u03c4",
    "aeijopcyxsdhlvoikt",
)
"""Cyrillic and Greek letters as the Latin ones that they are taken for."""
