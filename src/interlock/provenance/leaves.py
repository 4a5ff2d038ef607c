"""The leaves of a result: each typed value with its place, and how far its field can be trusted."""

from collections.abc import Iterator, Sequence
from itertools import count
from typing import Any, NamedTuple, cast

from interlock.provenance import shapes
from interlock.provenance.defaults import is_secret_key, trust_of_key, words_of
from interlock.provenance.labels import Labels
from interlock.provenance.normal import days, number
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
_LONGEST_ID = 64
_LONGEST_NAME = 100
_LONGEST_PATH = 1_000
_MOST_FIELDS = 10_000
_FREE_NAME = "text"
"""What a field counts as whose name is so long that it is free text itself."""


class Leaf(NamedTuple):
    """One value of a result: its place, how far it can be trusted, the record (object) that it stands in.

    `path` has `[]` for any place in a list; `record` is the number of the innermost object around it.
    """

    path: str
    value: Any
    trust: Trust
    record: int
    secret: bool = False


class _Field(NamedTuple):
    """What is known of a field.

    What the operator said, what its name tells, whether it is secret, may be an address, or is a text of several values
    that the operator vouches for, line by line.
    """

    said: Trust | None
    guess: Trust
    secret: bool
    addressed: bool
    is_list: bool


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
        self._fields: dict[tuple[str, str], _Field] = {}

    def leaves(self, value: Any) -> Iterator[Leaf]:
        """Yield the leaves of a result (JSON values), the first `MOST_LEAVES` of them."""
        records = count(1)
        left = MOST_LEAVES
        stack: list[tuple[Any, str, str, int]] = [(value, "", "", 0)]
        while stack and left:
            node, path, key, record = stack.pop()
            if isinstance(node, dict):
                fields = cast("dict[str, Any]", node)
                inner = next(records)
                for name in reversed(fields):
                    known = name if len(name) <= _LONGEST_NAME else _FREE_NAME
                    stack.append((fields[name], _joined(path, known), known, inner))
                for name in fields:
                    if not name.isidentifier() and left:
                        left -= 1
                        yield self._leaf(name, f"{path}{{}}", self._field(f"{path}{{}}", key), inner)
            elif isinstance(node, list):
                items = cast("list[Any]", node)
                within = f"{path}[]"
                stack += [(one, within, key, record) for one in reversed(items)]
            elif node is not None:
                left -= 1
                yield from self._of(node, path, key, record)

    def _of(self, value: Any, path: str, key: str, record: int) -> Iterator[Leaf]:
        field = self._field(path, key)
        leaf = self._leaf(value, path, field, record)
        yield leaf
        if field.is_list and leaf.trust is Trust.THIRD_PARTY and isinstance(value, str):
            for part in _parts(value):
                trust = self._graded(part, field.said or Trust.DIRECTORY, field)
                yield Leaf(path, part, trust, record, leaf.secret)

    def _field(self, path: str, key: str) -> "_Field":
        """Return what is known of a field, whatever its value is."""
        found = self._fields.get((path, key))
        if found is None:
            said = self._said(path, key)
            foreign = self._open_world or (not key and self._foreign)
            guess = Trust.THIRD_PARTY if foreign else trust_of_key(key)
            secret = is_secret_key(key) or self._is_secret(path, key)
            is_list = said is not None and said > Trust.COLLEAGUE
            found = _Field(said, guess, secret, self._may_be_address(key), is_list)
            if len(self._fields) < _MOST_FIELDS:
                self._fields[path, key] = found
        return found

    def _leaf(self, value: Any, path: str, field: "_Field", record: int) -> Leaf:
        said = field.said
        if not isinstance(value, str):
            secret = field.secret and not isinstance(value, bool)
            return Leaf(path, value, Trust.SYSTEM if said is None else said, record, secret)
        trust = self._graded(value, self._guessed(value, field.guess) if said is None else said, field)
        return Leaf(path, value, trust, record, field.secret)

    def _guessed(self, value: str, trust: Trust) -> Trust:
        if trust is Trust.CORRESPONDENT and not shapes.is_address(value):
            # Somebody's name as this system knows him; an address is his own to choose.
            trust = Trust.DIRECTORY
        if trust is Trust.DIRECTORY and (number(value) is not None or (len(value) < 30 and days(value))):
            return Trust.SYSTEM
        return trust

    def _graded(self, value: str, trust: Trust, field: "_Field") -> Trust:
        """Return the trust, lowered where the value's grammar is not that of such a field."""
        if trust > Trust.COLLEAGUE:
            if not shapes.is_field(value) or (trust is Trust.SYSTEM and len(value) > _LONGEST_ID):
                return Trust.THIRD_PARTY
            if trust is not Trust.USER and not field.addressed and shapes.is_address(value):
                return Trust.THIRD_PARTY
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
