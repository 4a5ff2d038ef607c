"""Pieces: what a request body is cut into, so that a long conversation is stored once."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.models.bodies import is_conversation, pieces

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)
FIELDS = st.dictionaries(st.sampled_from(["messages", "input", "contents", "tools", "model", "system"]), JSON)


@given(st.binary())
def test_pieces_of_any_bytes_are_those_bytes(body: bytes) -> None:
    assert b"".join(pieces(body)) == body


@given(FIELDS, st.sampled_from([(",", ":"), (", ", ": "), (" ,\n ", "\t:\r\n")]), st.booleans())
def test_pieces_of_any_json_are_its_bytes(fields: dict[str, object], separators: tuple[str, str], ascii_: bool) -> None:
    body = json.dumps(fields, separators=separators, ensure_ascii=ascii_).encode(errors="surrogatepass")
    assert b"".join(pieces(body)) == body


@given(st.lists(JSON, min_size=1, max_size=6), JSON, st.booleans())
def test_there_is_one_piece_a_message_between_head_and_tail(
    messages: list[object], head: object, tools_first: bool
) -> None:
    told = {"messages": messages}
    body = {"model": "m", "tools": head, **told} if tools_first else {**told, "tools": head}
    cut = pieces(msgspec.json.encode(body))
    assert len(cut) == len(messages) + 2
    assert [msgspec.json.decode(piece.removeprefix(b",")) for piece in cut[1:-1]] == messages


@given(st.lists(JSON, min_size=1, max_size=6), JSON)
def test_an_appended_message_leaves_the_other_pieces_as_they_are(messages: list[object], more: object) -> None:
    before = pieces(msgspec.json.encode({"model": "m", "input": messages, "tools": [1]}))
    after = pieces(msgspec.json.encode({"model": "m", "input": [*messages, more], "tools": [1]}))
    assert after[: len(messages) + 1] == before[:-1]
    assert after[-1] == before[-1]


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"nothing of the kind", b'{"messages":[]}', b'{"messages":"hello"}', b'{"messages":[{]}', b"\xff"],
)
def test_what_has_no_messages_is_one_piece(body: bytes) -> None:
    assert pieces(body) == ((body,) if body else ())


def test_the_same_array_elsewhere_in_the_body_does_no_harm() -> None:
    """The cut may then fall into the other array; nothing is lost or doubled."""
    body = b'{"tools":[{"a":1}],"messages":[{"a":1}]}'
    assert b"".join(pieces(body)) == body


def test_json_too_deep_to_read_is_one_piece() -> None:
    body = b'{"messages":[' + b"[" * 100_000 + b"]" * 100_000 + b"]}"
    assert b"".join(pieces(body)) == body


def test_a_large_conversation_is_cut_in_one_pass() -> None:
    """Two hundred thousand messages that all look alike: a search from the start for each would not end."""
    messages = [{"role": "user", "content": "again"}] * 200_000
    body = msgspec.json.encode({"messages": messages})
    cut = pieces(body)
    assert len(cut) == 200_002
    assert b"".join(cut) == body


@pytest.mark.parametrize(
    ("body", "is_one"),
    [
        (b'{"model":"m","messages":[]}', True),
        (b'{"input":"hello"}', True),
        (b'{"grant_type":"refresh_token","refresh_token":"secret"}', False),
        (b"grant_type=refresh_token", False),
        (b"", False),
    ],
)
def test_a_request_for_a_token_is_no_conversation(body: bytes, is_one: bool) -> None:
    assert is_conversation(body) is is_one
