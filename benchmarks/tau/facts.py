"""What the rules look up in the world before they judge: reservations, profiles and flights. Look-ups and sums only."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise
from typing import Any

from benchmarks.tau.actions import Passenger, Segment
from benchmarks.tau.desk import Desk, here
from benchmarks.tau.world import Record, World
from interlock import Ctx

FREE_BAGS = {
    "regular": {"basic_economy": 0, "economy": 1, "business": 2},
    "silver": {"basic_economy": 1, "economy": 2, "business": 3},
    "gold": {"basic_economy": 2, "economy": 3, "business": 3},
}
"""Free checked bags for each passenger, by membership and cabin."""


@dataclass(frozen=True, slots=True)
class Booking:
    """A reservation as the rules see it. `cabin` is the one that was sold last; `free_baggages` go with it."""

    owner: str
    cabin: str
    insured: bool
    created_at: datetime
    start: str
    end: str
    destination: str
    passengers: int
    total_baggages: int
    free_baggages: int
    flown: bool
    cancelled_by_airline: bool


@dataclass(frozen=True, slots=True)
class Method:
    """A payment method of the profile."""

    id: str
    source: str


@dataclass(frozen=True, slots=True)
class Profile:
    """A user as the rules see it; `free_baggages` are those of the booking that is asked for."""

    membership: str
    methods: tuple[Method, ...]
    method_ids: tuple[str, ...]
    free_baggages: int


@dataclass(frozen=True, slots=True)
class Trip:
    """Flights in a row: where they start, end and stop, and those that can't be sold.

    `same_flights` says that they are the flights that the reservation has already.
    """

    start: str
    end: str
    stops: tuple[str, ...]
    connected: bool
    same_flights: bool
    not_sold: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Trouble:
    """A reservation of a customer with flights that were cancelled or late."""

    reservation_id: str
    passengers: int
    entitled: bool
    cancelled: bool
    delayed: bool
    changed: bool


def booking(ctx: Ctx[Desk], reservation_id: str, *_: Any, **__: Any) -> Booking:
    """The reservation that the action is about."""
    world = here(ctx).world
    held = held_reservation(world, reservation_id)
    cabin, people = world.cabin(reservation_id), len(held["passengers"])
    days = [_day(world, flight) for flight in held["flights"]]
    return Booking(
        owner=held["user_id"],
        cabin=cabin,
        insured=held["insurance"] == "yes",
        created_at=datetime.fromisoformat(held["created_at"]),
        start=held["flights"][0]["origin"],
        end=held["flights"][-1]["destination"],
        destination=held["destination"],
        passengers=people,
        total_baggages=held["total_baggages"],
        free_baggages=FREE_BAGS[world.users[held["user_id"]]["membership"]][cabin] * people,
        flown=any(day.get("status") in {"landed", "flying"} for day in days),
        cancelled_by_airline=any(day.get("status") == "cancelled" for day in days),
    )


def profile(ctx: Ctx[Desk], user_id: str, cabin: str, passengers: list[Passenger], **_: Any) -> Profile:
    """The profile of the user that a trip is booked for."""
    return _profile(here(ctx).world, user_id, cabin, len(passengers))


def payer(ctx: Ctx[Desk], reservation_id: str, *_: Any, **__: Any) -> Profile:
    """The profile of the reservation's user."""
    world = here(ctx).world
    held = held_reservation(world, reservation_id)
    return _profile(world, held["user_id"], world.cabin(reservation_id), len(held["passengers"]))


def new_trip(ctx: Ctx[Desk], flights: list[Segment], **_: Any) -> Trip:
    """The flights that are to be booked."""
    return _trip(here(ctx).world, flights, ())


def changed_trip(ctx: Ctx[Desk], reservation_id: str, cabin: str, flights: list[Segment], **_: Any) -> Trip:
    """The flights that the reservation is to have; those that stay in their cabin are not sold again."""
    world = here(ctx).world
    held = held_reservation(world, reservation_id)
    kept = sorted(_name(flight) for flight in held["flights"])
    trip = _trip(world, flights, kept if cabin == held["cabin"] else ())
    return replace(trip, same_flights=sorted(_name(flight) for flight in flights) == kept)


def troubles(ctx: Ctx[Desk], user_id: str, *_: Any, **__: Any) -> tuple[Trouble, ...]:
    """The user's reservations, each with what happened to its flights."""
    world = here(ctx).world
    if user_id not in world.users:
        raise LookupError(f"there is no user {user_id!r}")
    names = world.users[user_id]["reservations"]
    return tuple(_trouble(world, world.reservations[name]) for name in names if name in world.reservations)


def held_reservation(world: World, reservation_id: str) -> Record:
    """Return a reservation as it is.

    Raises:
        LookupError: there is none.
    """
    if reservation_id not in world.reservations:
        raise LookupError(f"there is no reservation {reservation_id!r}")
    return world.reservations[reservation_id]


def _profile(world: World, user_id: str, cabin: str, people: int) -> Profile:
    if user_id not in world.users:
        raise LookupError(f"there is no user {user_id!r}")
    found = world.users[user_id]
    methods = tuple(Method(name, method["source"]) for name, method in found["payment_methods"].items())
    free = FREE_BAGS[found["membership"]][cabin] * people
    return Profile(found["membership"], methods, tuple(one.id for one in methods), free)


def _trip(world: World, flights: Sequence[Segment], kept: Collection[str]) -> Trip:
    routes = [world.flights[flight["flight_number"]] for flight in flights]
    if not routes:
        raise LookupError("there are no flights")
    closed = (one for one in flights if _name(one) not in kept and _day(world, one).get("status") != "available")
    return Trip(
        start=routes[0]["origin"],
        end=routes[-1]["destination"],
        stops=tuple(route["destination"] for route in routes),
        connected=all(one["destination"] == other["origin"] for one, other in pairwise(routes)),
        same_flights=False,
        not_sold=tuple(_name(one) for one in closed),
    )


def _day(world: World, flight: Record) -> Record:
    return world.flights[flight["flight_number"]]["dates"].get(flight["date"], {})


def _name(flight: Record) -> str:
    return f"{flight['flight_number']} on {flight['date']}"


def _trouble(world: World, held: Record) -> Trouble:
    name, days = held["reservation_id"], [(flight, _day(world, flight)) for flight in held["flights"]]
    member = world.users[held["user_id"]]["membership"] != "regular"
    return Trouble(
        reservation_id=name,
        passengers=len(held["passengers"]),
        entitled=member or held["insurance"] == "yes" or world.cabin(name) == "business",
        cancelled=any(day.get("status") == "cancelled" for _, day in days),
        delayed=any(_is_late(world, flight, day) for flight, day in days),
        changed=name in world.changed,
    )


def _is_late(world: World, flight: Record, day: Record) -> bool:
    if day.get("status") == "delayed":
        return True
    left = day.get("actual_departure_time_est")
    planned = world.flights[flight["flight_number"]]["scheduled_departure_time_est"]
    return left is not None and left > f"{flight['date']}T{planned}"
