"""One at a time for each name, and nothing kept for a name that nobody is at."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager


class Gate:
    """What those who want to pass for one name share: the lock, and how many they are."""

    __slots__ = ("lock", "users")

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.users = 0


class Gates:
    """Locks by name; a lock stays for as long as anybody holds it or waits for it."""

    def __init__(self) -> None:
        self._gates: dict[str, Gate] = {}

    @asynccontextmanager
    async def one_at_a_time(self, name: str) -> AsyncGenerator[None]:
        """Be the only one in this block for *name*."""
        gate = self._gates.get(name)
        if gate is None:
            gate = self._gates[name] = Gate()
        gate.users += 1
        try:
            async with gate.lock:
                yield
        finally:
            gate.users -= 1
            if not gate.users:
                del self._gates[name]
