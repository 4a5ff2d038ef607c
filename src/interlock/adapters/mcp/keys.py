"""Keys of tool calls: the same for what a client sends twice, and different for every other call."""

import time
from itertools import count
from typing import Any

import msgspec

from interlock.canonical import canonical, digest
from interlock.errors import CanonicalError

RECENT = 60.0
"""For how long a request without a session is known again when it is sent once more, in seconds."""


class Keys:
    """Gives each call of one run its key.

    Within a session no two requests have the same id, so that a second one with the same id and content is the first
    one sent again. Without sessions every client counts for itself: there, a request is taken for one sent again only
    for a short while. A read may be made anew, so it is never taken for an earlier one.

    The mutable state: a counter, and what was sent without a session a moment ago.
    """

    def __init__(self) -> None:
        self._count = count(1)
        self._recent: dict[str, tuple[str, float]] = {}

    def key(self, request: Any, name: str, arguments: Any, *, read: bool) -> str:
        """Return the key of a call within a session."""
        content = _content(request, name, arguments)
        return f"{content}/{next(self._count)}" if read else content

    def without_session(self, request: Any, name: str, arguments: Any, *, read: bool) -> str:
        """Return the key of a call that belongs to no session."""
        content, now = _content(request, name, arguments), time.monotonic()
        self._forget(now - RECENT)
        key, _ = self._recent.pop(content, ("", 0.0))
        if read or not key:
            key = f"{time.time_ns() // 1000:x}.{next(self._count)}/{content}"
        self._recent[content] = (key, now)
        return key

    def _forget(self, before: float) -> None:
        """Forget what was sent before a moment; what was sent last stands last."""
        while self._recent:
            oldest = next(iter(self._recent))
            if self._recent[oldest][1] >= before:
                return
            del self._recent[oldest]


def _content(request: Any, name: str, arguments: Any) -> str:
    try:
        said = canonical(arguments)
    except CanonicalError:
        said = ascii(arguments).encode()
    number = msgspec.json.encode(request)
    return f"{number[:20].decode(errors='replace')}/{digest(number, name.encode(), said)[:16]}"
