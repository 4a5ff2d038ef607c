"""Which objects a call of a suite's function touches: the whole of what its snapshot names.

Written from the functions' source. `changes` are objects that the arguments name, there or not; `grows` are collections
that a call may add to: which object is new in them is known once it was performed.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from benchmarks.undo.environments.objects import Objects, State, named

Args = Mapping[str, Any]


class Touch(NamedTuple):
    """What one function touches; names hold arguments in braces."""

    changes: tuple[str, ...] = ()
    grows: tuple[str, ...] = ()
    also: Callable[[Objects, Args], list[str]] | None = None
    """Further objects that are changed, found by looking at the world before the call."""


_MAILS, _EVENTS, _FILES = "inbox/emails", "calendar/events", "cloud_drive/files"
_EVENT, _FILE = f"{_EVENTS}/{{event_id}}", f"{_FILES}/{{file_id}}"
_INBOX, _MEMBER = "slack/user_inbox", "slack/user_channels"
_PROFILE = ("first_name", "last_name", "street", "city")


def _states(objects: Objects, path: str) -> list[tuple[str, State]]:
    found = ((name, objects.read(name)) for name in objects.names(path))
    return [(name, state) for name, state in found if state is not None]


def _unread(objects: Objects, _: Args) -> list[str]:
    return [name for name, state in _states(objects, _MAILS) if not state["value"]["read"]]


def _given(_: Objects, args: Args) -> list[str]:
    return [f"user_account/{field}" for field in _PROFILE if args.get(field)]


def _page(_: Objects, args: Args) -> list[str]:
    url: str = args["url"].removeprefix("https://").removeprefix("http://")
    return [named("web", "web_content", url)]


def _member(objects: Objects, args: Args) -> list[str]:
    users = [name for name, state in _states(objects, "slack/users") if state["value"] == args["user"]]
    return [*users, named("slack", "user_inbox", args["user"]), named("slack", "user_channels", args["user"])]


TOUCHED: Mapping[str, Touch] = {
    # banking
    "schedule_transaction": Touch(grows=("bank_account/scheduled_transactions",)),
    "send_money": Touch(grows=("bank_account/transactions",)),
    "update_password": Touch(("user_account/password",)),
    "update_scheduled_transaction": Touch(("bank_account/scheduled_transactions/{id}",)),
    "update_user_info": Touch(also=_given),
    # slack
    "add_user_to_channel": Touch(grows=(f"{_MEMBER}/{{user}}",)),
    "get_webpage": Touch(grows=("web/web_requests",)),
    "invite_user_to_slack": Touch(grows=("slack/users", _INBOX, _MEMBER)),
    "post_webpage": Touch(grows=("web/web_requests",), also=_page),
    "remove_user_from_slack": Touch(also=_member),
    "send_channel_message": Touch(grows=("slack/channel_inbox", "slack/channel_inbox/{channel}")),
    "send_direct_message": Touch(grows=(_INBOX, f"{_INBOX}/{{recipient}}")),
    # travel and workspace
    "add_calendar_event_participants": Touch((_EVENT,)),
    "append_to_file": Touch((_FILE,)),
    "cancel_calendar_event": Touch((_EVENT,), (_MAILS,)),
    "create_calendar_event": Touch(grows=(_EVENTS, _MAILS)),
    "create_file": Touch(grows=(_FILES,)),
    "delete_email": Touch((f"{_MAILS}/{{email_id}}", "inbox/trash/{email_id}")),
    "delete_file": Touch((_FILE,)),
    "get_unread_emails": Touch(also=_unread),
    "reschedule_calendar_event": Touch((_EVENT,), (_MAILS,)),
    "reserve_car_rental": Touch(("reservation",)),
    "reserve_hotel": Touch(("reservation",)),
    "reserve_restaurant": Touch(("reservation",)),
    "send_email": Touch(grows=(_MAILS,)),
    "share_file": Touch((_FILE,)),
}
"""The functions that change their world; all others only read it."""


def changed(function: str, objects: Objects, args: Args) -> list[str]:
    """Return the names of the objects that a call may change, in the world before it."""
    touch = TOUCHED[function]
    return [*_filled(touch.changes, args), *(touch.also(objects, args) if touch.also else ())]


def grown(function: str, args: Args) -> list[str]:
    """Return the paths of the collections that a call may add to."""
    return _filled(TOUCHED[function].grows, args)


def _filled(names: tuple[str, ...], args: Args) -> list[str]:
    texts = {name: named(str(value)) for name, value in args.items()}
    return [name.format_map(texts) for name in names]
