"""A payment service: it commits late, answers sometimes, and doesn't care who has died.

It speaks one JSON object a line over loopback, one request a connection; a connection that closes without a
line is no answer. It has three personalities:

- `keys` honours idempotency keys: one key pays once, and whoever comes with it again gets the first receipt;
- `probe` knows no keys, but finds a payment by its reference;
- `neither` has no keys and finds nothing.

What it commits goes to its own append-only file and is synced before anyone hears of it. A second port, which
only the harness knows, tells the truth: all commits, how many requests are still pending, and how late the
latest commit was.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.crash.fate import Ending, Fate, fate

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

Message = dict[str, Any]
MODES = ("keys", "probe", "neither")


class Ledger:
    """All payments ever committed, in memory and, before anyone hears of one, on disk."""

    def __init__(self, path: Path) -> None:
        self.commits: list[Message] = []
        self._file = path.open("ab", buffering=0)

    def commit(self, reference: str, key: str | None, amount: str) -> Message:
        receipt = f"{reference}/{sum(entry['reference'] == reference for entry in self.commits) + 1}"
        entry = {"receipt": receipt, "reference": reference, "key": key, "amount": amount, "at": time.time()}
        self._file.write(json.dumps(entry).encode() + b"\n")
        os.fsync(self._file.fileno())
        self.commits.append(entry)
        return entry

    def by_key(self, key: str) -> Message | None:
        return next((entry for entry in self.commits if entry["key"] == key), None)

    def by_reference(self, reference: str) -> Message | None:
        return next((entry for entry in self.commits if entry["reference"] == reference), None)


class Service:
    """Takes requests, gives each its fate, and commits whether or not the caller is still there."""

    def __init__(self, mode: str, seed: int, longest: float, ledger: Ledger) -> None:
        self._mode = mode
        self._seed = seed
        self._longest = longest
        self._ledger = ledger
        self._received: Counter[str] = Counter()
        self._worst_late = 0.0
        self._pending: set[asyncio.Task[Message]] = set()
        """Commits still to come; they belong to no connection, so that no hang-up cancels one."""

    async def serve(self, request: Message) -> Message | None:
        """Answer one request of a client; `None` is to hang up without an answer."""
        match request["op"]:
            case "pay":
                return await self._pay(request)
            case "find" if self._mode != "neither":
                return {"found": self._ledger.by_reference(request["reference"])}
            case unknown:
                return {"error": f"a service with {self._mode} does not know {unknown!r}"}

    async def confess(self, request: Message) -> Message:
        """Tell the harness everything."""
        return {
            "commits": self._ledger.commits,
            "pending": len(self._pending),
            "received": self._received,
            "worst_late": self._worst_late,
        }

    async def _pay(self, request: Message) -> Message | None:
        reference = str(request["reference"])
        self._received[reference] += 1
        became = fate(self._seed, reference, self._received[reference], self._longest)
        if became.ending is Ending.LOST:
            await asyncio.sleep(became.late)
            return None
        commit = asyncio.create_task(self._commit(request, became))
        self._pending.add(commit)
        commit.add_done_callback(self._pending.discard)
        if became.ending is Ending.DROPPED:
            return None
        receipt = await asyncio.shield(commit)
        return receipt if became.ending is Ending.ANSWERED else None

    async def _commit(self, request: Message, became: Fate) -> Message:
        received = time.monotonic()
        await asyncio.sleep(became.late)
        key = request["key"] if self._mode == "keys" else None
        known = self._ledger.by_key(key) if key else None
        if known:
            return known
        entry = self._ledger.commit(request["reference"], key, request["amount"])
        self._worst_late = max(self._worst_late, time.monotonic() - received)
        return entry


async def listen(answer: Callable[[Message], Awaitable[Message | None]]) -> asyncio.Server:
    """Listen on a free port of loopback; each connection brings one request and takes at most one answer."""

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            line = await reader.readline()
            if line.endswith(b"\n"):
                reply = await answer(json.loads(line))
                if reply is not None:
                    writer.write(json.dumps(reply).encode() + b"\n")
                    await writer.drain()
        except ConnectionError:
            pass  # The caller was killed: nobody is left to tell, and what it asked for still happens.
        finally:
            writer.close()

    return await asyncio.start_server(meet, "127.0.0.1", 0, limit=2**24)


def port(server: asyncio.Server) -> int:
    return int(server.sockets[0].getsockname()[1])


async def main() -> None:
    """Serve until standard input ends: the service never outlives a harness that was killed itself."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mode", choices=MODES, required=True)
    parser.add_argument("--late", type=float, required=True, help="the longest time from a request to its commit")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--ledger", type=Path, required=True)
    options = parser.parse_args()
    service = Service(options.mode, options.seed, options.late, Ledger(options.ledger))
    clients, harness = await listen(service.serve), await listen(service.confess)
    print("READY", port(clients), port(harness), flush=True)
    async with clients, harness:
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main())
