"""The tools of all applications, as plain functions; they know nothing of any framework, or of Interlock.

Where they work is said by two variables of the environment: `ADAPTERS_HOME`, a folder, and `ADAPTERS_BANK`, the
address of the bank (`bank.py`).
"""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

from benchmarks.adapters.ground import Ground
from benchmarks.crash.client import ask

HOME = Path(os.environ["ADAPTERS_HOME"])
BANK = os.environ["ADAPTERS_BANK"]
STORE = HOME / "store"
"""Where an application keeps files of its own, such as its framework's checkpoints."""

STORE.mkdir(parents=True, exist_ok=True)
GROUND = Ground(HOME / "world")
OUTBOX = HOME / "outbox.jsonl"


def request_id() -> str:
    """Return the id under which a change is recorded, as a client's library makes one up for each request."""
    return uuid4().hex


def search_orders(query: str) -> list[str]:
    """Search the orders by number or customer."""
    return [f"{key}: {value}" for key, value in GROUND.rows("orders") if query in key or query in value]


def pay(order: str, amount: int) -> str:
    """Pay an order.

    Args:
        order: The order's number.
        amount: How much, in whole euros.
    """
    return f"paid {amount} EUR, receipt {ask(BANK, {'op': 'pay', 'reference': order, 'amount': amount})['receipt']}"


def read_document(name: str) -> str:
    """Read a document from the files."""
    return _there(f"files/{name}")


def write_row(table: str, key: str, value: str) -> str:
    """Write a row of a table, new or in the place of the old one."""
    return GROUND.change(request_id(), f"wrote {table}/{key}", {f"rows/{table}/{key}": value})


def delete_row(table: str, key: str) -> str:
    """Delete a row of a table."""
    _there(f"rows/{table}/{key}")
    return GROUND.change(request_id(), f"deleted {table}/{key}", {f"rows/{table}/{key}": None})


def write_file(path: str, content: str) -> str:
    """Write a file, new or in the place of the old one."""
    return GROUND.change(request_id(), f"wrote {path}", {f"files/{path}": content})


def move_file(source: str, target: str) -> str:
    """Move a file to where there is none."""
    content = _there(f"files/{source}")
    if GROUND.read(f"files/{target}") is not None:
        raise LookupError(f"there is a file {target!r} already")
    return GROUND.change(
        request_id(), f"moved {source} to {target}", {f"files/{target}": content, f"files/{source}": None}
    )


def delete_file(path: str) -> str:
    """Delete a file."""
    _there(f"files/{path}")
    return GROUND.change(request_id(), f"deleted {path}", {f"files/{path}": None})


def add_event(title: str, start: str) -> str:
    """Add an event to the calendar; returns what the calendar calls it."""
    event = title.lower().replace(" ", "-")
    return GROUND.change(request_id(), event, {f"calendar/{event}": json.dumps({"title": title, "start": start})})


def move_event(event: str, start: str) -> str:
    """Move an event of the calendar to another time."""
    moved = json.loads(_there(f"calendar/{event}")) | {"start": start}
    return GROUND.change(request_id(), f"moved {event} to {start}", {f"calendar/{event}": json.dumps(moved)})


def cancel_event(event: str) -> str:
    """Take an event out of the calendar."""
    _there(f"calendar/{event}")
    return GROUND.change(request_id(), f"cancelled {event}", {f"calendar/{event}": None})


def send_email(to: str, subject: str, body: str) -> str:
    """Send an e-mail."""
    with OUTBOX.open("a") as outbox:
        outbox.write(json.dumps({"to": to, "subject": subject, "body": body}) + "\n")
    return f"sent to {to}"


def _there(place: str) -> str:
    text = GROUND.read(place)
    if text is None:
        raise LookupError(f"there is no {place.partition('/')[2]!r}")
    return text


TOOLS: list[Callable[..., Any]] = [
    search_orders,
    pay,
    read_document,
    write_row,
    delete_row,
    write_file,
    move_file,
    delete_file,
    add_event,
    move_event,
    cancel_event,
    send_email,
]
"""All of them."""
