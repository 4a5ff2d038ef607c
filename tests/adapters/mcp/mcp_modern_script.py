"""A server on the library's own class, which speaks every version of the protocol; over stdio."""

import sys
from pathlib import Path

from mcp.server.mcpserver import Context, MCPServer

server = MCPServer("modern", instructions="Be careful.")
world = Path(sys.argv[1]) / "world"


@server.tool()
async def act(x: int, ctx: Context) -> str:
    """Write x."""
    await ctx.report_progress(1, 2, "on")
    with world.open("a") as file:
        file.write(f"{x}\n")
    return f"act {x}"


@server.resource("test://one")
def one() -> str:
    """A resource."""
    return "1"


server.run(transport="stdio")
