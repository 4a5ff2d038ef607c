"""The graph may be read and changed, but one person stays in it."""

from interlock import Policy, arg, forbid, permit, tool

reads = [tool.read(name) for name in ("read_graph", "search_nodes", "open_nodes")]
additions = [tool.irreversible(name) for name in ("create_entities", "create_relations", "add_observations")]
forget = tool.irreversible("delete_entities", idempotent="1m")
deletions = [tool.irreversible(name, idempotent="1m") for name in ("delete_observations", "delete_relations")]

policy = Policy(
    permit([*reads, *additions, forget, *deletions]),
    forbid(forget, when=arg.entityNames.any(lambda name: name == "Ana"), because="Ana stays"),
)
