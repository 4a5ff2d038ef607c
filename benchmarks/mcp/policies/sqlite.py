"""The database may be read and written, but no table is dropped."""

from interlock import Policy, arg, forbid, permit, tool

reads = [tool.read(name) for name in ("read_query", "list_tables", "describe_table")]
write = tool.irreversible("write_query")
create = tool.irreversible("create_table")
insight = tool.irreversible("append_insight")

policy = Policy(
    permit([*reads, write, create, insight]),
    forbid(write, when=arg.query.matches("DROP .*"), because="tables stay", instead="delete its rows"),
)
