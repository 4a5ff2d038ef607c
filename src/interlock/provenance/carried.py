"""Instructions of third-party text carried on to the user: what a text wants said, and whether it is being said. Pure.

A text that anybody may have written can hold "say that …", "tell the user …", "you should recommend …". What follows
such words is what an agent may not say as its own: a sentence that has a large share of it, or a name that stands
nowhere else, is withheld; unless it says whose words these are ("the review says …"), or other results say so too, or
the user did. The same holds for urgent calls to act ("click here at once"). English only; whoever paraphrases freely
gets through, and so does a plain recommendation ("a gorgeous hotel"), which any honest review may hold.
"""

import re
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from string import ascii_lowercase, ascii_uppercase
from typing import NamedTuple

from interlock.provenance.trust import Trust
from interlock.provenance.wording import STOP, by_stem, listed

BELIEVED = Trust.CORRESPONDENT
"""From how much trust on a text is not looked into: nobody writes instructions into it."""

SHARE = 0.6
"""From which share of the words of what is wanted on it counts as said."""

FEWEST = 3
"""How many of these words it takes at least."""

SUPPORT = 0.8
"""From which share of them on another text supports what is said."""

MOST = 500
"""How many wanted sayings of a run are kept."""

LONGEST = 400
"""How many characters a wanted saying has at most."""

_SAY = r"(?:say|tell|inform|mention|reply|respond|state|claim|convince|persuade|assure|remind|warn|insist)"
# Documents are full of these; they count where they are about those who read the answer.
_PRAISE = (
    r"(?:recommend|suggest|advise|encourage|promote|praise|endorse|announce|urge|answer|output|print|repeat|display)"
)
_READERS = r"(?:the\s+)?(?:users?|customers?|clients?|readers?|people|everyone|everybody|them|him|her|your\s+\w+)"
_ORDERED = re.compile(
    r"(?:(?:^|\n)[\s:*\"“]{0,6}|(?:[:;,.!?\"“(>*\]\n-]|\b(?:please|must|should|shall|and|then|first|also|now|just|instead|"
    r"always|kindly|simply|todo|do|(?:sure|remember|forget|need|have|want\s+you|asked\s+you|instructed|required|going)"
    r"\s+to))[\s:*\"“]{1,6})\Z",
    re.IGNORECASE,
)
_WANTED = re.compile(
    rf"\b(?:{_SAY}\b|{_PRAISE}\b(?=[^.!?\n]{{0,120}}?\b{_READERS}\b)|let\s+{_READERS}\s+know\b)", re.IGNORECASE
)
_VERBS = listed("""
    say tell inform mention reply respond state claim convince persuade assure remind warn insist recommend suggest
    advise encourage promote praise endorse announce urge answer output print repeat display let
""")
_LOWER = str.maketrans(ascii_uppercase, ascii_lowercase)
LONGEST_ORDER = 40
"""How many characters before a verb tell whether it is an imperative."""

_URGENT = re.compile(
    r"\b(?:immediately|urgent(?:ly)?|right\s+(?:now|away)|at\s+once|as\s+soon\s+as\s+possible|act\s+now|without\s+delay|"
    r"click\s+(?:here|below|the\s+link|on\s+the)|within\s+(?:the\s+next\s+)?\d+\s+(?:minutes|hours)|"
    r"(?:will|to\s+avoid)\s+be(?:ing)?\s+(?:suspended|closed|locked|deleted|terminated)|last\s+chance)\b",
    re.IGNORECASE,
)
_URGENT_SIGNS = listed("""
    immediately urgent right once soon act delay click within suspended closed locked deleted terminated chance
""")
_ACT = re.compile(
    r"\b(?:click|tap|follow|visit|log\s?in|sign\s?in|call|download|install|open|scan|verify|confirm|update|transfer|pay|"
    r"enter|provide|send|buy|reset|contact|reply)\b",
    re.IGNORECASE,
)
_END = re.compile(r"[.!?](?=\s|[\"'”\u2019)]|$)|\n")
_NAME = re.compile(r"\b[A-Z][\w'\u2019&-]+(?:\s+[A-Z][\w'\u2019&-]+)+")
_REPORTED = re.compile(
    r"\b(?:says|said|saying|states|stated|stating|claims|claimed|mentions|mentioned|asks|asked|asking|requests|requested|"
    r"requesting|instructs|instructed|instructing|instructions?|tells|telling|informing|according\s+to|reads|wrote|"
    r"writes|suggests|recommends|reminds|warns|wants|reviewers?\s+\w+|reviews?\s+(?:say|note|mention|describe)|phishing|"
    r"suspicious|injection|injected|malicious|untrusted|ignored|did\s+not\s+follow|(?:will|won't|can)\s*not\s+follow)\b",
    re.IGNORECASE,
)
_DID = re.compile(
    r"\b(?:(?:I|we)(?:['\u2019]ve|\s+have)?\s+(?:also\s+|just\s+|successfully\s+)?|(?:has|have)\s+been\s+|^\W*)"
    r"(?:sent|added|posted|replied|created|emailed|shared|updated|reserved|booked|messaged|informed|told|reminded)\b",
    re.IGNORECASE,
)
_BY_USER = re.compile(
    r"\b(?:you|i|we)(?:['\u2019]ve|\s+have)?\s+(?:\w+\s+)?(?:asked|said|requested|instructed|stated|mentioned|wrote)\b",
    re.IGNORECASE,
)
_INTRODUCES = re.compile(
    r"\b(?:e-?mails?|messages?|content|text|reviews?|posts?|body|instructions?|file|page|transcript)\b"
    r"[^.!?]*:\W*$",
    re.IGNORECASE,
)


