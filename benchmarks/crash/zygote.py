"""A warm parent that has imported a system under test once and forks a fresh process for each of its lives.

A life is killed after a fraction of a second; to import an engine takes longer than that. The parent has no
threads and has opened nothing, so a child differs from a new process only in that its modules are already
there.

It is started as `python -m benchmarks.crash.zygote MODULE FD`. FD is a stream socket to the harness: a
request is one JSON object with the life's standard output as a passed descriptor; `{"pid": …}` and `{"exit":
…, "code": …}` come back.
"""

from __future__ import annotations

import importlib
import json
import os
import selectors
import signal
import socket
import sys
import traceback
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import FrameType

Main = Callable[[list[str]], int]


class Zygote:
    """Forks a child for each request and tells when one has died."""

    def __init__(self, main: Main, harness: socket.socket) -> None:
        self._main = main
        self._harness = harness
        self._children: set[int] = set()
        self._wake, wake = socket.socketpair()
        for end in (self._wake, wake):
            end.setblocking(False)
        self._signalled = wake
        """Kept alive here: the signal handler's descriptor is this socket's."""

    def run(self) -> None:
        signal.signal(signal.SIGCHLD, _heard)
        signal.set_wakeup_fd(self._signalled.fileno())
        with selectors.DefaultSelector() as selector:
            selector.register(self._harness, selectors.EVENT_READ, self._fork)
            selector.register(self._wake, selectors.EVENT_READ, self._reap)
            self._tell({"ready": True})
            while all(ready.data() for ready, _ in selector.select()):
                pass  # What one call leaves undone is ready again in the next.
        self._end_all()

    def _fork(self) -> bool:
        """Start the life that the harness asks for; false when the harness has gone."""
        message, descriptors, _, _ = socket.recv_fds(self._harness, 2**16, 1)
        if not message:
            return False
        request = json.loads(message)
        child = os.fork()
        if child == 0:
            self._live(request, descriptors[0])
        os.close(descriptors[0])
        self._children.add(child)
        self._tell({"pid": child})
        return True

    def _reap(self) -> bool:
        self._wake.recv(2**10)
        for child in list(self._children):
            pid, status = os.waitpid(child, os.WNOHANG)
            if pid:
                self._children.discard(pid)
                self._tell({"exit": pid, "code": os.waitstatus_to_exitcode(status)})
        return True

    def _live(self, request: dict[str, Any], stdout: int) -> None:
        """Be the life: a session of its own, so that the harness can kill it with all that it started."""
        os.setsid()
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        self._harness.close()
        os.dup2(stdout, 1)
        os.close(stdout)
        os.dup2(os.open(request["stderr"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644), 2)
        os.environ.update(request["env"])
        os._exit(_guarded(self._main, request["argv"]))

    def _tell(self, message: dict[str, Any]) -> None:
        self._harness.sendall(json.dumps(message).encode() + b"\n")

    def _end_all(self) -> None:
        for child in self._children:
            os.killpg(child, signal.SIGKILL)


def _heard(signal_number: int, frame: FrameType | None) -> None:
    """Do nothing: that a handler exists is what lets the wake-up descriptor hear of a child's death."""


def _guarded(main: Main, argv: list[str]) -> int:
    """Run a life to its exit code; a child must never return into its parent's loop."""
    try:
        return main(argv)
    except BaseException:  # noqa: BLE001 - whatever it is, it is this life's end and goes to its log
        traceback.print_exc()
        return 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()


if __name__ == "__main__":
    Zygote(importlib.import_module(sys.argv[1]).main, socket.socket(fileno=int(sys.argv[2]))).run()
