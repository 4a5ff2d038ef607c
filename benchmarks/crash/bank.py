"""The harness's side of the payment service: start it, end it, hear what really happened."""

from __future__ import annotations

import asyncio
import sys
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from benchmarks import _convention as convention
from benchmarks.crash.client import ask_async

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping
    from pathlib import Path


@dataclass(frozen=True)
class Truth:
    """What the service has really done so far."""

    paid: dict[str, list[str]]
    """The receipts of all commits, by reference."""

    received: Mapping[str, int]
    pending: int
    worst_late: float


@dataclass(frozen=True)
class Bank:
    """A payment service that is running."""

    address: str
    """Where clients pay."""

    oracle: str
    """Where only the harness asks."""

    async def truth(self) -> Truth:
        said: dict[str, Any] = await ask_async(self.oracle, {"op": "confess"})
        paid: dict[str, list[str]] = {}
        for commit in said["commits"]:
            paid.setdefault(commit["reference"], []).append(commit["receipt"])
        return Truth(paid, said["received"], said["pending"], said["worst_late"])

    async def quiet(self, seconds: float) -> Truth:
        """Wait until no commit is pending, and return the truth.

        It takes two looks, because the request of a caller that has just died may not have been read yet.
        """
        async with asyncio.timeout(seconds):
            looks, truth = 0, await self.truth()
            while looks < 2:
                await asyncio.sleep(0.03)
                truth = await self.truth()
                looks = 0 if truth.pending else looks + 1
        return truth


@asynccontextmanager
async def open_bank(mode: str, late: float, seed: int, ledger: Path) -> AsyncGenerator[Bank]:
    """Start a payment service and end it afterwards."""
    command = [sys.executable, "-m", "benchmarks.crash.service", "--mode", mode, "--late", str(late)]
    command += ["--seed", str(seed), "--ledger", str(ledger)]
    service = await asyncio.create_subprocess_exec(
        *command, cwd=convention.ROOT, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert service.stdout is not None
        _, clients, oracle = (await service.stdout.readline()).decode().split()
        yield Bank(f"127.0.0.1:{clients}", f"127.0.0.1:{oracle}")
    finally:
        service.kill()
        await service.wait()
