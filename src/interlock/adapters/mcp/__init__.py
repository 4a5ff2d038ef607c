"""The Model Context Protocol: a proxy in front of any server, and any server's tools as actions of our own agents.

In come the messages of a client, out go those of the server, unchanged, but for tool calls: each takes the one path of
an action. `proxy.py` is where they meet, and the file to open first. `calls.py` takes a call to its outcome,
`server.py` calls the server, `link.py` is one client's line to it and `upstream.py` the connection beneath. `pins.py`
holds the definitions that a person has seen, `effects.py` makes actions of them, `asking.py` puts questions to whoever
is at a client, and `serving.py` puts it all together. `tools.py` is for agents of our own.
"""

from interlock.adapters.mcp.results import ToolError
from interlock.adapters.mcp.server import Server
from interlock.adapters.mcp.tools import McpServer

__all__ = ["McpServer", "Server", "ToolError"]
