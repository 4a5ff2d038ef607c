"""Model turns of the OpenAI Agents SDK in the journal: a run that is started again goes on where it was."""

import asyncio
import hashlib
import json
from contextlib import suppress

import pytest
from agents import (
    Agent,
    MaxTurnsExceeded,
    ModelResponse,
    Runner,
    SQLiteSession,
    Usage,
    function_tool,
)
from agents.testing import ModelStep, ScriptedModel, assistant_message
from openai.types.responses import ResponseFunctionToolCall, ResponseFunctionWebSearch, ResponseReasoningItem
from openai_agents_desk import (
    CRASH,
    SAID,
    Bank,
    CrashError,
    calls,
    crashed,
    desk,
    history,
    names,
    outputs,
    paying,
    run,
    texts,
)

from interlock.adapters.openai_agents import govern, responses
from interlock.canonical import canonical
from interlock.errors import DeclarationError, KeyReusedError
from interlock.kernel import events as ev


class TestRecording:
    async def test_what_the_journal_keeps_of_a_turn(self, governor):
        """Its agent, what is new since the model's last words, its words, tokens, and the model's name."""
        usage = Usage(requests=1, input_tokens=7, output_tokens=3, total_tokens=10)
        model = ScriptedModel([calls(("search", {"query": "x", "limit": 1})), SAID], default_usage=usage)
        agent = govern(Agent("desk", instructions="Be kind.", tools=Bank().tools(), model=model), governor)
        await run(governor, agent, "Look.")
        turns = [event for event in await history(governor) if isinstance(event, ev.TurnRecorded)]
        assert [(one.call, one.model, one.input_tokens, one.output_tokens) for one in turns] == [
            ("0", "ScriptedModel", 7, 3),
            ("1", "ScriptedModel", 7, 3),
        ]
        assert [json.loads(bytes(one.request)) for one in turns] == [
            {
                "agent": "desk",
                "answers": "Look.",
                "input": [{"content": "Look.", "role": "user"}],
                "instructions": "Be kind.",
            },
            {
                "agent": "desk",
                "answers": ["0/0"],
                "input": [{"call_id": "call_0", "output": "['x']", "type": "function_call_output"}],
            },
        ]
        assert b'"call_id":"call_0"' in bytes(turns[0].response)

    async def test_what_is_recalled_is_what_was_said(self):
        """Items of all kinds come back as they were; what this version does not know stays as it is."""
        said = ModelResponse(
            [
                assistant_message("Words."),
                ResponseReasoningItem(id="r", summary=[], type="reasoning", encrypted_content="x"),
                ResponseFunctionToolCall(
                    type="function_call", call_id="c", name="pay", arguments="{}", namespace="bank", status="completed"
                ),
                ResponseFunctionWebSearch(
                    id="w", type="web_search_call", status="completed", action={"type": "search", "query": "x"}
                ),
            ],
            Usage(requests=1, input_tokens=5, output_tokens=6, total_tokens=11),
            "resp_1",
            "req_1",
        )
        said.output.append({"type": "of_tomorrow", "what": 1})
        kept = json.loads(canonical(responses.recorded(said)))
        assert responses.recalled(kept) == said

    async def test_the_provider_gets_its_own_ids_back(self, governor):
        """What the SDK knows a call by is between it and the journal."""
        agent, model = desk(governor, Bank(), calls(paying(), ids=("call_xyz",)), SAID)
        await run(governor, agent)
        ids = [one["call_id"] for one in model.last_call.input if "call_id" in one]
        assert ids == ["call_xyz", "call_xyz"]

    async def test_ids_that_the_provider_repeats(self, governor):
        """The SDK alone ends the run over such a model, or leaves the second call out; these are two payments."""
        bank = Bank()
        agent, model = desk(governor, bank, calls(paying("a")), calls(paying("b")), calls(paying("b")), SAID)
        result = await run(governor, agent)
        assert [order for order, _ in bank.paid] == ["a", "b", "b"]
        assert len({one["call_id"] for one in texts(result) if one.get("type") == "function_call"}) == 3
        assert model.last_call.input[-1]["call_id"] == "call_0"

    async def test_an_id_that_looks_like_ours(self, governor):
        """A model that gives out such ids gets no other call's outcome by it."""
        bank, mark = Bank(), hashlib.sha256(b"r1").hexdigest()[:8]
        stolen = f"il_{mark}_0.0_call_0"
        agent, model = desk(governor, bank, calls(paying("a")), calls(paying("b"), ids=(stolen,)), SAID)
        result = await run(governor, agent)
        assert outputs(result) == ["paid 40 for a", "paid 40 for b"]
        assert model.last_call.input[-1]["call_id"] == stolen

    async def test_a_hostile_model(self, governor):
        """Words that can't be said in UTF-8 are journaled with what can."""
        agent, _ = desk(governor, Bank(), [assistant_message("half \ud800 \x00 a pair")])
        result = await run(governor, agent)
        assert result.final_output == "half � \x00 a pair"


