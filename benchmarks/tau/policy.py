"""The airline's rules, sentence by sentence from the policy document; each `because` cites its sentence.

What the document asks of the agent's manners (no opinions, one call at a time, when to transfer) is not about an
action's arguments, and no rule.
"""

from datetime import datetime, timedelta

from benchmarks.tau import told as _told  # pyright: ignore[reportUnusedImport] # noqa: F401 - declares the facts
from benchmarks.tau.actions import (
    ALL,
    ON_A_RESERVATION,
    book_reservation,
    cancel_reservation,
    send_certificate,
    update_reservation_baggages,
    update_reservation_flights,
    update_reservation_passengers,
)
from benchmarks.tau.document import SENTENCES
from benchmarks.tau.world import DESK_TIME
from interlock import Policy, arg, fact, forbid, need, permit
from interlock.guardian.rules import Actions, Condition, Rule

_NOW = datetime.fromisoformat(DESK_TIME)


def _forbid(action: Actions, when: Condition, sentence: str, instead: str = "") -> Rule:
    return forbid(action, when, because=f"{sentence}: {SENTENCES[sentence]}", instead=instead)


_CUSTOMER = [
    _forbid((book_reservation, send_certificate), ~arg.user_id.in_(fact.told_users), "user id", "ask for the user id"),
    _forbid(ON_A_RESERVATION, ~fact.booking.owner.in_(fact.told_users), "user id", "ask for the user id"),
]

_BOOKING = [
    _forbid(book_reservation, ~arg.flight_type.in_(["one_way", "round_trip"]), "trip"),
    _forbid(book_reservation, (fact.new_trip.start != arg.origin) | ~fact.new_trip.connected, "trip"),
    _forbid(book_reservation, ~arg.destination.in_(fact.new_trip.stops), "trip"),
    _forbid(book_reservation, (arg.flight_type == "one_way") & (fact.new_trip.end != arg.destination), "trip"),
    _forbid(book_reservation, (arg.flight_type == "round_trip") & (fact.new_trip.end != arg.origin), "trip"),
    _forbid(book_reservation, fact.new_trip.not_sold.length() > 0, "bookable", "search for flights that are sold"),
    _forbid(book_reservation, arg.passengers.length() > 5, "five"),
    _forbid(
        (book_reservation, update_reservation_passengers), fact.unknown_passengers.length() > 0, "collect", "ask for it"
    ),
    _forbid(
        book_reservation,
        (arg.payment_methods.count(lambda it: it.payment_id.matches("certificate_.*")) > 1)
        | (arg.payment_methods.count(lambda it: it.payment_id.matches("credit_card_.*")) > 1)
        | (arg.payment_methods.count(lambda it: it.payment_id.matches("gift_card_.*")) > 3),
        "payments",
    ),
    _forbid(
        book_reservation,
        arg.payment_methods.any(lambda it: ~it.payment_id.in_(fact.profile.method_ids)),
        "profile",
        "look at the profile",
    ),
    _forbid(
        book_reservation,
        (arg.nonfree_baggages < 0)
        | (arg.nonfree_baggages < arg.total_baggages - fact.profile.free_baggages)
        | ((arg.nonfree_baggages > 0) & (arg.nonfree_baggages != arg.total_baggages - fact.profile.free_baggages)),
        "bags",
        "count the free bags by membership and cabin",
    ),
]

_FLIGHTS = [
    _forbid(
        update_reservation_flights,
        (fact.booking.cabin == "basic_economy") & ~fact.changed_trip.same_flights,
        "basic",
        "change the cabin first, with the same flights",
    ),
    _forbid(
        update_reservation_flights,
        (fact.changed_trip.start != fact.booking.start)
        | (fact.changed_trip.end != fact.booking.end)
        | ~fact.booking.destination.in_(fact.changed_trip.stops)
        | ~fact.changed_trip.connected,
        "route",
    ),
    _forbid(
        update_reservation_flights,
        fact.changed_trip.not_sold.length() > 0,
        "bookable",
        "search for flights that are sold",
    ),
    _forbid(
        update_reservation_flights,
        ~fact.payer.methods.any(lambda it: (it.id == arg.payment_id) & it.source.in_(["gift_card", "credit_card"])),
        "method",
        "look at the profile",
    ),
]

_BAGS = [
    _forbid(update_reservation_baggages, arg.total_baggages < fact.booking.total_baggages, "add bags"),
    _forbid(
        update_reservation_baggages,
        (arg.nonfree_baggages < 0)
        | (arg.nonfree_baggages < arg.total_baggages - fact.booking.free_baggages)
        | ((arg.nonfree_baggages > 0) & (arg.nonfree_baggages != arg.total_baggages - fact.booking.free_baggages)),
        "bags",
        "count the free bags by membership and cabin",
    ),
    _forbid(update_reservation_baggages, ~arg.payment_id.in_(fact.payer.method_ids), "profile", "look at the profile"),
]

_PASSENGERS = [_forbid(update_reservation_passengers, arg.passengers.length() != fact.booking.passengers, "number")]

_CANCELLING = [
    _forbid(cancel_reservation, fact.booking.flown, "flown", "transfer to a human agent"),
    _forbid(
        cancel_reservation,
        (_NOW - fact.booking.created_at > timedelta(hours=24))
        & ~fact.booking.cancelled_by_airline
        & (fact.booking.cabin != "business")
        & ~(fact.booking.insured & fact.told_insured_reason),
        "condition",
    ),
]

_FOR_CANCELLED = fact.troubles.any(lambda it: it.entitled & it.cancelled & (arg.amount == it.passengers * 100))
_FOR_DELAYED = fact.troubles.any(lambda it: it.entitled & it.delayed & it.changed & (arg.amount == it.passengers * 50))
_DUE = (fact.complaint.of_cancelled & _FOR_CANCELLED) | (fact.complaint.of_delayed & _FOR_DELAYED)
_OF_CANCELLED_ALONE = fact.complaint.of_cancelled & ~fact.complaint.of_delayed
_COMPENSATING = [
    _forbid(send_certificate, _OF_CANCELLED_ALONE & ~_DUE, "cancelled"),
    _forbid(send_certificate, ~_OF_CANCELLED_ALONE & ~_DUE, "delayed"),
    _forbid(
        send_certificate,
        ~fact.troubles.any(lambda it: it.entitled & (it.cancelled | it.delayed)),
        "regular",
    ),
    _forbid(
        send_certificate,
        ~fact.asked_for_compensation | ~(fact.complaint.of_cancelled | fact.complaint.of_delayed),
        "asks",
    ),
]

RULES = (
    permit(ALL),
    need.confirmation((book_reservation, *ON_A_RESERVATION), because=f"confirm: {SENTENCES['confirm']}"),
    *_CUSTOMER,
    *_BOOKING,
    *_FLIGHTS,
    *_BAGS,
    *_PASSENGERS,
    *_CANCELLING,
    *_COMPENSATING,
)
POLICY = Policy(*RULES)
