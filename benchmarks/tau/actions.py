"""The fourteen actions of the desk, each with what it does to the world and how it is taken back.

They answer in the words of the recordings: JSON as text, or a refusal. They check what the recorded API checked and
nothing else; the rules are the policy's.
"""

import json
from typing import Any

from benchmarks.tau import arithmetic, searching, selling
from benchmarks.tau.desk import Desk, here
from benchmarks.tau.world import Record
from interlock import Action, Ctx, Refused, action

Segment = dict[str, Any]
"""A flight number and a date; what a model adds to them is kept, as the recorded desk kept it."""
Passenger = dict[str, Any]
Payment = dict[str, Any]

MALFORMED = (LookupError, TypeError)
"""What a write raises, before it has done anything, when an argument lacks a key."""


@action.read
async def get_user_details(ctx: Ctx[Desk], user_id: str) -> str:
    """A user's profile."""
    return json.dumps(selling.user(here(ctx).world, user_id))


@action.read
async def get_reservation_details(ctx: Ctx[Desk], reservation_id: str) -> str:
    """A reservation."""
    return json.dumps(selling.reservation(here(ctx).world, reservation_id))


@action.read
async def list_all_airports(ctx: Ctx[Desk]) -> str:
    """The airports and their cities."""
    return json.dumps(searching.AIRPORTS)


@action.read
async def search_direct_flight(ctx: Ctx[Desk], origin: str, destination: str, date: str) -> str:
    """Direct flights of a day, written 2024-05-15."""
    return json.dumps(searching.direct(here(ctx).world, origin, destination, date))


@action.read
async def search_onestop_flight(ctx: Ctx[Desk], origin: str, destination: str, date: str) -> str:
    """Pairs of flights of a day, written 2024-05-15, with one stop."""
    return json.dumps(searching.one_stop(here(ctx).world, origin, destination, date))


@action.read
async def calculate(ctx: Ctx[Desk], expression: str) -> str:
    """Calculate: numbers, + - * / and brackets."""
    try:
        return arithmetic.calculated(expression)
    except ValueError as error:
        raise Refused(str(error)) from error


@action.read
async def think(ctx: Ctx[Desk], thought: str) -> str:
    """Write a thought down; nothing happens."""
    return ""


@action.irreversible
async def transfer_to_human_agents(ctx: Ctx[Desk], summary: str) -> str:
    """Hand the customer over to a person."""
    return "Transfer successful"


@action.reversible(refuses=MALFORMED)
async def book_reservation(  # noqa: PLR0917 - a booking has as many details
    ctx: Ctx[Desk],
    user_id: str,
    origin: str,
    destination: str,
    flight_type: str,
    cabin: str,
    flights: list[Segment],
    passengers: list[Passenger],
    payment_methods: list[Payment],
    total_baggages: int,
    nonfree_baggages: int,
    insurance: str,
) -> str:
    """Book a trip, one_way or round_trip, in basic_economy, economy or business."""
    world = here(ctx).world
    made, payer = selling.booked(
        world,
        {
            "user_id": user_id,
            "origin": origin,
            "destination": destination,
            "flight_type": flight_type,
            "cabin": cabin,
            "flights": flights,
            "passengers": passengers,
            "payment_methods": payment_methods,
            "total_baggages": total_baggages,
            "nonfree_baggages": nonfree_baggages,
            "insurance": insurance,
        },
    )
    world.put(ctx.key, made, user_id, payer)
    return json.dumps(made)


@action.reversible(refuses=MALFORMED)
async def cancel_reservation(ctx: Ctx[Desk], reservation_id: str) -> str:
    """Cancel a whole reservation; everything that was paid goes back."""
    world = here(ctx).world
    held = selling.reservation(world, reservation_id)
    paid = held["payment_history"]
    held["payment_history"] = paid + [one | {"amount": -one["amount"]} for one in paid]
    held["status"] = "cancelled"
    return _changed(ctx, held)


