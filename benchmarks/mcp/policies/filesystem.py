"""Files may be read and changed, but for lock files."""

from interlock import Policy, arg, forbid, permit, tool

reads = [
    tool.read(name)
    for name in (
        "read_file",
        "read_text_file",
        "read_media_file",
        "read_multiple_files",
        "list_directory",
        "list_directory_with_sizes",
        "directory_tree",
        "search_files",
        "get_file_info",
        "list_allowed_directories",
    )
]
write = tool.irreversible("write_file", idempotent="1m")
edit = tool.irreversible("edit_file")
create = tool.irreversible("create_directory", idempotent="1m")
move = tool.irreversible("move_file")

policy = Policy(
    permit([*reads, write, edit, create, move]),
    forbid([write, edit], when=arg.path.matches(r".*\.lock"), because="lock files belong to the build"),
    forbid(move, when=arg.destination.matches(r".*\.lock"), because="lock files belong to the build"),
)
