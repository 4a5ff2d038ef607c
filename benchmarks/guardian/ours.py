"""The whole judgement under Interlock, and its parts: what the action's path does from arguments to a verdict."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from benchmarks.guardian import clock
from benchmarks.guardian.cases import RULE_SETS, Proposed, RuleSet, cases
from benchmarks.guardian.desk import policy
from interlock.canonical import canonical, digest
from interlock.guardian import Case

# What the path itself records of a verdict is measured, not a copy of it.
from interlock.runtime.judging import judgement_of as recorded

if TYPE_CHECKING:
    from interlock import Policy


_AT = 1_700_000_000_000_000


@dataclass(frozen=True)
class Booking:
    """A fact, as a look-up returns it."""

    owner: str
    refundable: Decimal
    status: str


@dataclass(frozen=True, slots=True)
class Ready:
    """Validated arguments and gathered facts: where the measurement begins."""

    action: str
    args: dict[str, Any]
    facts: dict[str, Any]
    user: dict[str, str]
    agent: str
    tenant: str
    state: str


def ready(case: Proposed) -> Ready:
    """Return the proposal as validation and gathering leave it."""
    return Ready(
        case.action,
        {"ref": case.ref, "amount": _euros(case.amount), "to": case.to, "reason": case.reason},
        {
            "booking": Booking(case.owner, _euros(case.refundable), case.status),
            "account": {"verified": case.verified},
        },
        {"id": case.user, "role": case.role},
        case.agent,
        case.tenant,
        case.state,
    )


def _euros(cents: int) -> Decimal:
    return Decimal(cents) / 100


def _case(one: Ready) -> Case:
    return Case(one.action, one.args, one.facts, one.user, one.agent, one.tenant, one.state, _AT, {})


def _digest(one: Ready) -> str:
    return digest(one.action.encode(), canonical(one.args))


def measured(rule_set: RuleSet) -> dict[str, Any]:
    """Judge all cases of a set of rules: the whole, the judgement alone, the digests alone."""
    rules: Policy = policy(rule_set)
    prepared = [ready(case) for case in cases(rule_set)]

    def whole(one: Ready) -> Any:
        _digest(one)
        return recorded(rules.hash, rules.judge(_case(one)))

    verdicts = [rules.judge(_case(one)) for one in prepared]
    return {
        "us": clock.microseconds(whole, prepared),
        "judge_us": clock.microseconds(rules.judge, [_case(one) for one in prepared]),
        "digest_us": clock.microseconds(_digest, prepared),
        "record_us": clock.microseconds(lambda verdict: recorded(rules.hash, verdict), verdicts),
        "rules": len(rules),
        "decided": clock.permits(lambda one: rules.judge(_case(one)).permitted, prepared),
    }


if __name__ == "__main__":
    clock.report({rule_set: measured(rule_set) for rule_set in RULE_SETS}, ["interlock", "msgspec"])
