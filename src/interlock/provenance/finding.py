"""Finding where a value came from: the user's words, results, examples, or what can be put together from them."""

import re
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from interlock.provenance import shapes, showing
from interlock.provenance.amounts import derived
from interlock.provenance.defaults import words_of
from interlock.provenance.normal import SEPARATORS, code, days, number, numbers, plain, shifted
from interlock.provenance.people import names_in
from interlock.provenance.places import Place
from interlock.provenance.seen import LONGEST_ATOM, Key, Seen
from interlock.provenance.texts import stands_in
from interlock.provenance.trust import Trust

USERS = "the user's words"
OPERATORS = "the operator's words"
_JOINED = re.compile(r"\s*(?:[,;&|]|\band\b)\s*")
_HOST = re.compile(r"([a-z0-9-]+(?:\.[a-z0-9-]+)+)(?::\d{1,5})?")
_LOOKED_UP = re.compile(r"(?:\b(?:her|his|their|its|whose)|['’]s)\s+e-?mail")
"""A user who wants an address looked up: "her e-mail", "Dora's email address"."""
_MOST_PIECES = 20


class Found:
    """Where one value came from: how far it can be trusted, how that is known, in which places it stood.

    `places` are those by which it is trusted so far, `results` all in which it stood.
    """

    __slots__ = ("how", "places", "results", "trust", "words")

    def __init__(self, trust: Trust, how: str, places: tuple[Place, ...] = (), words: tuple[str, ...] = ()) -> None:
        self.results = frozenset(place.result.words for place in places)
        self.trust = trust
        self.how = how
        self.places = places
        self.words = words or tuple(dict.fromkeys(place.said() for place in places))[:3]


class Codes:
    """The codes in the user's words, however they are spaced; whole ones only."""

    def __init__(self) -> None:
        self._text = ""
        self._bounds: set[int] = set()

    def hear(self, text: str) -> None:
        """Take in what the user said."""
        before = False
        for part in SEPARATORS.split(text):
            has_digit = any(character.isdigit() for character in part)
            if not (before and has_digit):  # Groups of digits side by side are one code.
                self._bounds.add(len(self._text))
            self._text += part
            before = has_digit
        self._bounds.add(len(self._text))
        self._text += " "

    def __contains__(self, code: str) -> bool:
        start = self._text.find(code)
        while start >= 0:
            if self._is_bound(start) and self._is_bound(start + len(code)):
                return True
            start = self._text.find(code, start + 1)
        return False

    def _is_bound(self, at: int) -> bool:
        return at in self._bounds or not (self._text[at - 1].isalnum() and self._text[at].isalnum())


NOWHERE = Found(Trust.NOWHERE, "nowhere")


