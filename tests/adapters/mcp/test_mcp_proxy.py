"""What goes through a proxy, and what does not."""

import asyncio

import pytest
from mcp_helpers import AnswerError, connected, proxied, settings, world

from interlock import Policy, arg, forbid, permit
from interlock.adapters.mcp.serving import standing

ALL = Policy(permit(["look", "act", "rich", "steps", "ask", "fail", "refuse", "odd.name/1"]))


async def test_the_server_introduces_itself_unchanged(tmp_path):
    """Capabilities, names, instructions and fields that nobody knows come through, and the server sees the client."""
    made, _ = settings(tmp_path)
    async with standing(made) as front, connected(front, greet=False) as client:
        hello = await client.hello()
    assert hello == {
        "protocolVersion": "2025-11-25",
        "capabilities": {"tools": {"listChanged": True}, "logging": {}, "completions": {}, "experimental": {"odd": {}}},
        "serverInfo": {"name": "script", "version": "1", "title": "A script", "unheard of": 1},
        "instructions": "Be careful.",
        "_meta": {"client": "tester"},
    }


@pytest.mark.parametrize(
    "method", ["resources/list", "prompts/get", "completion/complete", "logging/setLevel", "tasks/get", "x/unheard.of"]
)
async def test_what_is_no_tool_call_goes_on_as_it_is(tmp_path, method):
    """Any method with any parameters reaches the server, and its answer the client."""
    params = {"cursor": "c", "deep": [{"a": None}, 1.5], "_meta": {"k": "v"}}
    async with proxied(tmp_path) as client:
        assert await client.request(method, params) == {"method": method, "params": params}
        assert await client.request("ping") == {}


async def test_notifications_of_the_client_go_on(tmp_path):
    """But not its cancellations, whose ids mean nothing to the server."""
    async with proxied(tmp_path) as client:
        await client.notify("notifications/roots/list_changed", {"_meta": {"k": 1}})
        await client.until(lambda: client.heard)
    (heard,) = client.heard
    assert heard["params"]["data"]["heard"]["params"] == {"_meta": {"k": 1}}


async def test_results_come_back_exactly(tmp_path):
    """Every kind of content, structured content, meta data, and fields that nobody knows."""
    async with proxied(tmp_path, ALL) as client:
        result = await client.call("rich")
    assert result["structuredContent"] == {"n": 1, "f": 1.5, "big": 12345678901234567890, "none": None, "deep": [[{}]]}
    assert [one["type"] for one in result["content"]] == ["text", "image", "resource", "resource_link"]
    assert result["content"][0]["annotations"] == {"audience": ["user"], "priority": 1}
    assert (result["_meta"], result["isError"], result["unheard of"]) == ({"example.com/x": [1, 2]}, False, True)


async def test_progress_and_logs_reach_who_asked(tmp_path):
    """With the client's own token, in order, with all their fields."""
    async with proxied(tmp_path, ALL) as client:
        await client.call("steps", meta={"progressToken": "mine", "other": 1})
        await client.until(lambda: len(client.heard) == 3)
    steps = [one["params"] for one in client.heard[:2]]
    assert steps == [
        {"progressToken": "mine", "progress": step, "total": 2, "message": "on", "more": "this"} for step in (1, 2)
    ]
    assert client.heard[2]["params"] == {"level": "info", "data": {"at": 2}}


@pytest.mark.parametrize("method", ["sampling/createMessage", "roots/list", "elicitation/create"])
async def test_the_server_can_ask_its_client(tmp_path, method):
    """Requests of the server reach the client in the middle of a call, and the answer goes back."""
    async with proxied(tmp_path, ALL) as client:
        client.answers[method] = {"said": method}
        words, _ = await client.say("ask", method=method, params={"p": 1})
    assert client.asked[0]["params"] == {"p": 1}
    assert words == f'{{"said": "{method}"}}'


