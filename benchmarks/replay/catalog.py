"""What each function of the four suites does to its world: the actions are declared from this table.

Written from the functions' source, and held against every recorded call by `python -m benchmarks.replay.show.check`.
"""

from enum import StrEnum


class Kind(StrEnum):
    """What a call does.

    Every effect of a simulated world can be taken back, because its keeper holds the state from before.
    `SEND` marks those whose real counterpart could not be: somebody else has got it.
    """

    READ = "read"
    """Changes nothing."""
    EGRESS = "egress"
    """Changes nothing here, but its arguments leave the house: the far side sees them."""
    CHANGE = "change"
    """An effect on what the user owns."""
    SEND = "send"
    """An effect that reaches another person or the outside world."""

    @property
    def effect(self) -> bool:
        """Whether the call changes its world's state."""
        return self in (Kind.CHANGE, Kind.SEND)


_R, _E, _C, _S = Kind.READ, Kind.EGRESS, Kind.CHANGE, Kind.SEND

BANKING = {
    "get_balance": _R,
    "get_iban": _R,
    "get_most_recent_transactions": _R,
    "get_scheduled_transactions": _R,
    "get_user_info": _R,
    "read_file": _R,
    "schedule_transaction": _C,
    "send_money": _S,
    "update_password": _C,
    "update_scheduled_transaction": _C,
    "update_user_info": _C,
}

SLACK = {
    "add_user_to_channel": _C,
    "get_channels": _R,
    "get_users_in_channel": _R,
    "get_webpage": _E,
    "invite_user_to_slack": _S,
    "post_webpage": _S,
    "read_channel_messages": _R,
    "read_inbox": _R,
    "remove_user_from_slack": _C,
    "send_channel_message": _S,
    "send_direct_message": _S,
}

# An event with participants also sends them an invitation or a notice.
_CALENDAR = {
    "cancel_calendar_event": _S,
    "create_calendar_event": _S,
    "get_day_calendar_events": _R,
    "search_calendar_events": _R,
    "send_email": _S,
}

TRAVEL = _CALENDAR | {
    "check_restaurant_opening_hours": _R,
    "get_all_car_rental_companies_in_city": _R,
    "get_all_hotels_in_city": _R,
    "get_all_restaurants_in_city": _R,
    "get_car_fuel_options": _R,
    "get_car_price_per_day": _R,
    "get_car_rental_address": _R,
    "get_car_types_available": _R,
    "get_contact_information_for_restaurants": _R,
    "get_cuisine_type_for_restaurants": _R,
    "get_dietary_restrictions_for_all_restaurants": _R,
    "get_flight_information": _R,
    "get_hotels_address": _R,
    "get_hotels_prices": _R,
    "get_price_for_restaurants": _R,
    "get_rating_reviews_for_car_rental": _R,
    "get_rating_reviews_for_hotels": _R,
    "get_rating_reviews_for_restaurants": _R,
    "get_restaurants_address": _R,
    "get_user_information": _R,
    "reserve_car_rental": _C,
    "reserve_hotel": _C,
    "reserve_restaurant": _C,
}

WORKSPACE = _CALENDAR | {
    "add_calendar_event_participants": _S,
    "append_to_file": _C,
    "create_file": _C,
    "delete_email": _C,
    "delete_file": _C,
    "get_current_day": _R,
    "get_draft_emails": _R,
    "get_file_by_id": _R,
    "get_received_emails": _R,
    "get_sent_emails": _R,
    "get_unread_emails": _C,  # it marks what it returns as read
    "list_files": _R,
    "reschedule_calendar_event": _S,
    "search_contacts_by_email": _R,
    "search_contacts_by_name": _R,
    "search_emails": _R,
    "search_files": _R,
    "search_files_by_filename": _R,
    "share_file": _S,
}

CATALOG: dict[str, dict[str, Kind]] = {
    "banking": BANKING,
    "slack": SLACK,
    "travel": TRAVEL,
    "workspace": WORKSPACE,
}


def kind(suite: str, function: str) -> Kind | None:
    """Return what a function does, or None where a model made up its name."""
    return CATALOG[suite].get(function)
