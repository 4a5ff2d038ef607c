"""A store that a test can see into: what was acknowledged, where the process dies, when the disk is full."""

import asyncio
from typing import Any

from interlock.errors import JournalUnavailableError, RuntimeClosedError
from interlock.journal.memory import MemoryStore
from interlock.journal.store import Draft, Entry
from interlock.testing.faults import JournalFault
from interlock.testing.life import Life

Acknowledged = dict[tuple[str, int], Draft]
"""Every event whose append returned, by run and seq."""


class WatchedStore:
    """A `MemoryStore` (all that is not here is its own) in the hands of one life.

    Once that life is dead nothing is written any more, and nobody hears of what was.
    """

    def __init__(self, inner: MemoryStore, life: Life, acknowledged: Acknowledged, faults: list[JournalFault]) -> None:
        self.inner = inner
        self._life = life
        self._acknowledged = acknowledged
        self._faults = faults

    def __getattr__(self, name: str) -> Any:
        self._check_alive()
        return getattr(self.inner, name)

    async def append(self, entry: Entry) -> int:
        """Append, with boundaries `before:TYPE` and `after:TYPE` for each event, or for the `row` alone."""
        names = [draft.type for draft in entry.drafts] or ["row"]
        await self._before(*names)
        position = await self.inner.append(entry)
        await self._after(*names)
        for seq, draft in enumerate(entry.drafts, entry.expected + 1):
            self._acknowledged[entry.run, seq] = draft
        return position

    async def signal(self, run: str, kind: str, payload: bytes, at: int, token: str | None = None) -> int:
        """Post a signal, with the boundaries `before:signal:KIND` and `after:signal:KIND`."""
        await self._before(f"signal:{kind}")
        number = await self.inner.signal(run, kind, payload, at, token)
        await self._after(f"signal:{kind}")
        return number

    async def claim(self, run: str) -> int:
        """Claim a run, with the boundaries `before:claim` and `after:claim`."""
        await self._before("claim")
        epoch = await self.inner.claim(run)
        await self._after("claim")
        return epoch

    async def close(self) -> None:
        """Close; a dead life closes nothing."""
        if not self._life.dead:
            await self.inner.close()

    async def _before(self, *names: str) -> None:
        self._check_alive()
        await self._life.cross(*(f"before:{name}" for name in names))
        striking = [fault.strikes() for fault in self._faults if fault.times > 0]
        if any(striking):
            raise JournalUnavailableError("the disk is full (an injected fault); nothing was kept")

    async def _after(self, *names: str) -> None:
        self._check_alive()
        await self._life.cross(*(f"after:{name}" for name in names))

    def _check_alive(self) -> None:
        if self._life.buried:
            raise RuntimeClosedError("the process that this belongs to was killed; use what the new one gives")
        if self._life.dead:
            raise asyncio.CancelledError
