"""Pydantic AI runs that go on: after a crash, twice at once, from a stored history, within another run."""

import asyncio
import json
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from pydantic_ai import Agent, FunctionToolset, ModelResponse, TextPart, capture_run_messages
from pydantic_ai.capabilities import AbstractCapability
from pydantic_ai.exceptions import ModelHTTPError, RetryModelRequest, UnexpectedModelBehavior
from pydantic_ai.models.function import FunctionModel
from pydantic_ai_desk import Desk, call, journaled, results, stored

from interlock.adapters.pydantic_ai import GovernedToolset
from interlock.errors import KeyReusedError
from interlock.kernel import events as ev


class StoppedError(Exception):
    """The process ends here."""


def stopping(desk, at):
    """Have the desk's model stop the process at this turn, once."""
    said = desk.script.turns[at]

    def stop(messages):
        desk.script.turns[at] = said
        raise StoppedError

    desk.script.turns[at] = stop


class TestTheSameRunAgain:
    async def test_it_goes_on_where_it_was(self):
        """What the model said is not asked again, what was performed is not performed again."""
        turns = [[call("search")], [call("pay", order="a", amount=1), call("pay", order="b", amount=2)], "done"]
        desk = Desk(*turns)
        stopping(desk, 2)
        with pytest.raises(StoppedError):
            await desk.run(run_id="r1")
        assert len(desk.script.asked) == 3
        result = await desk.run(run_id="r1")
        assert result.output == "done"
        assert len(desk.script.asked) == 4
        assert sorted(desk.paid) == [("a", 1), ("b", 2)]
        assert desk.governor.runtime.run("r1").status() == "done"

    async def test_a_run_that_has_ended(self):
        """It says again what it said; nothing is done."""
        desk = Desk([call("pay", order="a", amount=1)], "done")
        first = await desk.run(run_id="r1")
        again = await desk.run(run_id="r1")
        assert results(again.all_messages()) == results(first.all_messages())
        assert (again.output, len(desk.paid), len(desk.script.asked)) == ("done", 1, 2)
        assert again.usage == first.usage

    async def test_a_run_without_an_id_is_a_new_one(self):
        """Nobody could say which it goes on with."""
        desk = Desk([call("pay", order="a", amount=1)], "done")
        await desk.run()
        await desk.run()
        assert len(desk.paid) == 2

    async def test_answers_that_come_in_pieces(self):
        """A stream that was recorded comes again, whole; one that was stopped by an exception is asked for again."""
        desk = Desk([call("pay", order="a", amount=1)], "one two three")

        async def stop_at_the_first_word():
            async with desk.governed.run_stream("hi", run_id="r1") as streamed:
                async for _ in streamed.stream_text(delta=True, debounce_by=None):
                    raise StoppedError

        with pytest.raises(StoppedError):
            await stop_at_the_first_word()
        for _ in range(2):
            async with desk.governed.run_stream("hi", run_id="r1") as streamed:
                assert [text async for text in streamed.stream_text(debounce_by=None)][-1] == "one two three "
        assert len(desk.script.asked) == 3
        assert desk.paid == [("a", 1)]

    async def test_an_answer_that_was_cancelled(self):
        """The run ends with what was heard of it, and says that again."""
        desk = Desk([call("pay", order="a", amount=1)], "one two three")
        async with desk.governed.run_stream("hi", run_id="r1") as streamed:
            async for _ in streamed.stream_text(delta=True, debounce_by=None):
                await streamed.cancel()
                break
        assert (await desk.run(run_id="r1")).output == "one "
        assert len(desk.script.asked) == 2

    async def test_an_answer_that_was_not_heard_to_its_end(self):
        """The framework acts on what it has heard: that is the answer, also when the run is played again."""
        desk = Desk([call("pay", order="a", amount=1)], "one two three")
        async with desk.governed.iter("hi", run_id="r1") as run:
            async for node in run:
                if Agent.is_model_request_node(node):
                    async with node.stream(run.ctx) as stream:
                        async for _ in stream:
                            break
        assert (run.result.output, desk.paid) == ("one ", [("a", 1)])
        assert (await desk.run(run_id="r1")).output == "one "
        assert len(desk.script.asked) == 2

    async def test_a_model_that_changes_its_mind(self):
        """Where its answer was not recorded, another proposal in the place of one that was performed is refused."""
        desk = Desk([call("pay", order="a", amount=1)], "done")
        await desk.run(run_id="r1")
        other = Desk([call("pay", order="a", amount=2)], "done", governor=desk.governor)
        agent = Agent(other.script.model, toolsets=[GovernedToolset(FunctionToolset([other.pay]), desk.governor)])
        with pytest.raises(KeyReusedError):
            await agent.run("hi", run_id="r1")
        assert other.paid == []

    async def test_retries_of_a_tool_are_counted_again(self):
        """A run that is played again comes to the same end, also where the model may not try again."""
        desk = Desk(*([call("pey")] for _ in range(5)), "done")
        for _ in range(2):
            with pytest.raises(UnexpectedModelBehavior, match="exceeded max retries"):
                await desk.run(run_id="r1")
        assert len(desk.script.asked) == 2

    async def test_another_attempt_at_a_request(self):
        """Of several attempts at one request those that answered are kept, in their order."""

        class Again(AbstractCapability):
            async def on_model_request_error(self, ctx, *, request_context, error):
                raise RetryModelRequest

            async def after_model_request(self, ctx, *, request_context, response):
                if response.text == "hm":
                    raise RetryModelRequest
                return response

        said = [ModelHTTPError(503, "m"), ModelResponse([TextPart("hm")])]

        def model(messages, info):
            one = said.pop(0) if said else desk.script(messages, info)
            if isinstance(one, Exception):
                raise one
            return one

        desk = Desk([call("pay", order="a", amount=1)], "done")
        for _ in range(2):
            result = await desk.run(run_id="r1", model=FunctionModel(model), capabilities=[Again()])
            assert result.output == "done"
        assert desk.paid == [("a", 1)]
        assert [one.call for one in journaled(desk.governor, "r1", ev.TurnRecorded)] == [
            "turn/1.0",
            "turn/1.1",
            "turn/2.0",
        ]

    async def test_twice_at_once(self):
        """Both go on from what the model said first, and each payment is made once."""
        orders, asked, all_asked = iter(range(100)), [], asyncio.Event()

        async def model(messages, info):
            asked.append(1)
            if len(asked) == 8:
                all_asked.set()
            await all_asked.wait()
            return desk.script(messages, info)

        desk = Desk(*([lambda _: [call("pay", order=str(next(orders)), amount=1)]] * 3), "done")
        with desk.agent.override(model=FunctionModel(model)):
            some = await asyncio.gather(*(desk.run(run_id="r1") for _ in range(8)))
        assert len({str(results(one.all_messages())) for one in some}) == 1
        assert len(desk.paid) == 3
        assert len(set(desk.paid)) == 3


