"""What is one call and what are two: sent twice, cancelled, left, waiting, in doubt, after a crash."""

import asyncio
import signal
import sys

import pytest
from mcp_helpers import command, connected, process, proxied, settings, world

from interlock import Policy, need, permit, probe, tool
from interlock.adapters.mcp import ToolError
from interlock.adapters.mcp.serving import standing
from interlock.cli.reading import opened
from interlock.kernel import events as ev

ALL = ["look", "act", "set", "die", "die_once", "die_reading", "hang", "fail", "fault", "undo_act"]
FREE = Policy(permit(ALL))
ASKED = Policy(permit(ALL), need.approval("owner", ["act", "hang"], because="it is consequential"))


async def events(folder, *types):
    """Return the recorded events of these types, of all runs, in order."""
    async with opened(folder / "files.db") as journal:
        return [one.event for one in await journal.feed(0, 10_000) if isinstance(one.event, types)]


async def questions(folder):
    async with opened(folder / "files.db") as journal:
        rows = await journal.store.rows(statuses=("waiting",))
        states = [(row.id, await journal.state(row.id)) for row in rows]
    return [f"{run}:{ask.seq}" for run, state in states for call in state.calls.values() for ask in call.asks]


async def answered(folder, answer, *arguments):
    """Answer the one question that is open, from another process, as a person does."""
    (question,) = await questions(folder)
    done = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "interlock",
        answer,
        question,
        *arguments,
        "--journal",
        folder / "files.db",
        "--by",
        "ana",
        stdout=asyncio.subprocess.DEVNULL,
    )
    assert await done.wait() == 0


def probed():
    """Return the tools whose outcome can be looked for among the server's own tools."""
    tools = [tool.irreversible("die", settle="0s"), tool.irreversible("hang", settle="0s")]
    for one in tools:

        @one.probe
        async def _(ctx, x):
            seen = await ctx.deps.call("look")
            return probe.done(seen) if str(x) in seen["content"][0]["text"].split() else probe.never

    return tools


# one call, sent twice


async def test_the_same_request_sent_twice_is_one_call(tmp_path):
    """At once, and later: the second gets the answer of the first. Two deliberate calls are two."""
    async with proxied(tmp_path, FREE, [tool.irreversible("act", repeatable=True)]) as client:
        params = {"name": "act", "arguments": {"x": 1}}
        both = [await client.start("tools/call", params, number=77) for _ in range(2)]
        first, second = [(await one)["result"] for one in both]
        assert first == second == await client.request("tools/call", params, number=77)
        assert world(tmp_path) == ["1"]
        await client.call("act", x=1)
        await client.call("act", x=1)
    assert world(tmp_path) == ["1", "1", "1"]


async def test_an_id_used_again_for_something_else_is_another_call(tmp_path):
    """A client that counts badly is served all the same."""
    async with proxied(tmp_path, FREE) as client:
        for x in (1, 2):
            await client.call("act", number="same", x=x)
    assert world(tmp_path) == ["1", "2"]


async def test_a_read_sent_twice_is_read_twice(tmp_path):
    """What it shows may have changed."""
    async with proxied(tmp_path, FREE) as client:
        before = await client.call("look", number=5)
        await client.call("act", x=1)
        after = await client.call("look", number=5)
    assert [one["content"][0]["text"] for one in (before, after)] == ["", "1"]


# waiting for people


async def test_a_call_waits_for_a_person_and_is_done_once(tmp_path):
    """The client is told whom it waits for and how that is answered; the same call later goes on with it."""
    async with proxied(tmp_path, ASKED) as client:
        words, failed = await client.say("act", x=1)
        (question,) = await questions(tmp_path)
        assert failed
        assert "waits for the approval of owner" in words
        assert f"interlock approve {question} --journal" in words
        again, _ = await client.say("act", x=1)
        assert again == words
        assert await questions(tmp_path) == [question]
        await client.say("act", x=2)
        assert len(await questions(tmp_path)) == 2
    assert world(tmp_path) == []


async def test_an_approval_counts_for_one_performance(tmp_path):
    """After it, the call is done once; the next one like it waits anew."""
    async with proxied(tmp_path, ASKED) as client:
        await client.say("act", x=1)
        await answered(tmp_path, "approve")
        assert await client.say("act", x=1) == ("act 1", False)
        words, _ = await client.say("act", x=1)
        assert "waits for the approval" in words
    assert world(tmp_path) == ["1"]


async def test_a_no_is_told_and_not_asked_about_again(tmp_path):
    """The person's words reach the model."""
    async with proxied(tmp_path, ASKED) as client:
        await client.say("act", x=1)
        await answered(tmp_path, "deny", "--note", "not today")
        words, failed = await client.say("act", x=1)
        assert failed
        assert "ana (owner) said no: not today" in words
    assert world(tmp_path) == []


