"""What agents do at the bank: 16 actions, each of many rows, the same functions for every database.

What an action reads it also writes or refers to, but for the tables that it changes as a whole.
Keys that are given as 0 are made by the database.
"""

from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

from benchmarks.undo.histories.bank import Bank
from interlock import Action, Agent, Ctx, Policy, Refused, action, permit
from interlock.undo import Way

Desk = Ctx[Bank]


def open_customer(ctx: Desk, key: int, email: str, name: str, referred_by: int) -> int:
    """Open a customer with an account, a first deposit and a voucher."""
    work = ctx.deps.work
    chosen = ("id, ", "?, ", (key,)) if key else ("", "", ())
    ((customer,),) = work(
        ctx,
        f"INSERT INTO customers ({chosen[0]}email, name, referred_by) VALUES ({chosen[1]}?, ?, ?) RETURNING id",
        *(*chosen[2], email, name, referred_by or None),
    )
    iban = f"NEW{email}"
    ((account,),) = work(
        ctx,
        f"INSERT INTO accounts ({chosen[0]}iban, customer, balance) VALUES ({chosen[1]}?, ?, 0) RETURNING id",
        *(*chosen[2], iban, customer),
    )
    transfer(ctx, key, 1, account, 25)
    work(ctx, "INSERT INTO vouchers (code, customer, worth) VALUES (?, ?, 0.1)", f"W-{email}", customer)
    return customer


def transfer(ctx: Desk, key: int, source: int, target: int, amount: int) -> int:
    """Move money; a trigger keeps the balances."""
    if not ctx.deps.work(ctx, "SELECT 1 FROM accounts WHERE id = ? AND balance >= ?", source, amount):
        raise Refused(f"account {source} does not have {amount}")
    chosen = ("id, ", "?, ", (key,)) if key else ("", "", ())
    ((made,),) = ctx.deps.work(
        ctx,
        f"INSERT INTO transfers ({chosen[0]}source, target, amount) VALUES ({chosen[1]}?, ?, ?) RETURNING id",
        *(*chosen[2], source, target, amount),
    )
    return made


def book_trip(  # noqa: PLR0917 - the arguments of a call by name
    ctx: Desk, key: int, ref: str, customer: int, flight: str, day: int, seats: list[str], hotel: int
) -> str:
    """Book seats and a hotel for a customer and those who travel along."""
    work = ctx.deps.work
    total = 100 * len(seats)
    work(ctx, "INSERT INTO bookings VALUES (?, ?, 'open', ?, ?)", ref, customer, total, bytes([0, day]))
    for n, seat in enumerate(seats, 1):
        work(ctx, "INSERT INTO passengers VALUES (?, ?, ?, ?)", ref, n, f"Guest {n}", None if n % 2 else f"X{ref}{n}")
        taken = "UPDATE seats SET booking = ? WHERE code = ? AND day = ? AND seat = ? AND booking IS NULL RETURNING 1"
        if not work(ctx, taken, ref, flight, day, seat):
            raise Refused(f"seat {seat} of {flight} is taken")
    if hotel:
        chosen = ("id, ", "?, ", (key,)) if key else ("", "", ())
        stay = f"INSERT INTO stays ({chosen[0]}hotel, booking, nights) VALUES ({chosen[1]}?, ?, 2)"
        work(ctx, stay, *(*chosen[2], hotel, ref))
    return ref


def pay_booking(ctx: Desk, key: int, ref: str, account: int) -> int:
    """Pay a booking to the airline."""
    ctx.deps.work(ctx, "UPDATE bookings SET state = 'paid' WHERE ref = ?", ref)
    return transfer(ctx, key, account, 1, 20)


def cancel_booking(ctx: Desk, ref: str) -> str:
    """Cancel a booking; passengers and stays go with it, seats and vouchers become free."""
    ctx.deps.work(ctx, "DELETE FROM bookings WHERE ref = ?", ref)
    return ref


def cancel_customer(ctx: Desk, customer: int) -> int:
    """Let a customer go, with accounts, bookings and all that hangs on them."""
    ctx.deps.work(ctx, "DELETE FROM customers WHERE id = ?", customer)
    return customer


def rename_booking(ctx: Desk, ref: str, name: str) -> str:
    """Give a booking another reference; what refers to it follows."""
    ctx.deps.work(ctx, "UPDATE bookings SET ref = ? WHERE ref = ?", name, ref)
    return name


def move_flight(ctx: Desk, flight: str, day: int, to: int) -> str:
    """Move a flight to another day; its seats follow."""
    ctx.deps.work(ctx, "UPDATE flights SET day = ?, price = price + 1 WHERE code = ? AND day = ?", to, flight, day)
    return flight