def life(folder, *words):
    """Live in a process of its own; return how it ended, and what it said."""
    command = [sys.executable, Path(__file__).with_name("pydantic_ai_life.py"), folder, *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout


class TestUnknownOutcomes:
    @pytest.mark.parametrize("with_probe", [["probe"], []])
    @pytest.mark.parametrize("before", [["before"], []])
    def test_killed_in_the_middle_of_a_payment(self, tmp_path, with_probe, before):
        """With a probe it is found out; without one a person is asked. It is never made twice."""
        assert life(tmp_path, "pay", "kill", *with_probe, *before)[0] == -signal.SIGKILL
        code, said = life(tmp_path, "pay", *with_probe)
        assert code == 0
        found = json.loads(said)
        paid = (tmp_path / "paid").read_text().split() if (tmp_path / "paid").exists() else []
        assert found["asked"] == 1, "the model is asked for what it has not said yet"
        if with_probe:
            assert paid == ["a"]
            assert found["told"] == "paid a"
            assert (found["status"], found["questions"]) == ("done", [])
        else:
            assert paid == ([] if before else ["a"])
            assert "A person is asked" in found["told"]
            assert (found["status"], found["questions"]) == ("waiting", ["unknown"])

    async def test_the_end_of_an_unknown_outcome(self):
        """When somebody has said what happened, the run is told that, and the model speaks again."""
        desk = Desk([call("pay", order="a", amount=1)], *[lambda messages: results(messages)[0][1]] * 2)
        desk.error = ConnectionError("lost")
        first = await desk.run(run_id="r1")
        assert "its outcome is not known yet" in first.output
        [question] = desk.governor.runtime.run("r1").questions()
        question.happened(by="ana", result="paid 1, says the bank")
        again = await desk.run(run_id="r1")
        assert again.output == "paid 1, says the bank"
        assert len(desk.paid) == 1
        assert (await desk.run(run_id="r1")).output == "paid 1, says the bank"
        assert len(desk.script.asked) == 3


class TestHistories:
    async def test_calls_that_a_history_left_open(self):
        """A run that begins with open calls goes on with the run that they belong to."""
        desk = Desk([call("pay", order="a", amount=1), call("search")], "done")

        async def search() -> str:
            if len(stops) < 1:
                stops.append(1)
                await asyncio.sleep(0.05)
                raise StoppedError
            return "found"

        stops = []
        with desk.agent.override(tools=[desk.pay, search]):
            with capture_run_messages() as messages, pytest.raises(StoppedError):
                await desk.run(run_id="r1")
            history = stored(messages)[:2]
            result = await desk.run(None, message_history=history)
        assert result.output == "done"
        assert desk.paid == [("a", 1)]
        assert desk.governor.runtime.run("r1").status() == "done"

    async def test_a_new_prompt_after_calls_that_a_history_left_open(self):
        """What the user says next is another run; the framework closes what was open."""
        desk = Desk([call("pay", order="a", amount=1)], "one", "two")
        desk.error = KeyError("not known")
        with desk.agent.override(tools=[desk.search]), capture_run_messages() as messages:
            stopping(desk, 1)
            with pytest.raises(StoppedError):
                await desk.run(run_id="r1")
        history = stored(messages)[:2]
        history[1].state = "interrupted"
        result = await desk.run("never mind", message_history=history, run_id="r2")
        assert result.output == "one"
        assert desk.paid == []
        assert desk.governor.runtime.run("r2").status() == "done"

    async def test_a_conversation(self):
        """The next turn of the user is another run."""
        desk = Desk([call("pay", order="a", amount=1)], "one", [call("pay", order="a", amount=1)], "two")
        first = await desk.run(run_id="r1")
        second = await desk.run(run_id="r2", message_history=stored(first.all_messages()))
        assert (second.output, desk.paid) == ("two", [("a", 1)] * 2)
        stopping(desk, 3)
        assert (await desk.run(run_id="r2", message_history=stored(first.all_messages()))).output == "two"
        assert len(desk.paid) == 2

    @pytest.mark.parametrize("mark", [None, 5, {"run": 5}, {"run": "x", "turn": "y"}, {"asked": [1]}])
    async def test_marks_that_are_none(self, mark):
        """Metadata of somebody else is not taken for ours, nor lost."""
        desk = Desk([call("pay", order="a", amount=1)], "done")
        with capture_run_messages() as messages:
            await desk.run(run_id="r1")
        history = stored(messages)[:2]
        history[1].metadata = {"interlock": mark, "theirs": 1}
        result = await desk.run(None, message_history=history, run_id="r2")
        assert result.all_messages()[1].metadata["theirs"] == 1
        assert len(journaled(desk.governor, "r2", ev.Done)) == 1


class TestWithin:
    def test_an_agent_that_a_tool_asks(self, tmp_path):
        """The run within has an id of its own that is the same in the next life: its payments are not made again."""
        assert life(tmp_path, "ask", "kill")[0] == -signal.SIGKILL
        code, said = life(tmp_path, "ask")
        assert (code, json.loads(said)["told"]) == (0, "paid by me; paid by me")
        assert (tmp_path / "paid").read_text().split() == ["a", "a"]

    def test_tools_that_a_tool_calls(self, tmp_path):
        """A tool may call others by way of its agent: each is judged, and done once."""
        assert life(tmp_path, "batch", "kill")[0] == -signal.SIGKILL
        code, said = life(tmp_path, "batch")
        assert code == 0
        *paid, denied = json.loads(said)["told"]
        assert paid == ["paid a", "paid a"]
        assert "It was not done" in denied
        assert (tmp_path / "paid").read_text().split() == ["a", "a"]

    def test_many_threads(self):
        """Loops in several threads share an agent and its governor."""
        desk = Desk([call("pay", order="a", amount=1)], "done")
        threads = [threading.Thread(target=lambda n=n: asyncio.run(desk.run(run_id=f"r{n}"))) for n in range(8)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        assert len(desk.paid) == 8
        assert [desk.governor.runtime.run(f"r{n}").status() for n in range(8)] == ["done"] * 8
