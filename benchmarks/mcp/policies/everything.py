"""Everything may be tried, but for one sum."""

from interlock import Policy, arg, forbid, permit, tool

reads = [
    tool.read(name)
    for name in (
        "echo",
        "get-annotated-message",
        "get-env",
        "get-resource-links",
        "get-resource-reference",
        "get-roots-list",
        "get-structured-content",
        "get-tiny-image",
        "trigger-long-running-operation",
    )
]
add = tool.read("get-sum")
effects = [
    tool.irreversible(name)
    for name in (
        "gzip-file-as-resource",
        "simulate-research-query",
        "trigger-elicitation-request",
        "trigger-sampling-request",
        "trigger-url-elicitation",
    )
]
toggles = [
    tool.irreversible(name, repeatable=True) for name in ("toggle-simulated-logging", "toggle-subscriber-updates")
]

policy = Policy(
    permit([*reads, *effects, *toggles, add]),
    forbid(add, when=arg.a == 13, because="thirteen is not added"),
)
