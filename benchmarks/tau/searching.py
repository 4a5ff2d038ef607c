"""Looking for flights that can be booked: direct ones, and those with one stop."""

from collections.abc import Iterator

from benchmarks.tau.world import Record, World

AIRPORTS = {
    "SFO": "San Francisco",
    "JFK": "New York",
    "LAX": "Los Angeles",
    "ORD": "Chicago",
    "DFW": "Dallas",
    "DEN": "Denver",
    "SEA": "Seattle",
    "ATL": "Atlanta",
    "MIA": "Miami",
    "BOS": "Boston",
    "PHX": "Phoenix",
    "IAH": "Houston",
    "LAS": "Las Vegas",
    "MCO": "Orlando",
    "EWR": "Newark",
    "CLT": "Charlotte",
    "MSP": "Minneapolis",
    "DTW": "Detroit",
    "PHL": "Philadelphia",
    "LGA": "LaGuardia",
}
"""The airports, in the order in which the desk lists them."""


def direct(world: World, origin: str, destination: str, date: str) -> list[Record]:
    """Return the flights of a route that have seats to sell on a day."""
    found = (flight for flight in world.flights.values() if flight["origin"] == origin)
    return [_offer(flight, date) for flight in found if flight["destination"] == destination and _sells(flight, date)]


def one_stop(world: World, origin: str, destination: str, date: str) -> list[list[Record]]:
    """Return the pairs of flights that meet at a third airport, the second leaving after the first has arrived.

    A first flight that arrives on the day after meets the second flights of that day. As the recorded desk did it,
    times are compared as they are written, and seats and prices of the second flight are of the first one's day.
    """
    return [
        [_offer(first, date) | {"date": date}, _offer(second, date) | {"date": next_date}]
        for first in world.flights.values()
        if first["origin"] == origin
        for next_date in [_arrival(first, date)]
        for second in _onward(world, first, destination)
        if _sells(first, date) and _sells(second, next_date)
    ]


def _onward(world: World, first: Record, destination: str) -> Iterator[Record]:
    for second in world.flights.values():
        meets = second["origin"] == first["destination"] and second["destination"] == destination
        if meets and second["scheduled_departure_time_est"] >= first["scheduled_arrival_time_est"]:
            yield second


def _arrival(flight: Record, date: str) -> str:
    if "+1" not in flight["scheduled_arrival_time_est"]:
        return date
    return f"2024-05-{int(date[-2:]) + 1}"


def _sells(flight: Record, date: str) -> bool:
    return flight["dates"].get(date, {}).get("status") == "available"


def _offer(flight: Record, date: str) -> Record:
    return {key: value for key, value in flight.items() if key != "dates"} | flight["dates"][date]
