"""A session of the OpenAI Agents SDK after a crash: the model is shown what it would have been shown without one."""

from typing import Any

import pytest
from agents import Agent, Runner, SQLiteSession
from agents.testing import ScriptedModel, assistant_message
from openai.types.responses import ResponseReasoningItem
from openai_agents_desk import CRASH, SAID, Bank, CrashError, calls, governing, paying, run

from interlock.adapters.openai_agents import govern

BEFORE: list[Any] = [
    {"role": "user", "content": "Hello."},
    {"role": "assistant", "content": "Hello, what can I do?"},
    {"role": "user", "content": "Pay."},
    {"role": "assistant", "content": "Pay what?"},
]
"""What was said in the session before."""

ENDS = (1, 3, 6, 11, 16, 17)
"""How many items the session has after the user's words, and after each turn."""


def thought(name: str) -> ResponseReasoningItem:
    return ResponseReasoningItem(id=name, summary=[], type="reasoning")


def turns() -> list[Any]:
    """What the clerk says, behind a handover: thoughts, words and parallel calls."""
    return [
        [thought("t1"), *calls(("search", {"query": "x", "limit": 1}))],
        [assistant_message("Both.", item_id="m1"), *calls(paying("a"), paying("b"))],
        [thought("t2"), assistant_message("And c.", item_id="m2"), thought("t3"), *calls(paying("c"))],
        SAID,
    ]


class Life:
    """A process: agents made anew, which say from the turn on that is not in the journal."""

    def __init__(self, governor, bank: Bank, said: list[Any]) -> None:
        self.governor = governor
        self.model = ScriptedModel(said)
        clerk = Agent("clerk", tools=bank.tools(), model=self.model)
        over = ScriptedModel([calls(("transfer_to_clerk", {}))])
        self.agent = govern(Agent("triage", handoffs=[clerk], model=over), governor)

    async def live(self, session) -> Any:
        return await run(self.governor, self.agent, "Pay.", session=session)

    async def die(self, session) -> None:
        """Come as far as what it says reaches, and die; also after the end of the run."""
        with pytest.raises(CrashError), self.governor.run("r1", user="u42"):
            await self._die(session)

    async def _die(self, session) -> None:
        await Runner.run(self.agent, "Pay.", session=session)
        raise CrashError

    def told(self) -> list[Any]:
        return [[_essence(item) for item in call.input] for call in self.model.calls]


def _essence(item: Any) -> Any:
    return {name: value for name, value in item.items() if name not in {"id", "status"}}


async def session_of(*items: Any) -> SQLiteSession:
    session = SQLiteSession("c1")
    await session.add_items([*BEFORE, *items])
    return session


@pytest.fixture
async def quiet():
    """What the model is told, and what the session keeps, without a crash."""
    with governing() as governor:
        life, session = Life(governor, Bank(), turns()), await session_of()
        await life.live(session)
        kept = (await session.get_items())[len(BEFORE) :]
        assert len(kept) == ENDS[-1]
        return life.told(), kept


@pytest.mark.parametrize("crash", range(5))
async def test_one_crash(quiet, crash):
    """Wherever it was, and whatever the session has kept of it."""
    told, kept = quiet
    for end in ENDS:
        with governing() as governor:
            bank = Bank()
            await Life(governor, bank, [*turns()[:crash], CRASH][: len(told)]).die(await session_of())
            life = Life(governor, bank, turns()[crash:])
            result = await life.live(await session_of(*kept[:end]))
            assert result.final_output == "said"
            assert sorted(bank.paid) == [("a", 40), ("b", 40), ("c", 40)]
            assert life.told() == told[crash:]


@pytest.mark.parametrize("crash", range(4))
async def test_two_crashes(quiet, crash):
    """The recovery crashes too, a turn later, and the session has kept something of both lives."""
    told, kept = quiet
    for first, second in [(1, 1), (1, 6), (3, 3), (6, 11), (11, 16), (16, 16), (17, 17)]:
        with governing() as governor:
            bank = Bank()
            await Life(governor, bank, [*turns()[:crash], CRASH]).die(await session_of())
            await Life(governor, bank, [turns()[crash], CRASH][: len(told) - crash]).die(
                await session_of(*kept[:first])
            )
            life = Life(governor, bank, turns()[crash + 1 :])
            result = await life.live(await session_of(*kept[:first], *kept[:second]))
            assert result.final_output == "said"
            assert len(bank.paid) == 3
            assert life.told() == told[crash + 1 :]


async def test_the_next_run_of_the_conversation(governor, quiet):
    """It sees the one before as if that had never crashed."""
    _, kept = quiet
    model = ScriptedModel([SAID])
    agent = govern(Agent("desk", model=model), governor)
    session = await session_of(*kept[:11], *kept)
    await run(governor, agent, "And now?", run_id="r2", session=session)
    ids = [one["call_id"] for one in model.last_call.input if "call_id" in one]
    words = [one.get("content") for one in model.last_call.input if one.get("role") == "user"]
    assert ids == ["call_0"] * 4 + ["call_0", "call_1"] * 2 + ["call_0"] * 2
    assert words == ["Hello.", "Pay.", "Pay.", "And now?"]
