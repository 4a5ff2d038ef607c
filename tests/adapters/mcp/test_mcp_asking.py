"""Questions put to the person at a client, and who may answer what."""

import asyncio

import pytest
from mcp.client.client import Client as SdkClient
from mcp_helpers import proxied, world
from mcp_types import ElicitResult

from interlock import Policy, need, permit
from interlock.cli.reading import opened
from interlock.kernel import events as ev

CONFIRMED = Policy(permit("act"), need.confirmation("act", because="you are asked"))
APPROVED = Policy(permit("act"), need.approval("finance", "act"))
FORMS = {"elicitation": {}}


async def answers(folder):
    async with opened(folder / "files.db") as journal:
        return [
            (one.event.decision, one.event.by)
            for one in await journal.feed(0, 1000)
            if isinstance(one.event, ev.Answered)
        ]


@pytest.mark.parametrize("capability", [{}, {"form": {}}, {"form": {}, "url": {}}])
async def test_a_confirmation_is_put_to_the_user(tmp_path, capability):
    """They see all that will be done, and why they are asked; their yes counts for this call."""
    async with proxied(tmp_path, CONFIRMED, capabilities={"elicitation": capability}, user="ana") as client:
        client.answers["elicitation/create"] = {"action": "accept", "content": {}}
        assert await client.say("act", x=1) == ("act 1", False)
        (asked,) = client.asked
    assert asked["params"]["requestedSchema"] == {"type": "object", "properties": {}}
    assert asked["params"]["message"] == (
        'Interlock asks: shall files perform act?\n{\n "x": 1\n}\nWhy you are asked: you are asked.'
    )
    assert await answers(tmp_path) == [("approve", "ana")]
    assert world(tmp_path) == ["1"]


@pytest.mark.parametrize(("action", "done"), [("accept", ["1", "1"]), ("decline", ["1"])])
async def test_the_same_effect_once_more_is_put_to_the_user(tmp_path, action, done):
    """A second request with the same arguments is told as what it is, with the result of the first."""
    async with proxied(tmp_path, Policy(permit("act")), capabilities=FORMS) as client:
        client.answers["elicitation/create"] = {"action": action, "content": {}}
        assert await client.say("act", x=1) == ("act 1", False)
        assert client.asked == []
        _, failed = await client.say("act", x=1)
        (asked,) = client.asked
    assert "the same was done in this conversation at" in asked["params"]["message"]
    assert '"act 1"' in asked["params"]["message"]
    assert failed == (action == "decline")
    assert world(tmp_path) == done


async def test_a_no_of_the_user_is_told_to_the_model(tmp_path):
    """And nothing is done; without a user's id the client's name stands for them."""
    async with proxied(tmp_path, CONFIRMED, capabilities=FORMS) as client:
        client.answers["elicitation/create"] = {"action": "decline"}
        words, failed = await client.say("act", x=1)
    assert failed
    assert "the user of tester said no" in words
    assert await answers(tmp_path) == [("deny", "the user of tester")]
    assert world(tmp_path) == []


@pytest.mark.parametrize("answer", [{"action": "cancel"}, {}, {"action": ["accept"]}, {"action": "ACCEPT"}])
async def test_what_is_no_answer_leaves_the_question_open(tmp_path, answer):
    """Somebody else may answer it, from the inbox."""
    async with proxied(tmp_path, CONFIRMED, capabilities=FORMS) as client:
        client.answers["elicitation/create"] = answer
        words, failed = await client.say("act", x=1)
    assert failed
    assert "waits for the user's confirmation" in words
    assert await answers(tmp_path) == []


@pytest.mark.parametrize("capabilities", [{}, {"elicitation": {"url": {}}}, {"sampling": {}}])
async def test_a_client_that_can_put_no_forms_is_not_asked(tmp_path, capabilities):
    """It is told what waits instead."""
    async with proxied(tmp_path, CONFIRMED, capabilities=capabilities) as client:
        assert "waits for the user's confirmation" in (await client.say("act", x=1))[0]
        assert client.asked == []


async def test_an_approval_is_not_the_users_to_give(tmp_path):
    """Unless the operator said that the person at this client has that level."""
    async with proxied(tmp_path, APPROVED, capabilities=FORMS, levels=("support",)) as client:
        client.answers["elicitation/create"] = {"action": "accept"}
        assert "waits for the approval of finance" in (await client.say("act", x=1))[0]
        assert client.asked == []
    async with proxied(tmp_path, APPROVED, capabilities=FORMS, levels=("support", "finance"), user="ana") as client:
        client.answers["elicitation/create"] = {"action": "accept"}
        assert await client.say("act", x=1) == ("act 1", False)
        assert "Interlock asks, as finance:" in client.asked[0]["params"]["message"]
    assert await answers(tmp_path) == [("approve", "ana")]


