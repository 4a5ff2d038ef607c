"""Heads: what a journal's end looked like at a time, small enough to keep elsewhere, and signed if you like.

A head kept where the journal's keeper can't write (another machine, a mailbox, a notary) proves that nothing
up to its position was changed since. A signature adds that the head is the one that the key's holder
exported; whoever holds the key can sign another, so that keeping it beside the journal proves nothing.
"""

from typing import TYPE_CHECKING, Self

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from interlock.canonical import canonical
from interlock.errors import JournalError
from interlock.journal.chain import first_root
from interlock.journal.store import Store

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey


class Head(Struct, frozen=True):
    """The end of the journal *journal* at the time *at*: its last commit's number, position and root (hex).

    `signature` is Ed25519 in hex, over everything else.
    """

    journal: str
    number: int
    position: int
    root: str
    at: int
    signature: str | None = None

    def to_json(self) -> bytes:
        """Return the head as JSON, to keep elsewhere."""
        return canonical(self)

    @classmethod
    def from_json(cls, data: bytes | str) -> Self:
        """Return the head that `to_json` wrote.

        Raises:
            JournalError: *data* is no head.
        """
        try:
            return msgspec.json.decode(data, type=cls)
        except msgspec.DecodeError as error:
            raise JournalError(f"this is no exported head ({error}); give what `to_json` wrote") from error

    def signed(self, private_key: bytes) -> Self:
        """Return the head with its signature by *private_key* (PEM, Ed25519, not encrypted).

        Raises:
            JournalError: the key is not one, or the extra `sign` is not installed.
        """
        return replace(self, signature=_private(private_key).sign(self._message()).hex())

    def signed_by(self, public_key: bytes) -> bool:
        """Return whether the signature is there and of *public_key* (PEM, Ed25519).

        Raises:
            JournalError: the key is not one, or the extra `sign` is not installed.
        """
        key = _public(public_key)
        from cryptography.exceptions import InvalidSignature  # noqa: PLC0415  # an extra

        try:
            key.verify(bytes.fromhex(self.signature or ""), self._message())
        except (InvalidSignature, ValueError):
            return False
        return True

    def _message(self) -> bytes:
        return b"interlock head " + canonical(replace(self, signature=None))


async def export_head(store: Store, at: int) -> Head:
    """Return the head of *store* as it is now; *at* is the time to write on it (microseconds, UTC)."""
    journal, last = await store.identity(), await store.last_batch()
    if last is None:
        return Head(journal, 0, 0, first_root(journal).hex(), at)
    return Head(journal, last.number, last.last, last.root.hex(), at)


def generate_key() -> tuple[bytes, bytes]:
    """Return a new private key, to keep away from the journal, and its public key, both as PEM.

    Raises:
        JournalError: the extra `sign` is not installed.
    """
    _need_extra()
    from cryptography.hazmat.primitives import serialization as form  # noqa: PLC0415  # an extra
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415

    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption())
    return private, key.public_key().public_bytes(form.Encoding.PEM, form.PublicFormat.SubjectPublicKeyInfo)


def _private(pem: bytes) -> "Ed25519PrivateKey":
    _need_extra()
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: PLC0415

    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError) as error:
        raise JournalError(f"this is no private key in PEM without a password ({error})") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise JournalError("heads are signed with Ed25519; give a key of that kind (`generate_key` makes one)")
    return key


def _public(pem: bytes) -> "Ed25519PublicKey":
    _need_extra()
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import load_pem_public_key  # noqa: PLC0415

    try:
        key = load_pem_public_key(pem)
    except ValueError as error:
        raise JournalError(f"this is no public key in PEM ({error})") from error
    if not isinstance(key, Ed25519PublicKey):
        raise JournalError("heads are signed with Ed25519; give the public key of such a pair")
    return key


def _need_extra() -> None:
    try:
        import cryptography  # noqa: F401, PLC0415  # pyright: ignore[reportUnusedImport]
    except ImportError as error:
        raise JournalError("signing heads needs the extra `sign`: pip install 'interlock[sign]'") from error