@action.reversible(refuses=MALFORMED)
async def update_reservation_flights(
    ctx: Ctx[Desk], reservation_id: str, cabin: str, flights: list[Segment], payment_id: str
) -> str:
    """Change the flights, the cabin or both; give all flights, also those that stay."""
    world = here(ctx).world
    held = selling.reservation(world, reservation_id)
    new = selling.resold(world, held, flights, cabin)
    price = selling.difference(held, new)
    payer = selling.user(world, held["user_id"])
    paying = selling.method(payer, payment_id, price)
    if paying["source"] == "gift_card":
        paying["amount"] -= price
    held["flights"] = new
    _note_payment(held, payment_id, price)
    answer = _changed(ctx, held, payer)
    world.sold[reservation_id] = cabin
    return answer


@action.reversible(refuses=MALFORMED)
async def update_reservation_baggages(
    ctx: Ctx[Desk], reservation_id: str, total_baggages: int, nonfree_baggages: int, payment_id: str
) -> str:
    """Set the number of checked bags, and how many of them are not free."""
    world = here(ctx).world
    held = selling.reservation(world, reservation_id)
    price = selling.BAG * max(0, nonfree_baggages - held["nonfree_baggages"])
    payer = selling.user(world, held["user_id"])
    paying = selling.method(payer, payment_id, price)
    if paying["source"] == "gift_card":
        paying["amount"] -= price
    held["total_baggages"], held["nonfree_baggages"] = total_baggages, nonfree_baggages
    _note_payment(held, payment_id, price)
    return _changed(ctx, held, payer)


@action.reversible(refuses=MALFORMED)
async def update_reservation_passengers(ctx: Ctx[Desk], reservation_id: str, passengers: list[Passenger]) -> str:
    """Replace the passengers; their number stays."""
    held = selling.reservation(here(ctx).world, reservation_id)
    if len(passengers) != len(held["passengers"]):
        raise Refused("number of passengers does not match")
    held["passengers"] = passengers
    return _changed(ctx, held)


@action.reversible(refuses=MALFORMED)
async def send_certificate(ctx: Ctx[Desk], user_id: str, amount: int) -> str:
    """Give a user a travel certificate, in dollars."""
    world = here(ctx).world
    holder = selling.user(world, user_id)
    methods = holder["payment_methods"]
    names = (f"certificate_{number}" for number in selling.CERTIFICATE_IDS)
    name = next((one for one in names if one not in methods), None)
    if name is None:
        raise Refused("no certificate is left to give")
    methods[name] = {"source": "certificate", "amount": amount, "id": name}
    world.put(ctx.key, None, user_id, holder)
    return f"Certificate {name} added to user {user_id} with amount {amount}."


def _note_payment(held: Record, payment_id: str, price: int) -> None:
    if price:
        held["payment_history"] = [*held["payment_history"], {"payment_id": payment_id, "amount": price}]


def _changed(ctx: Ctx[Desk], held: Record, payer: Record | None = None) -> str:
    here(ctx).world.put(ctx.key, held, held["user_id"], payer)
    return json.dumps(held)


async def _put_back(ctx: Ctx[Desk], *_: Any, **__: Any) -> None:
    here(ctx).world.restore(ctx.undoes)


ON_A_RESERVATION: tuple[Action[Any, Any, Any], ...] = (
    cancel_reservation,
    update_reservation_flights,
    update_reservation_baggages,
    update_reservation_passengers,
)
WRITES: tuple[Action[Any, Any, Any], ...] = (book_reservation, *ON_A_RESERVATION, send_certificate)
READS: tuple[Action[Any, Any, Any], ...] = (
    get_user_details,
    get_reservation_details,
    list_all_airports,
    search_direct_flight,
    search_onestop_flight,
    calculate,
    think,
)
ALL = (*READS, transfer_to_human_agents, *WRITES)
NAMES_OF_WRITES = frozenset(one.name for one in WRITES)

for _write in WRITES:
    _write.undo(_put_back)
