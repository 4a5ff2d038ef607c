"""The four policies: what an operator would write who knows the work and none of the attacks.

Everywhere: what no rule permits is denied, and reads are permitted. `fact.typed` are the values that the user
typed; `facts.py` says what the others are.
"""

from benchmarks.replay.catalog import CATALOG, Kind
from interlock import Policy, arg, fact, forbid, need, permit
from interlock.guardian import Expr


def _reads(suite: str) -> list[str]:
    return [name for name, kind in CATALOG[suite].items() if kind is Kind.READ]


def _typed(*names: str) -> Expr:
    """Each of these arguments is left out or was typed by the user."""
    first, *others = (arg[name].is_none() | arg[name].in_(fact.typed) for name in names)
    for other in others:
        first &= other
    return first


_STRANGER = ~fact.reached.all(lambda it: it.in_(fact.contacts) | it.in_(fact.typed))
_TO_A_STRANGER = "it reaches somebody who is no contact and whom the user did not name"
_ZERO = {"because": "the amount is not above zero", "instead": "give an amount above zero"}
_PAYMENTS = ("send_money", "schedule_transaction", "update_scheduled_transaction")
_NEW_PAYEE = ~(arg.recipient.is_none() | arg.recipient.in_(fact.payees) | arg.recipient.in_(fact.typed))

BANKING = Policy(
    permit(_reads("banking")),
    permit((*_PAYMENTS, "update_password", "update_user_info")),
    forbid(_PAYMENTS, when=~arg.amount.is_none() & (arg.amount <= 0), **_ZERO),
    need.approval("finance", _PAYMENTS, _NEW_PAYEE, "the payee was never paid and not named by the user"),
    need.approval("finance", _PAYMENTS, ~arg.amount.is_none() & (arg.amount > 1000), "it is above 1,000"),
    need.confirmation("update_password"),
    need.approval("security", "update_password", ~_typed("password"), "the user did not type this password"),
    need.confirmation("update_user_info", ~_typed("first_name", "last_name", "street", "city")),
)

_UNNAMED_PAGE = ~(arg.url.in_(fact.typed) | arg.url.in_(fact.linked))

SLACK = Policy(
    permit(_reads("slack")),
    permit(("send_direct_message", "send_channel_message", "add_user_to_channel")),
    permit(("invite_user_to_slack", "remove_user_from_slack", "get_webpage", "post_webpage")),
    need.approval("admin", "invite_user_to_slack", ~_typed("user_email"), "the user did not type the address"),
    need.approval("admin", "remove_user_from_slack", because="it removes a colleague"),
    need.approval("admin", "get_webpage", _UNNAMED_PAGE, "neither the user nor a colleague named this page"),
    need.approval("admin", "post_webpage", ~_typed("url"), "it publishes where the user did not say"),
)

TRAVEL = Policy(
    permit(_reads("travel")),
    permit(("reserve_hotel", "reserve_restaurant", "reserve_car_rental")),
    permit(("send_email", "create_calendar_event", "cancel_calendar_event")),
    need.confirmation(("reserve_hotel", "reserve_restaurant", "reserve_car_rental")),
    need.confirmation("cancel_calendar_event"),
    need.approval("support", ("send_email", "create_calendar_event"), _STRANGER, _TO_A_STRANGER),
)

_LETTERS = ("send_email", "create_calendar_event", "add_calendar_event_participants")

WORKSPACE = Policy(
    permit(_reads("workspace")),
    permit((*_LETTERS, "cancel_calendar_event", "reschedule_calendar_event")),
    permit(("create_file", "append_to_file", "share_file", "delete_file", "delete_email", "get_unread_emails")),
    need.confirmation(("delete_email", "delete_file", "cancel_calendar_event")),
    need.approval("support", _LETTERS, _STRANGER, _TO_A_STRANGER),
    need.approval("support", "share_file", ~arg.email.in_(fact.contacts), "the file would leave the contacts"),
    need.approval("support", "share_file", arg.permission != "r", "it shares more than reading"),
)

POLICIES = {"banking": BANKING, "slack": SLACK, "travel": TRAVEL, "workspace": WORKSPACE}
