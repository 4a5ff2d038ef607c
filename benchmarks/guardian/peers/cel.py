"""The desk's rules for CEL, by cel-expr-python: each rule an expression, compiled once; one activation a decision.

CEL has no policies: which rules concern an action, that a forbid wins, and which needs add up is the host's
work, done here with an index as Interlock has one. Amounts are cents, since CEL has no decimals.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from cel_expr_python import cel

from benchmarks.guardian import clock
from benchmarks.guardian.cases import ACTIONS, RULE_SETS, Proposed, RuleSet, cases, desks, named

Written = tuple[str, tuple[str, ...], str]
Prepared = tuple[str, dict[str, Any]]

_MAP = cel.Type.Map(cel.Type.STRING, cel.Type.DYN)
_VARIABLES = {
    **dict.fromkeys(("arg", "booking", "account", "user"), _MAP),
    **dict.fromkeys(("agent", "tenant", "state"), cel.Type.STRING),
}


def written(rule_set: RuleSet, desk: int) -> list[Written]:
    """Return the rules of a desk: kind, actions, expression."""
    look_up, refund, voucher, rebook, pay_out = (named(rule_set, desk, action) for action in ACTIONS)
    every = tuple({look_up, refund, voucher, rebook, pay_out})
    paying = tuple({refund, voucher, rebook, pay_out})
    return [
        ("permit", (look_up,), f"agent in ['desk', 'night-desk', 'desk-{desk}']"),
        ("permit", (refund,), "arg.amount <= booking.refundable"),
        ("forbid", (refund,), "booking.owner != user.id"),
        ("forbid", (refund,), f"booking.status in ['flown', 'refunded', 'void-{desk}']"),
        ("forbid", (refund,), f"arg.amount <= 0 || arg.amount > {(5000 + desk) * 100}"),
        ("confirmation", (refund,), "true"),
        ("finance", (refund,), f"arg.amount > {(100 + desk) * 100}"),
        ("forbid", (refund,), f"arg.ref in ['TEST01', 'TEST{desk + 2:02}']"),
        (
            "permit",
            (voucher,),
            f"arg.amount <= {(300 + desk) * 100} && arg.reason in ['delay', 'cancelled', 'baggage', 'r{desk}']",
        ),
        ("forbid", (voucher,), "booking.owner != user.id"),
        ("delay", (voucher,), f"arg.amount > {(150 + desk) * 100}"),
        ("permit", (rebook,), "booking.status == 'open'"),
        ("forbid", (rebook,), f"arg.amount > booking.refundable + {(50 + desk) * 100}"),
        ("confirmation", (rebook,), "user.role == 'customer'"),
        ("permit", (pay_out,), "user.role == 'clerk' && state == 'settle'"),
        ("forbid", (pay_out,), r"!arg.to.matches('^.*@example\\.com$')"),
        ("finance", (pay_out,), f"arg.amount * 2 > booking.refundable + {desk * 100}"),
        ("forbid", paying, "!account.verified"),
        ("forbid", every, f"tenant in ['closed-{desk}', 'closed-0']"),
        ("supervisor", every, "state == 'identify' && user.role != 'clerk'"),
    ]


def prepared(case: Proposed) -> Prepared:
    """Return the proposal as the variables that the expressions read."""
    variables = {
        "arg": {"ref": case.ref, "amount": case.amount, "to": case.to, "reason": case.reason},
        "booking": {"owner": case.owner, "refundable": case.refundable, "status": case.status},
        "account": {"verified": case.verified},
        "user": {"id": case.user, "role": case.role},
        "agent": case.agent,
        "tenant": case.tenant,
        "state": case.state,
    }
    return case.action, variables


def measured(rule_set: RuleSet) -> dict[str, Any]:
    """Judge all cases of a set of rules."""
    env = cel.NewEnv(variables=_VARIABLES)
    rules = [rule for desk in desks(rule_set) for rule in written(rule_set, desk)]
    by_action: dict[str, list[tuple[str, Any]]] = defaultdict(list)
    for kind, actions, expression in rules:
        compiled = env.compile(expression)
        for action in actions:
            by_action[action].append((kind, compiled))

    def decide(proposed: Prepared) -> bool:
        action, variables = proposed
        activation = env.Activation(variables)
        applied = [kind for kind, expression in by_action[action] if expression.eval(activation).value()]
        return "permit" in applied and "forbid" not in applied

    ready = [prepared(case) for case in cases(rule_set)]
    return {"us": clock.microseconds(decide, ready), "rules": len(rules), "decided": clock.permits(decide, ready)}


if __name__ == "__main__":
    clock.report({rule_set: measured(rule_set) for rule_set in RULE_SETS}, ["cel-expr-python"])
