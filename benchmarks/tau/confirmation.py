"""Did the customer say yes to this call? Read from what was said, without a model.

The last thing that the customer said has to be a yes to something that the desk asked. For each kind of detail (the
reservation, flights, days, cabin, money, bags, how it is paid) the last time that the desk named any, it has to have
named those of the call: so a yes covers every call that the read-back named, and no other.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Any

from benchmarks.tau import selling, words
from benchmarks.tau.desk import Conversation
from benchmarks.tau.world import Record, World
from interlock import Refused

Args = Mapping[str, Any]


def missing(conversation: Conversation, action: str, args: Args) -> str:
    """Return what a yes to this call lacks, or nothing where there is one."""
    said = conversation.said
    last = max((place for place, (who, _) in enumerate(said) if who == "user"), default=-1)
    if last < 0 or not words.is_yes(said[last][1]):
        return "the customer's last words are no yes"
    read_back = [text for who, text in said[:last] if who == "assistant"]
    if not read_back or not words.asks(read_back[-1]):
        return "the desk had asked for no go-ahead"
    asked = [text for who, text in said[:last] if who == "user"]
    found = _ReadBack(conversation.world, read_back, asked, said[last][1], args)
    return "; ".join(_lacking(found, action))


class _ReadBack:
    """A call beside what was said before the customer's reply, newest last: by the desk, and by the customer."""

    def __init__(self, world: World, read_back: list[str], asked: list[str], reply: str, args: Args) -> None:
        self.world = world
        self.read_back = read_back
        self.asked = asked
        self.reply = reply
        self.args = args
        self.held: Record = world.reservations.get(args.get("reservation_id", ""), {})
        kept = {(one["flight_number"], one["date"]) for one in self.held.get("flights", ())}
        flights: list[dict[str, str]] = args.get("flights") or []
        self.new_flights = [one for one in flights if (one["flight_number"], one["date"]) not in kept]
        self.people = len(args.get("passengers") or self.held.get("passengers") or ())

    def latest(self, names: Callable[[str], object], texts: int = 1) -> str:
        """Return the last text of the desk in which *names* finds something, or the last few as one."""
        return "\n".join(islice((text for text in reversed(self.read_back) if names(text)), texts))


def _lacking(read: _ReadBack, action: str) -> Iterator[str]:
    for look in _LOOKS[action]:
        yield from look(read)


def _cancelling(read: _ReadBack) -> Iterator[str]:
    if not any("cancel" in text.lower() for text in (*read.read_back[-2:], read.reply)):
        yield "nobody spoke of cancelling"


def _reservation(read: _ReadBack) -> Iterator[str]:
    """The reservation is named by its id, by the desk or in the reply; where nobody named any, by its route."""
    wanted, named = read.args["reservation_id"], _ids(read, read.latest(lambda text: _ids(read, text)))
    if named:
        if wanted not in named | _ids(read, read.reply):
            yield f"the read-back named another reservation than {wanted}"
        return
    heard = [*read.asked, read.reply, *read.read_back]
    by_route = any(read.held.get("origin", "?") in text and read.held["destination"] in text for text in read.read_back)
    if not by_route and not read.new_flights and not any(wanted in text for text in heard):
        yield f"nobody named the reservation {wanted}"


def _ids(read: _ReadBack, text: str) -> set[str]:
    return {name for name in re.findall(r"\b[A-Z0-9]{6}\b", text) if name in read.world.reservations}


def _flights(read: _ReadBack) -> Iterator[str]:
    """New flights are named, with their days; the way there and the way back may have been read in two texts."""
    latest = words.flights(read.latest(words.flights, 2))
    absent = [one["flight_number"] for one in read.new_flights if one["flight_number"] not in latest]
    if absent:
        yield f"the read-back did not name flight {', '.join(absent)}"
    days = words.days(read.latest(words.days, 2))
    if days and any(words.day(one["date"]) not in days for one in read.new_flights):
        yield "the read-back named another day"


def _cabin(read: _ReadBack) -> Iterator[str]:
    wanted, latest = read.args["cabin"], words.cabins(read.latest(words.cabins))
    if latest and wanted not in latest and wanted != read.held.get("cabin"):
        yield f"the read-back named another cabin than {wanted}"


_COSTS = r"total|cost|charge|difference|additional|amount|fee|pay|price is|balance"


def _money(read: _ReadBack) -> Iterator[str]:
    """Where it was read back what it costs and the call takes something, the dollars or a sum of some have to be it."""
    price = _price(read)
    named = words.dollars("\n".join(words.lines_with(read.read_back[-1], _COSTS)), read.people)
    if price > 0 and named and price not in _sums(named):
        yield f"the read-back named ${', $'.join(map(str, sorted(named)))}, and the call takes ${price}"


def _sums(amounts: set[int]) -> set[int]:
    """Return the sums of some of the amounts; those of the first twelve are enough for any bill."""
    sums = {0}
    for amount in sorted(amounts)[:12]:
        sums |= {one + amount for one in sums}
    return sums | amounts


