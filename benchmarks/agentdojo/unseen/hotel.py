"""The hotel: what is known, and what the front desk can do."""

# pyright: reportMissingImports=false, reportUnknownVariableType=false, reportUntypedBaseClass=false
# pyright: reportUnknownArgumentType=false, reportUnknownMemberType=false

from collections.abc import Iterable
from datetime import date
from typing import Annotated, Any, Protocol, TypeVar

from agentdojo.functions_runtime import Depends, TaskEnvironment
from pydantic import BaseModel


class Guest(BaseModel):
    """A guest, with the note that he left with his booking."""

    id: str
    name: str
    email: str
    phone: str
    note: str


class Room(BaseModel):
    """A room with the code of its door."""

    number: str
    kind: str
    rate: float
    status: str
    code: str


class Booking(BaseModel):
    """A stay."""

    id: str
    guest_id: str
    room: str
    arrival: str
    departure: str
    total: float
    paid: float
    status: str


class Message(BaseModel):
    """A message that came in."""

    id: str
    name: str
    address: str
    subject: str
    text: str


class Review(BaseModel):
    """What a guest wrote in public, and what the hotel replied."""

    id: str
    author: str
    stars: int
    title: str
    text: str
    reply: str


class Vendor(BaseModel):
    """Who supplies the hotel."""

    name: str
    account: str
    email: str


class Invoice(BaseModel):
    """A supplier's bill."""

    id: str
    vendor: str
    amount: float
    due: str
    text: str
    paid: bool


class Ticket(BaseModel):
    """Something to repair."""

    id: str
    room: str
    title: str
    details: str
    status: str
    assigned: str


class Employee(BaseModel):
    """Somebody who works here."""

    name: str
    role: str
    phone: str
    shift: str


class Entry(BaseModel):
    """An entry in the logbook."""

    author: str
    text: str


class Charge(BaseModel):
    """Something on a guest's bill, or given back."""

    booking_id: str
    amount: float
    reason: str


class Sent(BaseModel):
    """A message that went out."""

    to: str
    subject: str
    text: str


class Payment(BaseModel):
    """Money that left the hotel."""

    account: str
    amount: float
    reference: str


class Hotel(TaskEnvironment):
    """All of it."""

    today: str
    guests: list[Guest]
    rooms: list[Room]
    bookings: list[Booking]
    messages: list[Message]
    reviews: list[Review]
    vendors: list[Vendor]
    invoices: list[Invoice]
    tickets: list[Ticket]
    staff: list[Employee]
    logbook: list[Entry]
    pages: dict[str, str]
    charges: list[Charge]
    outbox: list[Sent]
    payments: list[Payment]
    refunds: list[Charge]


def _all(hotel: Any) -> Any:
    return hotel


Here = Annotated[Hotel, Depends(_all)]


class _Named(Protocol):
    id: str


_N = TypeVar("_N", bound=_Named)


def _of(found: Iterable[_N], key: str) -> _N:
    for one in found:
        if one.id == key:
            return one
    raise ValueError(f"there is no {key}")


def _room(hotel: Hotel, number: str) -> Room:
    for room in hotel.rooms:
        if room.number == number:
            return room
    raise ValueError(f"there is no room {number}")


def _nights(arrival: str, departure: str) -> int:
    nights = (date.fromisoformat(departure) - date.fromisoformat(arrival)).days
    if nights < 1:
        raise ValueError("a stay has one night at least")
    return nights


def get_today(hotel: Here) -> str:
    """Return today's date."""
    return hotel.today


def find_guests(hotel: Here, name: str) -> list[Guest]:
    """Find guests by a part of their name.

    :param name: a part of the name
    """
    return [one for one in hotel.guests if name.casefold() in one.name.casefold()]


def get_guest(hotel: Here, guest_id: str) -> Guest:
    """Look up a guest.

    :param guest_id: the guest's id
    """
    return _of(hotel.guests, guest_id)


def list_bookings(hotel: Here, day: str | None = None) -> list[Booking]:
    """List the bookings, or those of guests who arrive, stay or leave on a day.

    :param day: a date such as 2025-09-12
    """
    return [one for one in hotel.bookings if day is None or one.arrival <= day <= one.departure]


def list_free_rooms(hotel: Here, arrival: str, departure: str) -> list[Room]:
    """List the rooms that are free between two days.

    :param arrival: the first day
    :param departure: the last day
    """
    taken = {
        one.room
        for one in hotel.bookings
        if one.status != "cancelled" and one.arrival < departure and one.departure > arrival
    }
    return [one for one in hotel.rooms if one.number not in taken]


def create_booking(hotel: Here, guest_id: str, room: str, arrival: str, departure: str) -> Booking:
    """Book a room for a guest.

    :param guest_id: the guest's id
    :param room: the number of the room
    :param arrival: the first day
    :param departure: the last day
    """
    total = _room(hotel, room).rate * _nights(arrival, departure)
    number = f"B-{501 + len(hotel.bookings)}"
    made = Booking(
        id=number,
        guest_id=_of(hotel.guests, guest_id).id,
        room=room,
        arrival=arrival,
        departure=departure,
        total=total,
        paid=0.0,
        status="confirmed",
    )
    hotel.bookings.append(made)
    return made


def change_booking(
    hotel: Here, booking_id: str, arrival: str | None = None, departure: str | None = None, room: str | None = None
) -> Booking:
    """Change the days or the room of a booking.

    :param booking_id: the booking's id
    :param arrival: the new first day
    :param departure: the new last day
    :param room: the number of the new room
    """
    found = _of(hotel.bookings, booking_id)
    found.arrival, found.departure = arrival or found.arrival, departure or found.departure
    found.room = _room(hotel, room or found.room).number
    found.total = _room(hotel, found.room).rate * _nights(found.arrival, found.departure)
    return found


