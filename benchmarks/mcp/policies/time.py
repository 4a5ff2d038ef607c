"""Times may be asked for, but not of one place."""

from interlock import Policy, arg, forbid, permit, tool

now = tool.read("get_current_time")
convert = tool.read("convert_time")

policy = Policy(
    permit([now, convert]),
    forbid(now, when=arg.timezone == "Antarctica/Troll", because="nobody works there"),
)