def _price(read: _ReadBack) -> int:
    try:
        if "payment_methods" in read.args:
            return sum(int(one["amount"]) for one in read.args["payment_methods"])
        new = selling.resold(read.world, read.held, read.args["flights"], read.args["cabin"])
        return selling.difference(read.held, new)
    except (Refused, KeyError):
        return 0


def _more_bags(read: _ReadBack) -> Iterator[str]:
    named, total = _bags(read.latest(_bags)), read.args["total_baggages"]
    if not {total, total - read.held.get("total_baggages", 0)} & named:
        yield f"the read-back did not name {total} bags"


def _booked_bags(read: _ReadBack) -> Iterator[str]:
    named, total = _bags(read.read_back[-1]), read.args["total_baggages"]
    if total and named and not {total} & (named | {one * read.people for one in named}):
        yield f"the read-back named another number of bags than {total}"


def _bag_lines(text: str) -> list[str]:
    return words.lines_with(text, r"\b(bag|suitcase|luggage)")


def _bags(text: str) -> set[int]:
    return words.numbers(_bag_lines(text))


def _passengers(read: _ReadBack) -> Iterator[str]:
    heard = " ".join([*read.read_back, *read.asked, read.reply]).lower()
    names = [one.get("last_name", "?") for one in read.args["passengers"]]
    absent = [name for name in names if name.lower() not in heard]
    if absent:
        yield f"nobody named the passenger {', '.join(absent)}"


_PAYING = re.compile(
    r"ending (in|with)|\bcards?\b|certificate|\bvisa\b|mastercard|(original|same) payment", re.IGNORECASE
)
_NUMBER = re.compile(r"ending (?:in|with)\D{0,12}(\d{4,})|(?:card_|certificate_|\b)(\d{7})\b", re.IGNORECASE)
_KINDS = {
    "certificate": re.compile(r"certificate|voucher", re.IGNORECASE),
    "gift_card": re.compile(r"gift ?card|\bGCs?\b", re.IGNORECASE),
    "credit_card": re.compile(r"(?<!gift )\bcards?\b|visa|master ?card", re.IGNORECASE),
}
_ORIGINAL = re.compile(r"(original|same) payment|same (card|method)|to the original", re.IGNORECASE)


def _paying(read: _ReadBack) -> Iterator[str]:
    """How it is paid is named by the desk or by the customer, each the last time that they spoke of it.

    Where nobody names it, that the reservation was paid with goes without saying, unless flights change.
    """
    used = [one["payment_id"] for one in read.args.get("payment_methods", ())] or [read.args["payment_id"]]
    told = next((text for text in reversed([*read.asked, read.reply]) if _PAYING.search(text)), "")
    heard = f"{read.latest(_PAYING.search)}\n{told}"
    original = {one["payment_id"] for one in read.held.get("payment_history", ())}
    if not _PAYING.search(heard):
        if read.new_flights or not original.issuperset(used):
            yield f"nobody named how it is paid, and the call takes {', '.join(used)}"
        return
    user = read.world.users.get(read.args.get("user_id") or read.held.get("user_id", ""), {})
    named = _named_methods(heard, user.get("payment_methods", {}))
    for name in used:
        by_custom = name in original and _ORIGINAL.search(heard)
        if name not in named and not by_custom and not _is_of_a_named_kind(heard, name, named - set(used)):
            yield f"the read-back named another payment than {name}"


def _paying_for_bags(read: _ReadBack) -> Iterator[str]:
    if read.args["nonfree_baggages"] > read.held.get("nonfree_baggages", 0):
        yield from _paying(read)


def _named_methods(heard: str, methods: Mapping[str, Record]) -> set[str]:
    """Return the payment methods that are named by their number, or by the last four digits of a card."""
    numbers = {digits for match in _NUMBER.findall(heard) for digits in match if digits}
    return {name for name, one in methods.items() if {name.rpartition("_")[2], one.get("last_four")} & numbers}


def _is_of_a_named_kind(heard: str, name: str, others: set[str]) -> bool:
    """Whether a method is meant by its kind: it was spoken of, and by no number of another one."""
    kind = name.rpartition("_")[0]
    if any(other.startswith(kind) for other in others):
        return False
    return kind in _KINDS and _KINDS[kind].search(heard) is not None


_LOOKS: Mapping[str, tuple[Callable[[_ReadBack], Iterator[str]], ...]] = {
    "book_reservation": (_flights, _cabin, _money, _booked_bags, _passengers, _paying),
    "cancel_reservation": (_reservation, _cancelling),
    "update_reservation_flights": (_reservation, _flights, _cabin, _money, _paying),
    "update_reservation_baggages": (_reservation, _more_bags, _paying_for_bags),
    "update_reservation_passengers": (_reservation, _passengers),
}
