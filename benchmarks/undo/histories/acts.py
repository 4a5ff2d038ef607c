"""What agents may do in a history: the actions, and arguments that mostly fit what there is."""

from collections.abc import Callable
from random import Random
from typing import Any, NamedTuple

from benchmarks.undo.histories.start import FLIGHTS, OWNERS, PLACES

NEW = tuple(f"N{n:02}" for n in range(6))
EMAILS = tuple(f"new{n}@x.org" for n in range(4))


class Act(NamedTuple):
    """One action of one run."""

    run: int
    action: str
    args: dict[str, Any]


def act(random: Random, number: int, run: int, *, made_keys: bool) -> Act:
    """Draw what a run does as the history's step of this number; the database makes the keys, or the number does."""
    name = random.choice(NAMES)
    args = ARGS[name](random)
    return Act(run, name, {"key": 0 if made_keys else 100 + number, **args} if name in KEYED else args)


def a_ref(random: Random) -> str:
    """Draw a booking."""
    return random.choice((*OWNERS, *NEW[:3]))


def a_customer(random: Random) -> int:
    """Draw a customer."""
    return random.randint(2, 12)


def an_account(random: Random) -> int:
    """Draw an account."""
    return random.randint(2, 16)


def _trip(random: Random) -> dict[str, Any]:
    flight, day = random.choice(FLIGHTS)
    seats = random.sample(PLACES, random.randint(1, 2))
    given = {"ref": random.choice(NEW), "customer": a_customer(random), "flight": flight, "day": day}
    return {**given, "seats": seats, "hotel": random.randint(0, 4)}


def _move(random: Random) -> dict[str, Any]:
    flight, day = random.choice(FLIGHTS)
    return {"flight": flight, "day": day, "to": random.randint(1, 9)}


ARGS: dict[str, Callable[[Random], dict[str, Any]]] = {
    "open_customer": lambda r: {"email": r.choice(EMAILS), "name": "New", "referred_by": r.randint(0, 10)},
    "transfer": lambda r: {"source": an_account(r), "target": an_account(r), "amount": r.choice((5, 50, 9000))},
    "book_trip": _trip,
    "pay_booking": lambda r: {"ref": a_ref(r), "account": an_account(r)},
    "cancel_booking": lambda r: {"ref": a_ref(r)},
    "cancel_customer": lambda r: {"customer": a_customer(r)},
    "rename_booking": lambda r: {"ref": a_ref(r), "name": r.choice(NEW[3:])},
    "move_flight": _move,
    "raise_prices": lambda r: {"percent": r.choice((10, 25))},
    "put_voucher": lambda r: {
        "code": f"V{r.randint(4, 9)}",
        "customer": r.randint(2, 10),
        "worth": r.choice((0.3, 7.5)),
    },
    "replace_passengers": lambda r: {
        "ref": a_ref(r),
        "names": r.choice((["Zoe"], ["Zoe", "Guest 1"], ["A", "B", "C"])),
    },
    "swap_desks": lambda r: dict(zip(("one", "other"), r.sample(range(1, 6), 2), strict=True)),
    "dismiss": lambda r: {"person": r.randint(2, 5)},
    "merge_customers": lambda r: {"keep": a_customer(r), "other": a_customer(r)},
    "pay_bonus": lambda r: {"accounts": sorted(r.sample(range(2, 15), 3)), "amount": 11},
    "clear_vouchers": lambda _: {},
}
KEYED = ("open_customer", "transfer", "book_trip", "pay_booking")
RARE = ("clear_vouchers", "raise_prices", "merge_customers", "cancel_customer")
NAMES = (*(name for name in ARGS if name not in RARE for _ in range(3)), *RARE, "book_trip", "transfer")
