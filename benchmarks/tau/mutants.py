"""Calls that nobody made: the writes of successes, each with one thing changed, argument by argument."""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from benchmarks.tau.recorded import Call
from benchmarks.tau.world import Record, World

SEED = 20240515
"""The seed of what is drawn: other customers, other flights."""

STRANGER = {"first_name": "Nobody", "last_name": "Named", "dob": "1971-02-03"}
Value = Any
Varied = Iterator[tuple[str, Value]]


@dataclass(frozen=True, slots=True)
class Mutant:
    """A changed call, and the operator that changed it: the argument, a colon, and what was done to it."""

    call: Call
    operator: str


@dataclass(frozen=True, slots=True)
class _Bench:
    """What the operators draw from: the world, the call, the customer, and chance."""

    world: World
    args: Mapping[str, Any]
    chance: random.Random
    held: Record = field(default_factory=dict[str, Any])
    user_id: str = ""

    def other_user(self) -> str:
        return self.chance.choice(sorted(self.world.users.keys() - {self.user_id}))

    def other_methods(self) -> list[str]:
        return sorted(self.world.users[self.other_user()]["payment_methods"])


def mutants(world: World, call: Call, gold: Sequence[Call], chance: random.Random) -> list[Mutant]:
    """Return a call's mutants; one that equals the call, a gold call or another mutant is left out."""
    seen = {call.content, *(one.content for one in gold)}
    made: list[Mutant] = []
    for name, value in _all(world, call, chance):
        argument = name.partition(":")[0]
        mutant = Call(call.name, {**call.args, argument: value})
        if mutant.content not in seen:
            seen.add(mutant.content)
            made.append(Mutant(mutant, name))
    return made


def _all(world: World, call: Call, chance: random.Random) -> Varied:
    held = world.reservations.get(call.args.get("reservation_id", ""), {})
    user_id = call.args.get("user_id") or held.get("user_id", "")
    bench = _Bench(world, call.args, chance, held, user_id)
    for argument, value in call.args.items():
        for operator, varied in OPERATORS[argument](bench, value):
            yield f"{argument}: {operator}", varied


def _user(bench: _Bench, value: str) -> Varied:
    yield "another customer", bench.other_user()
    yield "nobody", "nobody_known_0000"


def _reservation(bench: _Bench, value: str) -> Varied:
    for name in bench.world.users[bench.user_id]["reservations"]:
        yield "another of the customer's", name
    for _ in range(3):
        yield "another customer's", bench.chance.choice(sorted(bench.world.reservations))
    yield "unknown", "ZZZZZZ"


def _payment(bench: _Bench, value: str) -> Varied:
    for name in bench.world.users[bench.user_id]["payment_methods"]:
        yield "another of the customer's", name
    for name in bench.other_methods()[:2]:
        yield "another customer's", name
    yield "unknown", "credit_card_0000000"


def _payments(bench: _Bench, value: list[Record]) -> Varied:
    own = bench.world.users[bench.user_id]["payment_methods"]
    for place, one in enumerate(value):
        for operator, name in _payment(bench, one["payment_id"]):
            yield operator, [*value[:place], one | {"payment_id": name}, *value[place + 1 :]]
        for more in (1, -1, 50):
            yield f"amount {more:+}", [*value[:place], one | {"amount": one["amount"] + more}, *value[place + 1 :]]
    for kind in ("certificate", "credit_card", "gift_card"):
        names = [name for name in own if name.startswith(kind)]
        for several in (2, 4):
            if len(names) >= several:
                yield f"{several} of {kind}", _split(sum(one["amount"] for one in value), names[:several])


def _split(total: int, names: Sequence[str]) -> list[Record]:
    rest = [{"payment_id": name, "amount": 1} for name in names[1:]]
    return [{"payment_id": names[0], "amount": total - len(rest)}, *rest]


def _cabin(bench: _Bench, value: str) -> Varied:
    for cabin in ("basic_economy", "economy", "business"):
        yield cabin, cabin


def _flights(bench: _Bench, value: list[dict[str, str]]) -> Varied:
    yield "without the last", value[:-1]
    yield "in reverse", value[::-1]
    yield "the first twice", [value[0], *value]
    yield "the first taken back", [*value, *_back(bench, value)]
    for place, one in enumerate(value):
        for operator, changed in _flight(bench, one):
            yield operator, [*value[:place], changed, *value[place + 1 :]]


def _back(bench: _Bench, value: list[dict[str, str]]) -> list[dict[str, str]]:
    first = bench.world.flights[value[0]["flight_number"]]
    back = [
        number
        for number, flight in bench.world.flights.items()
        if (flight["origin"], flight["destination"]) == (first["destination"], first["origin"])
    ]
    return [{"flight_number": bench.chance.choice(back), "date": value[-1]["date"]}] if back else []


def _flight(bench: _Bench, one: dict[str, str]) -> Varied:
    day = date.fromisoformat(one["date"])
    for days in (1, -1):
        yield f"{days:+} day", one | {"date": (day + timedelta(days)).isoformat()}
    yield "on the day of the call", one | {"date": "2024-05-15"}
    yield "in the past", one | {"date": "2024-05-10"}
    route = bench.world.flights[one["flight_number"]]
    for number, flight in bench.world.flights.items():
        if (flight["origin"], flight["destination"]) == (route["origin"], route["destination"]):
            yield "another of the route", one | {"flight_number": number}
    yield "another route", one | {"flight_number": bench.chance.choice(sorted(bench.world.flights))}
    yield "unknown", one | {"flight_number": "HAT999"}


def _passengers(bench: _Bench, value: list[dict[str, str]]) -> Varied:
    yield "one less", value[:-1]
    yield "a stranger more", [*value, STRANGER]
    yield "six", [*value, *[STRANGER] * (6 - len(value))]
    yield "a stranger instead", [STRANGER, *value[1:]]
    yield "another name", [value[0] | {"first_name": "Nobody"}, *value[1:]]
    yield "another birthday", [value[0] | {"dob": "1971-02-03"}, *value[1:]]


def _number(*steps: int) -> Callable[[_Bench, int], Varied]:
    def vary(bench: _Bench, value: int) -> Varied:
        for step in steps:
            yield f"{step:+}", value + step
        yield "doubled", value * 2
        yield "none", 0

    return vary


def _among(*values: str) -> Callable[[_Bench, str], Varied]:
    def vary(bench: _Bench, value: str) -> Varied:
        yield from ((one, one) for one in values)

    return vary


def _airport(bench: _Bench, value: str) -> Varied:
    yield "the other end", bench.args["destination" if value == bench.args["origin"] else "origin"]
    yield (
        "another",
        bench.chance.choice(sorted({flight["origin"] for flight in bench.world.flights.values()} - {value})),
    )


OPERATORS: Mapping[str, Callable[[_Bench, Any], Varied]] = {
    "user_id": _user,
    "reservation_id": _reservation,
    "payment_id": _payment,
    "payment_methods": _payments,
    "cabin": _cabin,
    "flights": _flights,
    "passengers": _passengers,
    "total_baggages": _number(1, -1, 5),
    "nonfree_baggages": _number(1, -1, 3),
    "amount": _number(1, 50, -50, 100),
    "insurance": _among("yes", "no"),
    "flight_type": _among("one_way", "round_trip"),
    "origin": _airport,
    "destination": _airport,
}
"""What is done to each argument."""
