"""The repository may be read and worked on, but not on main, and without secrets in messages."""

from interlock import Policy, arg, forbid, permit, tool

reads = [
    tool.read(name)
    for name in ("git_status", "git_diff_unstaged", "git_diff_staged", "git_diff", "git_log", "git_show", "git_branch")
]
add = tool.irreversible("git_add", idempotent="1m")
reset = tool.irreversible("git_reset", idempotent="1m")
commit = tool.irreversible("git_commit")
branch = tool.irreversible("git_create_branch")
checkout = tool.irreversible("git_checkout")

policy = Policy(
    permit([*reads, add, reset, commit, branch, checkout]),
    forbid(commit, when=arg.message.matches(".*password.*"), because="no secrets in messages"),
    forbid(checkout, when=arg.branch_name == "main", because="work stays off main"),
)