def raise_prices(ctx: Desk, percent: int) -> int:
    """Change all prices at once."""
    ctx.deps.work(ctx, "UPDATE flights SET price = price * (100 + ?) / 100", percent)
    return percent


def put_voucher(ctx: Desk, code: str, customer: int, worth: float) -> str:
    """Give out a voucher, or change the one that there is."""
    upsert = (
        "INSERT INTO vouchers (code, customer, worth) VALUES (?, ?, ?)"
        " ON CONFLICT (code) DO UPDATE SET worth = excluded.worth, customer = excluded.customer"
    )
    ctx.deps.work(ctx, upsert, code, customer, worth)
    return code


def replace_passengers(ctx: Desk, ref: str, names: list[str]) -> str:
    """Put others in the places of a booking's passengers."""
    for n, name in enumerate(names, 1):
        if ctx.deps.name == "sqlite":
            ctx.deps.work(ctx, "INSERT OR REPLACE INTO passengers VALUES (?, ?, ?, ?)", ref, n, name, f"R{name}")
        else:  # what SQLite's REPLACE does, as this database says it
            gone = "DELETE FROM passengers WHERE (booking, n) = (?, ?) OR (booking, name) = (?, ?) OR passport = ?"
            ctx.deps.work(ctx, gone, ref, n, ref, name, f"R{name}")
            ctx.deps.work(ctx, "INSERT INTO passengers VALUES (?, ?, ?, ?)", ref, n, name, f"R{name}")
    return ref


def swap_desks(ctx: Desk, one: int, other: int) -> int:
    """Have two people change desks, which are unique."""
    work = ctx.deps.work
    found = dict(work(ctx, "SELECT id, desk FROM staff WHERE id IN (?, ?)", one, other))
    if len(found) < 2:
        raise Refused("one of them is gone")
    work(ctx, "UPDATE staff SET desk = NULL WHERE id = ?", one)
    work(ctx, "UPDATE staff SET desk = ? WHERE id = ?", found[one], other)
    work(ctx, "UPDATE staff SET desk = ? WHERE id = ?", found[other], one)
    return one


def dismiss(ctx: Desk, person: int) -> int:
    """Let somebody of the staff go; those who reported to them report to nobody, and a new one comes in between."""
    work = ctx.deps.work
    work(ctx, "DELETE FROM staff WHERE id = ?", person)
    work(ctx, "INSERT INTO staff VALUES (?, 'New', ?, NULL)", person + 100, person + 200)
    work(ctx, "INSERT INTO staff VALUES (?, 'Newer', ?, NULL)", person + 200, person + 100)
    return person


def merge_customers(ctx: Desk, keep: int, other: int) -> int:
    """Make one customer of two."""
    work = ctx.deps.work
    if keep == other or len(work(ctx, "SELECT id FROM customers WHERE id IN (?, ?)", keep, other)) < 2:
        raise Refused("one of them is gone")
    for table in ("accounts", "bookings", "vouchers"):
        work(ctx, f"UPDATE {table} SET customer = ? WHERE customer = ?", keep, other)
    work(ctx, "UPDATE customers SET points = coalesce(points, 0) * 1.1, tier = 'gold' WHERE id = ?", keep)
    work(ctx, "DELETE FROM customers WHERE id = ?", other)
    return keep


def pay_bonus(ctx: Desk, accounts: list[int], amount: int) -> int:
    """Give several accounts the same; a trigger writes each down."""
    for account in accounts:
        ctx.deps.work(ctx, "UPDATE accounts SET balance = balance + ? WHERE id = ?", amount, account)
    return amount


def clear_vouchers(ctx: Desk) -> str:
    """Do away with all vouchers, in the way that the database is fastest with."""
    ctx.deps.work(ctx, "DELETE FROM vouchers" if ctx.deps.name == "sqlite" else "TRUNCATE vouchers")
    return "all"


FUNCTIONS: tuple[Callable[..., Any], ...] = (
    open_customer,
    transfer,
    book_trip,
    pay_booking,
    cancel_booking,
    cancel_customer,
    rename_booking,
    move_flight,
    raise_prices,
    put_voucher,
    replace_passengers,
    swap_desks,
    dismiss,
    merge_customers,
    pay_bonus,
    clear_vouchers,
)


def desk(bank: Bank, names: Iterable[str] | None = None) -> Agent:
    """Return the agent that works at a bank, with the actions of these names, or with all."""
    chosen = [one for one in _declared(bank.way) if names is None or one.name in names]
    return Agent("desk", chosen, policy=Policy(permit(chosen)), deps=lambda: bank)


@cache
def _declared(way: Way) -> tuple[Action[Any, Any, Any], ...]:
    return tuple(action.reversible(way=way)(function) for function in FUNCTIONS)
