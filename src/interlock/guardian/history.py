"""Conditions over what was done before: how often, how much, after what.

What counts is what the journal knows of the scope `per`: done or under way, and not taken back. A call that is being
judged does not count itself. Reads count where a rule names them.
"""

from collections.abc import Iterable, Mapping
from typing import cast

from interlock.durations import microseconds
from interlock.errors import PolicyError
from interlock.guardian.expr import Expr
from interlock.guardian.naming import Actions, names
from interlock.guardian.tree import Per, Window

Same = str | Iterable[str] | Mapping[str, str]
"""Arguments that must be equal: names that both actions have, or the earlier action's name to this one's."""

SCOPES = ("run", "conversation", "user", "agent", "tenant", "everyone")


def count(
    action: Actions,
    *,
    per: Per = "conversation",
    within: str | None = None,
    same: Same = (),
    since: Actions = (),
) -> Expr:
    """Return how often *action* was done, or is under way.

    Args:
        action: One action, or several that are counted together.
        per: Whose deeds count: the run's, the conversation's, the user's, the agent's, the tenant's, everyone's.
        within: How far back, for example "30d"; to the beginning where it is not given.
        same: Only those with the same values of these arguments.
        since: Only what came after the last of these actions.

    Raises:
        PolicyError: *per*, *within* or *same* can't be understood.
    """
    return Expr(Window("count", names("count", action), _scope(per), _reach(within), _pairs(same), "", _after(since)))


def total(
    action: Actions,
    of: str,
    *,
    per: Per = "conversation",
    within: str | None = None,
    same: Same = (),
    since: Actions = (),
) -> Expr:
    """Return the exact sum of the argument *of* over all that `count` would count.

    Raises:
        PolicyError: *per*, *within* or *same* can't be understood.
    """
    return Expr(Window("sum", names("total", action), _scope(per), _reach(within), _pairs(same), of, _after(since)))


def after(action: Actions, *, per: Per = "conversation", within: str | None = None, same: Same = ()) -> Expr:
    """Hold when *action* was done before, and it is known that it was."""
    return _done(action, per, within, same, ())


def before(action: Actions, *, per: Per = "conversation", within: str | None = None, same: Same = ()) -> Expr:
    """Hold when *action* was not done before, as far as is known."""
    return ~_done(action, per, within, same, ())


def since(action: Actions, event: Actions, *, per: Per = "conversation", same: Same = ()) -> Expr:
    """Hold when *action* was done after the last *event*, or at all where there was no such event."""
    return _done(action, per, None, same, event)


def surge(action: Actions, *, per: Per = "agent", bucket: str = "1m") -> Expr:
    """Return by how many standard deviations the rate of *action* is above its moving average; see `rates.Surge`.

    Args:
        action: One action, or several that are counted together.
        per: Whose rate it is.
        bucket: The length of time over which calls are counted, for example "1m".
    """
    return Expr(Window("surge", names("surge", action), _scope(per), _reach(bucket)))


def _done(action: Actions, per: Per, within: str | None, same: Same, event: Actions) -> Expr:
    named = names("after", action)
    window = Window("count", named, _scope(per), _reach(within), _pairs(same), "", _after(event), settled=True)
    return Expr(window) >= 1


def _scope(per: Per) -> Per:
    if per not in SCOPES:
        raise PolicyError(f"per={per!r} is nobody's; it is one of {', '.join(SCOPES)}")
    return per


def _reach(within: str | None) -> int:
    if within is None:
        return 0
    reach = microseconds(within)
    if not reach:
        raise PolicyError(f"a window of {within!r} is no time at all; leave it out to look back to the beginning")
    return reach


def _pairs(same: Same) -> tuple[tuple[str, str], ...]:
    if isinstance(same, Mapping):
        return tuple(sorted(cast("Mapping[str, str]", same).items()))
    given = (same,) if isinstance(same, str) else tuple(same)
    return tuple(sorted((name, name) for name in given))


def _after(event: Actions) -> tuple[str, ...]:
    return names("since", event) if event != () else ()
