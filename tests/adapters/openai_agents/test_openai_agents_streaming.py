"""Streamed runs of the OpenAI Agents SDK: journaled as any run, and recalled as a stream."""

import asyncio
from contextlib import suppress

import pytest
from agents import (
    ModelSettings,
    ModelTracing,
    Runner,
    function_tool,
)
from agents.testing import ModelStep, ScriptedModel, assistant_message
from openai.types.responses import ResponseCompletedEvent
from openai_agents_desk import CRASH, SAID, Bank, CrashError, calls, desk, paying, run, texts


class TestStreaming:
    async def stream(self, governor, agent, asked="Pay a.", run_id="r1"):
        with governor.run(run_id):
            result = Runner.run_streamed(agent, asked)
            events = [event async for event in result.stream_events()]
        return result, events

    def words(self, events):
        raw = [event.data for event in events if event.type == "raw_response_event"]
        return "".join(one.delta for one in raw if one.type == "response.output_text.delta")

    async def test_a_streamed_run_is_journaled_and_goes_on(self, governor):
        """Its turns and calls are recorded as those of any run, and come back as a stream."""
        bank = Bank()
        agent, model = desk(
            governor, bank, calls(paying()), calls(paying("b")), CRASH, [assistant_message("All paid.")]
        )
        with pytest.raises(CrashError):
            await self.stream(governor, agent)
        result, events = await self.stream(governor, agent)
        assert (result.final_output, self.words(events)) == ("All paid.", "All paid.")
        assert (len(bank.paid), len(model.calls)) == (2, 4)
        assert [event.name for event in events if event.type == "run_item_stream_event"] == [
            *["tool_called", "tool_output"] * 2,
            "message_output_created",
        ]

    async def test_recalled_words_are_streamed(self, governor):
        """A page that shows the deltas shows them after a crash too."""
        agent, model = desk(governor, Bank(), [assistant_message("All paid.")])
        with suppress(CrashError), governor.run("r1"):
            result = Runner.run_streamed(agent, "Pay a.")
            async for _ in result.stream_events():
                pass
            raise CrashError
        result, events = await self.stream(governor, agent)
        assert (result.final_output, self.words(events), len(model.calls)) == ("All paid.", "All paid.", 1)
        completed = [e.data for e in events if getattr(getattr(e, "data", None), "type", "") == "response.completed"]
        assert isinstance(completed[0], ResponseCompletedEvent)

    async def test_a_stream_has_the_same_ids_from_its_beginning(self, governor):
        """A call is known by one id in all events, and in the result."""
        agent, _ = desk(governor, Bank(), calls(paying(), paying("b")), SAID)
        result, events = await self.stream(governor, agent)
        raw = [event.data for event in events if event.type == "raw_response_event"]
        told = {one.item.call_id for one in raw if one.type == "response.output_item.done" and "call" in one.item.type}
        assert told == {one["call_id"] for one in texts(result) if one.get("type") == "function_call"}
        assert len(told) == 2

    async def test_a_run_goes_on_in_the_other_way(self, governor):
        """One that was begun as a stream is finished without, and the other way round."""
        for first, second in ((True, False), (False, True)):
            bank, name = Bank(), f"stream first: {first}"
            agent, _ = desk(governor, bank, calls(paying()), CRASH, SAID)
            for streamed in (first, second):
                try:
                    going = self.stream if streamed else run
                    result = await going(governor, agent, run_id=name)
                except CrashError:
                    continue
                result = result[0] if streamed else result
                assert (result.final_output, len(bank.paid)) == ("said", 1)

    async def test_a_stream_whose_last_event_is_empty(self, governor):
        """Some providers tell the items before, and none at the end."""

        async def events(call):
            async for event in ScriptedModel([calls(paying())]).stream_response(
                None,
                [],
                ModelSettings(),
                [],
                None,
                [],
                ModelTracing.DISABLED,
                previous_response_id=None,
                conversation_id=None,
                prompt=None,
            ):
                if event.type == "response.completed":
                    event.response.output = []
                yield event

        bank = Bank()
        agent, _ = desk(governor, bank, ModelStep.stream(events), SAID)
        result, _ = await self.stream(governor, agent)
        assert (result.final_output, len(bank.paid)) == ("said", 1)

    async def test_a_stream_that_is_left(self, governor):
        """A reader that goes away early leaves a run that can be finished."""
        bank = Bank()
        agent, _ = desk(governor, bank, calls(paying()), SAID)
        with suppress(CrashError), governor.run("r1"):
            result = Runner.run_streamed(agent, "Pay a.")
            async for _ in result.stream_events():
                raise CrashError
        result.cancel()
        result, _ = await self.stream(governor, agent)
        assert (result.final_output, len(bank.paid)) == ("said", 1)

    async def test_a_block_that_is_left_in_the_middle_of_a_tool(self, governor):
        """It does not wait for a body that runs in its own loop; the run stays open."""
        bank, gate, begun = Bank(), asyncio.Event(), asyncio.Event()

        @function_tool
        async def pay(order: str, amount: int) -> str:
            begun.set()
            await gate.wait()
            bank.paid.append((order, amount))
            return "paid"

        agent, _ = desk(governor, bank, calls(paying()), SAID, tools=[pay])
        with governor.run("r1"):
            result = Runner.run_streamed(agent, "Pay a.")
            await begun.wait()
        gate.set()
        async for _ in result.stream_events():
            pass
        assert (result.final_output, len(bank.paid)) == ("said", 1)
