"""What an agent may say to its user: each sentence of an answer, looked at by where its content came from. Pure.

`showing.py` looks at links and at markup that loads by itself, `carried.py` at what third-party text wants said; what
is confidential goes to the run's own user and to nobody else.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple, Protocol

from interlock.provenance.carried import Carried
from interlock.provenance.showing import Showing
from interlock.provenance.trust import Trust

SHORTEST_SECRET = 4
"""From how many characters on a confidential value is looked for; shorter ones stand everywhere."""

LONGEST_SECRET = 200
"""Up to how many characters of a confidential value are looked for."""

MOST_SECRETS = 2_000
"""How many confidential values are looked for."""


class Placed(Protocol):
    """Where a value came from, as far as it matters here."""

    @property
    def trust(self) -> Trust:
        """How far it can be trusted."""
        ...


class Seen(Protocol):
    """What a run has seen, as far as its answers are held against it."""

    def texts(self) -> Iterable[tuple[Trust, str, str]]:
        """Return the texts in all results: how far each can be trusted, its source in words, and the text."""
        ...

    def find(self, value: str) -> Placed | None:
        """Return the best that is known of a value: it is one of a result's, or stands within the user's words."""
        ...

    def secrets(self) -> Iterable[str]:
        """Return the texts that are labelled secret."""
        ...


class Problem(NamedTuple):
    """Why words are withheld, what may be said instead, and of which kind that is (`link`, `carried`, `secret`)."""

    kind: str
    says: str
    instead: str


class Outgoing:
    """Looks at the sentences of one answer, in their order.

    Args:
        seen: What the run has seen.
        own: Domains and addresses of the user or the organisation: links to them are no foreign ones.
        elsewhere: Whether somebody else than the run's own user reads the answer.

    The mutable state: the end of what came before, since a value may go over several sentences, and what the two looks
    keep of it.
    """

    def __init__(self, seen: Seen, *, own: Iterable[str] = (), elsewhere: bool = False) -> None:
        texts = tuple(seen.texts())
        known = _Known(seen)
        self._carried = Carried(texts, known)
        self._showing = Showing(texts, known, own=tuple(own), wanted=self._carried.sayings)
        self._secret = _any_of(seen.secrets()) if elsewhere else None
        self._tail = ""

    def problem(self, sentence: str) -> Problem | None:
        """Return what is wrong with the next sentence; None where it may be released.

        What was found in one sentence ends the answer: nothing is to be asked of those behind it.
        """
        came = self._tail + sentence
        self._tail = came[-LONGEST_SECRET:]
        return self._link(sentence) or self._leak(came) or self._order(sentence)

    def _link(self, sentence: str) -> Problem | None:
        says = self._showing.problem(sentence)
        if not says:
            return None
        return Problem("link", says, "leave the link or image out, or ask the user whether to show it")

    def _order(self, sentence: str) -> Problem | None:
        says = self._carried.problem(sentence)
        if not says:
            return None
        return Problem("carried", says, "answer what the user asked; of such a text, report who says what")

    def _leak(self, came: str) -> Problem | None:
        if self._secret is None or self._secret.search(came) is None:
            return None
        says = "it holds what is labelled secret, and somebody else than the run's user would read it"
        return Problem("secret", says, "leave it out, or tell it to the user alone")


class _Known:
    """How far values can be trusted, each looked up once."""

    def __init__(self, seen: Seen) -> None:
        self._seen = seen
        self._found: dict[str, Trust] = {}

    def __call__(self, value: str) -> Trust:
        if value not in self._found:
            found = self._seen.find(value) if value else None
            self._found[value] = Trust.NOWHERE if found is None else found.trust
        return self._found[value]


def _any_of(values: Iterable[str]) -> re.Pattern[str] | None:
    """Return what finds any of the values, whatever spaces stand in them."""
    told = sorted({" ".join(one.split())[:LONGEST_SECRET] for one in values}, key=len, reverse=True)
    words = [r"\s+".join(map(re.escape, one.split())) for one in told if len(one) >= SHORTEST_SECRET]
    return re.compile(rf"(?<!\w)(?:{'|'.join(words[:MOST_SECRETS])})(?!\w)", re.IGNORECASE) if words else None
