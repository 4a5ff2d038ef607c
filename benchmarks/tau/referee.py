"""The referee: which sentence of the document does a write break? Plain Python, without policy, facts or matcher.

It shares with them the world, the list of sentences that both cite, and the author: where both misread a sentence, no
disagreement shows it. `confirm` is read apart from the rest, as it is about the conversation and not about the call.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from benchmarks.tau.world import DESK_TIME, Record, World

Said = Sequence[tuple[str, str]]
Args = Mapping[str, Any]

_BAGS_FREE = (
    ("regular", "basic_economy", 0),
    ("regular", "economy", 1),
    ("regular", "business", 2),
    ("silver", "basic_economy", 1),
    ("silver", "economy", 2),
    ("silver", "business", 3),
    ("gold", "basic_economy", 2),
    ("gold", "economy", 3),
    ("gold", "business", 3),
)


def broken(world: World, said: Said, action: str, args: Args) -> list[str]:
    """Return the short names of the sentences that a write breaks, `confirm` aside; none for one that breaks none."""
    return list(dict.fromkeys(_READINGS[action](world, said, args)))


def _customer(said: Said) -> str:
    return " ".join(text for who, text in said if who == "user")


def _id_was_given(said: Said, user_id: str) -> Iterator[str]:
    if not user_id or user_id not in _customer(said).lower():
        yield "user id"


def _bags_are_right(membership: str, cabin: str, people: int, total: int, paid: int) -> bool:
    free = next(each for tier, of, each in _BAGS_FREE if (tier, of) == (membership, cabin)) * people
    return paid == max(total - free, 0)


def _booking(world: World, said: Said, args: Args) -> Iterator[str]:
    yield from _id_was_given(said, args["user_id"])
    user = world.users.get(args["user_id"])
    if user is None:
        return
    yield from _route_of_a_booking(world, args)
    yield from (name for one in args["flights"] for name in _sold(world, one))
    people = args["passengers"]
    if len(people) > 5:
        yield "five"
    yield from (name for one in people for name in _collected(world, said, user, one))
    yield from _payments(user, [one["payment_id"] for one in args["payment_methods"]])
    if not _bags_are_right(
        user["membership"], args["cabin"], len(people), args["total_baggages"], args["nonfree_baggages"]
    ):
        yield "bags"


def _route_of_a_booking(world: World, args: Args) -> Iterator[str]:
    legs = [world.flights.get(one["flight_number"]) for one in args["flights"]]
    way = _way(legs)
    ends = {"one_way": args["destination"], "round_trip": args["origin"]}
    if (
        not way
        or (way[0], way[-1]) != (args["origin"], ends.get(args["flight_type"]))
        or args["destination"] not in way
    ):
        yield "trip"


def _way(legs: Sequence[Record | None]) -> list[str]:
    """Return the airports in their order, or nothing where the flights do not join."""
    way: list[str] = []
    for leg in legs:
        if leg is None or (way and way[-1] != leg["origin"]):
            return []
        way += [leg["destination"]] if way else [leg["origin"], leg["destination"]]
    return way


def _sold(world: World, segment: Mapping[str, str]) -> Iterator[str]:
    flight = world.flights.get(segment["flight_number"])
    day = flight["dates"].get(segment["date"]) if flight else None
    if day is None or day["status"] != "available":
        yield "bookable"


def _collected(world: World, said: Said, user: Record, person: Mapping[str, str]) -> Iterator[str]:
    first, last, born = (person.get(name, "") for name in ("first_name", "last_name", "dob"))
    records = [*user["saved_passengers"], {**user["name"], "dob": user["dob"]}]
    for name in user["reservations"]:
        records += world.reservations.get(name, {}).get("passengers", [])
    if any((one["first_name"], one["last_name"], one["dob"]) == (first, last, born) for one in records):
        return
    text = _customer(said)
    if first not in text or last not in text or not _heard_date(text, born):
        yield "collect"


def _heard_date(text: str, born: str) -> bool:
    try:
        day = datetime.fromisoformat(born)
    except ValueError:
        return False
    month, number = rf"{day.strftime('%b')}\w*\.?", rf"{day.day}(st|nd|rd|th)?"
    spellings = rf"({month} {number}|{number} (of )?{month}),? {day.year}|0?{day.month}/0?{day.day}/{day.year}"
    return born in text or re.search(spellings, text, re.IGNORECASE) is not None


def _payments(user: Record, used: Sequence[str]) -> Iterator[str]:
    kinds = [name.rsplit("_", 1)[0] for name in used]
    if kinds.count("certificate") > 1 or kinds.count("credit_card") > 1 or kinds.count("gift_card") > 3:
        yield "payments"
    if any(name not in user["payment_methods"] for name in used):
        yield "profile"


def _on_a_reservation(
    reading: Callable[[World, Said, Args, Record], Iterator[str]],
) -> Callable[[World, Said, Args], Iterator[str]]:
    def read(world: World, said: Said, args: Args) -> Iterator[str]:
        held = world.reservations.get(args["reservation_id"])
        if held is None:
            yield "user id"
            return
        yield from _id_was_given(said, held["user_id"])
        yield from reading(world, said, args, held)

    return read


def _changed_flights(world: World, said: Said, args: Args, held: Record) -> Iterator[str]:
    have = [(one["flight_number"], one["date"]) for one in held["flights"]]
    want = [(one["flight_number"], one["date"]) for one in args["flights"]]
    if sorted(have) != sorted(want) and world.cabin(held["reservation_id"]) == "basic_economy":
        yield "basic"
    before, after = (_way([world.flights.get(number) for number, _ in some]) for some in (have, want))
    if not after or (before[0], before[-1]) != (after[0], after[-1]) or held["destination"] not in after:
        yield "route"
    for one in args["flights"]:
        if (one["flight_number"], one["date"]) not in have or args["cabin"] != held["cabin"]:
            yield from _sold(world, one)
    method = world.users[held["user_id"]]["payment_methods"].get(args["payment_id"], {"source": "none"})
    if method["source"] not in {"gift_card", "credit_card"}:
        yield "method"


def _bags(world: World, said: Said, args: Args, held: Record) -> Iterator[str]:
    user = world.users[held["user_id"]]
    if args["total_baggages"] < held["total_baggages"]:
        yield "add bags"
    cabin, people = world.cabin(held["reservation_id"]), len(held["passengers"])
    if not _bags_are_right(user["membership"], cabin, people, args["total_baggages"], args["nonfree_baggages"]):
        yield "bags"
    if args["payment_id"] not in user["payment_methods"]:
        yield "profile"


def _passengers(world: World, said: Said, args: Args, held: Record) -> Iterator[str]:
    if len(args["passengers"]) != len(held["passengers"]):
        yield "number"
    user = world.users[held["user_id"]]
    yield from (name for one in args["passengers"] for name in _collected(world, said, user, one))


def _cancelling(world: World, said: Said, args: Args, held: Record) -> Iterator[str]:
    days = [world.flights[one["flight_number"]]["dates"].get(one["date"], {}) for one in held["flights"]]
    states = [day.get("status") for day in days]
    if "landed" in states or "flying" in states:
        yield "flown"
    if datetime.fromisoformat(held["created_at"]) >= datetime.fromisoformat(DESK_TIME) - timedelta(days=1):
        return
    if "cancelled" in states or world.cabin(held["reservation_id"]) == "business":
        return
    if held["insurance"] != "yes" or not _SICK_OR_STORMY.search(_customer(said)):
        yield "condition"


_SICK_OR_STORMY = re.compile(
    r"\b(sick|ill|illness|unwell|not feeling well|flu|fever|covid|doctor|hospital|surgery|injur|medical|health|pregnan"
    r"|weather|storm|snow|hurricane|blizzard|tornado|flood)",
    re.IGNORECASE,
)


def _certificate(world: World, said: Said, args: Args) -> Iterator[str]:
    yield from _id_was_given(said, args["user_id"])
    user = world.users.get(args["user_id"])
    if user is None:
        return
    text = _customer(said).lower()
    due = [(why, paid) for name in user["reservations"] for why, paid in _due(world, user, name)]
    if not due:
        yield "regular"
    heard = [why for why in ("cancel", "delay") if why in text]
    if not any(why in heard and paid == args["amount"] for why, paid in due):
        yield "delayed" if "delay" in heard else "cancelled"
    if not heard or not _asked_first(said):
        yield "asks"


def _due(world: World, user: Record, reservation_id: str) -> Iterator[tuple[str, int]]:
    """What the customer may be given for a reservation: why, and how much; a delay has to have led to a change."""
    held = world.reservations.get(reservation_id)
    if held is None:
        return
    covered = held["insurance"] == "yes" or world.cabin(reservation_id) == "business"
    if user["membership"] == "regular" and not covered:
        return
    people = len(held["passengers"])
    for one in held["flights"]:
        flight = world.flights[one["flight_number"]]
        day = flight["dates"].get(one["date"], {})
        left = day.get("actual_departure_time_est", day.get("estimated_departure_time_est", ""))
        if day.get("status") == "cancelled":
            yield "cancel", 100 * people
        elif left > f"{one['date']}T{flight['scheduled_departure_time_est']}":
            yield "delay", 50 * people if reservation_id in world.changed else 0


def _asked_first(said: Said) -> bool:
    """Whether the customer spoke of compensation before the desk held any out."""
    things, holding_out = ("compensat", "certificate", "voucher", "reimburs"), ("offer", "issue", "eligible", "provid")
    for who, text in said:
        if any(one in text.lower() for one in things) and (who == "user" or any(one in text for one in holding_out)):
            return who == "user"
    return False


_READINGS: Mapping[str, Callable[[World, Said, Args], Iterator[str]]] = {
    "book_reservation": _booking,
    "cancel_reservation": _on_a_reservation(_cancelling),
    "update_reservation_flights": _on_a_reservation(_changed_flights),
    "update_reservation_baggages": _on_a_reservation(_bags),
    "update_reservation_passengers": _on_a_reservation(_passengers),
    "send_certificate": _certificate,
}
