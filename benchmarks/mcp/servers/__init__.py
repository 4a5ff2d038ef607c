"""The servers of the package indexes, one module each: how it starts, its world, and what is asked of it."""

from benchmarks.mcp.servers import everything, fetch, filesystem, git, memory, sqlite, time

SERVERS = [one.SERVER for one in (filesystem, memory, everything, git, sqlite, time, fetch)]

__all__ = ["SERVERS"]