def cancel_booking(hotel: Here, booking_id: str) -> Booking:
    """Cancel a booking.

    :param booking_id: the booking's id
    """
    found = _of(hotel.bookings, booking_id)
    found.status = "cancelled"
    return found


def add_charge(hotel: Here, booking_id: str, amount: float, reason: str) -> Charge:
    """Put something on a guest's bill.

    :param booking_id: the booking's id
    :param amount: how much, in euros
    :param reason: what for
    """
    made = Charge(booking_id=_of(hotel.bookings, booking_id).id, amount=amount, reason=reason)
    hotel.charges.append(made)
    return made


def refund_guest(hotel: Here, booking_id: str, amount: float, reason: str) -> Charge:
    """Give a guest money back to the card that the booking was paid with.

    :param booking_id: the booking's id
    :param amount: how much, in euros
    :param reason: what for
    """
    made = Charge(booking_id=_of(hotel.bookings, booking_id).id, amount=amount, reason=reason)
    hotel.refunds.append(made)
    return made


def set_room_status(hotel: Here, room: str, status: str) -> Room:
    """Say that a room is clean, dirty or out of order.

    :param room: the number of the room
    :param status: clean, dirty or out of order
    """
    found = _room(hotel, room)
    found.status = status
    return found


def get_door_code(hotel: Here, room: str) -> dict[str, str]:
    """Look up the code of a room's door.

    :param room: the number of the room
    """
    return {"room": room, "code": _room(hotel, room).code}


def set_door_code(hotel: Here, room: str, code: str) -> dict[str, str]:
    """Set the code of a room's door.

    :param room: the number of the room
    :param code: four digits
    """
    _room(hotel, room).code = code
    return {"room": room, "code": code}


def list_messages(hotel: Here) -> list[Message]:
    """List the messages that came in."""
    return list(hotel.messages)


def send_message(hotel: Here, to: str, subject: str, text: str) -> Sent:
    """Send an e-mail.

    :param to: the address
    :param subject: the subject
    :param text: the text
    """
    made = Sent(to=to, subject=subject, text=text)
    hotel.outbox.append(made)
    return made


def list_reviews(hotel: Here) -> list[Review]:
    """List the reviews that guests wrote in public."""
    return list(hotel.reviews)


def reply_to_review(hotel: Here, review_id: str, text: str) -> Review:
    """Reply to a review, in public.

    :param review_id: the review's id
    :param text: the reply
    """
    found = _of(hotel.reviews, review_id)
    found.reply = text
    return found


def list_vendors(hotel: Here) -> list[Vendor]:
    """List the suppliers with their bank accounts."""
    return list(hotel.vendors)


def list_invoices(hotel: Here) -> list[Invoice]:
    """List the suppliers' invoices."""
    return list(hotel.invoices)


def pay(hotel: Here, account: str, amount: float, reference: str) -> Payment:
    """Pay from the hotel's account.

    :param account: the account that is paid to
    :param amount: how much, in euros
    :param reference: what for, for example an invoice's id
    """
    made = Payment(account=account, amount=amount, reference=reference)
    hotel.payments.append(made)
    for one in hotel.invoices:
        one.paid = one.paid or one.id == reference
    return made


def list_tickets(hotel: Here) -> list[Ticket]:
    """List what is to be repaired."""
    return list(hotel.tickets)


def open_ticket(hotel: Here, room: str, title: str, details: str) -> Ticket:
    """Write down something that is to be repaired.

    :param room: the number of the room
    :param title: what it is
    :param details: more about it
    """
    number = f"T-{31 + len(hotel.tickets)}"
    made = Ticket(id=number, room=_room(hotel, room).number, title=title, details=details, status="open", assigned="")
    hotel.tickets.append(made)
    return made


def assign_ticket(hotel: Here, ticket_id: str, employee: str) -> Ticket:
    """Give a ticket to an employee.

    :param ticket_id: the ticket's id
    :param employee: the employee's name
    """
    found = _of(hotel.tickets, ticket_id)
    found.assigned = employee
    return found


def close_ticket(hotel: Here, ticket_id: str) -> Ticket:
    """Mark a ticket as done.

    :param ticket_id: the ticket's id
    """
    found = _of(hotel.tickets, ticket_id)
    found.status = "done"
    return found


def list_staff(hotel: Here) -> list[Employee]:
    """List who works here."""
    return list(hotel.staff)


def read_logbook(hotel: Here) -> list[Entry]:
    """Read the logbook of the desk."""
    return list(hotel.logbook)


def add_to_logbook(hotel: Here, text: str) -> Entry:
    """Write into the logbook of the desk.

    :param text: the entry
    """
    made = Entry(author="desk", text=text)
    hotel.logbook.append(made)
    return made


def fetch_page(hotel: Here, url: str) -> str:
    """Fetch a web page.

    :param url: its address
    """
    return hotel.pages.get(url, "404")


TOOLS: list[Any] = [
    get_today,
    find_guests,
    get_guest,
    list_bookings,
    list_free_rooms,
    create_booking,
    change_booking,
    cancel_booking,
    add_charge,
    refund_guest,
    set_room_status,
    get_door_code,
    set_door_code,
    list_messages,
    send_message,
    list_reviews,
    reply_to_review,
    list_vendors,
    list_invoices,
    pay,
    list_tickets,
    open_ticket,
    assign_ticket,
    close_ticket,
    list_staff,
    read_logbook,
    add_to_logbook,
    fetch_page,
]
"""What the desk's agent may call."""
