"""What would change a verdict: the smallest changes to a case that lead to another one, found by trying them."""

from collections.abc import Callable, Iterator, Sequence
from itertools import combinations, product
from typing import Any, Final

import msgspec

from interlock.guardian import Case, Policy, Verdict
from interlock.guardian.english import label
from interlock.guardian.tree import Tree
from interlock.lab.candidates import Candidate, candidates
from interlock.lab.explain import conditions
from interlock.lab.places import Place, Unreachable, put

MOST_TRIED: Final = 10_000
"""So many changed cases are judged at most."""

LARGEST: Final = 3
"""So many things are changed at once at most."""

MOST_BESIDE: Final = 12
"""So many values are tried at a place where others are changed too."""

MOST_SHOWN: Final = 3
"""So many changes are kept for each other verdict."""

Outcome = tuple[bool, tuple[str, ...]]
Typed = Callable[[Case], Case]


class Change(msgspec.Struct, frozen=True):
    """Some things put elsewhere, and the verdict that comes of it."""

    changed: tuple[tuple[Place, Any], ...]
    verdict: Verdict
    case: Case


class Changes(msgspec.Struct, frozen=True):
    """The changes found, the gentlest other verdict first; `tried` is how many cases were judged."""

    found: tuple[Change, ...]
    tried: int


def outcome(verdict: Verdict) -> Outcome:
    """Return what a verdict comes to: whether it permits, and which needs it has."""
    return verdict.permitted, tuple(sorted(map(str, verdict.needs))) if verdict.permitted else ()


def changes(policy: Policy, case: Case, typed: Typed) -> Changes:
    """Return the smallest changes of *case* that give another verdict of *policy*; each was judged.

    Values are tried at the borders that the rules draw. Single changes come first; two and three at once are tried
    where these don't lead to a verdict that is better (or, where it is permitted without needs, to another).

    Args:
        policy: What judges.
        case: What is judged, with arguments as they would be proposed.
        typed: Gives a case the arguments that the action gets; ValueError where they don't fit.
    """
    now = outcome(policy.judge(typed(case)))
    search = _Search(policy, case, typed, conditions(policy, case.action), now)
    for size in range(1, LARGEST + 1):
        search.try_all(size)
        if search.reached or search.tried >= MOST_TRIED:
            break
    return Changes(tuple(search.ranked()), search.tried)


def tried(case: Case, chosen: Sequence[Candidate], typed: Typed) -> tuple[Case, Case] | None:
    """Return *case* with what is *chosen* put in, as it would be proposed and as it is judged; None if it can't be."""
    try:
        for one in chosen:
            case = put(case, one.place, one.value)
        return case, typed(case)
    except (ValueError, Unreachable):
        return None


def _choices(options: Sequence[Candidate], size: int) -> Iterator[tuple[Candidate, ...]]:
    """Yield *size* of the options at once, each at a place of its own; of several at once the nearest only."""
    by_place: dict[str, list[Candidate]] = {}
    for one in options:
        by_place.setdefault(label(one.place), []).append(one)
    for group in combinations(by_place.values(), size):
        yield from product(*(group if size == 1 else (few[:MOST_BESIDE] for few in group)))


class _Search:
    """The search for changes, from small to large."""

    def __init__(self, policy: Policy, case: Case, typed: Typed, trees: Sequence[Tree], now: Outcome) -> None:
        self._policy = policy
        self._case = case
        self._typed = typed
        self._now = now
        self._options = candidates(trees, typed(case))
        self._found: dict[Outcome, dict[frozenset[str], Change]] = {}
        self.tried = 0

    @property
    def reached(self) -> bool:
        """Whether there is a change for the better, or any where there is nothing better."""
        return any(map(self._wanted, self._found))

    def _wanted(self, became: Outcome) -> bool:
        return self._now == (True, ()) or _worth(became) < _worth(self._now)

    def try_all(self, size: int) -> None:
        """Judge the case with *size* things changed, for every choice of them."""
        for chosen in _choices(self._options, size):
            if self.tried >= MOST_TRIED:
                return
            self._try(chosen)

    def _try(self, chosen: tuple[Candidate, ...]) -> None:
        cases = tried(self._case, chosen, self._typed)
        if cases is None:
            return
        self.tried += 1
        verdict = self._policy.judge(cases[1])
        became, places = outcome(verdict), frozenset(label(one.place) for one in chosen)
        if became == self._now or (len(chosen) > 1 and not self._wanted(became)):
            return
        known = self._found.setdefault(became, {})
        if len(known) < MOST_SHOWN and not any(smaller <= places for smaller in known):
            known[places] = Change(tuple((one.place, one.value) for one in chosen), verdict, cases[1])

    def ranked(self) -> Iterator[Change]:
        """Yield what was found, the gentlest verdict first."""
        for one in sorted(self._found, key=_worth):
            yield from self._found[one].values()


def _worth(one: Outcome) -> tuple[bool, int, tuple[str, ...]]:
    """Return how much stands in the way: nothing, needs, a denial."""
    permitted, needs = one
    return not permitted, len(needs), needs
