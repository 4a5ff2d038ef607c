"""Interlock as a payment agent: one driven run a payment, three declarations of the same action.

What the service can do is said once, in the declaration: `idempotent=True` where it honours keys, a probe
with a settle time where it only finds payments, neither where it has neither. All else is Interlock's own
doing. A hang-up is an exception like any other: the payment's outcome is unknown, and the agent's code does
nothing about it.
"""

from __future__ import annotations

import asyncio
import os
import signal
from typing import TYPE_CHECKING, Any

import pydantic as _  # noqa: F401 - a life needs it at once: the warm parent imports it

from benchmarks.crash.client import find_async, pay_async
from benchmarks.crash.contract import (
    ENDED,
    WAITING,
    Options,
    acknowledge,
    amount,
    boundaries,
    has,
    names,
    think_time,
)
from interlock import (
    Action,
    Agent,
    Ctx,
    Done,
    Final,
    Flow,
    Machine,
    Policy,
    Runtime,
    SqliteStore,
    State,
    Turn,
    Waiting,
    action,
    permit,
    probe,
)
from interlock.kernel import codec
from interlock.kernel import events as ev

if TYPE_CHECKING:
    from interlock import Run
    from interlock.journal import Entry

HOOK = "INTERLOCK_CRASH_AT"
PROPOSALS = 3
"""How often the agent proposes a payment that is known to have failed; each is sent up to three times."""

KINDS = {
    "intended": "intent",
    "done": "outcome",
    "failed": "outcome",
    "outcome_unknown": "unknown",
    "asked": "ask",
    "answered": "answer",
    "run_ended": "failed",
}
"""The harness's words for the journal's; `kind` knows where the word alone does not tell."""


class Deps:
    """What the agent works with: the service's address."""

    def __init__(self, options: Options) -> None:
        self.service = options.service
        self.keys = options.mode == "keys"


def declare(options: Options) -> Action[Deps, Any, str]:
    """Declare the payment as this service lets it be declared; its deadline is above the latest commit."""
    late = f"{options.settle}s"

    @action.irreversible(idempotent=options.mode == "keys", timeout=late, settle=late)
    async def pay(ctx: Ctx[Deps], reference: str, total: str) -> str:
        """Pay, and return the receipt's number."""
        return await pay_async(ctx.deps.service, reference, total, key=ctx.key if ctx.deps.keys else None)

    if options.mode == "probe":

        @pay.probe
        async def _(ctx: Ctx[Deps], reference: str, total: str) -> probe.Answer[str]:
            receipt = await find_async(ctx.deps.service, reference)
            return probe.done(receipt) if receipt else probe.never

    return pay


class Payer:
    """The agent's code: think, pay, think."""

    def __init__(self, options: Options) -> None:
        self._think_time = options.think

    async def run(self, flow: Flow) -> None:
        await self._think(flow, "first")
        flow.output = await self._pay(flow)
        await self._think(flow, "last")

    async def _think(self, flow: Flow, turn: str) -> None:
        if await flow.recall(turn) is None:
            await asyncio.sleep(think_time(flow.run, turn, self._think_time))
            await flow.record(Turn(model="payer", response=turn, key=turn))

    async def _pay(self, flow: Flow) -> str:
        for number in range(PROPOSALS):
            outcome = await flow.perform("pay", {"reference": flow.run, "total": amount(flow.run)}, key=f"pay-{number}")
            if isinstance(outcome, Done):
                return outcome.result
        raise RuntimeError(f"{flow.run} can't be paid")


def payer(options: Options) -> Agent:
    """Return the agent, with its one action and its machine of one state."""
    pay = declare(options)
    machine = Machine(State("pay", Payer(options).run, to=["done"]), Final("done"))
    return Agent("payer", [pay], policy=Policy(permit(pay)), deps=lambda: Deps(options), machine=machine)


class Watched(SqliteStore):
    """The journal's store; it says what has become durable and dies at the boundary that the hook names."""

    def __init__(self, options: Options) -> None:
        super().__init__(options.directory / "journal.db")
        self.crossed = 0
        self._mode = options.mode
        self._limit = int(os.environ.get(HOOK, "0"))

    async def append(self, entry: Entry) -> int:
        self._cross()
        position = await super().append(entry)
        self._cross()
        for seq, draft in enumerate(entry.drafts, entry.expected + 1):
            acknowledge(entry.run, seq, kind(draft.type, draft.version, draft.payload, self._mode))
        return position

    def _cross(self) -> None:
        self.crossed += 1
        if self.crossed == self._limit:
            os.kill(os.getpid(), signal.SIGKILL)


def kind(name: str, version: int, payload: bytes, mode: str) -> str:
    """Return the harness's word for a stored event, or the event's own name where it has none."""
    match codec.decode(name, version, payload):
        case ev.RunEnded(how="done"):
            return "end"
        case ev.Probed(answer="never"):
            return "outcome"
        case ev.Withheld() if mode != "keys":
            return "outcome"  # With keys it may have been a second sending: nothing is known of the first.
        case _:
            return KINDS.get(name, name)


async def live(options: Options) -> int:
    """Start what is not there, let all go on, and pass the person's answers on; return the exit code."""
    store = Watched(options)
    async with Runtime(store, payer(options)) as rt:
        runs = await asyncio.gather(*(rt.start("payer", run=name) for name in names(options.runs)))
        await _answer(rt, options.answers())
        ends = await asyncio.gather(*(_come_to_rest(run) for run in runs))
    boundaries(store.crossed)
    return WAITING if any(ends) else ENDED


async def _answer(rt: Runtime, answers: dict[str, str | None]) -> None:
    """Answer each open question that the person has answered, and let the runs take the answers in."""
    for question in await rt.questions():
        name = question.id.replace(":", " ")
        if name in answers:
            receipt = answers[name]
            await (question.happened("person", receipt) if receipt else question.never("person"))
    await rt.settled()


async def _come_to_rest(run: Run) -> bool:
    """Wait until the run has ended (false) or waits for the person (true)."""
    return isinstance(await run.result(), Waiting)


async def check(options: Options) -> int:
    """Print what the journal holds, run by run."""
    store = SqliteStore(options.directory / "journal.db")
    for name in names(options.runs):
        for row in await store.read(name, limit=10_000):
            assert row.payload is not None
            has(name, row.seq, kind(row.type, row.version, row.payload, options.mode))
    await store.close()
    return ENDED


def main(argv: list[str]) -> int:
    options = Options.parse(argv)
    return asyncio.run(check(options) if options.check else live(options))
