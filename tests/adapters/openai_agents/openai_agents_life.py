"""One life of a payment desk on the OpenAI Agents SDK, which a test kills: `python openai_agents_life.py FOLDER KIND`.

It appends to files in the folder what was paid and what the model was asked. KIND says what the tool can do for a
restart: `probe`, `key` or `neither`; it is killed in its first payment, after the money has gone.
"""

import os
import signal
import sys
from pathlib import Path

from agents import Agent, Model, ModelResponse, Runner, Usage, function_tool, set_tracing_disabled
from agents.testing import assistant_message, function_call

from interlock import Governor, Policy, current, permit, probe, tool
from interlock.adapters.openai_agents import govern

set_tracing_disabled(True)
home, kind = Path(sys.argv[1]), sys.argv[2]


def note(name: str, line: str) -> int:
    with (home / name).open("a") as file:
        file.write(f"{line}\n")
    return len((home / name).read_text().splitlines())


class Desk(Model):
    async def get_response(self, instructions, given, *args, **options):
        told = [one["output"] for one in given if one.get("type") == "function_call_output"]
        note("asked", str(len(told)))
        said = function_call("pay", {"order": "a"}, call_id="call_0") if not told else assistant_message(told[0])
        return ModelResponse([said], Usage(requests=1), None)

    def stream_response(self, *args, **options):
        raise NotImplementedError


@function_tool
def pay(order: str) -> str:
    if note("paid", f"{order} {current().key}") == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return "paid"


declared = tool.irreversible("pay", idempotent=kind == "key")
if kind == "probe":

    @declared.probe
    def _(ctx, order):
        return probe.done("it is paid") if ctx.key in (home / "paid").read_text() else probe.never


governor = Governor(home / "desk.db", [declared], policy=Policy(permit(declared)), patience="1s")
desk = govern(Agent("desk", tools=[pay], model=Desk()), governor)
with governor, governor.run("r1"):
    answer = Runner.run_sync(desk, "Pay a.").final_output
    sys.stdout.write(f"{answer}\n{[one.kind for one in governor.runtime.questions()]}\n")