class TestGoingOn:
    async def test_nothing_is_asked_or_performed_again(self, governor):
        """After a crash the model is asked for the turn that was missing, and only for that."""
        bank = Bank()
        agent, model = desk(governor, bank, calls(("search", {"query": "x"})), calls(paying()), CRASH, SAID)
        await crashed(governor, agent)
        result = await run(governor, agent)
        assert (len(model.calls), len(bank.paid), len(bank.searched)) == (4, 1, 1)
        assert result.final_output == "said"
        assert (await names(governor)).count("TurnRecorded") == 3

    async def test_the_model_is_told_the_same(self, governor):
        """A run that crashed everywhere once has asked its model what one without a crash would have."""
        turns = [calls(("search", {"query": "x"}), paying()), calls(paying("b"), ("nope", {})), SAID]
        agent, quiet = desk(governor, Bank(), *turns)
        expected = texts(await run(governor, agent, run_id="quiet"))
        agent, model = desk(governor, Bank(), CRASH, turns[0], CRASH, turns[1], CRASH, turns[2])
        for _ in range(3):
            await crashed(governor, agent)
        result = await run(governor, agent)

        def told(call):
            return [{name: value for name, value in item.items() if name != "id"} for item in call.input]

        assert told(model.last_call) == told(quiet.last_call)
        assert [one.get("output") for one in texts(result)] == [one.get("output") for one in expected]

    async def test_a_run_that_has_ended(self, governor):
        """A process that died before it could say so gets the same answer; nothing is asked or performed again."""
        bank = Bank()
        agent, model = desk(governor, bank, calls(paying()), SAID)
        for _ in range(2):
            assert (await run(governor, agent)).final_output == "said"
        assert (len(model.calls), len(bank.paid)) == (2, 1)
        with pytest.raises(KeyReusedError):
            await run(governor, agent, "Pay b.")

    async def test_calls_of_one_turn_keep_their_places(self, governor):
        """Equal calls of one turn are recalled each for itself."""
        bank = Bank()
        agent, _ = desk(governor, bank, calls(*[paying()] * 3), CRASH, SAID)
        await crashed(governor, agent)
        await run(governor, agent)
        assert len(bank.paid) == 3

    async def test_a_denial_is_recalled(self, governor):
        """Also what was turned down, and names that the model made up."""
        agent, _ = desk(governor, Bank(), calls(paying(amount=9999), ("nope", {}), ("pay", "{")), CRASH, SAID)
        await crashed(governor, agent)
        await run(governor, agent)
        assert (await names(governor)).count("Denied") == 3

    async def test_with_a_session_of_the_sdk(self, governor, tmp_path):
        """What the session has kept of the first life does not lead the second astray."""
        bank = Bank()
        agent, model = desk(governor, bank, calls(("search", {"query": "x"})), calls(paying()), CRASH, SAID, SAID)
        session = SQLiteSession("c1", tmp_path / "session.db")
        await crashed(governor, agent, session=session)
        result = await run(governor, agent, session=session)
        assert (result.final_output, len(bank.paid), len(model.calls)) == ("said", 1, 4)
        result = await run(governor, agent, "And now?", run_id="r2", session=session)
        assert (result.final_output, len(bank.paid), len(model.calls)) == ("said", 1, 5)
        session.close()

    async def test_what_a_session_shows_after_a_crash(self, governor, tmp_path):
        """The model sees each call once, its result behind it, and the user's words once, before them."""
        agent, model = desk(governor, Bank(), calls(paying(), paying("b")), calls(paying("c")), CRASH, SAID)
        session = SQLiteSession("c1", tmp_path / "session.db")
        await crashed(governor, agent, session=session)
        await run(governor, agent, session=session)
        session.close()
        kinds = [one.get("type", one.get("role")) for one in model.last_call.input]
        call, told = "function_call", "function_call_output"
        assert kinds == ["user", call, call, told, told, call, told]

    async def test_a_conversation_that_the_server_keeps(self, governor):
        """`previous_response_id` of a recalled turn is the one that the server knows."""
        turns = [ModelStep(calls(paying()), response_id="one"), ModelStep(calls(paying("b")), response_id="two")]
        agent, model = desk(governor, Bank(), *turns, CRASH, SAID)
        await crashed(governor, agent, auto_previous_response_id=True)
        result = await run(governor, agent, auto_previous_response_id=True)
        assert result.final_output == "said"
        assert model.last_call.previous_response_id == "two"
        assert [one["call_id"] for one in model.last_call.input] == ["call_0"]

    async def test_a_turn_that_failed_is_asked_again(self, governor):
        """The SDK's retries are retries: only an answer is a turn."""
        agent, model = desk(governor, Bank(), CRASH, SAID)
        await crashed(governor, agent)
        assert (await run(governor, agent)).final_output == "said"
        assert len(model.calls) == 2

    async def test_more_turns_for_a_run_that_had_too_few(self, governor):
        """`MaxTurnsExceeded` leaves the run open; it goes on with a higher limit."""
        bank = Bank()
        agent, model = desk(governor, bank, calls(paying("a")), calls(paying("b")), SAID)
        with pytest.raises(MaxTurnsExceeded):
            await run(governor, agent, max_turns=1)
        assert (await run(governor, agent)).final_output == "said"
        assert (len(bank.paid), len(model.calls)) == (2, 3)

    async def test_two_calls_of_the_runner_in_one_block(self, governor):
        """They are told apart by their order, also after a crash."""
        bank = Bank()
        agent, model = desk(governor, bank, calls(paying("a")), SAID, calls(paying("b")), CRASH, SAID)

        async def both():
            with governor.run("r1"):
                first = await Runner.run(agent, "Pay a.")
                return first, await Runner.run(agent, "Pay b.")

        with pytest.raises(CrashError):
            await both()
        first, second = await both()
        assert (first.final_output, second.final_output) == ("said", "said")
        assert [order for order, _ in bank.paid] == ["a", "b"]
        assert len(model.calls) == 5

    async def test_another_question_under_the_same_run(self, governor):
        """It gets an error, never the answer to the first one."""
        agent, _ = desk(governor, Bank(), [assistant_message("Ana")], CRASH)
        with suppress(CrashError), governor.run("r1"):
            await Runner.run(agent, "Who?")
            raise CrashError
        with pytest.raises(KeyReusedError, match=r"'Who\?'.*'When\?'"):
            await run(governor, agent, "When?")

    async def test_two_at_once_in_one_run(self, governor):
        """They could not be told apart after a crash: that is an error, before a second model is asked."""
        gate = asyncio.Event()

        async def wait(call):
            await gate.wait()
            return SAID

        agent, _ = desk(governor, Bank(), ModelStep.respond(wait), SAID)
        with governor.run("r1"):
            first = asyncio.create_task(Runner.run(agent, "One"))
            await asyncio.sleep(0)
            while not agent.model.inner.calls:
                await asyncio.sleep(0)
            with pytest.raises(DeclarationError, match="at once in one run"):
                await Runner.run(agent, "Two")
            gate.set()
            await first

    async def test_two_that_take_turns_in_one_run(self, governor):
        """The one whose turn the other has taken gets an error, not the other's answer."""
        gate, bank = asyncio.Event(), Bank()

        @function_tool
        async def search(query: str) -> str:
            await gate.wait()
            return query

        agent, _ = desk(governor, bank, calls(("search", {"query": "x"})), SAID, SAID, tools=[search])
        with governor.run("r1"):
            first = asyncio.create_task(Runner.run(agent, "One"))
            while len(agent.model.inner.calls) < 1:
                await asyncio.sleep(0)
            assert (await Runner.run(agent, "Two")).final_output == "said"
            gate.set()
            with pytest.raises(KeyReusedError):
                await first