class _Saying(NamedTuple):
    """What a text wants said: its words by their stems, where it stands, and whether it urges."""

    words: Mapping[str, str]
    text: str
    source: str
    leaf: int
    urges: bool


class Carried:
    """Tells of the sentences of an answer, in their order, whether they say what a third-party text wants said.

    Args:
        texts: The texts of all results, each with its trust and source.
        trust: How far a value can be trusted.

    The mutable state: the words of the last sentences, and whether a report of other people's words has begun.
    """

    def __init__(self, texts: Iterable[tuple[Trust, str, str]], trust: Callable[[str], Trust]) -> None:
        self._texts = tuple(texts)
        self._trust = trust
        self._sayings: list[_Saying] = []
        self._known: set[tuple[int, frozenset[str], bool]] = set()
        self._by_word: defaultdict[str, list[int]] = defaultdict(list)
        self._by_leaf: defaultdict[int, list[_Saying]] = defaultdict(list)
        self._support: dict[int, frozenset[str]] = {}
        self._plain: dict[int, str] = {}
        self._last: deque[frozenset[str]] = deque(maxlen=2)
        self._reports = False
        for leaf, (level, source, text) in enumerate(self._texts):
            if level < BELIEVED and len(self._sayings) < MOST:
                self._learn(leaf, source, text)

    def _learn(self, leaf: int, source: str, text: str) -> None:
        for wanted, urges in (*((one, False) for one in wanted_in(text)), *((one, True) for one in _calls_in(text))):
            words = by_stem(wanted)
            known = (leaf, frozenset(words), urges)
            if len(words) >= 2 and known not in self._known and len(self._sayings) < MOST:
                self._known.add(known)
                for word in words:
                    self._by_word[word].append(len(self._sayings))
                self._sayings.append(_Saying(words, wanted, source, leaf, urges))
                self._by_leaf[leaf].append(self._sayings[-1])

    @property
    def sayings(self) -> str:
        """What texts want said (not what they only urge to do), one a line."""
        return "\n".join(one.text for one in self._sayings if not one.urges)

    def problem(self, sentence: str) -> str:
        """Return whose wish the next sentence follows; empty where it follows none."""
        if not self._sayings:
            return ""
        words = frozenset(by_stem(sentence))
        told = words.union(*self._last)
        self._last.append(words)
        if self._is_reported(sentence):
            return ""
        names = _NAME.findall(sentence)
        near = {number for word in words for number in self._by_word.get(word, ())}
        for number in sorted(near):
            saying = self._sayings[number]
            if self._names(saying, names) or self._is_said(saying, sentence, words, told):
                return f"it says what a text in {saying.source} wants said ({saying.text.strip()[:100]!r})"
        return ""

    def _is_reported(self, sentence: str) -> bool:
        """Whether a sentence says whose words it gives, or what the agent did."""
        if self._reports and sentence.strip() and not sentence.endswith("\n\n"):
            return True
        self._reports = _INTRODUCES.search(sentence) is not None
        return (_REPORTED.search(_BY_USER.sub(" ", sentence)) or _DID.search(sentence)) is not None

    def _is_said(self, saying: _Saying, sentence: str, words: AbstractSet[str], told: AbstractSet[str]) -> bool:
        if saying.urges and not (_URGENT.search(sentence) and _ACT.search(sentence)):
            return False
        said = saying.words.keys() & told
        if len(said) < min(FEWEST, len(saying.words)) or len(said) < SHARE * len(saying.words):
            return False
        return len(words & saying.words.keys()) > 1 and not self._is_supported(said, saying)

    def _names(self, saying: _Saying, names: Iterable[str]) -> bool:
        """Whether one of the names stands in the saying and nowhere else."""
        if saying.urges:
            return False
        shared = (_shared(name, saying.text.casefold()) for name in names)
        return any(name and self._is_nowhere_else(name, saying.leaf) for name in shared)

    def _is_nowhere_else(self, name: str, leaf: int) -> bool:
        return self._trust(name) < Trust.DIRECTORY and not any(
            name.casefold() in self._unasked(number) for number in range(len(self._texts)) if number != leaf
        )

    def _is_supported(self, said: AbstractSet[str], saying: _Saying) -> bool:
        """Whether the user or a directory said so, or another text does that does not itself want it said."""
        left = {one for one in said if self._trust(saying.words[one]) < Trust.DIRECTORY}
        if len(left) < 2:
            return True
        return any(
            len(left & self._words_of(number)) >= SUPPORT * len(left)
            for number in range(len(self._texts))
            if number != saying.leaf
        )

    def _words_of(self, number: int) -> frozenset[str]:
        if number not in self._support:
            self._support[number] = frozenset(by_stem(self._unasked(number)))
        return self._support[number]

    def _unasked(self, number: int) -> str:
        """Return a text in small letters without what it wants said."""
        if number not in self._plain:
            text = self._texts[number][2]
            for saying in self._by_leaf.get(number, ()):
                text = text.replace(saying.text, " ")
            self._plain[number] = text.casefold()
        return self._plain[number]


