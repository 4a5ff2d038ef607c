"""What the page about the protocol shows works."""

import re
from pathlib import Path

from interlock import Agent
from interlock.adapters.mcp import McpServer, effects
from interlock.adapters.mcp.pins import Pins

PAGE = (Path(__file__).parents[3] / "docs" / "mcp.md").read_text()
MEMORY = ["read_graph", "search_nodes", "open_nodes", "create_entities", "delete_entities"]


def bodiless(tool):
    """Return what performs a tool: nothing, for none is called here."""


def test_the_policy_of_the_page_fits_its_server():
    """It declares tools that take what the functions beside them take."""
    policy, own = re.findall(r"^```python\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    names: dict = {}
    exec(compile(policy, "page", "exec"), names)
    taken = {"create_entities": ["entities"], "delete_entities": ["entityNames"]}
    listed = [
        {"name": name, "inputSchema": {"type": "object", "properties": {one: {} for one in taken.get(name, [])}}}
        for name in MEMORY
    ]
    pins = Pins.of("memory", listed)
    actions, unfit = effects.governed(pins.definitions, [names["create"], names["delete"]], bodiless)
    assert unfit == {}
    agent = Agent("memory", actions, policy=names["policy"])
    assert agent.actions["create_entities"].effect == "compensable"
    exec(compile(own, "page", "exec"), names)
    assert names["McpServer"] is McpServer
