"""The trivial server's two tools: a read, and an effect whose intent and outcome are made durable."""

from interlock import Policy, permit, tool

look = tool.read("look")
change = tool.irreversible("change")

policy = Policy(permit([look, change]))