async def test_tools_are_listed_as_the_server_lists_them(tmp_path):
    """Page by page, unchanged."""
    async with proxied(tmp_path) as client:
        first = await client.request("tools/list")
        second = await client.request("tools/list", {"cursor": first["nextCursor"]})
    assert first["tools"][0] == {
        "name": "look",
        "inputSchema": {"type": "object", "properties": {"x": {"type": "integer"}}},
        "annotations": {"readOnlyHint": True},
        "description": "The lines of the world.",
    }
    assert len(first["tools"]) == len(second["tools"]) == 10


async def test_what_no_rule_permits_is_not_called(tmp_path):
    """The client is told why, in words for a model, and what a rule says instead."""
    policy = Policy(permit(["look", "act"]), forbid("act", when=arg.x > 5, because="over 5", instead="take 5 or less"))
    async with proxied(tmp_path, policy) as client:
        assert await client.say("act", x=5) == ("act 5", False)
        assert await client.say("act", x=6) == (
            "It was not done: over 5. Instead: take 5 or less. Proposing exactly this again will not help.",
            True,
        )
        words, failed = await client.say("set", x=1)
        assert (words, failed) == (
            "It was not done: no rule permits set. Proposing exactly this again will not help.",
            True,
        )
        words, _ = await client.say("acct", x=1)
        assert "there is no action 'acct'" in words
        assert "did you mean 'act'?" in words
    assert world(tmp_path) == ["5"]


async def test_arguments_are_checked_against_the_schema(tmp_path):
    """What does not fit is denied here; the server never sees it."""
    async with proxied(tmp_path) as client:
        words, failed = await client.say("act", x="five")
        assert failed
        assert "'five' is not of type 'integer'" in words
        words, _ = await client.say("act", y=1)
        assert "'y' was unexpected" in words
        result = await client.request("tools/call", {"name": "act", "arguments": [1]})
        assert "no JSON object" in result["content"][0]["text"]
        with pytest.raises(AnswerError, match="names its tool") as caught:
            await client.request("tools/call", {"arguments": {}})
    assert caught.value.code == -32602
    assert world(tmp_path) == []


async def test_errors_of_the_server_come_back_as_they_are(tmp_path):
    """An error answer of a tool, and an error of the protocol with its data."""
    async with proxied(tmp_path, ALL) as client:
        assert await client.call("fail") == {"content": [{"type": "text", "text": "it went wrong"}], "isError": True}
        with pytest.raises(AnswerError) as caught:
            await client.call("refuse", x=3)
    assert (caught.value.code, caught.value.message, caught.value.data) == (-32602, "x is not welcome", {"x": 3})


async def test_a_call_without_arguments_stays_one(tmp_path):
    """What the client left out is not put in."""
    async with proxied(tmp_path, ALL) as client:
        result = await client.request("tools/call", {"name": "odd.name/1"})
    assert result["content"][0]["text"] == "odd.name/1 None"


async def test_fifty_calls_at_once(tmp_path):
    """Each is performed once, and each client gets its own answer."""
    async with proxied(tmp_path) as client:
        answers = await asyncio.gather(*(client.say("act", x=number) for number in range(50)))
    assert answers == [(f"act {number}", False) for number in range(50)]
    assert sorted(world(tmp_path), key=int) == [str(number) for number in range(50)]


async def test_clients_have_servers_of_their_own(tmp_path):
    """What the server asks goes to the client that called it, and to no other."""
    made, _ = settings(tmp_path, ALL)
    async with standing(made) as front, connected(front) as one, connected(front) as other:
        one.answers["roots/list"] = {"roots": ["one"]}
        other.answers["roots/list"] = {"roots": ["other"]}
        told = await asyncio.gather(one.say("ask", method="roots/list"), other.say("ask", method="roots/list"))
    assert [words for words, _ in told] == ['{"roots": ["one"]}', '{"roots": ["other"]}']
