"""The harness's side of the bank: start it, end it, hear what it has really booked."""

import asyncio
import sys
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks import _convention as convention
from benchmarks.crash.client import ask_async


@dataclass(frozen=True)
class Truth:
    """What the bank has done so far, by order."""

    receipts: dict[str, list[str]]
    """One for each booking."""

    unheard: Counter[str]
    """Bookings whose payer was gone when the answer came."""

    def booked(self, order: str) -> int:
        """Return how often an order was paid."""
        return len(self.receipts.get(order, ()))


@dataclass(frozen=True)
class Bank:
    """A bank that is open."""

    address: str
    oracle: str

    async def truth(self) -> Truth:
        """Ask the bank's second port, which no application knows."""
        said = await ask_async(self.oracle, {"op": "confess"})
        receipts: dict[str, list[str]] = {}
        for commit in said["commits"]:
            receipts.setdefault(commit["reference"], []).append(commit["receipt"])
        return Truth(receipts, Counter(said["unheard"]))


@asynccontextmanager
async def open_bank(before: float, after: float, ledger: Path) -> AsyncGenerator[Bank]:
    """Start a bank that books *before* seconds after a request, and answers *after* seconds after that."""
    command = [sys.executable, "-m", "benchmarks.adapters.bank", "--ledger", str(ledger)]
    command += ["--before", str(before), "--after", str(after)]
    process = await asyncio.create_subprocess_exec(
        *command, cwd=convention.ROOT, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        _, clients, oracle = (await process.stdout.readline()).decode().split()
        yield Bank(f"127.0.0.1:{clients}", f"127.0.0.1:{oracle}")
    finally:
        process.kill()
        await process.wait()