async def test_equal_calls_at_once_ask_one_question(tmp_path):
    """Ten of them wait for the same answer."""
    async with proxied(tmp_path, ASKED) as client:
        told = await asyncio.gather(*(client.say("act", x=1) for _ in range(10)))
        assert len({words for words, _ in told}) == 1
        assert len(await questions(tmp_path)) == 1


async def test_what_waits_is_found_from_a_new_connection_and_a_new_process(tmp_path):
    """No second question, and one performance, after both client and proxy were replaced."""
    async with proxied(tmp_path, ASKED) as client:
        words, _ = await client.say("act", x=1)
    async with proxied(tmp_path, ASKED) as client:
        assert await client.say("act", x=1) == (words, True)
        assert len(await questions(tmp_path)) == 1
    await answered(tmp_path, "approve")
    async with proxied(tmp_path, ASKED) as client:
        assert await client.say("act", x=1) == ("act 1", False)
    async with proxied(tmp_path, ASKED) as client:
        assert "waits" in (await client.say("act", x=1))[0]
    assert world(tmp_path) == ["1"]


async def test_what_waits_for_one_user_is_not_another_users(tmp_path):
    """A question asked for ana is not answered by the same call for bob."""
    async with proxied(tmp_path, ASKED, user="ana") as client:
        await client.say("act", x=1)
    await answered(tmp_path, "approve")
    async with proxied(tmp_path, ASKED, user="bob") as client:
        assert "waits" in (await client.say("act", x=1))[0]
    async with proxied(tmp_path, ASKED, user="ana") as client:
        assert await client.say("act", x=1) == ("act 1", False)


async def test_a_call_that_has_to_wait_a_while(tmp_path):
    """The client is told until when; the same call after that is done, once."""
    async with proxied(tmp_path, Policy(permit("act"), need.delay("300ms", "act"))) as client:
        words, failed = await client.say("act", x=1)
        assert failed
        assert "it has to wait until 20" in words
        assert world(tmp_path) == []
        while (await client.say("act", x=1))[1]:
            await asyncio.sleep(0.02)
    assert world(tmp_path) == ["1"]


# runs


async def test_a_connection_is_a_run(tmp_path):
    """It begins with the first call, holds what the client did, and ends with the connection."""
    made, _ = settings(tmp_path, FREE, user="ana")
    async with standing(made) as front:
        async with connected(front) as client:
            await client.request("tools/list")
        assert await events(tmp_path, ev.RunStarted) == []
        async with connected(front) as client:
            await client.say("act", x=1)
            await client.say("look")
        async with connected(front) as client:
            await client.say("act", x=2)
    async with opened(tmp_path / "files.db") as journal:
        rows = await journal.store.rows()
        histories = [await journal.history(row.id, 0, (ev.RunStarted, ev.Done, ev.RunEnded)) for row in rows]
    assert [(row.status, row.user, row.agent) for row in rows] == [("done", "ana", "files")] * 2
    first = [type(one.event).__name__ for one in histories[0]]
    assert first == ["RunStarted", "Done", "Done", "RunEnded"]
    assert b'"client":"tester"' in bytes(histories[0][0].event.input)


async def test_a_client_whose_run_was_ended_goes_on_in_another(tmp_path):
    """An operator may cancel what a client has done so far; the client notices nothing."""
    made, _ = settings(tmp_path, FREE)
    async with standing(made) as front, connected(front) as client:
        await client.say("act", x=1)
        runtime = front.middleware[0]._calls.runtime
        (row,) = await runtime.journal.store.rows()
        await runtime.run(row.id).cancel(by="ana")
        while await runtime.run(row.id).status() != "cancelled":
            await asyncio.sleep(0.01)
        assert await client.say("act", x=2) == ("act 2", False)
        assert len(await runtime.journal.store.rows()) == 2


async def test_a_run_is_taken_back_as_a_whole(tmp_path):
    """By the server's own tools, named in the policy's undo."""
    act = tool.compensable("act")

    @act.undo
    async def _(ctx, done, x):
        assert done["content"][0]["text"] == f"act {x}"
        await ctx.deps.call("undo_act", {"x": x})

    made, _ = settings(tmp_path, FREE, [act])
    async with standing(made) as front:
        async with connected(front) as client:
            await client.say("act", x=1)
            await client.say("act", x=2)
            await client.say("set", x=3)
        runtime = front.middleware[0]._calls.runtime
        await runtime.settled()
        (row,) = await runtime.journal.store.rows()
        while (await runtime.run(row.id).status()) != "done":
            await asyncio.sleep(0.01)
        plan = await runtime.run(row.id).undo_plan()
        assert [item.way for item in plan.items] == ["cannot", "compensate", "compensate"]
        assert await plan.apply(by="ana") == ()
    assert world(tmp_path) == ["3"]


