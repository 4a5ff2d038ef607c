"""The servers, each in a process of its own and none of them ours: started, waited for, and ended."""

import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from socket import create_connection, create_server

import msgspec

from benchmarks import _convention as convention
from benchmarks.undo.services import bookings

HOST = "127.0.0.1"
PATIENCE = 60.0
"""How many seconds a server has to begin listening."""


class Addresses(msgspec.Struct, frozen=True):
    """Where everything is, so that any process can work with it: ports, folders, and a connection string."""

    aws: int
    caldav: int
    git: int
    imap: int
    smtp: int
    folder: str
    postgres: str

    @property
    def home(self) -> Path:
        """The folder of everything that is not a server's own."""
        return Path(self.folder)

    @property
    def repositories(self) -> Path:
        """The folder that the git server serves."""
        return self.home / "git"

    @property
    def outbox(self) -> Path:
        """The Maildir in which the SMTP server puts what was sent."""
        return self.home / "outbox"

    @property
    def workspace(self) -> Path:
        """The folder whose files the agent works on."""
        return self.home / "workspace"


@contextmanager
def serving() -> Generator[Addresses]:
    """Start all servers, yield where they are, and end them."""
    with convention.scratch() as home, ExitStack() as stack:
        ports = dict(zip(("aws", "caldav", "git", "imap", "smtp"), _free_ports(5), strict=True))
        uri = stack.enter_context(bookings.served(home / "postgres"))
        addresses = Addresses(**ports, folder=str(home), postgres=uri)
        for folder in (addresses.repositories, addresses.workspace):
            folder.mkdir()
        for name, command in _commands(addresses).items():
            stack.enter_context(_process(name, command, home))
        for name, port in ports.items():
            _wait(name, port, home)
        yield addresses


def _commands(at: Addresses) -> dict[str, list[str]]:
    scripts, python = Path(sys.executable).parent, sys.executable
    git = "import sys; from dulwich.server import main; main(['git', *sys.argv[1:]])"
    calendars = ["--auth-type", "none", "--storage-filesystem-folder", str(at.home / "caldav")]
    people = ["dict", "--demo-user", "ana", "--demo-password", "secret"]
    handler = "aiosmtpd.handlers.Mailbox"
    return {
        "aws": [str(scripts / "moto_server"), "-H", HOST, "-p", str(at.aws)],
        "caldav": [python, "-m", "radicale", "--config", "", "--server-hosts", f"{HOST}:{at.caldav}", *calendars],
        "git": [python, "-c", git, "-l", HOST, "-p", str(at.git), str(at.repositories)],
        "imap": [str(scripts / "pymap"), "--host", HOST, "--port", str(at.imap), "--no-tls", *people],
        "smtp": [python, "-m", "aiosmtpd", "-n", "-l", f"{HOST}:{at.smtp}", "-c", handler, str(at.outbox)],
    }


@contextmanager
def _process(name: str, command: list[str], home: Path) -> Generator[None]:
    with (home / f"{name}.log").open("wb") as log:
        running = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        try:
            yield
        finally:
            running.kill()
            running.wait()


def _wait(name: str, port: int, home: Path) -> None:
    """Wait until something listens there.

    Raises:
        TimeoutError: nothing did; the message has the end of what the server printed.
    """
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            create_connection((HOST, port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    printed = (home / f"{name}.log").read_text(errors="replace")[-2000:]
    raise TimeoutError(f"the {name} server does not listen on port {port}; it printed\n{printed}")


def _free_ports(count: int) -> list[int]:
    with ExitStack() as held:
        sockets = [held.enter_context(create_server((HOST, 0))) for _ in range(count)]
        return [socket.getsockname()[1] for socket in sockets]
