"""The desk's rules for Cedar, by cedarpy: policies and entities are parsed once, a request goes in as a dict.

Cedar permits or forbids: the 6 needs of each desk have no counterpart and are left out, so 20 rules are 14
policies here and 200 are 140. Amounts are cents, since Cedar does not compute with decimals. What varies with
each decision is the context; the users, who don't change, are the entities.
"""

from __future__ import annotations

import json
from typing import Any

from cedarpy import Decision, Entities, PolicySet, is_authorized

from benchmarks.guardian import clock
from benchmarks.guardian.cases import ACTIONS, ROLES, RULE_SETS, Proposed, RuleSet, cases, desks, named


def policies(rule_set: RuleSet) -> str:
    """Return the policies of all desks."""
    return "\n".join(_desk(rule_set, desk) for desk in desks(rule_set))


def _desk(rule_set: RuleSet, desk: int) -> str:
    look_up, refund, voucher, rebook, pay_out = (f'Action::"{named(rule_set, desk, action)}"' for action in ACTIONS)
    paying = f"{refund}, {voucher}, {rebook}, {pay_out}"
    return f"""
permit(principal, action == {look_up}, resource)
when {{ ["desk", "night-desk", "desk-{desk}"].contains(context.agent) }};
permit(principal, action == {refund}, resource)
when {{ context.amount <= context.booking.refundable }};
@because("not the caller's booking")
forbid(principal, action == {refund}, resource)
when {{ context.booking.owner != principal.name }};
@because("there is nothing left to refund")
@instead("offer a voucher")
forbid(principal, action == {refund}, resource)
when {{ ["flown", "refunded", "void-{desk}"].contains(context.booking.status) }};
@because("no such amount is refunded")
forbid(principal, action == {refund}, resource)
when {{ context.amount <= 0 || context.amount > {(5000 + desk) * 100} }};
@because("a booking for tests")
forbid(principal, action == {refund}, resource)
when {{ ["TEST01", "TEST{desk + 2:02}"].contains(context.ref) }};
permit(principal, action == {voucher}, resource)
when {{ context.amount <= {(300 + desk) * 100}
  && ["delay", "cancelled", "baggage", "r{desk}"].contains(context.reason) }};
@because("not the caller's booking")
forbid(principal, action == {voucher}, resource)
when {{ context.booking.owner != principal.name }};
permit(principal, action == {rebook}, resource)
when {{ context.booking.status == "open" }};
@because("dearer than the booking")
forbid(principal, action == {rebook}, resource)
when {{ context.amount > context.booking.refundable + {(50 + desk) * 100} }};
permit(principal, action == {pay_out}, resource)
when {{ principal.role == "clerk" && context.state == "settle" }};
@because("not one of our addresses")
forbid(principal, action == {pay_out}, resource)
when {{ !(context.to like "*@example.com") }};
@because("the account is not verified")
forbid(principal, action in [{paying}], resource)
when {{ !context.account.verified }};
@because("the tenant's account is closed")
forbid(principal, action in [{look_up}, {paying}], resource)
when {{ ["closed-{desk}", "closed-0"].contains(context.tenant) }};
"""


def users() -> Entities:
    """Return the users with their roles, parsed."""
    return Entities.from_json_str(
        json.dumps(
            [
                {"uid": {"type": "User", "id": name}, "attrs": {"name": name, "role": role}, "parents": []}
                for name, role in ROLES.items()
            ]
        )
    )


def request(case: Proposed) -> dict[str, Any]:
    """Return the proposal as Cedar's request."""
    return {
        "principal": f'User::"{case.user}"',
        "action": f'Action::"{case.action}"',
        "resource": f'Booking::"{case.ref}"',
        "context": {
            "ref": case.ref,
            "amount": case.amount,
            "to": case.to,
            "reason": case.reason,
            "booking": {"owner": case.owner, "refundable": case.refundable, "status": case.status},
            "account": {"verified": case.verified},
            "agent": case.agent,
            "tenant": case.tenant,
            "state": case.state,
        },
    }


def measured(rule_set: RuleSet, entities: Entities) -> dict[str, Any]:
    """Judge all cases of a set of rules."""
    handle = PolicySet.from_str(policies(rule_set))

    def decide(proposed: dict[str, Any]) -> bool:
        found = is_authorized(proposed, handle, entities)
        if found.diagnostics.errors:
            raise RuntimeError(found.diagnostics.errors)
        return found.decision is Decision.Allow

    requests = [request(case) for case in cases(rule_set)]
    return {
        "us": clock.microseconds(decide, requests),
        "rules": len(handle),
        "decided": clock.permits(decide, requests),
    }


if __name__ == "__main__":
    known = users()
    clock.report({rule_set: measured(rule_set, known) for rule_set in RULE_SETS}, ["cedarpy"])