# answers that say that it went wrong


async def test_an_error_answer_counts_as_performed(tmp_path):
    """Whether something happened is not known then; nobody is asked, and it is not sent again."""
    async with proxied(tmp_path, FREE) as client:
        assert (await client.call("fail"))["isError"]
    (done,) = await events(tmp_path, ev.Done)
    assert b'"isError":true' in bytes(done.result)


async def test_a_tool_may_say_that_its_errors_mean_that_nothing_happened(tmp_path):
    """`refuses=(ToolError,)`: then it failed, and is in no undo plan."""
    async with proxied(tmp_path, FREE, [tool.irreversible("fail", refuses=(ToolError,))]) as client:
        result = await client.call("fail")
    assert result == {"content": [{"type": "text", "text": "it went wrong"}], "isError": True}
    (failed,) = await events(tmp_path, ev.Failed)
    assert failed.error == "it went wrong"


async def test_a_fault_inside_the_server_leaves_the_outcome_open(tmp_path):
    """An internal error says nothing about what happened before it: a person is asked."""
    async with proxied(tmp_path, FREE) as client:
        words, failed = await client.say("fault", x=1)
        assert failed
        assert "A person is asked whether it happened" in words
        await answered(tmp_path, "answer", "never")
        words, _ = await client.say("fault", x=1)
        assert "A person is asked" in words  # It was sent once more, and failed in the same way.


# a server that dies


async def test_a_read_whose_server_dies_has_failed(tmp_path):
    """The next call finds a new server."""
    async with proxied(tmp_path, FREE) as client:
        words, failed = await client.say("die_reading")
        assert failed
        assert "was lost before it answered" in words
        assert await client.say("act", x=1) == ("act 1", False)


async def test_an_effect_whose_server_dies_is_in_doubt_until_somebody_tells(tmp_path):
    """The same call asks nothing anew; what the person says is handed over once, and only then it may be done again."""
    async with proxied(tmp_path, FREE, [tool.irreversible("die", repeatable=True)]) as client:
        words, failed = await client.say("die", x=1)
        assert failed
        assert "its outcome is not known" in words
        assert await client.say("die", x=1) == (words, True)
        assert len(await questions(tmp_path)) == 1
        await answered(tmp_path, "answer", "happened")
        words, _ = await client.say("die", x=1)
        assert "It was done" in words
        assert world(tmp_path) == ["1"]
        assert await client.say("die", x=1) == ("die 1", False)


async def test_an_effect_whose_server_dies_is_looked_for(tmp_path):
    """Where the policy says how: with the server's own tools, on a new connection."""
    async with proxied(tmp_path, FREE, probed()) as client:
        words, failed = await client.say("die", x=1)
        assert (words, failed) == ("1", False)
    assert world(tmp_path) == ["1"]
    (done,) = await events(tmp_path, ev.Done)
    assert done.via == "probe"


async def test_an_idempotent_tool_is_sent_again_after_a_lost_answer(tmp_path):
    """Its own word for it is enough for a minute; the client sees an answer as always."""
    async with proxied(tmp_path, FREE) as client:
        assert await client.say("die_once", x=1) == ("die_once 1", False)
    assert world(tmp_path) == ["1"]
    assert len(await events(tmp_path, ev.Retried)) == 1


async def test_a_server_that_cannot_be_started_says_so(tmp_path):
    """Nothing was sent: the call failed, whatever its effect."""
    async with proxied(tmp_path, FREE):
        pass
    (tmp_path / "gone").mkdir()
    made, _ = settings(tmp_path, FREE)
    made.reach.command = ("./no-such-server",)
    async with standing(made) as front, connected(front, greet=False) as client:
        with pytest.raises(Exception, match=r"no-such-server can't be reached: .*No such file"):
            await client.hello()
        words, failed = await client.say("act", x=1)
        assert failed
        assert "no-such-server can't be reached" in words
    assert (await events(tmp_path, ev.Failed))[0].error == words.removeprefix("It failed: ")


# a client that goes away


async def test_a_cancelled_call_is_finished_and_journaled(tmp_path):
    """The same call afterwards gets its outcome instead of doing it again."""
    async with proxied(tmp_path, FREE, [tool.irreversible("hang", repeatable=True)]) as client:
        cancelled = await client.start("tools/call", {"name": "hang", "arguments": {"x": 1}}, number="h")
        while world(tmp_path) != ["1"]:
            await asyncio.sleep(0.01)
        await client.notify("notifications/cancelled", {"requestId": "h", "reason": "tired"})
        again = await client.start("tools/call", {"name": "hang", "arguments": {"x": 1}})
        (tmp_path / "go").touch()
        assert (await again)["result"]["content"][0]["text"] == "hang 1"
        assert not cancelled.done()
        assert world(tmp_path) == ["1"]
        await client.say("hang", x=1)
    assert world(tmp_path) == ["1", "1"]


