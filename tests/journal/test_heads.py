"""Heads: exported, kept elsewhere, signed."""

import sys

import pytest
from journal_helpers import write

from interlock.errors import JournalError
from interlock.journal.heads import Head, export_head, generate_key
from interlock.journal.memory import MemoryStore


async def exported() -> Head:
    store = MemoryStore()
    await write(store)
    return await export_head(store, 123)


async def test_a_head_says_where_the_journal_ends(store):
    """Its id, the last commit's number, position and root, and the time that was given."""
    await write(store)
    head = await export_head(store, 123)
    last = await store.last_batch()
    assert head == Head(await store.identity(), last.number, 8, last.root.hex(), 123)


async def test_json_keeps_it():
    """What was exported is what is read again, with its signature."""
    head = (await exported()).signed(generate_key()[0])
    assert Head.from_json(head.to_json()) == head
    assert Head.from_json(head.to_json().decode()) == head


async def test_a_signature_is_of_one_key_and_one_head():
    """Another key, another field or no signature is not the signature."""
    (private, public), (_, other) = generate_key(), generate_key()
    head = (await exported()).signed(private)
    assert head.signed_by(public)
    assert not head.signed_by(other)
    fields = {"journal": "x", "number": 1, "position": 1, "root": "00", "at": 1, "signature": None}
    for field, value in fields.items():
        changed = Head(**{name: getattr(head, name) for name in fields} | {field: value})
        assert not changed.signed_by(public)
    assert not Head(head.journal, 1, 1, "", 1, signature="no hex").signed_by(public)


@pytest.mark.parametrize("text", [b"", b"{}", b"not json", b'{"journal": 7}'])
def test_what_is_no_head_is_refused(text):
    """With a sentence that says what to give."""
    with pytest.raises(JournalError, match=r"no exported head .* give what `to_json` wrote"):
        Head.from_json(text)


async def test_what_is_no_key_is_refused():
    """So is a key of another kind."""
    from cryptography.hazmat.primitives import serialization as form
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key

    other = generate_private_key(SECP256R1())
    private = other.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption())
    public = other.public_key().public_bytes(form.Encoding.PEM, form.PublicFormat.SubjectPublicKeyInfo)
    head = await exported()
    for call in (lambda: head.signed(b"x"), lambda: head.signed_by(b"x")):
        with pytest.raises(JournalError, match="in PEM"):
            call()
    for call in (lambda: head.signed(private), lambda: head.signed_by(public)):
        with pytest.raises(JournalError, match="Ed25519"):
            call()


async def test_without_the_extra(monkeypatch):
    """The error names what to install."""
    head = await exported()
    monkeypatch.setitem(sys.modules, "cryptography", None)
    for call in (generate_key, lambda: head.signed(b""), lambda: head.signed_by(b"")):
        with pytest.raises(JournalError, match=r"pip install 'interlock\[sign\]'"):
            call()