async def test_where_others_are_asked_too_the_user_is_not(tmp_path):
    """Their yes alone would do nothing; all of it waits in the inbox."""
    both = Policy(*CONFIRMED.rules, need.approval("finance", "act"))
    async with proxied(tmp_path, both, capabilities=FORMS) as client:
        words, _ = await client.say("act", x=1)
        assert client.asked == []
    assert "finance" in words
    assert "confirmation" in words


async def test_what_nobody_could_read_is_not_put_to_anybody(tmp_path):
    """A person approves all of it, so that all of it must fit."""
    policy = Policy(permit("ask"), need.confirmation("ask"))
    async with proxied(tmp_path, policy, capabilities=FORMS) as client:
        assert "waits for the user" in (await client.say("ask", method="x" * 20_000))[0]
        assert client.asked == []


async def test_a_user_is_asked_once_at_a_time(tmp_path):
    """Equal calls that come meanwhile wait for the same answer."""
    async with proxied(tmp_path, CONFIRMED, capabilities=FORMS) as client:
        asked, answer = asyncio.Event(), asyncio.Event()

        async def slowly(params):
            asked.set()
            await answer.wait()
            return {"action": "accept"}

        client.answers["elicitation/create"] = slowly
        first = asyncio.create_task(client.say("act", x=1))
        await asked.wait()
        assert "waits for the user" in (await client.say("act", x=1))[0]
        answer.set()
        assert await first == ("act 1", False)
        assert len(client.asked) == 1
    assert world(tmp_path) == ["1"]


async def test_a_question_outlives_a_call_that_was_cancelled(tmp_path):
    """The client gave up while its user thought: the next such call asks about the same."""
    async with proxied(tmp_path, CONFIRMED, capabilities=FORMS) as client:
        asked, never = asyncio.Event(), asyncio.Event()

        async def never_answered(params):
            asked.set()
            await never.wait()

        client.answers["elicitation/create"] = never_answered
        await client.start("tools/call", {"name": "act", "arguments": {"x": 1}}, number="c")
        await asked.wait()
        await client.notify("notifications/cancelled", {"requestId": "c"})
        client.answers["elicitation/create"] = {"action": "accept"}
        assert await client.say("act", x=1) == ("act 1", False)
    async with opened(tmp_path / "files.db") as journal:
        assert len([one for one in await journal.feed(0, 1000) if isinstance(one.event, ev.Asked)]) == 1


# versions of the protocol without sessions: the client calls again, with its user's answers


ENVELOPE = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientInfo": {"name": "modern", "version": "1"},
    "io.modelcontextprotocol/clientCapabilities": {"elicitation": {"form": {}}},
}


async def modern(client, answers=None, x=1):
    more = {} if answers is None else {"inputResponses": answers}
    return await client.request("tools/call", {"name": "act", "arguments": {"x": x}, "_meta": ENVELOPE, **more})


async def test_a_modern_client_is_asked_by_its_answer(tmp_path):
    """It puts the question to its user and calls again; that is the same call."""
    async with proxied(tmp_path, CONFIRMED) as client:
        wanted = await modern(client)
        ((name, question),) = wanted["inputRequests"].items()
        assert wanted["resultType"] == "input_required"
        assert question["method"] == "elicitation/create"
        assert "shall files perform act?" in question["params"]["message"]
        done = await modern(client, {name: {"action": "accept"}})
        assert done["content"][0]["text"] == "act 1"
    assert await answers(tmp_path) == [("approve", "the user of modern")]
    assert world(tmp_path) == ["1"]


async def test_a_modern_client_that_brings_no_answer_is_not_asked_for_ever(tmp_path):
    """The second time it is told what waits."""
    async with proxied(tmp_path, CONFIRMED) as client:
        ((name, _),) = (await modern(client))["inputRequests"].items()
        told = await modern(client, {name: {"action": "cancel"}})
    assert told["isError"]
    assert "waits for the user's confirmation" in told["content"][0]["text"]


async def test_answers_to_other_questions_are_not_taken(tmp_path):
    """One for another call, one that does not exist, and one that is another's to give."""
    policy = Policy(permit("act"), need.approval("finance", "act"))
    async with proxied(tmp_path, policy) as client:
        waiting = await modern(client)
        question = waiting["content"][0]["text"].split("approve ")[1].split()[0]
        for name in (question, "nonsense", "a:1", f"{question}0"):
            told = await modern(client, {f"interlock/{name}": {"action": "accept"}})
            assert told["isError"]
    assert await answers(tmp_path) == []
    assert world(tmp_path) == []


def test_the_library_understands_the_demand():
    """What a modern client is answered has the form that the protocol says."""
    from mcp_types import InputRequiredResult

    from interlock.adapters.mcp.asking import FORM

    demand = {
        "resultType": "input_required",
        "inputRequests": {
            "interlock/a:1": {
                "method": "elicitation/create",
                "params": {"mode": "form", "message": "?", "requestedSchema": FORM},
            }
        },
    }
    assert InputRequiredResult.model_validate(demand).input_requests is not None
    assert SdkClient is not None
    assert ElicitResult(action="accept").action == "accept"
