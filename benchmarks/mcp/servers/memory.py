"""The reference server that keeps a graph of what was said."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from benchmarks.mcp import environments
from benchmarks.mcp.script import Denied, Server, Step, ask, call, clean, unfit, unknown

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_PACKAGE = "@modelcontextprotocol/server-memory"
_GRAPH = "memory://knowledge-graph"


def _command(world: Path) -> Sequence[str | Path]:
    program = environments.npm_package(_PACKAGE) / "dist" / "index.js"
    return [*clean(HOME=world, MEMORY_FILE_PATH=world / "graph.jsonl"), environments.node(), program]


def _furnish(world: Path) -> None:
    world.mkdir()
    lines: list[dict[str, Any]] = [
        {"type": "entity", "name": "Ana", "entityType": "person", "observations": ["likes tea", "lives in Köln"]},
        {"type": "entity", "name": "Bo", "entityType": "person", "observations": []},
        {"type": "relation", "from": "Ana", "to": "Bo", "relationType": "knows"},
    ]
    (world / "graph.jsonl").write_text("\n".join(json.dumps(line) for line in lines))


def _entity(name: str, *observations: str) -> dict[str, Any]:
    return {"name": name, "entityType": "thing", "observations": list(observations)}


def _steps(world: Path) -> Sequence[Step]:
    related = {"from": "Ana", "to": "🦜", "relationType": "feeds"}
    return [
        ask("tools/list"),
        ask("resources/list"),
        ask("resources/templates/list"),
        ask("resources/read", uri=_GRAPH),
        ask("resources/read", uri="memory://no-such-thing"),
        ask("resources/subscribe", uri=_GRAPH),
        call("read_graph"),
        call("create_entities", entities=[_entity("🦜", "sagt „Hallo“", 'a "quote"'), _entity("Ana", "is there")]),
        call("create_entities", entities=[_entity(f"number {number}", "x" * 500) for number in range(200)]),
        call("create_entities", entities=[]),
        call("create_relations", relations=[related, related]),
        call("add_observations", observations=[{"entityName": "Bo", "contents": ["is new", "is new"]}]),
        call("add_observations", observations=[{"entityName": "nobody", "contents": ["?"]}]),
        call("search_nodes", query="tea"),
        call("search_nodes", query="„"),
        call("open_nodes", names=["Ana", "nobody"]),
        call("delete_observations", deletions=[{"entityName": "Ana", "observations": ["likes tea"]}]),
        ask("resources/unsubscribe", uri=_GRAPH),
        call("delete_relations", relations=[related]),
        call("delete_entities", entityNames=["number 7", "never there"]),
        ask("resources/read", uri=_GRAPH),
        call("read_graph"),
    ]


def _denied(world: Path) -> Sequence[Denied]:
    return [
        Denied(call("delete_entities", entityNames=["Bo", "Ana"]), "Ana stays"),
        unfit("create_entities", entities=[{"name": "half"}]),
        unfit("create_entities"),
        unfit("search_nodes", query=None),
        unknown("forget_everything"),
    ]


SERVER = Server(
    name="memory",
    version=lambda: environments.npm_version(_PACKAGE),
    command=_command,
    furnish=_furnish,
    steps=_steps,
    denied=_denied,
)
