"""The guardian judges each proposal, by rules over what it is and how the world is, before anything happens.

In comes a `Case` (validated arguments, gathered facts, who asks in which state), out goes a `Verdict`:
denied, or permitted with needs, always with the rules and facts that it rests on. A policy is data, under its
content's hash.

The walk: `expr` is how conditions are written (`history` those over what was done before) and `rules` how
rules are; `tree` is what both become, plain data; `evaluate` says what every operator means (read this first);
`policy` puts rules together and judges; `english` prints them for people. `values` holds all the ways in which
a rule may look at a value, `check` the names that it may use.
"""

from interlock.guardian.check import Known
from interlock.guardian.expr import Expr, agent, arg, fact, now, origin, state, tenant, user
from interlock.guardian.history import after, before, count, since, surge, total
from interlock.guardian.limits import limit
from interlock.guardian.naming import Actions
from interlock.guardian.policy import Policy
from interlock.guardian.rules import ANY, Clause, Condition, Opaque, Rule, forbid, must, need, permit, shadow
from interlock.guardian.undoing import Authority, undoing
from interlock.guardian.values import ABSENT, Absent, Failed
from interlock.guardian.verdict import Case, Need, Verdict

__all__ = [
    "ABSENT",
    "ANY",
    "Absent",
    "Actions",
    "Authority",
    "Case",
    "Clause",
    "Condition",
    "Expr",
    "Failed",
    "Known",
    "Need",
    "Opaque",
    "Policy",
    "Rule",
    "Verdict",
    "after",
    "agent",
    "arg",
    "before",
    "count",
    "fact",
    "forbid",
    "limit",
    "must",
    "need",
    "now",
    "origin",
    "permit",
    "shadow",
    "since",
    "state",
    "surge",
    "tenant",
    "total",
    "undoing",
    "user",
]
