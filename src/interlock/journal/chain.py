"""The arithmetic that makes a journal tamper-evident: pure functions, the same for every store.

Each event's payload has a *digest*, SHA-256 over a random salt and the payload. Each event has a *link*, over
the link before it in its run, its digest and its header (everything else that is stored of it except its
position). Each commit has a *root*, over the root before it and the links of its events in the order of their
positions. So the links fix what a run did and in which order, and the roots fix what the whole journal holds
and at which position.

Neither link nor root reads a payload or a salt: both can be erased later, and the chain stays valid. The salt
keeps an erased payload from being guessed out of its digest, which is why it is erased too.
"""

from collections.abc import Iterable
from hashlib import sha256

SALT_BYTES = 16
FIRST_LINK = bytes(32)
"""What stands before a run's first link."""


def payload_digest(salt: bytes, payload: bytes) -> bytes:
    """Return the salted digest of *payload*; the salt has a fixed length, so that no two pairs collide."""
    return sha256(salt + payload).digest()


def link(  # noqa: PLR0917  # called for every event: keywords would cost a tenth of it
    previous: bytes, digest: bytes, run: str, seq: int, type_: str, version: int, at: int, key: str | None
) -> bytes:
    """Return the link of an event after the link *previous* of its run.

    The lengths before the texts keep the header unambiguous, and `=` tells an empty key from none.

    Raises:
        UnicodeEncodeError: a text holds a lone surrogate, which has no UTF-8 form.
    """
    header = f"{seq} {version} {at} {len(run)} {len(type_)} {run}{type_}{'' if key is None else '=' + key}"
    return sha256(previous + digest + header.encode()).digest()


def first_root(identity: str) -> bytes:
    """Return what stands before the first commit's root of the journal *identity*."""
    return sha256(b"interlock journal " + identity.encode()).digest()


def root(previous: bytes, number: int, first: int, links: Iterable[bytes]) -> bytes:
    """Return the root of commit *number*, whose events have the *links* and the positions from *first* on."""
    return sha256(previous + b"%d %d " % (number, first) + b"".join(links)).digest()


def blob_address(data: bytes) -> str:
    """Return the address of a blob: the SHA-256 of its bytes, in hex."""
    return sha256(data).hexdigest()
