"""The desk's rules, as one writes them for Interlock: 20 for each desk, 6 of them needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.guardian.cases import ACTIONS, RuleSet, desks, named
from interlock import Policy, agent, arg, fact, forbid, need, permit, state, tenant, user

if TYPE_CHECKING:
    from interlock.guardian import Rule


def policy(rule_set: RuleSet) -> Policy:
    """Return the policy of all desks."""
    return Policy(*(rule for desk in desks(rule_set) for rule in _desk(rule_set, desk)))


def _desk(rule_set: RuleSet, desk: int) -> list[Rule]:
    look_up, refund, voucher, rebook, pay_out = (named(rule_set, desk, action) for action in ACTIONS)
    every = sorted({look_up, refund, voucher, rebook, pay_out})
    paying = sorted({refund, voucher, rebook, pay_out})
    return [
        permit(look_up, when=agent.in_(["desk", "night-desk", f"desk-{desk}"])),
        permit(refund, when=arg.amount <= fact.booking.refundable),
        forbid(refund, when=fact.booking.owner != user.id, because="not the caller's booking"),
        forbid(
            refund,
            when=fact.booking.status.in_(["flown", "refunded", f"void-{desk}"]),
            because="there is nothing left to refund",
            instead="offer a voucher",
        ),
        forbid(refund, when=(arg.amount <= 0) | (arg.amount > 5000 + desk), because="no such amount is refunded"),
        need.confirmation(refund),
        need.approval("finance", refund, when=arg.amount > 100 + desk, because="over 100 EUR"),
        forbid(refund, when=arg.ref.in_(["TEST01", f"TEST{desk + 2:02}"]), because="a booking for tests"),
        permit(
            voucher, when=(arg.amount <= 300 + desk) & arg.reason.in_(["delay", "cancelled", "baggage", f"r{desk}"])
        ),
        forbid(voucher, when=fact.booking.owner != user.id, because="not the caller's booking"),
        need.delay("10m", voucher, when=arg.amount > 150 + desk, because="over 150 EUR"),
        permit(rebook, when=fact.booking.status == "open"),
        forbid(rebook, when=arg.amount > fact.booking.refundable + (50 + desk), because="dearer than the booking"),
        need.confirmation(rebook, when=user.role == "customer"),
        permit(pay_out, when=(user.role == "clerk") & (state == "settle")),
        forbid(pay_out, when=~arg.to.matches(r".*@example\.com"), because="not one of our addresses"),
        need.approval("finance", pay_out, when=arg.amount * 2 > fact.booking.refundable + desk),
        forbid(paying, when=~fact.account.verified, because="the account is not verified"),
        forbid(every, when=tenant.in_([f"closed-{desk}", "closed-0"]), because="the tenant's account is closed"),
        need.approval("supervisor", every, when=(state == "identify") & (user.role != "clerk")),
    ]
