"""Quotas: how often, or how much, within a sliding window."""

from interlock.guardian.expr import arg
from interlock.guardian.history import Same, count, total
from interlock.guardian.naming import Actions
from interlock.guardian.rules import Rule, forbid
from interlock.guardian.tree import Per


def limit(
    action: Actions,
    most: object,
    *,
    of: str = "",
    per: Per = "user",
    within: str | None = None,
    same: Same = (),
    because: str = "",
    instead: str = "",
) -> Rule:
    """Forbid *action* beyond a quota.

    The call that is judged counts, and so does what is under way; what failed or was taken back gives its place back.
    The count is exact, however many runs are judged at once.

    Args:
        action: One action, or several that share the quota.
        most: How often; with *of*, how much in all.
        of: The argument that is added up, for a quota of an amount.
        per: Whose quota it is: the run's, the conversation's, the user's, the agent's, the tenant's, everyone's.
        within: The length of the sliding window, for example "1h"; without it, for ever.
        same: A quota for each value of these arguments.
        because: The reason told; by default the quota in words.
        instead: What may be done instead.

    Raises:
        PolicyError: *most* is no number, or *per*, *within* or *same* can't be understood.
    """
    if of:
        beyond = total(action, of, per=per, within=within, same=same) + arg[of] > most
    else:
        beyond = count(action, per=per, within=within, same=same) >= most
    what = f"{of} {most} in all" if of else f"{most} times"
    quota = f"the limit is {what} per {per}{f' within {within}' if within else ''}"
    return forbid(action, when=beyond, because=because or quota, instead=instead)
