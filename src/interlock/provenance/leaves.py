"""The leaves of a result: each typed value with its place, and how far its field can be trusted."""

from collections.abc import Iterator, Sequence
from itertools import count
from typing import Any, cast

import msgspec

from interlock.provenance import shapes
from interlock.provenance.defaults import is_secret_key, trust_of_key, words_of
from interlock.provenance.labels import Labels
from interlock.provenance.short import read
from interlock.provenance.trust import Trust

MOST_LEAVES = 50_000
"""How many leaves of one result are told apart; what comes behind them is known from nowhere."""

ADDRESSED = frozenset(
    "account address bcc cc contact email emails endpoint from host iban link links mail members participants "
    "payee phone owner recipient recipients replyto sender shared to url urls uri user users website".split()
)
"""Words of keys and actions under which an address is no surprise."""

_ELSEWHERE = frozenset(
    "browse download fetch file http page path scrape search site uri url web webpage website".split()
)
# A member takes longer to look up in its class than in the module, and this is done for every value.
_THIRD_PARTY, _COLLEAGUE, _CORRESPONDENT = Trust.THIRD_PARTY, Trust.COLLEAGUE, Trust.CORRESPONDENT
_DIRECTORY, _SYSTEM, _USER = Trust.DIRECTORY, Trust.SYSTEM, Trust.USER
_LONGEST_ID = 64
_LONGEST_NAME = 100
_LONGEST_PATH = 1_000
_MOST_FIELDS = 10_000
_IN_LIST, _AS_KEY = 0, 1
_SUFFIXES = ("[]", "{}")
"""How paths write what stands in a list, and what stands in place of a name; no field is called by a number."""

_FREE_NAME = "text"
"""What a field counts as whose name is so long that it is free text itself."""


class Leaf(msgspec.Struct, frozen=True, gc=False):
    """One value of a result: its place, how far it can be trusted, the record (object) that it stands in.

    `path` has `[]` for any place in a list; `record` is the number of the innermost object around it.
    """

    path: str
    value: Any
    trust: Trust
    record: int
    secret: bool = False


class _Field:
    """What is known of a field, once for all rows of a table, and of the fields in it.

    What the operator said, what its name tells, whether it is secret, may be an address, or is a text of several values
    that the operator vouches for, line by line.
    """

    __slots__ = ("addressed", "guess", "inner", "is_list", "key", "path", "said", "secret")

    def __init__(self, path: str, key: str, *, said: Trust | None, guess: Trust, secret: bool, addressed: bool) -> None:
        self.path = path
        self.key = key
        self.said = said
        self.guess = guess
        self.secret = secret
        self.addressed = addressed
        self.is_list = said is not None and said > _COLLEAGUE
        self.inner: dict[str | int, _Field] = {}


