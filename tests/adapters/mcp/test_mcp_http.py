"""Proxies that clients reach over HTTP, and servers that proxies do."""

import asyncio
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
import pytest
from mcp.client.client import Client
from mcp_helpers import HELLO, AnswerError, command, connected, settings, world
from mcp_types import ElicitResult

from interlock import Policy, need, permit, tool
from interlock.adapters.mcp.hidden import header
from interlock.adapters.mcp.pins import Pins
from interlock.adapters.mcp.reach import Command, Http
from interlock.adapters.mcp.serving import over_http, standing
from interlock.cli.reading import opened
from interlock.errors import DeclarationError

pytestmark = pytest.mark.filterwarnings("ignore:websockets:DeprecationWarning")

FREE = Policy(permit(["look", "act", "hang", "env", "die"]))
MODERN = [sys.executable, str(Path(__file__).with_name("mcp_modern_script.py"))]
POST = {"accept": "application/json, text/event-stream", "content-type": "application/json"}


@asynccontextmanager
async def listening(made, told, port=0):
    """A proxy that listens; yields its address."""
    task = asyncio.create_task(over_http(made, "127.0.0.1", port))
    try:
        while not (found := [one for one in told if "is served at" in one]):
            assert not task.done(), task.exception()
            await asyncio.sleep(0.01)
        yield found[-1].rpartition(" ")[2]
    finally:
        task.cancel()
        await asyncio.wait((task,))


async def rows(folder):
    async with opened(folder / "files.db") as journal:
        return await journal.store.rows()


async def test_an_sdk_client_over_http(tmp_path):
    """It sees the server behind; its session is a run, which ends with it."""
    made, told = settings(tmp_path, FREE, user="ana")
    async with listening(made, told) as url:
        for x in (1, 2):
            async with Client(url) as client:
                assert client.server_info.title == "A script"
                assert (await client.call_tool("act", {"x": x})).content[0].text == f"act {x}"
        while {row.status for row in await rows(tmp_path)} != {"done"}:
            await asyncio.sleep(0.01)
    assert world(tmp_path) == ["1", "2"]
    assert len({row.conversation for row in await rows(tmp_path)}) == 2


async def test_clients_at_once_over_http(tmp_path):
    """Each with its own session and server; every call is performed once."""
    made, told = settings(tmp_path, FREE)

    async def one(url, number):
        async with Client(url) as client:
            results = await asyncio.gather(*(client.call_tool("act", {"x": number * 10 + n}) for n in range(10)))
        return [result.content[0].text for result in results]

    async with listening(made, told) as url:
        answers = await asyncio.gather(*(one(url, number) for number in range(5)))
    assert sorted(text for texts in answers for text in texts) == sorted(f"act {x}" for x in range(50))
    assert sorted(world(tmp_path), key=int) == [str(x) for x in range(50)]


async def test_requests_from_elsewhere_are_turned_away(tmp_path):
    """A page in a browser can't reach a proxy on this machine under a name of its own."""
    made, told = settings(tmp_path, FREE)
    async with listening(made, told) as url, httpx2.AsyncClient() as http:
        body = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": HELLO}
        answer = await http.post(url, json=body, headers={**POST, "host": "evil.example.com"})
        assert answer.status_code == 421
        answer = await http.post(url, json=body, headers={**POST, "origin": "http://evil.example.com"})
        assert answer.status_code == 403


async def test_an_address_in_use_is_named(tmp_path):
    """In one line, before anything is opened."""
    made, told = settings(tmp_path, FREE)
    async with listening(made, told) as url:
        port = int(url.split(":")[2].split("/")[0])
        with pytest.raises(DeclarationError, match=rf"127.0.0.1:{port} can't be listened at"):
            await over_http(made, "127.0.0.1", port)


# versions without sessions


def modern(folder, policy, **more):
    return settings(folder, policy, reach=Command([*MODERN, str(folder)]), **more)


async def test_a_modern_client_and_a_modern_server(tmp_path):
    """No handshake on either side; progress comes through, and the user is asked."""
    made, told = modern(tmp_path, Policy(permit("act"), need.confirmation("act")))
    asked, steps = [], []

    async def elicited(context, params):
        asked.append(params.message)
        return ElicitResult(action="accept", content={})

    async def progress(done, total, message):
        steps.append((done, total, message))

    async with listening(made, told) as url:
        async with Client(url, elicitation_callback=elicited) as client:
            assert client.protocol_version == "2026-07-28"
            assert (await client.read_resource("test://one")).contents[0].text == "1"
            result = await client.call_tool("act", {"x": 1}, progress_callback=progress)
            assert result.content[0].text == "act 1"
        (row,) = await rows(tmp_path)
    assert len(asked) == 1
    assert steps == [(1, 2, "on")]
    assert row.conversation.startswith("mcp/20")
    assert world(tmp_path) == ["1"]


async def test_a_request_without_a_session_that_is_sent_twice(tmp_path):
    """The same id and content a moment later is the same call; another id is another one."""
    made, told = modern(tmp_path, Policy(permit("act")), tools=[tool.irreversible("act", repeatable=True)])
    envelope = {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": {"name": "raw", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {},
    }
    headers = {**POST, "mcp-protocol-version": "2026-07-28", "mcp-method": "tools/call", "mcp-name": "act"}

    async with listening(made, told) as url, httpx2.AsyncClient(timeout=30) as http:

        async def post(number):
            params = {"name": "act", "arguments": {"x": 1}, "_meta": envelope}
            body = {"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": params}
            return (await http.post(url, json=body, headers=headers)).json()["result"]

        both = await asyncio.gather(post(7), post(7))
        assert both[0] == both[1] == await post(7)
        assert both[0]["content"][0]["text"] == "act 1"
        assert world(tmp_path) == ["1"]
        await post(8)
    assert world(tmp_path) == ["1", "1"]


