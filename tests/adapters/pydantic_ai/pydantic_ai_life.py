"""One life of a program that pays through a governed agent, and may be killed in the middle of it."""

import json
import os
import signal
import sys
from pathlib import Path

from pydantic_ai import RunContext, Tool
from pydantic_ai_desk import Desk, call, compensable, governing, results

from interlock import permit, probe, tool

FOLDER, TASK, WORDS = Path(sys.argv[1]), sys.argv[2], sys.argv[3:]
PAID = FOLDER / "paid"


def main() -> None:
    """Do the task to its end, and say what came of it."""
    pay = compensable("pay", settle="10ms")
    if "probe" in WORDS:

        @pay.probe
        def _(ctx, order, amount):
            return probe.done(f"paid {order}") if PAID.exists() else probe.never

    tools = [tool.read("ask"), tool.read("batch")]
    governor = governing(FOLDER / "j.db", pay, tools, [permit(tools)], patience="20s")
    desk = Desk(
        [call("search")],
        [call(TASK, **({"order": "a", "amount": 1} if TASK == "pay" else {}))],
        "done",
        governor=governor,
    )
    inner = Desk([call("pay", order="a", amount=1)], "paid by me", governor=governor)

    async def ask() -> str:
        """Ask another agent, twice."""
        with inner.agent.override(tools=[Tool(pay_now, name="pay")]):
            said = "; ".join([(await inner.run("pay a")).output for _ in range(2)])
        die()
        return said

    with desk.agent.override(tools=[desk.search, Tool(paying, name="pay"), ask, batch]):
        result = desk.governed.run_sync("hello", run_id="r1")
    run = governor.runtime.run("r1")
    found = {
        "told": results(result.all_messages())[1][1],
        "asked": len(desk.script.asked),
        "status": run.status(),
        "questions": [one.kind for one in run.questions()],
    }
    governor.close()
    sys.stdout.write(json.dumps(found))


def paying(order: str, amount: int) -> str:
    """Pay, and be killed before or after it."""
    if "before" in WORDS:
        die()
    if TASK != "pay":
        return pay_now(order, amount)
    said = pay_now(order, amount)
    die()
    return said


def pay_now(order: str, amount: int) -> str:
    """Pay."""
    with PAID.open("a") as paid:
        paid.write(f"{order}\n")
    return f"paid {order}"


async def batch(ctx: RunContext[object]) -> list[str]:
    """Pay several times by way of the agent."""
    assert ctx.tool_manager is not None
    calls = [call("pay", order="a", amount=amount) for amount in (1, 1, 4000)]
    said = [str(await ctx.tool_manager.handle_call(one)) for one in calls]
    die()
    return said


def die() -> None:
    """Be killed, if this is the life for it."""
    if "kill" in WORDS:
        os.kill(os.getpid(), signal.SIGKILL)


main()