class Fields:
    """Tells the trust of an action's fields.

    Args:
        action: The action's name.
        labels: What the operator said.
        egress: Whether the action reads from elsewhere.
        open_world: Whether anybody may have written its texts, whatever their names.
    """

    def __init__(self, action: str, labels: Labels, *, egress: bool, open_world: bool = False) -> None:
        self._declared = labels.results.get(action, {})
        self._secret = labels.secret.get(action, ())
        self._addressed = not ADDRESSED.isdisjoint(words_of(action))
        self._open_world = open_world
        self._foreign = egress or not _ELSEWHERE.isdisjoint(words_of(action))
        self._whole = self._field("", "")
        self._known = 1

    def leaves(self, value: Any) -> Iterator[Leaf]:
        """Yield the leaves of a result (JSON values), the first `MOST_LEAVES` of them."""
        records = count(1)
        left = MOST_LEAVES
        stack: list[tuple[Any, _Field, int]] = [(value, self._whole, 0)]
        while stack and left:
            node, field, record = stack.pop()
            if isinstance(node, dict):
                fields = cast("dict[str, Any]", node)
                inner = next(records)
                within = field.inner
                for name, one in reversed(fields.items()):
                    stack.append((one, within.get(name) or self._inner(field, name), inner))
                for name in fields:
                    if not name.isidentifier() and left:
                        left -= 1
                        yield self._leaf(name, self._inner(field, _AS_KEY), inner)
            elif isinstance(node, list):
                item = self._inner(field, _IN_LIST)
                stack += [(one, item, record) for one in reversed(cast("list[Any]", node))]
            elif node is not None:
                left -= 1
                leaf = self._leaf(node, field, record)
                yield leaf
                if field.is_list and leaf.trust is _THIRD_PARTY and isinstance(node, str):
                    yield from self._in_lines(node, field, leaf)

    def _in_lines(self, value: str, field: _Field, leaf: Leaf) -> Iterator[Leaf]:
        for part in _parts(value):
            trust = self._graded(part, field.said or _DIRECTORY, field, guessed=False)
            yield Leaf(field.path, part, trust, leaf.record, leaf.secret)

    def _inner(self, field: _Field, name: str | int) -> _Field:
        """Return what is known of a field within another, whatever its value is."""
        if isinstance(name, str) and len(name) > _LONGEST_NAME:
            name = _FREE_NAME
        found = field.inner.get(name)
        if found is None:
            if isinstance(name, int):
                found = self._field(f"{field.path}{_SUFFIXES[name]}", field.key)
            else:
                found = self._field(_joined(field.path, name), name)
            if self._known < _MOST_FIELDS:
                self._known += 1
                field.inner[name] = found
        return found

    def _field(self, path: str, key: str) -> _Field:
        foreign = self._open_world or (not key and self._foreign)
        return _Field(
            path,
            key,
            said=self._said(path, key),
            guess=_THIRD_PARTY if foreign else trust_of_key(key),
            secret=is_secret_key(key) or self._is_secret(path, key),
            addressed=self._may_be_address(key),
        )

    def _leaf(self, value: Any, field: _Field, record: int) -> Leaf:
        said = field.said
        if not isinstance(value, str):
            secret = field.secret and not isinstance(value, bool)
            return Leaf(field.path, value, _SYSTEM if said is None else said, record, secret)
        trust = field.guess if said is None else said
        if trust > _COLLEAGUE:
            trust = self._graded(value, trust, field, guessed=said is None)
        return Leaf(field.path, value, trust, record, field.secret)

    def _graded(self, value: str, trust: Trust, field: _Field, *, guessed: bool) -> Trust:
        """Return the trust of a field's text: lower where its grammar is not that of such a field."""
        if len(value) > shapes.LONGEST_FIELD:
            return _THIRD_PARTY
        short = read(value)
        if guessed:
            if trust is _CORRESPONDENT and not short.is_address:
                # Somebody's name as this system knows him; an address is his own to choose.
                trust = _DIRECTORY
            if trust is _DIRECTORY and (short.number is not None or (len(value) < 30 and short.days)):
                trust = _SYSTEM
        stranger = short.is_address and trust is not _USER and not field.addressed
        if stranger or not short.is_field or (trust is _SYSTEM and len(value) > _LONGEST_ID):
            return _THIRD_PARTY
        return trust

    def _may_be_address(self, key: str) -> bool:
        return not ADDRESSED.isdisjoint(words_of(key)) or (self._addressed and not key) or key.endswith(("id", "ids"))

    def _said(self, path: str, key: str) -> Trust | None:
        declared = self._declared
        if not declared:
            return None
        for pattern in (path, f"*.{key}", key):
            if pattern in declared and pattern:
                return declared[pattern]
        return declared.get("*")

    def _is_secret(self, path: str, key: str) -> bool:
        return bool(self._secret) and not {path, key, f"*.{key}", "*"}.isdisjoint(self._secret)


def _joined(path: str, name: str) -> str:
    """Return the path of a field; of one that is nested very deep, the end of it."""
    return f"{path}.{name}"[-_LONGEST_PATH:] if path else name


def texts_in(value: Any) -> Iterator[str]:
    """Yield the texts in JSON values, however deep, those without a letter left out."""
    stack = [value]
    while stack:
        node = stack.pop()
        if isinstance(node, str):
            if node.strip():
                yield node
        elif isinstance(node, dict):
            stack += reversed(cast("dict[str, Any]", node).values())
        elif isinstance(node, list):
            stack += reversed(cast("list[Any]", node))


def _parts(text: str) -> Sequence[str]:
    """Return the lines of a text, and what stands in them between commas and behind colons."""
    found: dict[str, None] = {}
    for line in text.splitlines():
        rest = line.strip(" \t-*•")
        if not rest or not shapes.is_field(rest):
            continue
        found[rest] = None
        _, colon, behind = rest.partition(": ")
        for one in (behind if colon else rest).split(", "):
            if one.strip():
                found[one.strip()] = None
    return tuple(found)[:MOST_LEAVES]
