"""Tools of the OpenAI Agents SDK that raise, are late or are cancelled: what is not known is not told as a failure."""

import asyncio

import pytest
from agents import (
    ToolTimeoutError,
    function_tool,
)
from agents.exceptions import UserError
from openai_agents_desk import SAID, Bank, calls, desk, governing, names, outputs, pay_tool, paying, run

from interlock import probe


def sorry(ctx, error):
    return f"sorry: {error}"


class TestFailing:
    async def test_a_read_that_raises(self, governor):
        """Nothing has happened: the tool's own words for a failure are told, as without a governor."""
        bank = Bank(error=LookupError("no such order"))
        agent, _ = desk(
            governor,
            bank,
            calls(("search", {"query": "x"})),
            SAID,
            tools=bank.tools(failure_error_function=sorry),
        )
        assert outputs(await run(governor, agent)) == ["sorry: no such order"]

    async def test_a_read_that_raises_without_words(self, governor):
        """`failure_error_function=None` ends the run with the exception, as without a governor."""
        bank = Bank(error=LookupError("no such order"))
        tools = bank.tools(failure_error_function=None)
        agent, _ = desk(governor, bank, calls(("search", {"query": "x"})), tools=tools)
        with pytest.raises(UserError, match="no such order"):
            await run(governor, agent)

    async def test_an_effect_that_raises_is_not_known(self, governor):
        """The SDK would tell the model to try again, and pay twice; here it is told not to, and a person is asked."""
        bank = Bank(error=ConnectionError("the line broke"))
        agent, _ = desk(governor, bank, calls(paying()), SAID)
        result = await run(governor, agent)
        assert "Do not propose it again" in outputs(result)[0]
        assert [one.kind for one in governor.runtime.questions("r1")] == ["unknown"]
        assert governor.runtime.run("r1").status() == "waiting"

    async def test_an_effect_that_raises_is_looked_up(self):
        """Where a probe finds it, the model hears of its result."""
        bank, pay = Bank(error=ConnectionError("the line broke")), pay_tool()

        @pay.probe
        def _(ctx, order, amount):
            return probe.done(f"found {order}")

        with governing(pay=pay) as governor:
            agent, _ = desk(governor, bank, calls(paying()), SAID)
            assert outputs(await run(governor, agent)) == ["found a"]
            assert len(bank.paid) == 1

    async def test_an_effect_is_sent_again_under_its_key(self):
        """Where the other side honours the key, the body is called again with it."""
        bank = Bank(error=ConnectionError("the line broke"))
        with governing(pay=pay_tool(idempotent=True)) as governor:

            @function_tool
            async def pay(order: str, amount: int) -> str:
                try:
                    return await bank.tools()[0].__wrapped__(order, amount)
                finally:
                    bank.error = None

            agent, _ = desk(governor, bank, calls(paying()), SAID, tools=[pay])
            assert outputs(await run(governor, agent)) == ["paid 40 for a"]
            assert len(bank.paid) == 2
            assert len(set(bank.keys)) == 1

    async def test_an_effect_that_is_refused(self):
        """An exception that `refuses=` names says that nothing has happened: the tool's own words are told."""
        bank = Bank(error=LookupError("no such order"))
        with governing(pay=pay_tool(refuses=(LookupError,))) as governor:
            agent, _ = desk(governor, bank, calls(paying()), SAID)
            assert outputs(await run(governor, agent)) == [
                "An error occurred while running the tool. Please try again."
            ]
            assert "Failed" in await names(governor)

    async def test_a_read_that_is_late(self, governor):
        """A tool's timeout is kept, and its words are the SDK's."""

        @function_tool(timeout=0.01)
        async def search(query: str) -> str:
            await asyncio.Event().wait()

        agent, _ = desk(governor, Bank(), calls(("search", {"query": "x"})), SAID, tools=[search])
        assert outputs(await run(governor, agent)) == ["Tool 'search' timed out after 0.01 seconds."]

    async def test_a_read_that_is_late_with_words_of_its_own(self, governor):
        """So are words that the author has for it, sync or async."""

        async def slow(ctx, error):
            return f"slow: {error.tool_name}"

        def slow_too(ctx, error):
            return f"slow: {error.tool_name}"

        for words in (slow, slow_too):

            @function_tool(timeout=0.01, timeout_error_function=words)
            async def search(query: str) -> str:
                await asyncio.Event().wait()

            agent, _ = desk(governor, Bank(), calls(("search", {"query": "x"})), SAID, tools=[search])
            assert outputs(await run(governor, agent, run_id=repr(words))) == ["slow: search"]

    async def test_a_read_that_is_late_and_raises(self, governor):
        """`timeout_behavior="raise_exception"` ends the run, as without a governor."""

        @function_tool(timeout=0.01, timeout_behavior="raise_exception")
        async def search(query: str) -> str:
            await asyncio.Event().wait()

        agent, _ = desk(governor, Bank(), calls(("search", {"query": "x"})), tools=[search])
        with pytest.raises(ToolTimeoutError):
            await run(governor, agent)

    async def test_an_effect_that_is_late_is_not_known(self, governor):
        """The SDK would say that it timed out, and the model would pay again."""
        bank = Bank()

        @function_tool(timeout=0.01)
        async def pay(order: str, amount: int) -> str:
            bank.paid.append((order, amount))
            await asyncio.Event().wait()

        agent, _ = desk(governor, bank, calls(paying()), SAID, tools=[pay])
        assert "Do not propose it again" in outputs(await run(governor, agent))[0]
        assert [one.kind for one in governor.runtime.questions("r1")] == ["unknown"]

    async def test_a_run_that_is_cancelled_in_the_middle_of_a_tool(self, governor):
        """Nobody knows how far the effect came: the journal says so, and the next life of the run is told."""
        bank, begun = Bank(), asyncio.Event()

        @function_tool
        async def pay(order: str, amount: int) -> str:
            bank.paid.append((order, amount))
            begun.set()
            await asyncio.Event().wait()

        agent, _ = desk(governor, bank, calls(paying()), SAID, tools=[pay])
        running = asyncio.create_task(run(governor, agent))
        await begun.wait()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        result = await run(governor, agent)
        assert "Do not propose it again" in outputs(result)[0]
        assert len(bank.paid) == 1

    async def test_one_that_fails_stops_the_others_as_ever(self, governor):
        """The SDK cancels the siblings of a tool whose exception ends the run; what they did is not forgotten."""
        bank, begun = Bank(), asyncio.Event()

        @function_tool
        async def pay(order: str, amount: int) -> str:
            bank.paid.append((order, amount))
            begun.set()
            await asyncio.Event().wait()

        @function_tool(failure_error_function=None)
        async def search(query: str) -> str:
            await begun.wait()
            raise LookupError(query)

        agent, _ = desk(governor, bank, calls(paying(), ("search", {"query": "x"})), tools=[pay, search])
        with pytest.raises(UserError):
            await run(governor, agent)
        assert governor.runtime.run("r1").status() != "done"
