"""Patterns as automata: which combinations of them some text fits, and such texts.

A pattern becomes a nondeterministic automaton (Thompson 1968), several become one deterministic product by the subset
construction. Only what is regular in Python's syntax takes part; anything else is `Irregular`, and the caller says so.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from importlib import import_module
from itertools import pairwise
from typing import Any, Final

_parser: Any = import_module("re._parser")
_constants: Any = import_module("re._constants")

LAST: Final = 0x10FFFF
_NEWLINE: Final = 10
MOST_STATES: Final = 4_000
_MOST_LETTERS: Final = 40
_MOST_NODES: Final = 5_000
_STRICT_FLAGS: Final = re.MULTILINE | re.LOCALE
Ranges = tuple[tuple[int, int], ...]


class Irregular(Exception):  # noqa: N818 - it is a finding about a pattern, not a fault
    """The pattern uses what no small automaton can say; the message names it."""


_EVERYTHING: Final[Ranges] = ((0, LAST),)
_DIGIT: Final[Ranges] = ((48, 57),)
_WORD: Final[Ranges] = ((48, 57), (65, 90), (95, 95), (97, 122))
_SPACE: Final[Ranges] = ((9, 13), (32, 32))


def _merged(ranges: Sequence[tuple[int, int]]) -> Ranges:
    found: list[tuple[int, int]] = []
    for low, high in sorted(ranges):
        if found and low <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(high, found[-1][1]))
        else:
            found.append((low, high))
    return tuple(found)


def _others(ranges: Ranges) -> Ranges:
    edges = [-1, *(edge for low, high in ranges for edge in (low, high)), LAST + 1]
    gaps = ((edges[at] + 1, edges[at + 1] - 1) for at in range(0, len(edges), 2))
    return tuple((low, high) for low, high in gaps if low <= high)


class _Automaton:
    """A nondeterministic automaton; a step is free, guarded by a place in the text, or reads a character."""

    def __init__(self) -> None:
        self.free: list[list[tuple[int, str]]] = []
        self.reads: list[list[tuple[Ranges, int]]] = []

    def node(self) -> int:
        if len(self.free) >= _MOST_NODES:
            raise Irregular("is too large")
        self.free.append([])
        self.reads.append([])
        return len(self.free) - 1

    def closure(self, nodes: frozenset[int], guards: frozenset[str]) -> frozenset[int]:
        """Return what is reached from *nodes* without reading."""
        found, waiting = set(nodes), list(nodes)
        while waiting:
            for node, guard in self.free[waiting.pop()]:
                if node not in found and (not guard or guard in guards):
                    found.add(node)
                    waiting.append(node)
        return frozenset(found)


class Pattern:
    """One pattern as an automaton. In a state, a node below zero holds only if the text ends here.

    Raises:
        Irregular: it uses word boundaries, atomic groups or modes, or is too large.
    """

    def __init__(self, pattern: str) -> None:
        parsed = _parser.parse(pattern, re.DOTALL | re.ASCII)
        self.known: dict[tuple[frozenset[int], int], frozenset[int]] = {}
        self._automaton = _Automaton()
        first = self._automaton.node()
        self._last = self._sequence(parsed, first, parsed.state.flags)
        self.start = self._automaton.closure(frozenset({first}), frozenset({"start"}))
        self._empty = self._last in self._automaton.closure(self.start, frozenset({"start", "end", "dollar"}))

    def accepts(self, nodes: frozenset[int], *, is_start: bool) -> bool:
        """Tell whether a text may end here."""
        if is_start:
            return self._empty
        here = frozenset(node for node in nodes if node >= 0)
        return -1 - self._last in nodes or self._last in self._automaton.closure(here, frozenset({"end", "dollar"}))

    def step(self, nodes: frozenset[int], character: int) -> frozenset[int]:
        """Return where a character leads."""
        here = frozenset(node for node in nodes if node >= 0)
        after = self._automaton.closure(self._read_from(here, character), frozenset())
        if character != _NEWLINE:
            return after
        # `$` also holds before a line break that ends the text.
        before = self._automaton.closure(here, frozenset({"dollar"}))
        ending = self._automaton.closure(self._read_from(before, character), frozenset({"end", "dollar"}))
        return after | {-1 - node for node in ending}

    def _read_from(self, nodes: frozenset[int], character: int) -> frozenset[int]:
        return frozenset(
            target
            for node in nodes
            for ranges, target in self._automaton.reads[node]
            if any(low <= character <= high for low, high in ranges)
        )

    def edges(self) -> set[int]:
        """Return the characters at which something begins to differ."""
        found = {0, _NEWLINE, _NEWLINE + 1}
        for reads in self._automaton.reads:
            for ranges, _ in reads:
                for low, high in ranges:
                    found.update((low, high + 1))
        return found

    def _sequence(self, parsed: Any, start: int, flags: int) -> int:
        if flags & _STRICT_FLAGS:
            raise Irregular("uses a mode other than (?i), (?s) and (?x)")
        for op, argument in parsed:
            start = self._part(str(op), argument, start, flags)
        return start

    def _part(self, op: str, argument: Any, start: int, flags: int) -> int:
        match op:
            case "LITERAL" | "NOT_LITERAL" | "ANY" | "IN":
                return self._read(start, _characters(op, argument, flags))
            case "BRANCH":
                return self._branch(argument[1], start, flags)
            case "SUBPATTERN":
                _, added, dropped, inner = argument
                return self._sequence(inner, start, (flags | added) & ~dropped)
            case "MAX_REPEAT" | "MIN_REPEAT":
                least, most, inner = argument
                return self._repeat((least, most), inner, start, flags)
            case "AT":
                return self._at(str(argument), start)
            case _:
                raise Irregular(f"uses {op.lower().replace('_', ' ')}")

    def _read(self, start: int, ranges: Ranges) -> int:
        end = self._automaton.node()
        self._automaton.reads[start].append((ranges, end))
        return end

    def _free(self, start: int, end: int, guard: str = "") -> None:
        self._automaton.free[start].append((end, guard))

    def _branch(self, branches: Sequence[Any], start: int, flags: int) -> int:
        end = self._automaton.node()
        for branch in branches:
            first = self._automaton.node()
            self._free(start, first)
            self._free(self._sequence(branch, first, flags), end)
        return end

    def _repeat(self, times: tuple[int, Any], inner: Any, start: int, flags: int) -> int:
        least, most = times
        for _ in range(least):
            start = self._sequence(inner, start, flags)
        if most == _constants.MAXREPEAT:
            loop, end = self._automaton.node(), self._automaton.node()
            self._free(start, loop)
            self._free(loop, end)
            self._free(self._sequence(inner, loop, flags), loop)
            return end
        end = self._automaton.node()
        self._free(start, end)
        for _ in range(most - least):
            start = self._sequence(inner, start, flags)
            self._free(start, end)
        return end

    def _at(self, place: str, start: int) -> int:
        guard = _GUARDS.get(place)
        if guard is None:
            raise Irregular("uses word boundaries")
        end = self._automaton.node()
        self._free(start, end, guard)
        return end


_GUARDS: Final = {
    "AT_BEGINNING": "start",
    "AT_BEGINNING_STRING": "start",
    "AT_END": "dollar",
    "AT_END_STRING": "end",
}


def _characters(op: str, argument: Any, flags: int) -> Ranges:
    if op == "ANY":
        return _EVERYTHING if flags & re.DOTALL else _others(((10, 10),))
    if op == "LITERAL":
        return _folded(((argument, argument),), flags)
    if op == "NOT_LITERAL":
        return _others(_folded(((argument, argument),), flags))
    return _set(argument, flags)


def _set(items: Sequence[Any], flags: int) -> Ranges:
    found: list[tuple[int, int]] = []
    is_negated = False
    for op, argument in items:
        match str(op):
            case "NEGATE":
                is_negated = True
            case "LITERAL":
                found += _folded(((argument, argument),), flags)
            case "RANGE":
                found += _folded((argument,), flags)
            case "CATEGORY":
                found += _category(str(argument))
            case other:
                raise Irregular(f"uses {other.lower()}")
    ranges = _merged(found)
    return _others(ranges) if is_negated else ranges


def _category(name: str) -> Ranges:
    ranges = {"DIGIT": _DIGIT, "WORD": _WORD, "SPACE": _SPACE}.get(name.removeprefix("CATEGORY_").removeprefix("NOT_"))
    if ranges is None:
        raise Irregular(f"uses {name.lower()}")
    return _others(ranges) if "NOT_" in name else ranges


def _folded(ranges: Ranges, flags: int) -> Ranges:
    """Return *ranges*, where case is ignored with the other case of each ASCII letter."""
    if not flags & re.IGNORECASE:
        return ranges
    added = list(ranges)
    for low, high in ranges:
        for first, last, shift in ((65, 90, 32), (97, 122, -32)):
            begin, end = max(low, first), min(high, last)
            if begin <= end:
                added.append((begin + shift, end + shift))
    return _merged(added)


class Below:
    """The texts that come before *bound* in the order of code points, as an automaton of the same form."""

    def __init__(self, bound: str) -> None:
        self.known: dict[tuple[frozenset[int], int], frozenset[int]] = {}
        self._bound = [ord(one) for one in bound]
        self.start = frozenset({0})

    def accepts(self, nodes: frozenset[int], *, is_start: bool) -> bool:
        """Tell whether a text that ends here comes before the bound."""
        at = next(iter(nodes), None)
        return at is not None and (at < 0 or at < len(self._bound))

    def step(self, nodes: frozenset[int], character: int) -> frozenset[int]:
        """Return where a character leads: on along the bound, below it, or nowhere."""
        at = next(iter(nodes), None)
        if at is None or at < 0:
            return nodes
        if at == len(self._bound) or character > self._bound[at]:
            return frozenset()
        return frozenset({at + 1 if character == self._bound[at] else -1})

    def edges(self) -> set[int]:
        """Return the characters at which something begins to differ."""
        return {0, *self._bound, *(one + 1 for one in self._bound)}


Language = Pattern | Below
Signature = tuple[bool, ...]


class Product:
    """Several languages read side by side: a deterministic automaton whose states know which ones accept.

    Raises:
        Irregular: it has more than `MOST_STATES` states.
    """

    def __init__(self, languages: Sequence[Language]) -> None:
        edges = sorted({edge for each in languages for edge in each.edges() if edge <= LAST} | {0})
        self._blocks = [(low, high - 1) for low, high in pairwise([*edges, LAST + 1])]
        self._edges = edges
        start = tuple(each.start for each in languages)
        numbers: dict[Any, int] = {("start", start): 0}
        self.signatures: list[Signature] = [
            tuple(each.accepts(one, is_start=True) for each, one in zip(languages, start, strict=True))
        ]
        self.steps: list[list[int]] = []
        waiting = [start]
        while len(self.steps) < len(waiting):
            state = waiting[len(self.steps)]
            row: list[int] = []
            for low, _ in self._blocks:
                after = tuple(_step(each, one, low) for each, one in zip(languages, state, strict=True))
                if after not in numbers:
                    if len(waiting) >= MOST_STATES:
                        raise Irregular("is too large beside the others")
                    numbers[after] = len(waiting)
                    waiting.append(after)
                    self.signatures.append(
                        tuple(each.accepts(one, is_start=False) for each, one in zip(languages, after, strict=True))
                    )
                row.append(numbers[after])
            self.steps.append(row)
        self._before: list[set[int]] = [set() for _ in self.steps]
        for state, row in enumerate(self.steps):
            for after in row:
                self._before[after].add(state)
        self._letters = [list(_nice(low, high)) for low, high in self._blocks]

    def classes(self) -> list[Signature]:
        """Return the combinations that some text has, in a fixed order."""
        return sorted(set(self.signatures))

    def signature(self, text: str) -> Signature:
        """Return which languages *text* is in."""
        state = 0
        for character in text:
            state = self.steps[state][bisect_right(self._edges, ord(character)) - 1]
        return self.signatures[state]

    def lengths(self, wanted: Signature) -> tuple[int, int | None]:
        """Return the shortest and the longest length of a text of this combination; None where there is no longest."""
        layers = self._layers(wanted)
        least, most = -1, 0
        for length in range(len(self.steps) + 1):
            layer = next(layers)
            if not layer:
                return least, most
            if 0 in layer:
                least, most = (length if least < 0 else least), length
        return least, None if self._pumps(wanted) else most

    def texts(self, wanted: Signature, length: int | None = None) -> Iterator[str]:
        """Yield different texts of this combination, the shortest first, or those of one length."""
        layers: list[set[int]] = []
        for at, layer in enumerate(self._layers(wanted)):
            if not layer or at > (2 * len(self.steps) + 40 if length is None else length):
                return
            layers.append(layer)
            if 0 in layer and length in (None, at):
                yield from self._spelled(0, at, layers)

    def _layers(self, wanted: Signature) -> Iterator[set[int]]:
        """Yield the states from which a text of 0, 1, 2, … characters leads to this combination."""
        layer = {state for state, found in enumerate(self.signatures) if found == wanted}
        while True:
            yield layer
            layer = set[int]().union(*(self._before[state] for state in layer))

    def _pumps(self, wanted: Signature) -> bool:
        """Tell whether a text of this combination is longer than there are states: then there are ever longer ones."""
        layers = self._layers(wanted)
        return any(
            0 in layer
            for at, layer in zip(range(2 * len(self.steps) + 1), layers, strict=False)
            if at >= len(self.steps)
        )

    def _spelled(self, state: int, left: int, layers: list[set[int]]) -> Iterator[str]:
        """Yield the texts of *left* more characters, walking without recursion: texts may be long."""
        trail: list[Iterator[tuple[str, int]]] = [self._options(state, left, layers)]
        written: list[str] = []
        if not left:
            yield ""
            return
        while trail:
            step = next(trail[-1], None)
            if step is None:
                trail.pop()
                if written:
                    written.pop()
                continue
            letter, after = step
            if len(trail) == left:
                yield "".join(written) + letter
                continue
            written.append(letter)
            trail.append(self._options(after, left - len(trail), layers))

    def _options(self, state: int, left: int, layers: list[set[int]]) -> Iterator[tuple[str, int]]:
        if left <= 0:
            return
        found = [
            (rank, letter, self.steps[state][block])
            for block, letters in enumerate(self._letters)
            if self.steps[state][block] in layers[left - 1]
            for rank, letter in letters
        ]
        for _, letter, after in sorted(found):
            yield letter, after


def _step(language: Language, nodes: frozenset[int], character: int) -> frozenset[int]:
    found = language.known.get((nodes, character))
    if found is None:
        found = language.step(nodes, character)
        language.known[nodes, character] = found
    return found


def _nice(low: int, high: int) -> Iterator[tuple[int, str]]:
    """Yield a few characters of a range that are good to read, each with how good it is."""
    given = set[int]()
    for rank, (first, last) in enumerate(((97, 122), (48, 57), (65, 90), (32, 126), (161, 0x2FF), (0, LAST))):
        for code in range(max(low, first), min(high, last) + 1):
            if len(given) >= _MOST_LETTERS:
                return
            if code not in given:
                given.add(code)
                yield rank, chr(code)
