"""A server's tools as actions of our own agents."""

import pytest
from mcp_helpers import command, world

from interlock import Agent, Done, Failed, Finished, Policy, Proposal, Runtime, ScriptedModel, Unknown, permit, tool
from interlock.adapters.mcp import McpServer, ToolError
from interlock.adapters.mcp.pins import Pins
from interlock.errors import DeclarationError

ALL = ["look", "act", "die", "die_once", "die_reading", "fail", "rich", "env", "change", "undo_act", "refuse"]


async def performed(files, *proposals, policy=None):
    """Return what became of proposals of an agent that has nothing but the server's tools."""
    agent = Agent("clerk", files.actions, policy=policy or Policy(permit(ALL)))
    async with Runtime(":memory:", agent, patience="2s") as rt:
        run = await rt.start("clerk")
        async with rt.session(run.id) as session:
            return [await session.perform(Proposal(name, given)) for name, given in proposals]


async def test_a_model_uses_a_servers_tools(tmp_path):
    """They stand among the agent's own actions: the model sees their descriptions, the guardian judges them."""
    model = ScriptedModel([Proposal("act", {"x": 7}), Proposal("set", {"x": 8}), Proposal("look", {}), "7 is written."])
    async with McpServer(*command(tmp_path)) as files:
        assert next(one for one in files.actions if one.name == "look").doc == "The lines of the world."
        clerk = Agent("clerk", files.actions, model=model, policy=Policy(permit(["act", "look"])))
        async with Runtime(":memory:", clerk) as rt:
            run = await rt.send("clerk", "Write 7")
            assert await run.result() == Finished("7 is written.")
            assert world(tmp_path) == ["7"]
            items = (await run.undo_plan()).items
    assert [(item.action, item.way) for item in items] == [("act", "cannot")]


async def test_results_are_what_a_model_reads_best(tmp_path):
    """Data where there is some, else the text."""
    async with McpServer(*command(tmp_path)) as files:
        text, data, failed = await performed(files, ("act", {"x": 1}), ("rich", {}), ("fail", {}))
    assert text == Done("act 1")
    assert data.result["n"] == 1
    assert failed == Done({"error": "it went wrong"})


async def test_what_the_server_refuses_has_failed(tmp_path):
    """And so has an error answer of a tool that says that its errors mean that."""
    declared = [tool.irreversible("fail", refuses=(ToolError,))]
    async with McpServer(*command(tmp_path), tools=declared) as files:
        assert await performed(files, ("refuse", {"x": 1}), ("fail", {})) == [
            Failed("x is not welcome"),
            Failed("it went wrong"),
        ]


async def test_an_undo_uses_the_servers_own_tools(tmp_path):
    """It closes over the server."""
    act = tool.compensable("act")

    @act.undo
    async def _(ctx, done, x):
        await files.call("undo_act", {"x": x})

    async with McpServer(*command(tmp_path), tools=[act]) as files:
        agent = Agent("clerk", files.actions, policy=Policy(permit(ALL)))
        async with Runtime(":memory:", agent) as rt:
            run = await rt.start("clerk")
            async with rt.session(run.id) as session:
                await session.perform(Proposal("act", {"x": 1}))
                await session.finish()
            assert await (await run.undo_plan()).apply(by="ana") == ()
    assert world(tmp_path) == []


async def test_a_server_that_died_is_started_again_and_nothing_is_sent_twice(tmp_path):
    """A call that was under way is in doubt, unless the tool says that it may be sent again."""
    async with McpServer(*command(tmp_path)) as files:
        lost, read, written, again = await performed(
            files, ("die", {"x": 1}), ("die_reading", {}), ("act", {"x": 2}), ("die_once", {"x": 3})
        )
    assert isinstance(lost, Unknown)
    assert isinstance(read, Failed)
    assert (written, again) == (Done("act 2"), Done("die_once 3"))
    assert world(tmp_path) == ["1", "2", "3"]


async def test_a_tool_that_changes_is_not_called(tmp_path):
    """Its definition is the one that it had when the server was entered, or when it was pinned."""
    lock = tmp_path / "files.lock.json"
    async with McpServer(*command(tmp_path), lock=lock) as files:
        _, failed = await performed(files, ("change", {}), ("act", {"x": 1}))
    assert failed == Failed("tool 'act' is withheld: its description changed since it was pinned")
    pins = Pins.read(files.actions and "x", lock)
    pins.definitions["act"]["description"] = "Another."
    pins.write(lock)
    async with McpServer(*command(tmp_path), lock=lock) as files:
        assert "act" not in {one.name for one in files.actions}
    assert world(tmp_path) == []


async def test_secrets_of_a_server_are_taken_out_of_its_answers(tmp_path):
    """The model never sees them."""
    async with McpServer(*command(tmp_path), secrets={"SECRET": "s3cret-token"}) as files:
        (told,) = await performed(files, ("env", {}))
    assert told == Done("SECRET is [redacted:SECRET]")


async def test_what_can_not_be_is_said_at_once(tmp_path):
    """A server of neither kind, one that is not entered, one that is not there, a tool that it does not have."""
    for wrong in ({}, {"url": "http://localhost/mcp", "command": True}):
        given = ("x",) if wrong.pop("command", None) else ()
        with pytest.raises(DeclarationError, match="give McpServer a command"):
            McpServer(*given, **wrong)
    with pytest.raises(DeclarationError, match="is not connected"):
        await McpServer("x").call("look")
    with pytest.raises(ConnectionError, match="no-such-server can't be reached"):
        async with McpServer("no-such-server"):
            pass
    with pytest.raises(DeclarationError, match=r"tool 'acct' is declared, .* did you mean 'act'\?"):
        async with McpServer(*command(tmp_path), tools=[tool.read("acct")]):
            pass
