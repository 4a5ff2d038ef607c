"""The lives of a system under test: started from a warm parent, listened to, and killed."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks import _convention as convention

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping
    from pathlib import Path

KILLED = -signal.SIGKILL


@dataclass(frozen=True)
class System:
    """A system under test: a module with `main(argv) -> exit code`, and who can import it."""

    name: str
    module: str
    python: Path
    hook: str | None = None
    """The environment variable with the journal boundary at which it kills itself; peers have none."""


class Life:
    """One process, from its start to its end, and the whole lines that came through its pipe."""

    def __init__(self, pid: int, exit_code: asyncio.Future[int], pipe: int) -> None:
        self.lines: list[str] = []
        self.code = 0
        self.overdue = False
        self._pid = pid
        self._first_line = asyncio.Event()
        self._first_at = self._ended_at = 0.0
        self._end = asyncio.create_task(self._follow(exit_code, pipe))

    def __repr__(self) -> str:
        return f"<Life {self._pid}: {len(self.lines)} lines, {'ended' if self._end.done() else 'alive'}>"

    def kill(self) -> None:
        """Kill the process and all that it started, with the signal that nobody can catch."""
        with suppress(ProcessLookupError):
            os.killpg(self._pid, signal.SIGKILL)

    async def kill_after(self, seconds: float, *, from_first_line: bool) -> None:
        """Kill it this long after its first line, or after now; a life that ends earlier is left alone."""
        if from_first_line:
            first = asyncio.create_task(self._first_line.wait())
            await asyncio.wait([first, self._end], return_when=asyncio.FIRST_COMPLETED)
            first.cancel()
        await asyncio.wait([self._end], timeout=seconds)
        if not self._end.done():
            self.kill()

    async def end(self) -> None:
        """Wait until it has died and all that it said has been read."""
        await asyncio.shield(self._end)

    @asynccontextmanager
    async def at_most(self, seconds: float) -> AsyncGenerator[None]:
        """Kill it when its time is over, and remember that this was why."""

        def expire() -> None:
            self.overdue = True
            self.kill()

        timer = asyncio.get_running_loop().call_later(seconds, expire)
        try:
            yield
        finally:
            timer.cancel()

    def seconds_after_first_line(self) -> float:
        """Return how long it lived on after its first line."""
        return self._ended_at - self._first_at if self.lines else 0.0

    async def _follow(self, exit_code: asyncio.Future[int], pipe: int) -> None:
        """Take whole lines as they come; what a kill cut short was never said."""
        loop, reader = asyncio.get_running_loop(), asyncio.StreamReader()
        transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(pipe, "rb"))
        while (line := await reader.readline()).endswith(b"\n"):
            self._first_at = self._first_at or loop.time()
            self._first_line.set()
            self.lines.append(line.decode().rstrip("\n"))
        transport.close()
        self.code = await exit_code
        self._ended_at = loop.time()


class Parent:
    """The harness's side of a zygote."""

    def __init__(self, control: socket.socket, messages: asyncio.StreamReader) -> None:
        self._control = control
        self._messages = messages
        self._exits: dict[int, asyncio.Future[int]] = {}
        """The exit code of each process that has not ended yet."""

        self._started: asyncio.Queue[tuple[int, asyncio.Future[int]]] = asyncio.Queue()
        self._one_request = asyncio.Lock()
        """The next goes out when the last was understood: each carries a descriptor through one stream."""

    async def live(self, argv: list[str], env: Mapping[str, str], stderr: Path) -> Life:
        """Start a life and return as soon as its process exists."""
        read, write = os.pipe()
        request = {"argv": argv, "env": dict(env), "stderr": str(stderr)}
        async with self._one_request:
            socket.send_fds(self._control, [json.dumps(request).encode()], [write])
            os.close(write)
            pid, exit_code = await self._started.get()
        return Life(pid, exit_code, read)

    async def listen(self) -> None:
        """Take the zygote's messages until it is gone."""
        while line := await self._messages.readline():
            match json.loads(line):
                case {"pid": pid}:
                    self._exits[pid] = asyncio.get_running_loop().create_future()
                    self._started.put_nowait((pid, self._exits[pid]))
                case {"exit": pid, "code": code}:
                    self._exits.pop(pid).set_result(code)
                case _:
                    pass


@asynccontextmanager
async def parent(system: System) -> AsyncGenerator[Parent]:
    """Start a zygote of this system, wait until it is warm, and end it with all its children afterwards."""
    ours, theirs = socket.socketpair()
    command = [str(system.python), "-m", "benchmarks.crash.zygote", system.module, str(theirs.fileno())]
    zygote = await asyncio.create_subprocess_exec(*command, cwd=convention.ROOT, pass_fds=[theirs.fileno()])
    theirs.close()
    control = ours.dup()
    messages, writer = await asyncio.open_connection(sock=ours)
    try:
        if not await messages.readline():
            raise RuntimeError(f"{system.name} can't be imported: its own message is above")
        found = Parent(control, messages)
        async with asyncio.TaskGroup() as group:
            group.create_task(found.listen())
            try:
                yield found
            finally:
                control.shutdown(socket.SHUT_RDWR)
    finally:
        control.close()
        writer.close()
        await asyncio.wait_for(zygote.wait(), 10)
