"""Random sound policies, and faults that are planted into them: dead, shadowed, redundant, contradictory, paradox."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

from interlock.guardian import Policy, arg, fact, forbid, must, need, permit, state

if TYPE_CHECKING:
    from interlock.guardian import Rule

KINDS = ("dead", "shadowed", "redundant", "contradictory", "paradox")
DOMAINS = ("corp", "bank", "shop", "desk", "mail")
STATES = ("open", "paying", "closed")


def sound(rng: random.Random, rules: int) -> list[Rule]:
    """Return rules of which each changes a verdict: every action has its own bands of amounts."""
    found: list[Rule] = []
    number = 0
    while len(found) < rules:
        found += _about(rng, f"act{number}")
        number += 1
    return found[:rules]


def _about(rng: random.Random, action: str) -> list[Rule]:
    low = rng.randrange(1, 50)
    high = low + rng.randrange(100, 1000)
    domain = rng.choice(DOMAINS)
    place = rng.choice(STATES)
    when = (arg.amount >= low) & (arg.amount <= high)
    return [
        permit(action, when=when & (arg.amount <= fact.limit)),
        permit(action, when=(state == place) & (arg.amount > 0) & (arg.amount < low)),
        forbid(action, when=arg.to.matches(rf".*@{domain}\.com")),
        need.confirmation(action, when=arg.amount > low + 10),
        need.approval("finance", action, when=arg.amount > low + 50),
    ]


def planted(rng: random.Random, kind: str, rules: list[Rule]) -> tuple[Policy, set[str], str]:
    """Return a policy with one fault, the findings of which one has to be made, and the rule that it is about."""
    action = f"new{rng.randrange(1000)}"
    low = rng.randrange(1, 50)
    high = low + rng.randrange(10, 500)
    base = permit(action, when=(arg.amount > 0) & (arg.amount <= high))
    sides: Any = {
        "dead": lambda: ([base, forbid(action, when=_never(rng, low, high))], {"dead"}),
        "shadowed": lambda: (
            [permit(action, when=arg.amount == low), base, forbid(action, when=arg.amount <= low)],
            {"unreachable", "redundant"},
        ),
        "redundant": lambda: (
            [_narrower(rng, action, low, high), base],
            {"redundant"},
        ),
        "contradictory": lambda: (
            [
                base,
                must(action, when=(fact.late > low) & (arg.amount == low)),
                must(action, when=(state == "open") & (arg.amount == low + 1)),
            ],
            {"contradiction"},
        ),
        "paradox": lambda: (
            [
                base,
                forbid(action, when=arg.amount > high - 1),
                must(action, when=(fact.late > low) & (arg.amount == fact.price)),
            ],
            {"paradox"},
        ),
    }
    extra, kinds = sides[kind]()
    at = rng.randrange(len(rules) + 1)
    return Policy(*rules[:at], *extra, *rules[at:]), kinds, action


def _never(rng: random.Random, low: int, high: int) -> Any:
    return rng.choice(
        [
            (arg.amount < low) & (arg.amount > high),
            arg.to.matches(r"[a-c]+") & arg.to.matches(r"[d-f]+"),
            (arg.to == "one") & (arg.to == "two"),
            (arg.amount + 1 > high) & (arg.amount < low - 1),
            arg.items.all(lambda it: it > high) & arg.items.any(lambda it: it < low),
            (state == "open") & state.in_(["paying", "closed"]),
        ]
    )


def _narrower(rng: random.Random, action: str, low: int, high: int) -> Rule:
    return rng.choice(
        [
            permit(action, when=(arg.amount > low) & (arg.amount <= high)),
            permit(action, when=(arg.amount > 0) & (arg.amount <= high) & (state == "open")),
            permit(action, when=(arg.amount >= low) & (arg.amount < high) & arg.to.matches(r"[a-z]+")),
        ]
    )
