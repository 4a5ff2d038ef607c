"""The referee's own look at the customer's yes, coarser than the matcher and without any of its code."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from benchmarks.tau.world import Record, World

Said = Sequence[tuple[str, str]]
Args = Mapping[str, Any]


def is_unconfirmed(world: World, said: Said, action: str, args: Args) -> str:
    """Return why the customer has not agreed to a write, read more coarsely than the matcher does; nothing if so.

    Certificates are not in the document's list of what has to be confirmed.
    """
    if action == "send_certificate":
        return ""
    places = [place for place, (who, _) in enumerate(said) if who == "user"]
    if not places or not _AGREES.search(said[places[-1]][1]):
        return "the customer did not agree to anything"
    reply, desk = said[places[-1]][1], [text for who, text in said[: places[-1]] if who == "assistant"]
    if not desk or not re.search(r"\?|confirm|proceed|let me know", desk[-1], re.IGNORECASE):
        return "the desk asked for nothing"
    return next(_unlike(world, f"{desk[-1]}\n{reply}", "\n".join(text for _, text in said), action, args), "")


_AGREES = re.compile(
    r"\b(yes|yeah|oui|sure|ok|okay|proceed|go ahead|confirm\w*|perfect|correct|great|fine|good|works|let's"
    r"|please \w+)\b",
    re.IGNORECASE,
)


def _unlike(world: World, last: str, all_said: str, action: str, args: Args) -> Iterator[str]:
    """What the call does otherwise than was last said."""
    if action == "cancel_reservation" and "cancel" not in last.lower():
        yield "cancelling was not spoken of"
    held = world.reservations.get(args.get("reservation_id", ""), {})
    route = [held.get("origin", "-"), held.get("destination", "-")]
    if held and held["reservation_id"] not in all_said and not all(one in all_said for one in route):
        yield "the reservation was not named"
    have = [one["flight_number"] for one in held.get("flights", ())]
    if any(number not in all_said and number not in have for number in _numbers(args)):
        yield "a flight was not named"
    charged, amounts = _charged(world, held, args), re.findall(r"\$ ?([\d,]+)", last)
    told = {int(one.replace(",", "")) for one in amounts if one.strip(",")}
    each = {one * len(held.get("passengers") or args.get("passengers", ())) for one in told if _is_each(last, one)}
    if charged > 0 and told and charged not in told | each:
        yield f"it takes ${charged}, and that is not what was said"
    card = re.search(r"ending in (\d{4})\b", last)
    method = world.users.get(held.get("user_id", ""), {}).get("payment_methods", {}).get(args.get("payment_id", ""), {})
    if card and method.get("last_four", card[1]) != card[1]:
        yield "another card was named"
    unnamed = not re.search(r"card|payment|visa|master", f"{last}", re.IGNORECASE)
    if "payment_id" in args and charged > 0 and unnamed and _is_new_method(held, args["payment_id"]):
        yield "nobody named a payment, and it is not the one that was used before"


def _numbers(args: Args) -> list[str]:
    return [one["flight_number"] for one in args.get("flights", ())]


def _is_each(text: str, amount: int) -> bool:
    return re.search(rf"\${amount:,}? (per|each|for each)|\${amount} (per|each|for each)", text) is not None


def _is_new_method(held: Record, name: str) -> bool:
    return all(one["payment_id"] != name for one in held["payment_history"])


def _charged(world: World, held: Record, args: Args) -> int:
    """What a write takes from the customer, in dollars; 0 where it takes nothing or can't be told."""
    if "payment_methods" in args:
        return sum(int(one["amount"]) for one in args["payment_methods"])
    if "flights" not in args or not held:
        return 0
    total = 0
    for one in args["flights"]:
        paid = [
            had for had in held["flights"] if (had["flight_number"], had["date"]) == (one["flight_number"], one["date"])
        ]
        if paid and args["cabin"] == held["cabin"]:
            total += paid[0]["price"]
            continue
        day = world.flights.get(one["flight_number"], {"dates": {}})["dates"].get(one["date"], {})
        total += day.get("prices", {}).get(args["cabin"], 0)
    return (total - sum(had["price"] for had in held["flights"])) * len(held["passengers"])
