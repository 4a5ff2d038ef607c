"""What one call of a model sent and received, byte for byte, while it is under way.

Headers are never kept, nor is what a URL may hold of secrets. Whatever carries the bytes (`wire.py`, `bedrock.py`)
finds the recording that it belongs to in the context.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextvars import ContextVar
from hashlib import sha256
from secrets import token_bytes
from typing import TypeVar
from urllib.parse import urlsplit, urlunsplit

from interlock.models.bodies import pieces
from interlock.models.messages import Exchange

KEPT = 16 * 1024 * 1024
"""How many bytes of one response are kept; a longer one is passed on whole, and its record is marked as cut."""

BLOTTED = "provider-key"
"""The redaction rule under which a credential is blotted out that a body repeats."""

CREDENTIALS = ("authorization", "x-api-key", "api-key", "x-goog-api-key")
"""The headers that carry credentials: their values are looked for in bodies and messages."""

SHORTEST_KEY = 16
"""A shorter value (local servers take any word as a key) would blot out ordinary text."""

Result = TypeVar("Result")


class Recording:
    """What one call of a model sent and received, also while it is under way.

    The mutable state: the exchanges in the order in which they began, and the credentials that they were sent with.
    """

    def __init__(self) -> None:
        self._taps: list[Tap] = []
        self._credentials: set[str] = set()

    async def during(self, step: Awaitable[Result]) -> Result:
        """Await *step* and record every request that begins meanwhile.

        Step by step, because each step of an async generator may run in another context.
        """
        token = _current.set(self)
        try:
            return await step
        finally:
            _current.reset(token)

    @property
    def exchanges(self) -> tuple[Exchange, ...]:
        """What was exchanged up to now, without the credentials should a body repeat one."""
        return tuple(tap.exchange(self._credentials) for tap in self._taps)

    @property
    def received(self) -> bytes:
        """What came in last, as far as it is kept."""
        return self.last.received if self._taps else b""

    @property
    def last(self) -> "Tap":
        """The exchange that began last."""
        return self._taps[-1]

    def begin(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> "Tap":
        """Note a request that is about to be sent."""
        for name in CREDENTIALS:
            words = headers.get(name, "").split()
            self._credentials.update(word for word in words if len(word) >= SHORTEST_KEY)
        tap = Tap(method, bare(url), body)
        self._taps.append(tap)
        return tap

    def without_credentials(self, text: str) -> str:
        """Return *text* with the credentials of this call blotted out."""
        return _blotted(text.encode(errors="replace"), self._credentials).decode()

    async def close(self) -> None:
        """Close the responses that nobody has read to their end, and with them their connections."""
        for tap in self._taps:
            if tap.close is not None:
                await tap.close()


_current: ContextVar[Recording | None] = ContextVar("interlock_recording", default=None)


def current() -> Recording | None:
    """Return the recording of the call that the caller belongs to."""
    return _current.get()


class Tap:
    """One exchange while it is under way.

    The mutable state: the status once there is a response and how to close it, what came in, and whether its end did.
    """

    def __init__(self, method: str, url: str, body: bytes) -> None:
        self.status = 0
        self.close: Callable[[], Awaitable[None]] | None = None
        self._method = method
        self._url = url
        self._request = body
        self._salt = token_bytes(16)
        self._received = bytearray()
        self._whole = False

    def take(self, chunk: bytes) -> None:
        """Keep what came in."""
        if len(self._received) <= KEPT:
            # One byte more than is kept tells that there was more.
            self._received += chunk[: KEPT + 1 - len(self._received)]

    def end(self) -> None:
        """Note that the response came to its end."""
        self._whole = len(self._received) <= KEPT

    @property
    def received(self) -> bytes:
        """What came in, as far as it is kept."""
        return bytes(self._received[:KEPT])

    def exchange(self, credentials: Iterable[str]) -> Exchange:
        """Return the exchange as it stands."""
        sent = tuple(_blotted(piece, credentials) for piece in pieces(self._request))
        received = self.received
        answer = _blotted(received, credentials)
        changed = answer != received or b"".join(sent) != self._request
        return Exchange(
            self._method,
            self._url,
            self.status,
            request=sent,
            request_digest=self._digest(self._request),
            response=(answer,) if answer else (),
            response_digest=self._digest(received),
            salt=self._salt.hex(),
            redacted=(BLOTTED,) if changed else (),
            cut=not self._whole,
        )

    def _digest(self, body: bytes) -> str:
        return sha256(self._salt + body).hexdigest()


def bare(url: str) -> str:
    """Return a URL without what may be secret in it: user, password, query."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def _blotted(data: bytes, credentials: Iterable[str]) -> bytes:
    for credential in credentials:
        data = data.replace(credential.encode(), f"[redacted:{BLOTTED}]".encode())
    return data
