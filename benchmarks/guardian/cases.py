"""The proposals that are judged: seeded, the same for every engine, as plain data.

Thirteen attributes: the arguments `ref`, `amount`, `to` and `reason`; the booking's `owner`, `refundable` and
`status` and the account's `verified` as facts; the user's `id` and `role`; agent, tenant and state. Amounts are
in cents here: each engine makes of them the number that its users would have.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Literal

RuleSet = Literal["20", "200", "200_on_one_action"]
RULE_SETS: tuple[RuleSet, ...] = ("20", "200", "200_on_one_action")
SEED = 20_26
CASES = 400
DESKS = 10
ACTIONS = ("look_up", "refund", "voucher", "rebook", "pay_out")
ROLES = {f"u{number}": "clerk" if number % 3 == 0 else "customer" for number in range(40)}
"""The users, and the role that each has."""


@dataclass(frozen=True, slots=True)
class Proposed:
    """One proposal with what was gathered for it."""

    action: str
    ref: str
    amount: int
    to: str
    reason: str
    owner: str
    refundable: int
    status: str
    verified: bool
    user: str
    agent: str
    tenant: str
    state: str

    @property
    def role(self) -> str:
        """The user's role."""
        return ROLES[self.user]


def named(rule_set: RuleSet, desk: int, action: str) -> str:
    """Return what *action* of a desk is called: all rules of the worst case are about a single action."""
    match rule_set:
        case "20":
            return action
        case "200":
            return f"{action}_{desk}"
        case "200_on_one_action":
            return "refund"


def desks(rule_set: RuleSet) -> range:
    """Return the numbers of the desks, each of which has 20 rules."""
    return range(1 if rule_set == "20" else DESKS)


def cases(rule_set: RuleSet) -> list[Proposed]:
    """Return the proposals for a set of rules; most of them hold no surprise, as on a real desk."""
    dice = random.Random(SEED)
    return [_proposed(dice, rule_set) for _ in range(CASES)]


def _proposed(dice: random.Random, rule_set: RuleSet) -> Proposed:
    user = dice.choice(list(ROLES))
    return Proposed(
        action=named(rule_set, dice.choice(desks(rule_set)), dice.choice(ACTIONS)),
        ref=_mostly(dice, 0.98, f"{dice.randrange(16**6):06X}", "TEST01"),
        amount=dice.randrange(100, 40_000),
        to=_mostly(dice, 0.9, f"{user}@example.com", "mallory@example.net"),
        reason=dice.choice(("delay", "cancelled", "baggage", "goodwill")),
        owner=_mostly(dice, 0.92, user, "u-other"),
        refundable=dice.randrange(5_000, 60_000),
        status=_mostly(dice, 0.85, "open", dice.choice(("flown", "refunded"))),
        verified=dice.random() < 0.95,
        user=user,
        agent=_mostly(dice, 0.9, "desk", "night-desk"),
        tenant=_mostly(dice, 0.96, "acme", "closed-0"),
        state=_mostly(dice, 0.9, "settle", "identify"),
    )


def _mostly(dice: random.Random, share: float, usual: str, other: str) -> str:
    return usual if dice.random() < share else other
