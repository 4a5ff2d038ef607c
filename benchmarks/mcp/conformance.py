"""The official conformance suite against one server: directly, and through the proxy over HTTP and over stdio."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from benchmarks import _convention as convention
from benchmarks.mcp import environments
from benchmarks.mcp.script import proxy

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence
    from pathlib import Path

PACKAGE = "@modelcontextprotocol/conformance"
_PATIENCE_S = 30
_ALL = ("--suite", "all")
_SERVER = [sys.executable, "-m", "benchmarks.mcp.conformance_server"]

Checks = dict[str, dict[str, str]]  # scenario → check → what came of it


def run(every: int = 1) -> dict[str, Checks]:
    """Return what came of every check, directly and each way through the proxy.

    Each scenario starts the server anew where the proxy speaks to it over stdio: there only every so-many-th is tried.
    """
    environments.npm_package(PACKAGE)
    with convention.scratch() as folder, ExitStack() as stack:
        port = _free_port()
        stack.enter_context(_serving([*_SERVER, f"--port={port}"], port, folder))
        url = f"http://127.0.0.1:{port}/mcp"
        direct = _suite(url, folder / "direct")
        chosen = [["--scenario", name] for name in sorted(direct)[::every]] if every > 1 else [_ALL]
        proxied = _through(folder / "http", [_ALL], "--http", url)
        return {
            "direct": direct,
            "proxied": proxied,
            "proxied_stdio": _through(folder / "stdio", chosen, "--", *_SERVER),
        }


def counts(checks: Checks) -> dict[str, int]:
    """Return how many scenarios passed and failed, and how many checks warned."""
    failed = sum("FAILURE" in one.values() for one in checks.values())
    warned = sum(status == "WARNING" for one in checks.values() for status in one.values())
    return {"passed": len(checks) - failed, "failed": failed, "warnings": warned}


def differences(direct: Checks, proxied: Checks) -> list[str]:
    """Return each check that came out otherwise through the proxy."""
    return [
        f"{scenario}, {check}: {direct[scenario].get(check)} directly, {found.get(check)} proxied"
        for scenario, found in sorted(proxied.items())
        for check in sorted(direct[scenario].keys() | found.keys())
        if direct[scenario].get(check) != found.get(check)
    ]


def _through(folder: Path, chosen: Sequence[Sequence[str]], *server: str) -> Checks:
    folder.mkdir()
    port = _free_port()
    command = proxy("conformance", folder, f"--listen=127.0.0.1:{port}", *server)
    with _serving(command, port, folder):
        return _suite(f"http://127.0.0.1:{port}/mcp", folder / "results", chosen)


def _suite(url: str, results: Path, chosen: Sequence[Sequence[str]] = (_ALL,)) -> Checks:
    """Run scenarios of the suite and read what it wrote down."""
    program = environments.npm_package(PACKAGE) / "dist" / "index.js"
    words = [environments.node(), program, "server", "--url", url, "--output-dir", results]
    for one in chosen:
        subprocess.run([*map(str, words), *one], cwd=convention.ROOT, capture_output=True, check=False)
    return {
        _scenario(file.parent.name): _statuses(json.loads(file.read_text())) for file in results.glob("*/checks.json")
    }


def _scenario(folder: str) -> str:
    return re.sub(r"-\d{4}-\d\d-\d\dT.*$", "", folder).removeprefix("server-")


def _statuses(checks: Sequence[dict[str, Any]]) -> dict[str, str]:
    """Return the checks of a scenario; what is only said for information depends on how the answer was cut up."""
    return {one["id"]: one["status"] for one in checks if one["status"] != "INFO"}


@contextmanager
def _serving(command: Sequence[str], port: int, folder: Path) -> Generator[None]:
    """Run a server until it is no longer needed, from the moment it listens."""
    said = folder / "said.txt"
    with said.open("a") as file:
        process = subprocess.Popen(command, cwd=convention.ROOT, stdout=file, stderr=file)
        try:
            if not _listens(port, process):
                raise RuntimeError(f"{' '.join(command)} does not listen\n{said.read_text()[-2000:]}")
            yield
        finally:
            process.terminate()
            try:
                process.wait(_PATIENCE_S)
            except subprocess.TimeoutExpired:
                process.kill()


def _listens(port: int, process: subprocess.Popen[bytes]) -> bool:
    until = time.monotonic() + _PATIENCE_S
    while time.monotonic() < until and process.poll() is None:
        with socket.socket() as tried:
            if tried.connect_ex(("127.0.0.1", port)) == 0:
                return True
        time.sleep(0.05)
    return False


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]
