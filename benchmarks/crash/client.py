"""How a system under test and the harness talk to the payment service, with and without an event loop."""

from __future__ import annotations

import asyncio
import json
import socket
from typing import Any

PATIENCE = 30.0
"""Seconds after which a caller gives up; the service closes every connection long before."""


class NoAnswerError(ConnectionError):
    """The payment service hung up: the payment may be made, on its way, or lost."""


def pay(service: str, reference: str, amount: str, key: str | None = None) -> str:
    """Pay, and return the receipt's number."""
    return _receipt(ask(service, _payment(reference, amount, key)))


async def pay_async(service: str, reference: str, amount: str, key: str | None = None) -> str:
    """Pay, and return the receipt's number."""
    return _receipt(await ask_async(service, _payment(reference, amount, key)))


def find(service: str, reference: str) -> str | None:
    """Return the receipt of a committed payment with this reference; one may still be on its way."""
    return _found(ask(service, {"op": "find", "reference": reference}))


async def find_async(service: str, reference: str) -> str | None:
    """Return the receipt of a committed payment with this reference; one may still be on its way."""
    return _found(await ask_async(service, {"op": "find", "reference": reference}))


def ask(service: str, request: dict[str, Any]) -> dict[str, Any]:
    """Send one request and wait for its answer, blocking."""
    with socket.create_connection(_address(service), timeout=PATIENCE) as connection:
        connection.sendall(_line(request))
        with connection.makefile("rb") as answer:
            return _answer(answer.readline())


async def ask_async(service: str, request: dict[str, Any]) -> dict[str, Any]:
    """Send one request and wait for its answer on the event loop."""
    async with asyncio.timeout(PATIENCE):
        reader, writer = await asyncio.open_connection(*_address(service), limit=2**24)
        try:
            writer.write(_line(request))
            return _answer(await reader.readline())
        finally:
            writer.close()


def _payment(reference: str, amount: str, key: str | None) -> dict[str, Any]:
    return {"op": "pay", "reference": reference, "amount": amount, "key": key}


def _receipt(answer: dict[str, Any]) -> str:
    return str(answer["receipt"])


def _found(answer: dict[str, Any]) -> str | None:
    return _receipt(answer["found"]) if answer["found"] else None


def _address(service: str) -> tuple[str, int]:
    host, _, port = service.rpartition(":")
    return host, int(port)


def _line(request: dict[str, Any]) -> bytes:
    return json.dumps(request).encode() + b"\n"


def _answer(line: bytes) -> dict[str, Any]:
    if not line.endswith(b"\n"):
        raise NoAnswerError("the payment service hung up without an answer")
    answer: dict[str, Any] = json.loads(line)
    if "error" in answer:
        raise ValueError(answer["error"])
    return answer