async def test_a_client_that_disconnects_in_mid_call(tmp_path):
    """The effect is finished and journaled; the next client that makes the call is given its outcome."""
    made, _ = settings(tmp_path, FREE)
    async with standing(made) as front:
        async with connected(front) as client:
            await client.start("tools/call", {"name": "hang", "arguments": {"x": 1}})
            while world(tmp_path) != ["1"]:
                await asyncio.sleep(0.01)
        (tmp_path / "go").touch()
        while not await events(tmp_path, ev.Done):
            await asyncio.sleep(0.01)
        async with connected(front) as client:
            assert await client.say("hang", x=1) == ("hang 1", False)
            assert world(tmp_path) == ["1"]
    async with opened(tmp_path / "files.db") as journal:
        assert {row.status for row in await journal.store.rows()} == {"done"}


async def test_the_outcome_of_a_call_that_was_left_outlives_the_process(tmp_path):
    """A client that comes back to a new proxy is given it, and nothing is done twice."""
    (tmp_path / "go").touch()
    made, _ = settings(tmp_path, FREE)
    async with standing(made) as front, connected(front) as client:
        (tmp_path / "go").unlink()
        await client.start("tools/call", {"name": "hang", "arguments": {"x": 1}})
        while world(tmp_path) != ["1"]:
            await asyncio.sleep(0.01)
        asyncio.get_running_loop().call_later(0.2, (tmp_path / "go").touch)
    async with proxied(tmp_path, FREE) as client:
        assert await client.say("hang", x=1) == ("hang 1", False)
    assert world(tmp_path) == ["1"]


# a proxy that is killed


POLICY = """
from interlock import Policy, permit, probe, tool

policy = Policy(permit(["look", "act", "hang", "set"]))
hang = tool.irreversible("hang", settle="0s")
"""
LOOKS = """
@hang.probe
async def _(ctx, x):
    seen = await ctx.deps.call("look")
    return probe.done(seen) if str(x) in seen["content"][0]["text"].split() else probe.never
"""


async def killed_in_mid_call(folder, policy, effect="1"):
    """Kill a proxy while the server is at a call; what the server was doing is done."""
    (folder / "files.py").write_text(policy)
    arguments = ["--policy", "files.py", "--", *command(folder)]
    async with process(*arguments, cwd=folder) as (started, client):
        await client.hello()
        await client.start("tools/call", {"name": "hang", "arguments": {"x": 1}})
        while world(folder) != [effect]:
            await asyncio.sleep(0.01)
        started.send_signal(signal.SIGKILL)
        while started.returncode is None:  # Its `wait` would wait for the server too, which was left behind.
            await asyncio.sleep(0.01)
        (folder / "go").touch()
    return arguments


async def test_after_a_kill_a_person_is_asked_and_nothing_is_done_twice(tmp_path):
    """The call before the kill is the call after it."""
    arguments = await killed_in_mid_call(tmp_path, POLICY)
    async with process(*arguments, cwd=tmp_path) as (_, client):
        await client.hello()
        words, failed = await client.say("hang", x=1)
        assert failed
        assert "A person is asked whether it happened" in words
        await answered(tmp_path, "answer", "happened", "--result", '{"content":[{"type":"text","text":"it did"}]}')
        assert await client.say("hang", x=1) == ("it did", False)
    assert world(tmp_path) == ["1"]


async def test_after_a_kill_the_effect_is_looked_for(tmp_path):
    """By the probe, with a server that was started anew; the client's next such call is given the outcome."""
    arguments = await killed_in_mid_call(tmp_path, POLICY + LOOKS)
    async with process(*arguments, cwd=tmp_path) as (_, client):
        await client.hello()
        assert await client.say("hang", x=1) == ("1", False)
    assert world(tmp_path) == ["1"]


async def test_a_proxy_that_is_told_to_stop_finishes_what_is_under_way(tmp_path):
    """SIGTERM in mid-call: the outcome is journaled, the run ends, the process too."""
    (tmp_path / "files.py").write_text(POLICY)
    async with process("--policy", "files.py", "--", *command(tmp_path), cwd=tmp_path) as (started, client):
        await client.hello()
        await client.start("tools/call", {"name": "hang", "arguments": {"x": 1}})
        while world(tmp_path) != ["1"]:
            await asyncio.sleep(0.01)
        started.terminate()
        asyncio.get_running_loop().call_later(0.3, (tmp_path / "go").touch)
        assert await started.wait() == 0
    assert len(await events(tmp_path, ev.Done)) == 1
