"""A small airline of the tests' own, and one way to put a call before its guardian."""

import json
from contextlib import asynccontextmanager

from benchmarks.tau import actions, judging
from benchmarks.tau.desk import Conversation
from benchmarks.tau.recorded import Call
from benchmarks.tau.world import World

from interlock import Agent, Policy, Proposal, Runtime, permit

ANN, BOB = "ann_lee_1001", "bob_ray_2002"
ANN_LEE = {"first_name": "Ann", "last_name": "Lee", "dob": "1980-02-03"}
TOM_LEE = {"first_name": "Tom", "last_name": "Lee", "dob": "2010-07-09"}
CARD, GIFT, LARGE, SMALL = "credit_card_1000002", "gift_card_1000001", "certificate_1000003", "certificate_1000004"


def _sold(economy=100):
    seats = {"basic_economy": 9, "economy": 3, "business": 9}
    return {
        "status": "available",
        "available_seats": seats,
        "prices": {"basic_economy": 50, "economy": economy, "business": 300},
    }


def _flight(number, origin, destination, departs="10:00:00", arrives="12:00:00", **days):
    return {
        "flight_number": number,
        "origin": origin,
        "destination": destination,
        "scheduled_departure_time_est": departs,
        "scheduled_arrival_time_est": arrives,
        "dates": {"2024-05-20": _sold(), "2024-05-21": _sold(120), **{f"2024-05-{d[1:]}": v for d, v in days.items()}},
    }


def _reservation(name, user, cabin, flights, people=(ANN_LEE,), **more):
    return {
        "reservation_id": name,
        "user_id": user,
        "origin": "JFK",
        "destination": "SEA",
        "flight_type": "one_way",
        "cabin": cabin,
        "flights": [
            {"origin": origin, "destination": destination, "flight_number": number, "date": date, "price": 100}
            for number, origin, destination, date in flights
        ],
        "passengers": list(people),
        "payment_history": [{"payment_id": CARD, "amount": 100 * len(people)}],
        "created_at": "2024-05-01T08:00:00",
        "total_baggages": 0,
        "nonfree_baggages": 0,
        "insurance": "no",
        **more,
    }


_DIRECT = [("HAT001", "JFK", "SEA", "2024-05-20")]


def world():
    """Five flights; Ann, who is gold and has one reservation of each kind; Bob, who is nobody special."""
    flights = [
        _flight("HAT001", "JFK", "SEA", d14={"status": "landed", "actual_departure_time_est": "2024-05-14T10:00:00"}),
        _flight("HAT002", "JFK", "SEA", "15:00:00", "18:00:00", d15={"status": "delayed"}, d13={"status": "cancelled"}),
        _flight("HAT003", "SEA", "JFK"),
        _flight("HAT004", "JFK", "ATL", "08:00:00", "09:00:00"),
        _flight("HAT005", "ATL", "SEA", "09:00:00", "11:00:00"),
    ]
    reservations = [
        _reservation("ECON01", ANN, "economy", _DIRECT, (ANN_LEE, TOM_LEE), total_baggages=1),
        _reservation("BASIC1", ANN, "basic_economy", _DIRECT),
        _reservation("BUSI01", ANN, "business", _DIRECT),
        _reservation("INSUR1", ANN, "economy", _DIRECT, insurance="yes"),
        _reservation("NEWER1", ANN, "basic_economy", _DIRECT, created_at="2024-05-15T09:00:00"),
        _reservation("FLOWN1", ANN, "business", [("HAT001", "JFK", "SEA", "2024-05-14")]),
        _reservation("DROPT1", ANN, "economy", [("HAT002", "JFK", "SEA", "2024-05-13")]),
        _reservation("BOBS01", BOB, "business", _DIRECT),
    ]
    users = {ANN: _user("Ann", "Lee", "gold", CARD, GIFT, LARGE, SMALL), BOB: _user("Bob", "Ray", "regular")}
    for one in reservations:
        users[one["user_id"]]["reservations"].append(one["reservation_id"])
    return World(
        {one["flight_number"]: one for one in flights}, {one["reservation_id"]: one for one in reservations}, users
    )


_AMOUNTS = {GIFT: 150, LARGE: 200, SMALL: 60}


def _user(first, last, membership, *methods):
    return {
        "name": {"first_name": first, "last_name": last},
        "dob": "1980-02-03",
        "payment_methods": {name: _method(name) for name in methods},
        "saved_passengers": [],
        "membership": membership,
        "reservations": [],
    }


def _method(name):
    if name in _AMOUNTS:
        return {"source": name.rpartition("_")[0], "amount": _AMOUNTS[name], "id": name}
    return {"source": "credit_card", "brand": "visa", "last_four": "4242", "id": name}


def booking(**changed):
    """The arguments of a booking for Ann that breaks no rule."""
    return {
        "user_id": ANN,
        "origin": "JFK",
        "destination": "SEA",
        "flight_type": "one_way",
        "cabin": "economy",
        "flights": [{"flight_number": "HAT001", "date": "2024-05-20"}],
        "passengers": [ANN_LEE],
        "payment_methods": [{"payment_id": CARD, "amount": 100}],
        "total_baggages": 0,
        "nonfree_baggages": 0,
        "insurance": "no",
        **changed,
    }


def change(reservation="ECON01", **changed):
    """The arguments of a change of flights; by default to the day after."""
    return {
        "reservation_id": reservation,
        "cabin": "economy",
        "flights": [{"flight_number": "HAT001", "date": "2024-05-21"}],
        "payment_id": CARD,
        **changed,
    }


def bags(reservation="ECON01", total=2, nonfree=0, payment=CARD):
    """The arguments of a change of bags."""
    return {
        "reservation_id": reservation,
        "total_baggages": total,
        "nonfree_baggages": nonfree,
        "payment_id": payment,
    }


def talk(*texts, on=None):
    """A conversation: the customer begins, and both take turns."""
    said = [("assistant" if place % 2 else "user", text) for place, text in enumerate(texts)]
    return Conversation(on or world(), said)


@asynccontextmanager
async def guardian():
    """Yield the judge of the benchmark: a runtime with the airline's policy."""
    runtime, desk = judging.Judge.open()
    async with runtime:
        yield judging.Judge(runtime, desk)


async def judged(conversation, action, given=True, **args):
    """What the guardian decides; by default the customer confirms."""
    async with guardian() as judge:
        return await judge.decide(conversation, Call(action, args), given=given)


@asynccontextmanager
async def permitted(on):
    """Yield a session in which everything is permitted, and its run."""
    desk = {"r": Conversation(on)}
    agent = Agent("desk", actions.ALL, policy=Policy(permit(actions.ALL)), deps=lambda: desk)
    async with Runtime(":memory:", agent) as rt:
        run = await rt.start("desk", run="r")
        async with rt.session("r") as session:
            yield session, run


async def done(session, action, **args):
    """Perform a call; every question is answered with yes."""
    from benchmarks.tau.replay import observed

    proposal = Proposal(action, args, json.dumps([action, args]))
    return observed(await session.perform(proposal))
