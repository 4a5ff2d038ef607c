"""A first policy for a server: what says of itself that it only reads is permitted, the rest is for a person to say."""

import json
from collections.abc import Iterable

from interlock.adapters.mcp.effects import hinted
from interlock.adapters.mcp.pins import Pins

HEAD = '''"""What an agent may have done behind `interlock proxy`."""

from interlock import Policy, arg, forbid, need, permit, tool

# A tool is what its server says of it (see the lock file) unless it is declared here. One that can be taken back:
#
#     pay = tool.compensable("pay")
#
#     @pay.undo
#     async def _(ctx, done, **given):
#         await ctx.deps.call("refund", {"id": done["structuredContent"]["id"]})

policy = Policy(
'''

READS = "    # The server says that these only read. It may be wrong.\n"
OTHERS = "    # These do something. Take away what nobody may do, and the comment signs from the rest.\n"


def starter(pins: Pins) -> str:
    """Return a first policy for a server's tools, as Python."""
    reads: list[str] = []
    others: list[str] = []
    for name, one in sorted(pins.definitions.items()):
        (reads if hinted(name, one.get("annotations")).effect == "read" else others).append(name)
    permitted = READS + "".join(f"    permit({_quoted(name)}),\n" for name in reads) if reads else ""
    return f"{HEAD}{permitted}{_waiting(others)})\n"


def _waiting(names: Iterable[str]) -> str:
    lines = [f'    # permit({_quoted(name)}), need.approval("owner", {_quoted(name)}),\n' for name in names]
    return OTHERS + "".join(lines) if lines else ""


def _quoted(name: str) -> str:
    return json.dumps(name)  # What a server calls its tools can't end the text that it stands in.
