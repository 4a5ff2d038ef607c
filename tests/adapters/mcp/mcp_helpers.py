"""A proxy in this process, before a scripted server, and a client that speaks raw JSON-RPC."""

import asyncio
import json
import os
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
from mcp.server.runner import serve_loop
from mcp.shared.message import SessionMessage
from mcp_types import jsonrpc_message_adapter

from interlock import Policy, permit
from interlock.adapters.mcp.reach import Command
from interlock.adapters.mcp.serving import Settings, standing

SCRIPT = Path(__file__).with_name("mcp_script.py")
HELLO = {
    "protocolVersion": "2025-11-25",
    "capabilities": {},
    "clientInfo": {"name": "tester", "version": "1"},
}


def command(folder):
    return [sys.executable, "-S", "-E", str(SCRIPT), str(folder)]


def world(folder):
    """Return what the server has done, in order."""
    file = Path(folder) / "world"
    return file.read_text().split() if file.exists() else []


class AnswerError(Exception):
    """The other side answered with a JSON-RPC error."""

    def __init__(self, error):
        super().__init__(error["message"])
        self.code, self.message, self.data = error["code"], error["message"], error.get("data")


class Client:
    """Sends what it is told to, and keeps what comes: `heard` are notifications, `asked` requests of the server.

    `answers` maps methods of the server's requests to results, or to coroutine functions that make them.
    """

    def __init__(self, send, receive):
        self._send, self._receive = send, receive
        self._waiting = {}
        self._count = 0
        self.heard, self.asked, self.answers = [], [], {}
        self.late = []
        self._news = asyncio.Event()
        self._task = asyncio.create_task(self._listen())

    async def _listen(self):
        while (message := await self._receive()) is not None:
            if "method" not in message:
                future = next((one for one in self._waiting.get(message["id"], []) if not one.done()), None)
                if future is None:
                    self.late.append(message)
                else:
                    future.set_result(message)
            elif "id" in message:
                self.asked.append(message)
                asyncio.create_task(self._answer(message))  # noqa: RUF006 - it ends with the test
            else:
                self.heard.append(message)
            self._news.set()
        for futures in self._waiting.values():
            for one in futures:
                if not one.done():
                    one.set_exception(ConnectionError("the proxy has gone"))

    async def _answer(self, message):
        answer = self.answers.get(message["method"], {})
        if callable(answer):
            answer = await answer(message.get("params"))
        await self._send({"jsonrpc": "2.0", "id": message["id"], "result": answer})

    async def until(self, condition):
        """Wait until something that came makes the condition true."""
        async with asyncio.timeout(20):
            while not condition():
                self._news.clear()
                await self._news.wait()

    async def start(self, method, params=None, number=None):
        """Send a request, and return the future of its answer."""
        if number is None:
            self._count += 1
            number = self._count
        future = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(number, []).append(future)
        body = {} if params is None else {"params": params}
        await self._send({"jsonrpc": "2.0", "id": number, "method": method, **body})
        return future

    async def request(self, method, params=None, number=None):
        """Send a request and return its result."""
        async with asyncio.timeout(30):
            message = await (await self.start(method, params, number))
        if "error" in message:
            raise AnswerError(message["error"])
        return message["result"]

    async def call(self, name, /, number=None, meta=None, **arguments):
        """Call a tool and return its result."""
        params = {"name": name, "arguments": arguments, **({} if meta is None else {"_meta": meta})}
        return await self.request("tools/call", params, number)

    async def say(self, name, /, **arguments):
        """Call a tool and return the words of its answer, and whether they say that it went wrong."""
        result = await self.call(name, **arguments)
        return result["content"][0]["text"], bool(result.get("isError"))

    async def notify(self, method, params=None):
        body = {} if params is None else {"params": params}
        await self._send({"jsonrpc": "2.0", "method": method, **body})

    async def hello(self, **capabilities):
        result = await self.request("initialize", {**HELLO, "capabilities": capabilities})
        await self.notify("notifications/initialized")
        return result

    def close(self):
        self._task.cancel()


def settings(folder, policy=None, tools=(), **more):
    """Return the settings of a proxy whose journal, lock and server are in *folder*."""
    folder = Path(folder)
    fields = {
        "name": "files",
        "reach": Command(command(folder)),
        "policy": policy if policy is not None else Policy(permit(["look", "act"])),
        "tools": tools,
        "journal": folder / "files.db",
        "lock": folder / "files.lock.json",
        "user": None,
        "levels": (),
        "say": (told := []).append,
        **more,
    }
    made = Settings(**fields)
    return made, told


@asynccontextmanager
async def connected(front, **capabilities):
    """A client of a proxy in this process; it leaves at the end."""
    to_proxy, from_client = anyio.create_memory_object_stream(100)
    to_client, from_proxy = anyio.create_memory_object_stream(100)

    async def send(message):
        await to_proxy.send(SessionMessage(jsonrpc_message_adapter.validate_python(message, by_name=False)))

    async def receive():
        try:
            message = (await from_proxy.receive()).message
        except (anyio.EndOfStream, anyio.ClosedResourceError):
            return None
        return json.loads(message.model_dump_json(by_alias=True, exclude_unset=True))

    serving = asyncio.create_task(serve_loop(front, from_client, to_client, lifespan_state={}))
    client = Client(send, receive)
    try:
        if capabilities.pop("greet", True):
            await client.hello(**capabilities)
        yield client
    finally:
        to_proxy.close()
        await asyncio.wait((serving,))
        client.close()
        from_proxy.close()


@asynccontextmanager
async def proxied(folder, policy=None, tools=(), capabilities=None, **more):
    """A proxy before the scripted server, and one client of it."""
    made, _ = settings(folder, policy, tools, **more)
    async with standing(made) as front, connected(front, **(capabilities or {})) as client:
        yield client


@asynccontextmanager
async def process(*arguments, cwd, env=None):
    """A proxy in a process of its own: the process, and a client that speaks to it over pipes."""
    started = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "interlock",
        "proxy",
        *map(str, arguments),
        stdin=-1,
        stdout=-1,
        stderr=-1,
        cwd=cwd,
        limit=2**26,
        env={**os.environ, **(env or {})},
    )
    errors = bytearray()

    async def drain():
        while chunk := await started.stderr.read(65536):
            errors.extend(chunk)

    draining = asyncio.create_task(drain())

    async def send(message):
        started.stdin.write(json.dumps(message).encode() + b"\n")
        await started.stdin.drain()

    async def receive():
        line = await started.stdout.readline()
        return json.loads(line) if line else None

    client = Client(send, receive)
    client.errors = errors
    try:
        yield started, client
    finally:
        started.stdin.close()
        try:
            async with asyncio.timeout(30):
                await started.wait()
                await draining
        except TimeoutError:
            started.kill()
        client.close()
        draining.cancel()
        started._transport.close()
