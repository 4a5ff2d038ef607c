"""The MCP proxy beside a direct connection: `make bench-mcp`.

Do the same calls have the same results, does the conformance suite find the same server, and what does a call cost?
"""

from __future__ import annotations

import asyncio
import os
import warnings
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from mcp.shared.exceptions import MCPDeprecationWarning

from benchmarks import _convention as convention
from benchmarks.mcp import compare, conformance, environments, latency, report
from benchmarks.mcp.servers import SERVERS

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.mcp.compare import Compared
    from benchmarks.mcp.script import Server

MODES = ("legacy", "auto")
"""How the client opens a connection: the handshake of the older versions, or the newest that the server has."""


def main() -> None:
    warnings.simplefilter("ignore", MCPDeprecationWarning)  # older methods are asked for on purpose
    figures = {**_unhurried(), **asyncio.run(_latency()), "newest": environments.newest()}
    print(report.text(figures))
    path = convention.write_results("mcp", figures)
    print(f"\n{path.relative_to(convention.ROOT)}")


def _unhurried() -> dict[str, Any]:
    """Do all in which no time is measured, as much at a time as there are processors."""
    versions = [_version(server) for server in SERVERS]  # sets up what each needs, one after the other
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        conformed = pool.submit(_or_why, _conformance)
        compared = list(pool.map(_server, SERVERS, versions))
    servers = {server.name: one for server, one in zip(SERVERS, compared, strict=True)}
    return {"servers": servers, "conformance": conformed.result()}


def _version(server: Server) -> dict[str, Any]:
    return _or_why(lambda: {"version": server.version()})


def _server(server: Server, version: dict[str, Any]) -> dict[str, Any]:
    """Compare one server in every mode, unless it could not be had."""
    if "skipped" in version:
        return version
    convention.progress(f"the same calls: {server.name}")
    return _or_why(lambda: version | report.server([asyncio.run(_compared(server, mode)) for mode in _modes()]))


async def _compared(server: Server, mode: str) -> Compared:
    with convention.scratch() as folder:
        return await compare.compared(server, mode, folder)


def _modes() -> tuple[str, ...]:
    return MODES[1:] if convention.quick() else MODES


def _conformance() -> dict[str, Any]:
    convention.progress("the conformance suite")
    found = conformance.run(every=8 if convention.quick() else 1)
    return report.conformance(environments.npm_version(conformance.PACKAGE), found)


async def _latency() -> dict[str, Any]:
    convention.progress("the time that a call takes")
    found = await latency.measured(latency.QUICK_CALLS if convention.quick() else latency.CALLS)
    return {"added_ms_p50": found["added_ms"]["effect"]["p50"], "added_ms": found["added_ms"], "latency": found}


def _or_why(figures: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Return figures, or the reason why there are none; with `NEWEST=1` whatever goes wrong is only a reason."""
    try:
        return figures()
    except environments.MissingError as missing:
        return {"skipped": str(missing)}
    except Exception as error:
        if not environments.newest():
            raise
        return {"skipped": f"warning, with the newest version: {type(error).__name__}: {error}"}


if __name__ == "__main__":
    main()
