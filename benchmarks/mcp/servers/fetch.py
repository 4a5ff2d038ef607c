"""The reference server that fetches pages, against a site of our own on this machine."""

from __future__ import annotations

from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING

from benchmarks.mcp import environments
from benchmarks.mcp.script import Denied, Server, Step, ask, call, clean, unfit, unknown

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_ARTICLE = "<p>A paragraph with <b>bold</b> words — “Grüße” 🦜 — and <a href='/other'>a link</a>.</p>"
_PAGES: dict[str, tuple[str, str]] = {
    "/robots.txt": ("text/plain", "User-agent: *\nDisallow: /private\n"),
    "/": ("text/html; charset=utf-8", f"<html><head><title>Home</title></head><body>{_ARTICLE}</body></html>"),
    "/long": ("text/html; charset=utf-8", f"<html><body><article>{_ARTICLE * 100}</article></body></html>"),
    "/data.json": ("application/json", '{"greeting": "Grüße", "numbers": [1, 2.5, 1e30]}'),
    "/empty": ("text/html", ""),
    "/private": ("text/html", "<html><body>not for robots</body></html>"),
}


class _Site(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/away":
            self.send_response(302)
            self.send_header("Location", "/data.json")
            self.end_headers()
            return
        kind, text = _PAGES.get(self.path, ("text/plain", "nothing here"))
        body = text.encode()
        self.send_response(200 if self.path in _PAGES else 404)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Say nothing: what is asked shows in the answers."""


@cache
def _site() -> str:
    """Return the address of the site, which stays up as long as this process."""
    site = ThreadingHTTPServer(("127.0.0.1", 0), _Site)
    Thread(target=site.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{site.server_port}"


def _command(world: Path) -> Sequence[str | Path]:
    # Where it finds Node, the server would install npm packages of its own: it finds no program at all.
    started = [environments.python("python"), "-m", "mcp_server_fetch", "--allow-private-ips"]
    return [*clean(HOME=world, PATH=world), *started]


def _furnish(world: Path) -> None:
    world.mkdir()


def _steps(world: Path) -> Sequence[Step]:
    site = _site()
    return [
        ask("tools/list"),
        call("fetch", url=f"{site}/"),
        call("fetch", url=f"{site}/", raw=True),
        call("fetch", url=f"{site}/long", max_length=1000),
        call("fetch", url=f"{site}/long", start_index=1000, max_length=5_000),
        call("fetch", url=f"{site}/long", start_index=9_999_999),
        call("fetch", url=f"{site}/data.json"),
        call("fetch", url=f"{site}/empty"),
        call("fetch", url=f"{site}/away"),
        call("fetch", url=f"{site}/private"),
        call("fetch", url=f"{site}/missing"),
        call("fetch", url="http://127.0.0.1:1/"),
        call("fetch", url="no address"),
        ask("prompts/list"),
        ask("prompts/get", name="fetch", arguments={"url": f"{site}/private"}),
        ask("prompts/get", name="fetch"),
        ask("prompts/get", name="other"),
        ask("resources/list"),
    ]


def _denied(world: Path) -> Sequence[Denied]:
    return [
        Denied(call("fetch", url=f"{_site()}/admin/keys"), "the back door is for"),
        unfit("fetch", url=f"{_site()}/", max_length="10"),
        unfit("fetch", url=f"{_site()}/", max_length=0),
        unfit("fetch"),
        unknown("post", url=f"{_site()}/"),
    ]


SERVER = Server(
    name="fetch",
    version=lambda: environments.pip_version("python", "mcp-server-fetch"),
    command=_command,
    furnish=_furnish,
    steps=_steps,
    denied=_denied,
)
