"""What one judgement works on, at fixed places: a list is the fastest thing to read in Python."""

from typing import Any, Final

from interlock.guardian.values import ABSENT
from interlock.guardian.verdict import Case

Scope = list[Any]

PLACES: Final = {"arg": 0, "fact": 1, "user": 2, "agent": 3, "tenant": 4, "state": 5, "origin": 10}
FACTS: Final = 1
READ: Final = 6
BUDGET: Final = 7
CASE: Final = 8
COUNTED: Final = 9
ORIGINS: Final = 10
ITEMS: Final = 11
MOST_ELEMENTS: Final = 100_000
"""How many elements of lists one judgement looks at."""


def scope_of(case: Case, quantifiers: int) -> Scope:
    """Return what one judgement of *case* works on."""
    args, facts = _dict(case.args), _dict(case.facts)
    who = (case.user, case.agent, case.tenant, case.state)
    scope: Scope = [args, facts, *who, {}, MOST_ELEMENTS, case, {}, case.origins]
    return scope + [ABSENT] * quantifiers if quantifiers else scope


def _dict(mapping: Any) -> dict[str, Any]:
    return mapping if type(mapping) is dict else dict(mapping)  # pyright: ignore[reportUnknownVariableType]