class Finder:
    """Finds values in what a run has seen and heard.

    Args:
        seen: The results.
        own: What belongs to the user or the organisation.
        operator: What the operator wrote.
        examples: The texts of few-shot examples.

    The mutable state: what the user said, in several spellings, and values that a person approved.
    """

    def __init__(self, seen: Seen, own: Iterable[str], operator: Iterable[str], examples: Iterable[str]) -> None:
        self._seen = seen
        self._own = frozenset(plain(one) for one in own)
        self._operator = [plain(one) for one in operator]
        self._examples = [plain(one) for one in examples]
        self._said: list[str] = []
        self._codes = Codes()
        self._numbers: dict[Decimal, None] = {}
        self._days: set[tuple[int, int]] = set()
        self._endorsed: set[str] = set()
        self._capitals: set[str] = set()
        self._looks_up = False
        self._addresses: dict[str, None] = {}

    def hear(self, words: str) -> None:
        """Take in what the user said."""
        text = plain(words)
        self._said.append(text)
        self._addresses |= dict.fromkeys(shapes.sendable(words))
        self._looks_up = self._looks_up or _LOOKED_UP.search(text) is not None
        self._capitals |= {plain(word) for word in re.findall(r"[^\W\d_]+", words) if word[0].isupper()}
        self._codes.hear(text)
        self._numbers |= dict.fromkeys(numbers(words))
        self._days |= days(words)

    def endorse(self, text: str) -> None:
        """Take in a value of a proposal that a person approved: whoever approves it once knows what it is."""
        self._endorsed.add(plain(text))

    def instead(self, value: str) -> str:
        """Return an address of the same kind as *value* that the user named; empty where there is none."""
        kind = shapes.kind_of(value)
        return next((one for one in self._addresses if kind and shapes.kind_of(one) == kind), "")

    def named(self, text: str) -> bool:
        """Whether the user's words hold this text (in its one spelling), between bounds of words."""
        return any(stands_in(text, said) for said in self._said)

    # texts

    def text(self, value: str) -> Found:
        """Return where a text came from: exactly, or put together from pieces that are known each."""
        text = plain(value)
        if not text:
            return Found(Trust.USER, "empty")
        found = self._whole(value, text)
        if found.trust < Trust.DIRECTORY and (bare := _bare(text)) != text:
            found = max(found, self._whole(bare, bare), key=lambda one: one.trust)
        if found.trust >= Trust.DIRECTORY or shapes.EMAIL.fullmatch(text):
            return found
        pieces = (
            [one for one in _JOINED.split(plain(value.replace("\n", ";"))) if one] if len(text) <= LONGEST_ATOM else []
        )
        if 1 < len(pieces) <= _MOST_PIECES:
            parts = [self._whole(one, one) for one in pieces]
            worst = min(parts, key=lambda one: one.trust)
            if worst.trust > found.trust:
                places = tuple(place for part in parts for place in part.places)
                return Found(worst.trust, "assembled", places, tuple(dict.fromkeys(w for p in parts for w in p.words)))
        return found

    def _whole(self, value: str, text: str) -> Found:
        squeezed = code(value)
        said = self._said_to_be(text, squeezed)
        if said is not None:
            return said
        best = self._best(("text", text))
        if best.trust < Trust.SYSTEM and squeezed:
            best = max(best, self._best(("code", squeezed)), key=lambda one: one.trust)
        if best.trust < Trust.DIRECTORY and self.is_own(text):
            return Found(Trust.DIRECTORY, "own", words=("the organisation's own",))
        return best if best.trust > Trust.EXAMPLE else self._inside(value, text)

    def _said_to_be(self, text: str, squeezed: str) -> Found | None:
        """Return what people said of a text: the user, a reviewer, the operator; None where nobody did."""
        if self.named(text) or (len(text) > 5 and squeezed and squeezed in self._codes):
            return Found(Trust.USER, "named", words=(USERS,))
        if text in self._endorsed:
            return Found(Trust.DIRECTORY, "approved", words=("what a person approved",))
        if any(stands_in(text, one) for one in self._operator):
            return Found(Trust.USER, "named", words=(OPERATORS,))
        return None

    def _inside(self, value: str, text: str) -> Found:
        """Return in which longer text a value stands, if in any."""
        if len(text) > 2 and (places := self._seen.within(text)):
            for place in places:
                if self._designated(value, place):
                    return Found(Trust.DIRECTORY, "designated", (place,))
            return _within(places)
        if any(stands_in(text, one) for one in self._examples):
            return Found(Trust.EXAMPLE, "equal", words=("a few-shot example",))
        return NOWHERE

    def _designated(self, value: str, place: Place) -> bool:
        """Whether the user said where to take a person's address from, and it is the only address there.

        He asked for the address, or named the person whose name it holds.
        """
        if not shapes.EMAIL.fullmatch(value.strip()) or not (self._looks_up or self.names(value)):
            return False
        if not any(_is_source(one) and self.named(one) for one in place.result.asked):
            return False
        among = {plain(one) for text in place.result.texts for one in shapes.addresses(text)}
        return among == {plain(value)}

    def is_own(self, text: str) -> bool:
        """Whether an address, a domain, an account or a name belongs to the user or the organisation."""
        if text in self._own:
            return True
        if shapes.EMAIL.fullmatch(text):
            return text.rpartition("@")[2] in self._own
        if " " in text or len(text) > LONGEST_ATOM:
            return False
        # What programs disagree about (`https://evil.example\\@ours.example`) is nobody's.
        host = _HOST.fullmatch(showing.host_of(text).removeprefix("www."))
        return host is not None and any(host[1] == one or host[1].endswith(f".{one}") for one in self._own)

    def _best(self, key: Key) -> Found:
        places = self._seen.places(key)
        if not places:
            return NOWHERE
        trust = max(place.trust for place in places)
        best = tuple(place for place in places if place.trust is trust)
        return Found(trust, "equal", best)

    def object(self, value: str, kind: Iterable[str]) -> Found:
        """Return where a small number came from that names an object: `file_id: 13` is not the event of id 13.

        Args:
            value: The number.
            kind: The words of the argument's name.
        """
        if self.named(value):
            return Found(Trust.USER, "named", words=(USERS,))
        wanted = {word.rstrip("s") for word in kind} - {"id"}
        places = [*self._seen.places(("text", value))]
        if (found := number(value)) is not None:
            places += self._seen.places(("number", found))
        fitting = [
            place
            for place in places
            if not wanted or not wanted.isdisjoint(word.rstrip("s") for word in words_of(place.said()))
        ]
        if fitting:
            trust = max(place.trust for place in fitting)
            return Found(trust, "equal", tuple(dict.fromkeys(place for place in fitting if place.trust is trust)))
        inside = self._seen.within(value)
        return _within(inside) if inside else NOWHERE

    # numbers, days

    def number(self, value: Any, *, derivable: bool) -> Found:
        """Return where a number came from: exactly or, of what may be *derivable*, by arithmetic on trusted ones."""
        wanted = number(value)
        if wanted is None:
            return NOWHERE
        if wanted in self._numbers or -wanted in self._numbers:
            return Found(Trust.USER, "named", words=(USERS,))
        best = self._best(("number", wanted))
        if best.trust >= Trust.DIRECTORY:
            return best
        how = derived(wanted, self._numbers, reversed(self._seen.numbers), self._seen.totals) if derivable else ""
        if how:
            return Found(Trust.SYSTEM, f"derived: {how}", words=("numbers that are trusted",))
        if best.trust > Trust.NOWHERE:
            return best
        places = self._seen.within(plain(str(value))) or self._seen.within(format(wanted, "f"))
        return _within(places) if places else NOWHERE

    def time(self, value: str) -> Found:
        """Return where the days of a moment came from; the hour is left to the model."""
        wanted = days(value)
        if not wanted:
            return self.text(value)
        if wanted & self._days:
            return Found(Trust.USER, "named", words=(USERS,))
        found = [self._best(("day", day)) for day in wanted]
        best = max(found, key=lambda one: one.trust)
        if best.trust < Trust.DIRECTORY and any(self._is_counted(day) for day in wanted):
            return Found(Trust.SYSTEM, "derived: days", words=("days that are trusted",))
        return best

    def _is_counted(self, day: tuple[int, int]) -> bool:
        """Whether a day lies a number of days or weeks, which the user named, from one that is trusted."""
        for steps in self._numbers:
            if steps != int(steps) or not 0 < abs(steps) < 400:
                continue
            for distance in (int(steps), int(steps) * 7):
                for sign in (1, -1):
                    other = shifted(day, sign * distance)
                    if other in self._days or self._best(("day", other)).trust >= Trust.SYSTEM:
                        return True
        return False

    # bindings

    def binds(self, place: Place) -> bool:
        """Whether the user spoke of what stood in this place: another field of its record, or what was asked for."""
        beside = place.result.records.get(place.record, ())
        texts = (*beside, *place.result.asked)
        if any(len(text) > 2 and self._speaks_of(text) for text in texts):
            return True
        return any(self._refers(text) for text in beside[:_MOST_PIECES])

    def _refers(self, text: str) -> bool:
        """Whether a text refers to another record that the user spoke of: `guest_id: G-11`, and G-11 is Ingrid."""
        return any(
            len(other) > 2 and self._speaks_of(other)
            for place in self._seen.places(("text", text))
            if any(character.isdigit() for character in text)
            for other in place.result.records.get(place.record, ())[:_MOST_PIECES]
        )

    def _speaks_of(self, text: str) -> bool:
        """Whether the user's words hold a text; of a person's name (of two or three words), one is enough."""
        if self.named(text):
            return True
        names = text.split(" ")
        return 1 < len(names) < 4 and any(len(name) > 3 and name.isalpha() and self._calls(name) for name in names)

    def _calls(self, name: str) -> bool:
        """Whether the user wrote this word as a name: with a capital letter."""
        return any(name == word for word in self._capitals)

    def points_to(self, place: Place) -> bool:
        """Whether the user named what a result was asked for with."""
        return any(len(text) > 2 and self.named(text) for text in place.result.asked)

    def names(self, identity: str) -> bool:
        """Whether the user named the person of an identity."""
        return any(self.named(name) for name in names_in(identity))


def _is_source(text: str) -> bool:
    """Whether a text names one source, as a link or a file's name does; words that are searched for name none."""
    return len(text) > 3 and " " not in text and "." in text and "@" not in text


def _bare(text: str) -> str:
    """Return a web address without its scheme and the slash at its end: users write it so, and mean the same."""
    return text.removeprefix("https://").removeprefix("http://").rstrip("/") if text.startswith("http") else text


def _within(places: Sequence[Place]) -> Found:
    place = max(places, key=lambda one: one.trust)
    found = Found(min(place.trust, Trust.COLLEAGUE), "within", (place,))
    found.results = frozenset(one.result.words for one in places)
    return found
