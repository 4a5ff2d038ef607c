"""Bedrock, recorded through botocore's events."""

import json
import struct
from binascii import crc32
from collections.abc import AsyncIterator
from hashlib import sha256
from typing import Any

import pytest
from asking import ask, request, said
from model_protocols import KEY
from model_server import CUT, ModelServer

from interlock.models import ModelError, Proposal, Result, UserSaid
from interlock.models.provided import ProvidedModel

STREAM = {"content-type": "application/vnd.amazon.eventstream"}
TOLD = [
    ("messageStart", {"role": "assistant"}),
    ("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": "One "}}),
    ("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": "moment."}}),
    ("contentBlockStop", {"contentBlockIndex": 0}),
    ("contentBlockStart", {"contentBlockIndex": 1, "start": {"toolUse": {"toolUseId": "call_a", "name": "look"}}}),
    ("contentBlockDelta", {"contentBlockIndex": 1, "delta": {"toolUse": {"input": '{"ref":'}}}),
    ("contentBlockDelta", {"contentBlockIndex": 1, "delta": {"toolUse": {"input": '"A1"}'}}}),
    ("contentBlockStop", {"contentBlockIndex": 1}),
    ("messageStop", {"stopReason": "tool_use"}),
    ("metadata", {"usage": {"inputTokens": 11, "outputTokens": 7, "totalTokens": 18}, "metrics": {"latencyMs": 5}}),
]


def frame(kind: str, payload: Any) -> bytes:
    """Return an event in AWS's binary framing."""
    headers = b""
    for name, value in ((":message-type", "event"), (":event-type", kind), (":content-type", "application/json")):
        headers += struct.pack("!B", len(name)) + name.encode() + struct.pack("!BH", 7, len(value)) + value.encode()
    body = json.dumps(payload).encode()
    prelude = struct.pack("!II", len(headers) + len(body) + 16, len(headers))
    message = prelude + struct.pack("!I", crc32(prelude)) + headers + body
    return message + struct.pack("!I", crc32(message))


@pytest.fixture
async def model(server: ModelServer, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[ProvidedModel]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    # Signed requests: a bearer token is not sent without TLS.
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", KEY)
    one = ProvidedModel("bedrock:us.amazon.nova-pro-v1:0", base_url=server.url)
    yield one
    await one.aclose()


async def test_an_answer_is_converted_and_recorded_byte_for_byte(server: ModelServer, model: ProvidedModel) -> None:
    answer = [frame(*one) for one in TOLD]
    server.will(answer, headers=STREAM)
    pieces, response = await ask(model)
    assert pieces == ["One ", "moment."]
    assert response.proposals == (Proposal("look", {"ref": "A1"}, "call_a"),)
    (exchange,) = response.wire
    salt = bytes.fromhex(exchange.salt)
    assert b"".join(exchange.request) == server.asked[0].body
    assert b"".join(exchange.response) == b"".join(answer)
    assert exchange.request_digest == sha256(salt + server.asked[0].body).hexdigest()
    assert exchange.response_digest == sha256(salt + b"".join(answer)).hexdigest()
    assert (exchange.status, exchange.cut, response.unrecorded) == (200, False, "")
    assert len(exchange.request) == 3
    assert "AKIDEXAMPLE" in str(server.asked[0].headers)
    assert KEY not in repr(response)


async def test_a_turn_with_its_result_goes_back(server: ModelServer, model: ProvidedModel) -> None:
    server.will([frame(*one) for one in TOLD], headers=STREAM)
    server.will([frame(*one) for one in TOLD], headers=STREAM)
    _, first = await ask(model)
    _, second = await ask(
        model, request(UserSaid("hello"), said(model, first), Result("call_a", "look", "no", failed=True))
    )
    before, after = first.wire[0].request, second.wire[0].request
    assert after[: len(before) - 1] == before[:-1]
    assert b'"status": "error"' in after[-2]


async def test_a_refusal_is_not_retried_and_is_recorded(server: ModelServer, model: ProvidedModel) -> None:
    for _ in range(2):
        server.will([b'{"message":"slow down"}'], status=429, headers={"x-amzn-errortype": "ThrottlingException"})
    with pytest.raises(ModelError, match="asked too often") as caught:
        await ask(model)
    assert caught.value.transient
    assert len(server.asked) == 1
    assert caught.value.wire[0].response == (b'{"message":"slow down"}',)


async def test_a_stream_that_breaks_is_cut(server: ModelServer, model: ProvidedModel) -> None:
    begun = [frame(*one) for one in TOLD[:2]]
    server.will(begun, headers=STREAM, then=CUT)
    with pytest.raises(ModelError) as caught:
        await ask(model)
    assert caught.value.transient
    (exchange,) = caught.value.wire
    assert (exchange.cut, b"".join(exchange.response)) == (True, b"".join(begun))
