"""Lives of an agent that are ended by kill -9, each in a process of its own; prints what is left as JSON.

    python langgraph_lives.py FOLDER DURABILITY MODE KIND STRIDE

A moment is a call of the checkpointer, of the model or of a tool, before and after it. There is a life that ends at
each STRIDE-th moment, and for the stride 0 one that ends when something was paid; after each the thread is taken up
again as LangGraph's documentation has it. KIND is what is declared of the tool that pays: idempotent, probe or nothing.
"""

import asyncio
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

from langchain.agents import create_agent
from langchain_core.messages import AIMessage
from langchain_core.tools import tool as langchain_tool
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph_fakes import ScriptedChat, on, user

from interlock import Governor, Policy, current, permit, probe, tool
from interlock.adapters.langgraph import GovernorMiddleware


class Moments:
    """Counts moments, and ends the process at one of them."""

    def __init__(self, last: int | str | None) -> None:
        self.last = last
        self.passed = 0

    def pass_one(self, name: str = "") -> None:
        if self.last is not None and self.last in {self.passed, name}:
            os.kill(os.getpid(), signal.SIGKILL)
        self.passed += 1


class Saver(SqliteSaver):
    moments: Moments

    def put(self, *args: Any, **kwargs: Any) -> Any:
        self.moments.pass_one()
        put = super().put(*args, **kwargs)
        self.moments.pass_one()
        return put

    def put_writes(self, *args: Any, **kwargs: Any) -> None:
        self.moments.pass_one()
        super().put_writes(*args, **kwargs)
        self.moments.pass_one()


class AsyncSaver(AsyncSqliteSaver):
    moments: Moments

    async def aput(self, *args: Any, **kwargs: Any) -> Any:
        self.moments.pass_one()
        put = await super().aput(*args, **kwargs)
        self.moments.pass_one()
        return put

    async def aput_writes(self, *args: Any, **kwargs: Any) -> None:
        self.moments.pass_one()
        await super().aput_writes(*args, **kwargs)
        self.moments.pass_one()


class Model(ScriptedChat):
    moments: Any
    book: Any

    def _generate(self, *args: Any, **kwargs: Any) -> Any:
        self.moments.pass_one()
        self.book("asked", "model")
        made = super()._generate(*args, **kwargs)
        self.moments.pass_one()
        # As real models do, it never says the same twice in the same words.
        (generation,) = made.generations
        words = f"thinking of {os.urandom(4).hex()}" if generation.message.tool_calls else generation.message.content
        message = generation.message.model_copy(update={"content": words})
        return made.model_copy(update={"generations": [generation.model_copy(update={"message": message})]})


SCRIPT = [
    [("look", {"at": "7"})],
    [("pay", {"order": "7"}), ("pay", {"order": "8"})],
    [("pay", {"order": "7"})],
    "All paid.",
]


def life(folder: Path, durability: Any, mode: str, kind: str, last: int | str | None) -> str:
    """Live until the moment *last*, or until the work is done; return the agent's last words."""
    moments = Moments(last)

    def book(what: str, key: str) -> None:
        with (folder / f"{what}.txt").open("a") as lines:
            lines.write(f"{key}\n")

    def pay(order: str) -> str:
        """Pay an order; the bank honours the key."""
        moments.pass_one()
        ctx = current()
        assert ctx is not None
        book("paid", f"{order} {ctx.key}")
        moments.pass_one("paid")
        return f"paid {order}"

    def look(at: str) -> str:
        """Look at an order."""
        moments.pass_one()
        return f"saw {at}"

    # The script pays order 7 twice on purpose.
    paying = tool.irreversible("pay", idempotent=kind == "idempotent", settle="0s", repeatable=True)
    looking = tool.read("look")
    if kind == "probe":

        @paying.probe
        def _(ctx: Any, order: str) -> probe.Answer[str]:
            return probe.done(f"paid {order}") if ctx.key in (folder / "paid.txt").read_text() else probe.never

    governor = Governor(folder / "journal.db", [paying, looking], policy=Policy(permit([paying, looking])))
    model = Model(script=SCRIPT, moments=moments, book=book)
    tools = [langchain_tool(pay), langchain_tool(look)]

    def agent(saver: Any) -> Any:
        saver.moments = moments
        return create_agent(model, tools, middleware=[GovernorMiddleware(governor)], checkpointer=saver)

    def live_sync() -> Any:
        with Saver.from_conn_string(str(folder / "checkpoints.db")) as saver:
            made = agent(saver)
            begun = made.get_state(on("t")).created_at
            return made.invoke(None if begun else user("go"), on("t"), durability=durability)

    async def live_async() -> Any:
        async with AsyncSaver.from_conn_string(str(folder / "checkpoints.db")) as saver:
            made = agent(saver)
            begun = (await made.aget_state(on("t"))).created_at
            return await made.ainvoke(None if begun else user("go"), on("t"), durability=durability)

    with governor:
        values = asyncio.run(live_async()) if mode == "async" else live_sync()
    if pauses := values.get("__interrupt__"):
        return ", ".join(one["kind"] for pause in pauses for one in pause.value["questions"])
    return next(str(one.text) for one in reversed(values["messages"]) if isinstance(one, AIMessage))


def in_a_process(folder: Path, *how: Any) -> int:
    """Live in a fork of this process; return how it ended."""
    child = os.fork()
    if not child:
        try:
            (folder / "said.txt").write_text(life(folder, *how))
            os._exit(0)
        except BaseException as error:  # noqa: BLE001 - a fork must not go on as if it were its parent
            sys.stderr.write(f"{error!r}\n")
            sys.stderr.flush()
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def lived_twice(folder: Path, durability: str, mode: str, kind: str, last: int | str) -> dict[str, Any]:
    folder.mkdir()
    first = in_a_process(folder, durability, mode, kind, last)
    again = in_a_process(folder, durability, mode, kind, None)
    paid = [one.split() for one in (folder / "paid.txt").read_text().splitlines()]
    return {
        "first": first,
        "again": again,
        "said": (folder / "said.txt").read_text(),
        "calls": len(paid),
        "paid": sorted({key: order for order, key in paid}.values()),
        "asked": len((folder / "asked.txt").read_text().splitlines()),
    }


def main(root: Path, durability: str, mode: str, kind: str, stride: int) -> None:
    """Live, and print what is left: of each life that was ended, and of the first that was not."""
    found: list[dict[str, Any]] = []
    while not found or (stride and found[-1]["first"] == -signal.SIGKILL):
        last = len(found) * stride if stride else "paid"
        found.append(lived_twice(root / str(len(found)), durability, mode, kind, last))
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4], int(sys.argv[5]))
