"""What others do in a history, not through Interlock: anywhere, or just where an agent has been."""

from collections.abc import Callable
from random import Random
from typing import Any, NamedTuple

from benchmarks.undo.histories.acts import EMAILS, Act, a_customer, a_ref, an_account
from benchmarks.undo.histories.bank import Statement
from benchmarks.undo.histories.start import FLIGHTS, PLACES


class Foreign(NamedTuple):
    """What somebody else does, in one transaction."""

    statements: tuple[Statement, ...]


def anywhere(random: Random, number: int) -> Foreign:
    """Draw what somebody does; *number* makes it differ from others."""
    return Foreign(tuple(random.choice(ANYWHERE)(random, number)))


def after(random: Random, number: int, act: Act) -> Foreign:
    """Draw what somebody does to what an action has changed, or to what it has made free."""
    return Foreign((random.choice(AFTER[act.action])(act.args, number),))


RENAME, DEPOSIT = "UPDATE customers SET name = ? WHERE id = ?", "UPDATE accounts SET balance = balance + 7 WHERE id = ?"
JOIN = "INSERT INTO passengers VALUES (?, ?, ?, ?)"
ENROL = "INSERT INTO customers (id, email, name) VALUES (?, ?, 'Other')"

ANYWHERE: tuple[Callable[[Random, int], list[Statement]], ...] = (
    lambda r, n: [(RENAME, (f"Renamed {n}", a_customer(r)))],
    lambda r, _: [(DEPOSIT, (an_account(r),))],
    lambda r, n: [("UPDATE hotels SET name = ? WHERE id = ?", (f"House {n}", r.randint(1, 5)))],
    lambda r, n: [(JOIN, (a_ref(r), 20 + n, f"Uncle {n}", f"U{n}"))],
    lambda r, n: [("INSERT INTO stays VALUES (?, ?, ?, 1)", (900 + n, r.randint(1, 5), a_ref(r)))],
    lambda r, _: [("UPDATE seats SET booking = ? WHERE code = 'LH1' AND seat = ?", (a_ref(r), r.choice(PLACES)))],
    lambda r, _: [("DELETE FROM bookings WHERE ref = ?", (a_ref(r),))],
    lambda r, _: [("DELETE FROM vouchers WHERE code = ?", (f"V{r.randint(1, 9)}",))],
    lambda r, _: [("UPDATE vouchers SET booking = ? WHERE code = ?", (a_ref(r), f"V{r.randint(1, 9)}"))],
    lambda r, n: [("INSERT INTO vouchers (code, booking, worth) VALUES (?, ?, 1)", (f"F{n}", a_ref(r)))],
    lambda r, n: [(ENROL, (900 + n, r.choice((*EMAILS, *(f"c{n}@x.org" for n in range(2, 11))))))],
    lambda r, n: [(JOIN, ("B08", 30 + n, f"Aunt {n}", f"P{a_ref(r)}1"))],
    lambda r, _: [("UPDATE audit SET note = 'seen' WHERE about = ?", (a_ref(r),))],
    lambda r, _: [("UPDATE staff SET name = 'Else', desk = ? WHERE id = ?", (f"d{r.randint(1, 9)}", r.randint(1, 5)))],
    lambda r, _: _there_and_back(an_account(r)),
    lambda r, _: [("UPDATE flights SET price = price + 3 WHERE code = ?", (r.choice(FLIGHTS)[0],))],
    lambda r, _: [("DELETE FROM staff WHERE id = ?", (r.randint(2, 5) + r.choice((0, 100)),))],
)


def _there_and_back(account: int) -> list[Statement]:
    """Change a row and change it back: it stands as the effect left it, but the audit log grows."""
    sql = "UPDATE accounts SET balance = balance + ? WHERE id = ?"
    return [(sql, (3, account)), (sql, (-3, account))]


Args = dict[str, Any]
After = tuple[Callable[[Args, int], Statement], ...]

_BOOKING: After = (
    lambda a, _: ("UPDATE bookings SET total = total + 1 WHERE ref = ?", (a["ref"],)),
    lambda a, n: (JOIN, (a["ref"], 40 + n, f"Cousin {n}", None)),
    lambda a, n: ("INSERT INTO vouchers (code, booking, worth) VALUES (?, ?, 2)", (f"G{n}", a["ref"])),
    lambda a, _: ("DELETE FROM bookings WHERE ref = ?", (a["ref"],)),
    lambda a, _: ("UPDATE audit SET note = 'seen' WHERE about = ?", (a["ref"],)),
)

