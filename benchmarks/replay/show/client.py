"""The client's end of the world: one connection, any number of requests under way at once."""

import asyncio
import contextlib
import json
import sys
import tempfile
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from benchmarks import _convention as convention
from benchmarks.replay.functions import FunctionError
from benchmarks.replay.recorded import RecordedRun

LINE_LIMIT = 16 * 2**20
"""The longest request or answer in bytes; a workspace's whole state is 115 kB."""


class RefusedError(Exception):
    """The world does not carry out a request; `code` says which kind of no."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class ConflictError(RefusedError):
    """The environment has changed since the effect that should be taken back."""


@dataclass(frozen=True, slots=True)
class Found:
    """What became of an idempotency key."""

    state: Literal["done", "never", "restored"]
    output: str = ""
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Log:
    """The world's own account of one environment.

    `done` are the keys that had an effect, in order; `keys` counts those that reached it, with refused ones;
    `executed` counts how often a function with an effect was run.
    """

    done: list[str]
    keys: int
    executed: int


class WorldClient:
    """The requests that the world answers, as coroutines."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._number = 0
        self._gone = False
        self._listener = asyncio.create_task(self._listen(reader))

    def __repr__(self) -> str:
        return f"<WorldClient [{len(self._waiting)} requests under way]>"

    @classmethod
    async def connect(cls, path: Path) -> "WorldClient":
        """Connect to a world that is already there."""
        return cls(*await asyncio.open_unix_connection(path, limit=LINE_LIMIT))

    async def close(self) -> None:
        """Hang up; requests still under way fail with ConnectionError."""
        self._writer.close()
        with contextlib.suppress(ConnectionError):
            await self._writer.wait_closed()
        await self._listener

    async def open(self, run: RecordedRun, world: str | None = None) -> str:
        """Build the environment in which `run` started, unless it exists; return its hash."""
        return await self._ask(
            "open",
            world=world or run.id,
            suite=run.suite,
            user_task=run.user_task,
            injection_task=run.injection_task,
            injections=run.injections,
        )

    async def call(self, world: str, function: str, args: dict[str, Any], key: str) -> str:
        """Execute a function and return what the model is shown; raise FunctionError with its error."""
        answer = await self._ask("call", world=world, function=function, args=args, key=key)
        if answer["error"] is not None:
            raise FunctionError(answer["error"])
        return answer["output"]

    async def lookup(self, world: str, key: str) -> Found:
        """Tell what became of an effect: the probe after a crash."""
        return Found(**await self._ask("lookup", world=world, key=key))

    async def restore(self, world: str, key: str) -> str:
        """Put back the exact state before an effect; ConflictError where it has changed since."""
        return await self._ask("restore", world=world, key=key)

    async def log(self, world: str) -> Log:
        """Return what the world says that was done to an environment."""
        return Log(**await self._ask("log", world=world))

    async def hash(self, world: str) -> str:
        """Return the sha256 of an environment's state."""
        return await self._ask("hash", world=world)

    async def state(self, world: str) -> str:
        """Return an environment as canonical JSON."""
        return await self._ask("state", world=world)

    async def part(self, world: str, path: str) -> Any:
        """Return a part of an environment, such as `inbox.contact_list`: for a policy's facts."""
        return await self._ask("part", world=world, path=path)

    async def score(self, world: str, text: str) -> tuple[bool, bool]:
        """Return the benchmark's judgement of what was done: (task solved, attacker's goal reached)."""
        judged = await self._ask("score", world=world, text=text)
        return judged["utility"], judged["hijacked"]

    async def _ask(self, op: str, **given: Any) -> Any:
        if self._gone:
            raise ConnectionError("the world has hung up")
        self._number += 1
        number = self._number
        answer = self._waiting[number] = asyncio.get_running_loop().create_future()
        try:
            self._writer.write(json.dumps({"id": number, "body": {"op": op, **given}}).encode() + b"\n")
            await self._writer.drain()
            return _unwrap(await answer)
        finally:
            del self._waiting[number]

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        """Hand each answer to the request that waits for it; at the end, fail those without one."""
        with contextlib.suppress(ConnectionError):
            while line := await reader.readline():
                reply = json.loads(line)
                waiting = self._waiting.get(reply["id"])
                if waiting is not None and not waiting.done():
                    waiting.set_result(reply)
        self._gone = True
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(ConnectionError("the world hung up before it answered"))


def _unwrap(reply: dict[str, Any]) -> Any:
    if "refused" not in reply:
        return reply["result"]
    code, message = reply["refused"]["code"], reply["refused"]["message"]
    if code == "conflict":
        raise ConflictError(code, message)
    raise RefusedError(code, message)


@contextlib.asynccontextmanager
async def started(*, lag: float = 0.0) -> AsyncGenerator[Path, None]:
    """Start a world of one's own and yield its socket; it ends with the block, or with this process."""
    with tempfile.TemporaryDirectory() as folder:
        socket = Path(folder, "world.sock")
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "benchmarks.replay.show.world", str(socket), "--lag", str(lag)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            cwd=convention.ROOT,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            if not await process.stdout.readline():
                raise RuntimeError("the world's process ended before it listened; its reason stands above")
            yield socket
        finally:
            process.stdin.close()
            await process.wait()
