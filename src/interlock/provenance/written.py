"""What agents wrote somewhere: read back, it is worth no more than it was when it was written."""

from collections.abc import Iterator
from hashlib import blake2b
from typing import Any, cast

import msgspec

from interlock.kernel import events as ev
from interlock.provenance import shapes
from interlock.provenance.normal import code, days, number, plain
from interlock.provenance.trust import Trust

MOST_EXACT = 100_000
"""How many values are remembered one by one; what comes behind them shares a Bloom filter (Bloom 1970)."""

SHORTEST = 3
"""How many characters a text has at least that is remembered: shorter ones are in everything."""

_BITS = 1 << 27
_HASHES = 7


class _Stored(msgspec.Struct):
    """What of a recorded origin matters here."""

    argument: str
    trust: int
    how: str = "equal"


class Written:
    """The values that agents of one tenant wrote and that were not trusted then.

    It remembers digests, of bounded size; where it errs, it takes a value for written that was not.
    """

    def __init__(self) -> None:
        self._exact: set[int] = set()
        self._filter: bytearray | None = None

    def add(self, event: ev.Intended) -> None:
        """Take in an effect: what it wrote of values that came from no trusted place."""
        if event.effect == "read" or event.undoes:
            return
        trusted = _trusted(event.judgement.origins)
        for argument, value in leaves_of(msgspec.json.decode(bytes(event.args)), ""):
            if argument not in trusted and not _is_plain(value):
                self.take(value)

    def take(self, text: str) -> None:
        """Remember one untrusted text, and the addresses and codes in it."""
        for one in spellings(text):
            self._put(_digest(one))

    def has(self, text: str) -> bool:
        """Whether an agent wrote this text, or an address or a code that stands in it."""
        return any(map(self.holds, spellings(text)))

    def holds(self, spelling: str) -> bool:
        """Whether an agent wrote a text of this one spelling."""
        return bool(self._exact) and self._holds(_digest(spelling))

    def __len__(self) -> int:
        return len(self._exact)

    def _put(self, digest: int) -> None:
        if len(self._exact) < MOST_EXACT:
            self._exact.add(digest)
            return
        if self._filter is None:
            self._filter = bytearray(_BITS >> 3)
        for bit in _places(digest):
            self._filter[bit >> 3] |= 1 << (bit & 7)

    def _holds(self, digest: int) -> bool:
        if digest in self._exact:
            return True
        filled = self._filter
        return filled is not None and all(filled[bit >> 3] >> (bit & 7) & 1 for bit in _places(digest))


def _is_plain(text: str) -> bool:
    """Whether a text is but a number or a day, which carry no authority and are everywhere."""
    return number(text) is not None or (len(text) < 30 and bool(days(text)))


def _trusted(origins: msgspec.Raw) -> set[str]:
    stored = msgspec.json.decode(bytes(origins), type=tuple[_Stored, ...] | None) or ()
    # What a person let pass for this run is not the directory's word in the next.
    trusted = (one for one in stored if one.trust >= Trust.DIRECTORY)
    return {one.argument for one in trusted if one.how not in {"approved", "designated"}}


def leaves_of(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """Yield the texts of arguments with their paths, as `Origin.argument` writes them; values used as keys, too."""
    stack: list[tuple[str, Any]] = [(path, value)]
    while stack:
        at, node = stack.pop()
        if isinstance(node, dict):
            for name, one in cast("dict[str, Any]", node).items():
                inner = f"{at}.{name}" if at else name
                stack.append((inner, one))
                if at and not name.isidentifier():
                    yield f"{inner}{{}}", name
        elif isinstance(node, list):
            stack += [(f"{at}[{place}]", one) for place, one in enumerate(cast("list[Any]", node))]
        elif isinstance(node, str):
            yield at, node


def spellings(text: str) -> Iterator[str]:
    """Yield the one spelling of a text, of the code that it is, and of the addresses, links and codes in it."""
    whole = plain(text)
    if len(whole) >= SHORTEST:
        yield whole
    if squeezed := code(text):
        yield squeezed
    for one in (*shapes.addresses(text), *shapes.links(text)):
        if (found := plain(one)) != whole:
            yield found
    for one in shapes.accounts(text):
        if (found := code(one)) != squeezed:
            yield found


def _digest(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(errors="surrogatepass"), digest_size=8).digest())


def _places(digest: int) -> Iterator[int]:
    low, high = digest & 0xFFFFFFFF, digest >> 32 | 1
    for turn in range(_HASHES):
        yield (low + turn * high) % _BITS
