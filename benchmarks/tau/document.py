"""The sentences of the policy document that the rules and the referee cite, word for word.

Policy and referee share this page and nothing else.
"""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

SENTENCES: Mapping[str, str] = MappingProxyType(
    {
        "confirm": "you must list the action details and obtain explicit user confirmation (yes) to proceed",
        "user id": "The agent must first obtain the user id",
        "bookable": 'If the status is "available", the flight has not taken off, available seats and prices are listed',
        "trip": "Each reservation has an reservation id, user id, trip type (one way, round trip), flights",
        "five": "Each reservation can have at most five passengers",
        "collect": "The agent needs to collect the first name, last name, and date of birth for each passenger",
        "payments": "each reservation can use at most one travel certificate, at most one credit card, and at most "
        "three gift cards",
        "profile": "All payment methods must already be in user profile for safety reasons",
        "bags": "Each extra baggage is 50 dollars",
        "basic": "Basic economy flights cannot be modified",
        "route": "Other reservations can be modified without changing the origin, destination, and trip type",
        "add bags": "The user can add but not remove checked bags",
        "number": "The user can modify passengers but cannot modify the number of passengers",
        "method": "the user needs to provide one gift card or credit card for payment or refund method",
        "condition": "basic economy or economy flights can be cancelled only if travel insurance is bought and the "
        "condition is met",
        "flown": "The agent can only cancel the whole trip that is not flown",
        "cancelled": "complains about cancelled flights in a reservation, the agent can offer a certificate as a "
        "gesture after confirming the facts, with the amount being $100 times the number of passengers",
        "delayed": "complains about delayed flights in a reservation and wants to change or cancel the reservation, "
        "the agent can offer a certificate as a gesture after confirming the facts and changing or cancelling the "
        "reservation, with the amount being $50 times the number of passengers",
        "regular": "Do not compensate if the user is regular member and has no travel insurance and flies (basic) "
        "economy",
        "asks": "Do not proactively offer these unless the user complains about the situation and explicitly asks for "
        "some compensation",
    }
)
"""By the short names under which they are cited."""


def missing(folder: Path) -> list[str]:
    """Return the sentences that `policy.md` in *folder* does not hold; none where there is no such file."""
    document = folder / "policy.md"
    if not document.exists():
        return []
    text = document.read_text()
    return [name for name, sentence in SENTENCES.items() if sentence not in text]
