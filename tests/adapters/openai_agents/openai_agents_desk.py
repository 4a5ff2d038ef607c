"""A payment desk on the OpenAI Agents SDK, with a scripted model and a bank that counts."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from agents import Agent, Runner, function_tool, set_tracing_disabled
from agents.testing import ModelStep, ScriptedModel, assistant_message, function_call

from interlock import Governor, Policy, arg, current, need, permit, tool
from interlock.adapters.openai_agents import govern

set_tracing_disabled(True)


class CrashError(Exception):
    """The process ended here; a test goes on in the same one, on the journal that is there."""


CRASH = ModelStep.raise_error(CrashError())
SAID = [assistant_message("said")]


def calls(*proposed: tuple[str, Any], ids: tuple[str, ...] = ()):
    """A turn of a model that calls tools; the provider's ids repeat, as some do, unless they are given."""
    return [
        function_call(name, args, call_id=ids[number] if ids else f"call_{number}")
        for number, (name, args) in enumerate(proposed)
    ]


def paying(order="a", amount: Any = 40):
    return ("pay", {"order": order, "amount": amount})


@dataclass
class Bank:
    """What was paid; `error` is raised after the payment."""

    paid: list[tuple[str, int]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    searched: list[str] = field(default_factory=list)
    error: BaseException | None = None

    def tools(self, **options: Any):
        @function_tool(**options)
        async def pay(order: str, amount: int) -> str:
            """Pay an order."""
            call = current()
            assert call is not None
            self.paid.append((order, amount))
            self.keys.append(call.key)
            await asyncio.sleep(0)
            if self.error is not None:
                raise self.error
            return f"paid {amount} for {order}"

        @function_tool(**options)
        def search(query: str, limit: int = 10) -> list[str]:
            """Search the orders."""
            if isinstance(self.error, LookupError):
                raise self.error
            self.searched.append(query)
            return [query] * limit

        return [pay, search]


def pay_tool(**options: Any):
    pay = tool.compensable("pay", repeatable=True, **options)

    @pay.undo
    def _(ctx, done, order, amount): ...

    return pay


def governing(journal: Any = ":memory:", pay=None, **options: Any) -> Governor:
    search = tool.read("search")
    pay = pay or pay_tool()
    policy = Policy(
        permit(search),
        permit(pay, when=(arg.amount > 0) & (arg.amount <= 1000)),
        need.approval("finance", pay, when=arg.amount > 100, because="over 100"),
    )
    return Governor(journal, [search, pay], policy=policy, patience="1s", **options)


def desk(governor: Governor, bank: Bank, *turns: Any, tools: Any = None, **options: Any):
    """A governed agent and its model, which says these turns."""
    model = ScriptedModel(turns)
    tools = bank.tools() if tools is None else tools
    agent = Agent("desk", instructions="Pay.", tools=tools, model=model)
    return govern(agent, governor, **options), model


async def run(governor: Governor, agent: Any, asked: Any = "Pay a.", run_id="r1", **options: Any):
    with governor.run(run_id, user="u42"):
        return await Runner.run(agent, asked, **options)


async def resumed(governor: Governor, agent: Any, state: Any, run_id="r1"):
    with governor.run(run_id):
        return await Runner.run(agent, state)


async def crashed(governor: Governor, agent: Any, asked: Any = "Pay a.", **options: Any) -> None:
    """A run whose model ends the process, as it were."""
    with suppress(CrashError):
        await run(governor, agent, asked, **options)
        raise AssertionError("it was to crash")


def texts(result: Any) -> list[Any]:
    """All that was said and done, without the items' own ids."""
    return [
        {name: value for name, value in item.items() if name not in {"id", "status"}} for item in result.to_input_list()
    ]


def outputs(result: Any) -> list[Any]:
    """What the model was told of its calls."""
    return [one["output"] for one in result.to_input_list() if one.get("type") == "function_call_output"]


async def history(governor: Governor, run_id="r1"):
    runtime = governor.runtime
    return [one.event for one in await runtime.portal.wait_for(runtime.inner.run(run_id).history())]


async def names(governor: Governor, run_id="r1") -> list[str]:
    return [type(event).__name__ for event in await history(governor, run_id)]
