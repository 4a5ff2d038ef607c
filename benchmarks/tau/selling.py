"""What the desk's API does when it books and changes: its prices, its few checks, and the words of its refusals.

It checks seats, payment methods and sums. It does not check the airline's rules.
"""

import copy
from collections.abc import Iterable, Sequence
from typing import Any

from benchmarks.tau.world import DESK_TIME, Record, World
from interlock import Refused

RESERVATION_IDS = ("HATHAT", "HATHAU", "HATHAV")
"""The ids of new reservations, in their order."""
CERTIFICATE_IDS = (3221322, 3221323, 3221324)
"""The numbers of new certificates, in their order."""
BAG, INSURANCE = 50, 30
"""What a bag that is not free costs, and insurance for one passenger, in dollars."""

Segments = Sequence[dict[str, str]]
Payments = Sequence[dict[str, Any]]


def reservation(world: World, reservation_id: str) -> Record:
    """Return a reservation to change: a copy of its own."""
    if reservation_id not in world.reservations:
        raise Refused("reservation not found")
    return copy.deepcopy(world.reservations[reservation_id])


def user(world: World, user_id: str) -> Record:
    """Return a user to change: a copy of its own."""
    if user_id not in world.users:
        raise Refused("user not found")
    return copy.deepcopy(world.users[user_id])


def new_id(world: World) -> str:
    """Return the id of the next reservation."""
    return next((name for name in RESERVATION_IDS if name not in world.reservations), RESERVATION_IDS[-1])


def sold(world: World, segment: dict[str, str], cabin: str, passengers: int) -> Record:
    """Return a flight with its price and route, if it has seats enough to sell."""
    number, date = segment["flight_number"], segment["date"]
    flight = world.flights.get(number)
    if flight is None:
        raise Refused(f"flight {number} not found")
    day = flight["dates"].get(date)
    if day is None:
        raise Refused(f"flight {number} not found on date {date}")
    if day["status"] != "available":
        raise Refused(f"flight {number} not available on date {date}")
    if day["available_seats"][cabin] < passengers:
        raise Refused(f"not enough seats on flight {number}")
    return _priced(segment, flight, day["prices"][cabin])


def _priced(segment: dict[str, str], route: Record, price: int) -> Record:
    return segment | {"price": price, "origin": route["origin"], "destination": route["destination"]}


def resold(world: World, held: Record, segments: Segments, cabin: str) -> list[Record]:
    """Return the flights of a changed reservation; one that is kept in the same cabin keeps its price."""
    kept: list[Record] = held["flights"] if cabin == held["cabin"] else []
    return [_kept(kept, segment) or sold(world, segment, cabin, len(held["passengers"])) for segment in segments]


def _kept(flights: Iterable[Record], segment: dict[str, str]) -> Record | None:
    for flight in flights:
        if (flight["flight_number"], flight["date"]) == (segment["flight_number"], segment["date"]):
            return _priced(segment, flight, flight["price"])
    return None


def difference(held: Record, flights: Iterable[Record]) -> int:
    """Return what changing to *flights* costs; below zero it is paid back."""
    paid, asked = (sum(flight["price"] for flight in each) for each in (held["flights"], flights))
    return (asked - paid) * len(held["passengers"])


def method(payer: Record, payment_id: str, amount: int) -> Record:
    """Return the payment method that a change is paid with, if it can be."""
    found: Record | None = payer["payment_methods"].get(payment_id)
    if found is None:
        raise Refused("payment method not found")
    if found["source"] == "certificate":
        raise Refused("certificate cannot be used to update reservation")
    if found["source"] == "gift_card" and found["amount"] < amount:
        raise Refused("gift card balance is not enough")
    return found


def covered(payer: Record, payments: Payments, price: int) -> None:
    """Refuse payments that are not in the profile, exceed a balance, or don't add up to the price."""
    for payment in payments:
        found = payer["payment_methods"].get(payment["payment_id"])
        if found is None:
            raise Refused(f"payment method {payment['payment_id']} not found")
        if found["source"] in {"gift_card", "certificate"} and found["amount"] < payment["amount"]:
            raise Refused(f"not enough balance in payment method {payment['payment_id']}")
    paid = sum(payment["amount"] for payment in payments)
    if paid != price:
        raise Refused(f"payment amount does not add up, total price is {price}, but paid {paid}")


def spend(payer: Record, payments: Payments) -> None:
    """Take the payments from gift cards; a certificate is used up, whatever is left of it."""
    methods = payer["payment_methods"]
    for payment in payments:
        found = methods.get(payment["payment_id"])
        if found is None:
            raise Refused(f"payment method {payment['payment_id']} not found")  # It was used up a moment ago.
        if found["source"] == "gift_card":
            found["amount"] -= payment["amount"]
        elif found["source"] == "certificate":
            del methods[payment["payment_id"]]


def booked(world: World, asked: Record) -> tuple[Record, Record]:
    """Return the reservation that is made of the arguments, and its user after paying."""
    payer, people = user(world, asked["user_id"]), len(asked["passengers"])
    flights = [sold(world, segment, asked["cabin"], people) for segment in asked["flights"]]
    price = sum(flight["price"] for flight in flights) * people + asked["nonfree_baggages"] * BAG
    price += INSURANCE * people if asked["insurance"] == "yes" else 0
    covered(payer, asked["payment_methods"], price)
    spend(payer, asked["payment_methods"])
    made = {"reservation_id": new_id(world), **_as_kept(asked, flights)}
    payer["reservations"].append(made["reservation_id"])
    return made, payer


def _as_kept(asked: Record, flights: list[Record]) -> Record:
    named = ("user_id", "origin", "destination", "flight_type", "cabin")
    return {
        **{name: asked[name] for name in named},
        "flights": flights,
        "passengers": asked["passengers"],
        "payment_history": list(asked["payment_methods"]),
        "created_at": DESK_TIME,
        "total_baggages": asked["total_baggages"],
        "nonfree_baggages": asked["nonfree_baggages"],
        "insurance": asked["insurance"],
    }
