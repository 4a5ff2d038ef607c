"""The bank: a process that is never killed. It books a payment, and answers a moment later.

It takes no idempotency keys, and finds a payment by its order, as many do. One request a connection, one JSON object a
line. What it books is synced to its own file. A second port tells the harness the truth: all bookings, and those of
which the answer found nobody any more.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

from benchmarks.crash.service import Ledger, Message, port

Answer = Callable[[Message, asyncio.StreamReader], Awaitable[Message]]


class Bank:
    """Books payments and their reversals."""

    def __init__(self, before: float, after: float, ledger: Ledger) -> None:
        self._before = before
        self._after = after
        self._ledger = ledger
        self._reversed: dict[str, str] = {}
        self._unheard: list[str] = []
        """The orders of bookings whose payer was gone before the answer, one for each booking."""

    async def serve(self, request: Message, caller: asyncio.StreamReader) -> Message:
        """Answer a client."""
        match request:
            case {"op": "pay", "reference": str(order), "amount": int(amount)}:
                return await self._pay(order, amount, caller)
            case {"op": "find", "reference": str(order)}:
                return {"found": self._ledger.by_reference(order)}
            case {"op": "reverse", "reference": str(order)}:
                booked = self._ledger.by_reference(order)
                if booked is None:
                    return {"error": f"order {order} is not paid"}
                return {"receipt": self._reversed.setdefault(order, f"{booked['receipt']}/reversed")}
            case _:
                return {"error": f"the bank does not understand {request}"}

    async def confess(self, request: Message, caller: asyncio.StreamReader) -> Message:
        """Tell the harness everything."""
        return {"commits": self._ledger.commits, "unheard": self._unheard, "reversed": self._reversed}

    async def _pay(self, order: str, amount: int, caller: asyncio.StreamReader) -> Message:
        """Book, whoever is still there, and answer."""
        await asyncio.sleep(self._before)
        booked = self._ledger.commit(order, None, str(amount))
        await asyncio.sleep(self._after)
        if caller.at_eof() or caller.exception():
            self._unheard.append(order)
        return booked


async def _listen(answer: Answer) -> asyncio.Server:
    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            line = await reader.readline()
            if line.endswith(b"\n"):
                writer.write(json.dumps(await answer(json.loads(line), reader)).encode() + b"\n")
                await writer.drain()
        except ConnectionError:
            pass  # The caller was killed: nobody is left to tell.
        finally:
            writer.close()

    return await asyncio.start_server(meet, "127.0.0.1", 0, limit=2**24)


async def main() -> None:
    """Serve until standard input ends: the bank never outlives a harness that was killed itself."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--before", type=float, required=True, help="seconds from a request to its booking")
    parser.add_argument("--after", type=float, required=True, help="seconds from a booking to its answer")
    parser.add_argument("--ledger", type=Path, required=True)
    options = parser.parse_args()
    bank = Bank(options.before, options.after, Ledger(options.ledger))
    clients, harness = await _listen(bank.serve), await _listen(bank.confess)
    print("READY", port(clients), port(harness), flush=True)
    async with clients, harness:
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main())