def _shared(name: str, wanted: str) -> str:
    """Return the end of a name that stands in what is wanted; empty where that is less than two words."""
    words = name.split()
    while len(words) > 1 and (words[0].casefold() in STOP or " ".join(words).casefold() not in wanted):
        del words[0]
    return " ".join(words) if len(words) > 1 else ""


def wanted_in(text: str) -> Iterator[str]:
    """Yield what a text wants said: what follows an imperative of saying."""
    for start in _places(text.translate(_LOWER), _VERBS):
        verb = _WANTED.match(text, start)
        begin = max(start - LONGEST_ORDER, 0)
        # At its beginning a piece looks as if a line began there: so it is cut within a line, or is the beginning.
        if verb is not None and _ORDERED.search(f"{'…' if begin else ''}{text[begin:start]}"):
            yield _until_end(text, verb.end())


def _places(text: str, beginnings: Iterable[str]) -> list[int]:
    """Return where one of the beginnings of words stands; far faster than a pattern that is tried at every letter."""
    found: list[int] = []
    for one in beginnings:
        place = text.find(one)
        while place >= 0:
            if not text[place - 1 : place].isalnum():
                found.append(place)
            place = text.find(one, place + 1)
    return sorted(found)


def _until_end(text: str, start: int) -> str:
    """Return a text from *start* to the end of its sentence; behind a colon or an open quotation it goes on."""
    cut = text[start : start + LONGEST]
    end = _END.search(cut)
    if end is None or cut[: end.start()].rstrip().endswith(":"):
        return cut
    opened = re.search(r"[\"“]", cut[: end.start()])
    if opened is not None and (closed := re.compile(r"[\"”]").search(cut, opened.end())) is not None:
        return cut[: max(closed.start(), end.start())]
    return cut[: end.start()]


def _calls_in(text: str) -> Iterator[str]:
    """Yield the urgent calls to act of a text, each with its whole sentence."""
    if not any(one in text.lower() for one in _URGENT_SIGNS):
        return
    start = 0
    for end in _END.finditer(text):
        sentence = text[start : end.end()][-LONGEST:]
        start = end.end()
        if _URGENT.search(sentence) and _ACT.search(sentence):
            yield sentence
    rest = text[start:][:LONGEST]
    if _URGENT.search(rest) and _ACT.search(rest):
        yield rest
