"""What the rules look up in the customer's own words.

Where the document speaks of what the customer said (an id, a reason, a complaint), a fact looks for words: an operator
who wants that rule held has nothing better without a model.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from benchmarks.tau import actions, facts, words
from benchmarks.tau.actions import Passenger
from benchmarks.tau.desk import Conversation, Desk, here
from benchmarks.tau.world import World
from interlock import Action, Ctx

_INSURED_REASON = re.compile(
    r"\b(sick|ill|illness|unwell|not feeling well|flu|fever|covid|disease|doctor|hospital|surgery|injur\w+|medical"
    r"|health|pregnan\w+|weather|storm|snow\w*|hurricane|blizzard|tornado|flood\w*|typhoon)\b",
    re.IGNORECASE,
)
_ASKS = re.compile(
    r"\b(compensat\w+|certificates?|vouchers?|reimburse\w*|make up for|make it up|gesture|for (my|the|this) trouble)\b",
    re.IGNORECASE,
)
_OFFERS = re.compile(
    r"\b(offer|issu\w+|provid\w+|eligible|entitled)\b[^.?!]{0,80}\b(certificate|compensation|voucher)", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Complaint:
    """Whether the customer speaks of cancelled flights, and of delayed ones."""

    of_cancelled: bool
    of_delayed: bool


def told_users(ctx: Ctx[Desk], *_: Any, **__: Any) -> tuple[str, ...]:
    """The user ids that the customer gave."""
    conversation = here(ctx)
    named = re.findall(r"[a-z]+_[a-z]+_\d+", conversation.of("user").lower())
    return tuple(sorted({name for name in named if name in conversation.world.users}))


def told_insured_reason(ctx: Ctx[Desk], *_: Any, **__: Any) -> bool:
    """Whether the customer spoke of health or of the weather."""
    return _INSURED_REASON.search(here(ctx).of("user")) is not None


def asked_for_compensation(ctx: Ctx[Desk], *_: Any, **__: Any) -> bool:
    """Whether the customer asked for compensation before the desk offered any."""
    for who, text in here(ctx).said:
        if who == "user" and _ASKS.search(text):
            return True
        if who == "assistant" and _OFFERS.search(text):
            return False
    return False


def complaint(ctx: Ctx[Desk], *_: Any, **__: Any) -> Complaint:
    """What the customer speaks of."""
    text = here(ctx).of("user").lower()
    return Complaint(of_cancelled="cancel" in text, of_delayed="delay" in text)


def unknown_passengers(ctx: Ctx[Desk], passengers: list[Passenger], **arguments: Any) -> tuple[str, ...]:
    """The passengers whose name and date of birth neither the customer nor the customer's records told."""
    conversation = here(ctx)
    world = conversation.world
    user_id = arguments.get("user_id") or facts.held_reservation(world, arguments["reservation_id"])["user_id"]
    known = _known(world, user_id)
    return tuple(_full_name(one) for one in passengers if one not in known and not _told(conversation, one))


def _known(world: World, user_id: str) -> list[Passenger]:
    found = world.users.get(user_id)
    if found is None:
        return []
    held = (world.reservations[name] for name in found["reservations"] if name in world.reservations)
    return [
        {**found["name"], "dob": found["dob"]},
        *found["saved_passengers"],
        *(passenger for one in held for passenger in one["passengers"]),
    ]


def _told(conversation: Conversation, passenger: Passenger) -> bool:
    text = conversation.of("user")
    names = (passenger.get("first_name", "?"), passenger.get("last_name", "?"))
    named = all(name.lower() in text.lower() for name in names)
    return named and words.says_birthday(text, passenger.get("dob", ""))


def _full_name(passenger: Passenger) -> str:
    return f"{passenger.get('first_name', '')} {passenger.get('last_name', '')}".strip()


def _declare(look: Callable[..., Any], *about: Action[Any, Any, Any]) -> None:
    for one in about:
        one.fact(look)


_declare(facts.booking, *actions.ON_A_RESERVATION)
_declare(facts.payer, actions.update_reservation_flights, actions.update_reservation_baggages)
_declare(facts.changed_trip, actions.update_reservation_flights)
_declare(facts.new_trip, actions.book_reservation)
_declare(facts.profile, actions.book_reservation)
_declare(facts.troubles, actions.send_certificate)
_declare(told_users, *actions.WRITES)
_declare(told_insured_reason, actions.cancel_reservation)
_declare(unknown_passengers, actions.book_reservation, actions.update_reservation_passengers)
_declare(asked_for_compensation, actions.send_certificate)
_declare(complaint, actions.send_certificate)