AFTER: dict[str, After] = {
    "open_customer": (
        lambda a, _: ("UPDATE customers SET tier = 'silver' WHERE email = ?", (a["email"],)),
        lambda a, _: ("UPDATE accounts SET balance = balance + 1 WHERE iban = ?", (f"NEW{a['email']}",)),
        lambda a, _: ("DELETE FROM vouchers WHERE code = ?", (f"W-{a['email']}",)),
        lambda a, n: (
            "INSERT INTO accounts SELECT ?, ?, id, 0 FROM customers WHERE email = ?",
            (900 + n, f"X{n}", a["email"]),
        ),
    ),
    "transfer": (
        lambda a, _: (DEPOSIT, (a["source"],)),
        lambda a, _: (DEPOSIT, (a["target"],)),
        lambda a, _: ("UPDATE accounts SET iban = iban || 'x' WHERE id = ?", (a["target"],)),
    ),
    "book_trip": (
        *_BOOKING,
        lambda a, _: ("UPDATE flights SET price = price + 3 WHERE code = ? AND day = ?", (a["flight"], a["day"])),
        lambda a, _: ("UPDATE seats SET booking = ? WHERE code = ? AND seat = '2C'", (a["ref"], a["flight"])),
        lambda a, _: (RENAME, ("Booker", a["customer"])),
    ),
    "pay_booking": (*_BOOKING, lambda a, _: (DEPOSIT, (a["account"],))),
    "cancel_booking": (
        lambda a, _: ("INSERT INTO bookings VALUES (?, 2, 'open', 1, NULL)", (a["ref"],)),
        lambda a, n: (JOIN, ("B08", 50 + n, f"Niece {n}", f"P{a['ref']}1")),
        lambda _a, _n: ("UPDATE seats SET booking = 'B08' WHERE code = 'LH1' AND seat = '1A'", ()),
        lambda _a, _n: ("UPDATE hotels SET name = name || '!' WHERE id = 1", ()),
        lambda _a, _n: ("DELETE FROM customers WHERE id = 2", ()),
    ),
    "cancel_customer": (
        lambda a, n: (ENROL, (900 + n, f"c{a['customer']}@x.org")),
        lambda a, n: (ENROL, (a["customer"], f"again{n}@x.org")),
        lambda a, n: ("INSERT INTO accounts VALUES (?, ?, 3, 0)", (900 + n, f"DE{a['customer'] - 1:02}")),
    ),
    "rename_booking": (
        lambda a, n: (JOIN, (a["name"], 60 + n, f"Nephew {n}", None)),
        lambda a, _: ("INSERT INTO bookings VALUES (?, 2, 'open', 1, NULL)", (a["ref"],)),
        lambda a, _: ("UPDATE bookings SET state = 'void' WHERE ref = ?", (a["name"],)),
    ),
    "move_flight": (
        lambda a, _: ("UPDATE flights SET price = price + 3 WHERE code = ? AND day = ?", (a["flight"], a["to"])),
        lambda a, _: ("INSERT INTO seats VALUES (?, ?, '9Z', NULL)", (a["flight"], a["to"])),
        lambda a, _: ("INSERT INTO flights VALUES (?, ?, 5, 5)", (a["flight"], a["day"])),
        lambda a, _: ("UPDATE seats SET booking = 'B08' WHERE code = ? AND seat = '1C'", (a["flight"],)),
    ),
    "raise_prices": (lambda _a, _n: ("UPDATE flights SET price = price + 3 WHERE code = 'KL4'", ()),),
    "put_voucher": (
        lambda a, _: ("UPDATE vouchers SET worth = 9 WHERE code = ?", (a["code"],)),
        lambda a, _: ("DELETE FROM vouchers WHERE code = ?", (a["code"],)),
    ),
    "replace_passengers": (
        lambda a, n: ("UPDATE passengers SET name = ? WHERE booking = ? AND n = 1", (f"Someone {n}", a["ref"])),
        lambda a, n: (JOIN, ("B08", 70 + n, f"Twin {n}", f"P{a['ref']}1")),
    ),
    "swap_desks": (
        lambda a, n: ("UPDATE staff SET desk = ? WHERE id = ?", (f"e{n}", a["one"])),
        lambda a, _: ("UPDATE staff SET name = 'Else' WHERE id = ?", (a["other"],)),
    ),
    "dismiss": (
        lambda a, _: ("UPDATE staff SET boss = ? WHERE id = 1", (a["person"] + 100,)),
        lambda a, _: ("INSERT INTO staff VALUES (?, 'Heir', 1, NULL)", (a["person"],)),
        lambda a, _: ("INSERT INTO staff VALUES (?, 'Heir', 1, ?)", (800 + a["person"], f"d{a['person']}")),
        lambda _a, _n: ("UPDATE staff SET name = 'Else' WHERE boss IS NULL", ()),
    ),
    "merge_customers": (
        lambda a, n: (ENROL, (900 + n, f"c{a['other']}@x.org")),
        lambda a, _: (RENAME, ("Merged", a["keep"])),
        lambda a, _: ("DELETE FROM customers WHERE id = ?", (a["keep"],)),
    ),
    "pay_bonus": (lambda a, _: (DEPOSIT, (a["accounts"][0],)),),
    "clear_vouchers": (lambda _a, _n: ("INSERT INTO vouchers VALUES ('V1', NULL, NULL, 0.1, 5)", ()),),
}