async def test_stdio_serves_modern_clients_too(tmp_path):
    """Over pipes the versions are the server's business: what it does not know it says itself."""
    from mcp.client.stdio import StdioServerParameters, stdio_client

    (tmp_path / "files.py").write_text('from interlock import Policy, permit\npolicy = Policy(permit("act"))\n')
    arguments = ["-m", "interlock", "proxy", "--policy", str(tmp_path / "files.py"), "--"]
    for server, version in ((command(tmp_path), "2025-11-25"), ([*MODERN, str(tmp_path)], "2026-07-28")):
        (tmp_path / "files.lock.json").unlink(missing_ok=True)
        started = StdioServerParameters(command=sys.executable, args=[*arguments, *server])
        async with Client(stdio_client(started)) as client:
            assert client.protocol_version == version
            assert (await client.call_tool("act", {"x": 1})).content[0].text == "act 1"
    assert world(tmp_path) == ["1", "1"]


# a server that is reached over HTTP


@asynccontextmanager
async def in_front_of(made, told, folder):
    """A proxy behind which another one listens; yields what clients of the first are served by."""
    async with listening(made, told) as url:
        first, _ = settings(folder, FREE, reach=Http(url))
        async with standing(first) as front:
            yield front


async def test_a_server_over_http(tmp_path):
    """Everything comes through two proxies as through one."""
    (tmp_path / "behind").mkdir()
    made, told = settings(tmp_path / "behind", FREE)
    async with in_front_of(made, told, tmp_path) as front, connected(front) as client:
        assert len((await client.request("tools/list"))["tools"]) == 10
        answers = await asyncio.gather(*(client.say("act", x=number) for number in range(20)))
        assert answers == [(f"act {number}", False) for number in range(20)]
    assert len(world(tmp_path / "behind")) == 20


async def test_a_server_over_http_that_is_restarted(tmp_path):
    """A call that finds it gone has failed, for nothing was sent; the next one begins a new session."""
    (tmp_path / "behind").mkdir()
    made, told = settings(tmp_path / "behind", FREE)
    async with listening(made, told) as url:
        port = int(url.split(":")[2].split("/")[0])
        first, _ = settings(tmp_path, FREE, reach=Http(url))
        front = standing(first)
        client = connected(await front.__aenter__())
        talking = await client.__aenter__()
        assert await talking.say("act", x=1) == ("act 1", False)
    words, failed = await talking.say("look")
    assert failed
    assert "lost" in words or "can't be reached" in words
    told.clear()
    async with listening(made, told, port):
        await talking.say("look")  # The first one may still hear that its session is unknown.
        assert await talking.say("act", x=2) == ("act 2", False)
        await client.__aexit__(None, None, None)
        await front.__aexit__(None, None, None)
    assert world(tmp_path / "behind") == ["1", "2"]


# credentials


def test_a_header_takes_its_secret_from_where_it_is_kept():
    """`env:NAME` stands for a value that no command line shows."""
    known = {"TOKEN": "s3cret-token", "SHORT": "abc"}
    assert header("Authorization: Bearer env:TOKEN", known) == (
        "Authorization",
        "Bearer s3cret-token",
        {"TOKEN": "s3cret-token"},
    )
    assert header("X-Mode:fast", known) == ("X-Mode", "fast", {})
    for wrong in ("Authorization", ": x", "A: env:MISSING", "A: env:SHORT"):
        with pytest.raises(DeclarationError, match=r"write NAME: VALUE|is not set|fewer than"):
            header(wrong, known)


async def test_a_server_that_turns_the_credential_away(tmp_path):
    """It is sent there, and stands in nothing that is said of it."""
    heard = bytearray()

    async def answer(reader, writer):
        heard.extend(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    Pins.of("files", []).write(tmp_path / "files.lock.json")
    async with await asyncio.start_server(answer, "127.0.0.1", 0) as listens:
        port = listens.sockets[0].getsockname()[1]
        reach = Http(f"http://127.0.0.1:{port}/mcp?key=k3y-k3y", {"authorization": "Bearer s3cret-token"})
        made, _ = settings(tmp_path, Policy(), reach=reach)
        async with standing(made) as front, connected(front, greet=False) as client:
            with pytest.raises(AnswerError) as caught:
                await client.hello()
    assert b"authorization: Bearer s3cret-token" in heard
    said = f"{caught.value} {reach}"
    assert not any(secret in said for secret in ("s3cret-token", "k3y-k3y"))
    assert str(Http("https://ana:hunter2@shop.example/mcp?key=k3y")) == "https://shop.example/mcp"


async def test_secrets_stay_with_the_server(tmp_path):
    """It gets them; neither its clients nor the journal ever see one, wherever it says them."""
    secret = 'sk "quoted" \\ t0ken'
    made, _ = settings(tmp_path, FREE, reach=Command(command(tmp_path), {"SECRET": secret}))
    # Python's -E ignores only its own variables: the script sees this one.
    async with standing(made) as front, connected(front) as client:
        words, _ = await client.say("env")
        assert words == "SECRET is [redacted:SECRET]"
        await client.say("act", x=1)
    data = (tmp_path / "files.db").read_bytes() + (tmp_path / "files.lock.json").read_bytes()
    assert secret.encode() not in data
    assert b"t0ken" not in data
    assert b"[redacted:SECRET]" in data
