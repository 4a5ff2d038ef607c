"""What is recorded of what went over the wire: exactly the bytes, never a credential."""

import gzip
from hashlib import sha256

import httpx2
import pytest
from asking import ask, request
from model_protocols import KEY, Chat, Protocol, begun
from model_server import CUT, ModelServer

from interlock.models import Exchange, ModelError, UserSaid, recording
from interlock.models.provided import ProvidedModel
from interlock.models.recording import Recording
from interlock.models.wire import RecordingTransport


def digest(exchange: Exchange, body: bytes) -> str:
    return sha256(bytes.fromhex(exchange.salt) + body).hexdigest()


async def test_request_and_response_are_kept_byte_for_byte(
    server: ModelServer, protocol: Protocol, model: ProvidedModel
) -> None:
    """What the server got and what it sent is what the pieces and the digests say."""
    answer = protocol.says(["Ä ", "\u2028 ✓"], [("a", "look", ['{"ref":"ü"}'])])
    server.will(answer)
    _, response = await ask(model, request(UserSaid('quotes " and \\ and \n and ✓'), UserSaid("two")))
    (exchange,) = response.wire
    assert b"".join(exchange.request) == server.asked[0].body
    assert b"".join(exchange.response) == b"".join(answer)
    assert exchange.request_digest == digest(exchange, server.asked[0].body)
    assert exchange.response_digest == digest(exchange, b"".join(answer))
    assert (exchange.method, exchange.status, exchange.cut, exchange.redacted) == ("POST", 200, False, ())
    assert exchange.url == server.url + server.asked[0].target.partition("?")[0]
    assert len(exchange.request) >= 4


async def test_no_credential_is_anywhere_in_it(server: ModelServer, protocol: Protocol, model: ProvidedModel) -> None:
    server.will(protocol.says(["hi"]))
    _, response = await ask(model)
    assert KEY in str(server.asked[0].headers)
    assert KEY not in repr(response)


async def test_a_credential_that_a_server_repeats_is_blotted_out_and_marked(
    server: ModelServer, protocol: Protocol, model: ProvidedModel
) -> None:
    body = protocol.error(f"the key {KEY} is not ours")
    server.will([body], status=401, headers={"content-type": "application/json"})
    with pytest.raises(ModelError) as caught:
        await ask(model, request(UserSaid(f"is {KEY} my key?")))
    (exchange,) = caught.value.wire
    assert KEY not in repr(exchange)
    assert KEY not in str(caught.value)
    assert exchange.redacted == ("provider-key",)
    assert b"the key [redacted:provider-key] is not ours" in b"".join(exchange.response)
    assert exchange.response_digest == digest(exchange, body)
    assert exchange.request_digest == digest(exchange, server.asked[0].body)


async def test_the_url_loses_its_query_and_its_password(server: ModelServer) -> None:
    address = server.url.replace("http://", "http://ana:secret-word@")
    model = Chat().model(f"{address}/proxy?token=secret-word&x=")
    server.will(Chat().says(["hi"]))
    _, response = await ask(model)
    assert "secret-word" not in repr(response)
    assert response.wire[0].url.startswith(server.url)
    await model.aclose()


async def test_a_response_that_is_cut_off_is_kept_as_far_as_it_came(
    server: ModelServer, protocol: Protocol, model: ProvidedModel
) -> None:
    received = b"".join(begun(protocol))
    server.will(begun(protocol), then=CUT)
    with pytest.raises(ModelError) as caught:
        await ask(model)
    (exchange,) = caught.value.wire
    assert (exchange.status, exchange.cut) == (200, True)
    assert b"".join(exchange.response) == received
    assert exchange.response_digest == digest(exchange, received)


async def test_the_body_of_an_error_is_kept(server: ModelServer, protocol: Protocol, model: ProvidedModel) -> None:
    body = protocol.error("no such field")
    server.will([body], status=400, headers={"content-type": "application/json"})
    with pytest.raises(ModelError) as caught:
        await ask(model)
    (exchange,) = caught.value.wire
    assert (exchange.status, exchange.cut, exchange.response) == (400, False, (body,))


async def test_a_request_that_nobody_answered_is_kept_too(server: ModelServer, protocol: Protocol) -> None:
    model = protocol.model(server.url)
    await server.close()
    with pytest.raises(ModelError) as caught:
        await ask(model)
    (exchange,) = caught.value.wire
    assert (exchange.status, exchange.response, exchange.cut) == (0, (), True)
    assert b"hello" in b"".join(exchange.request)
    await model.aclose()


async def test_of_an_endless_response_a_part_is_kept_and_all_is_passed_on(
    server: ModelServer, protocol: Protocol, model: ProvidedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording, "KEPT", 1000)
    answer = protocol.says(["0123456789"] * 200)
    server.will(answer)
    _, response = await ask(model)
    (exchange,) = response.wire
    kept = b"".join(answer)[:1000]
    assert response.text == "0123456789" * 200
    assert exchange.response == (kept,)
    assert exchange.cut
    assert exchange.response_digest == digest(exchange, kept)


async def test_a_response_of_just_the_size_that_is_kept_is_whole(
    server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = Chat().says(["hi"])
    monkeypatch.setattr(recording, "KEPT", len(b"".join(answer)))
    model = Chat().model(server.url)
    server.will(answer)
    _, response = await ask(model)
    assert not response.wire[0].cut
    await model.aclose()


async def test_responses_are_asked_for_uncompressed(
    server: ModelServer, protocol: Protocol, model: ProvidedModel
) -> None:
    server.will(protocol.says(["hi"]))
    await ask(model)
    assert server.asked[0].headers["accept-encoding"] == "identity"


async def test_a_server_that_compresses_all_the_same_is_understood_and_recorded_as_it_answered(
    server: ModelServer, protocol: Protocol, model: ProvidedModel
) -> None:
    packed = gzip.compress(b"".join(protocol.says(["hi"])))
    server.will([packed[:50], packed[50:]], headers={"content-encoding": "gzip"})
    _, response = await ask(model)
    assert response.text == "hi"
    assert b"".join(response.wire[0].response) == packed


async def test_each_exchange_has_a_salt_of_its_own(
    server: ModelServer, protocol: Protocol, model: ProvidedModel
) -> None:
    """Without it, whoever guesses a payload that was erased could check the guess against the digest."""
    exchanges: list[Exchange] = []
    for _ in range(2):
        server.will(protocol.says(["hi"]))
        exchanges += (await ask(model))[1].wire
    one, other = exchanges
    assert one.request == other.request
    assert one.request_digest != other.request_digest
    assert all(len(bytes.fromhex(exchange.salt)) == 16 for exchange in exchanges)


@pytest.mark.parametrize("body", [b"grant_type=refresh_token&refresh_token=secret", b'{"refresh_token":"secret"}', b""])
async def test_a_request_for_a_token_is_not_recorded(server: ModelServer, body: bytes) -> None:
    """Some providers' classes get their credentials through the same client."""
    server.will([b'{"access_token":"secret"}'])
    transport = RecordingTransport(httpx2.Timeout(5))
    kept = Recording()
    async with httpx2.AsyncClient(transport=transport) as client:
        response = await kept.during(client.post(server.url, content=body))
    assert response.json() == {"access_token": "secret"}
    assert kept.exchanges == ()


async def test_the_environments_proxy_is_used(server: ModelServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", server.url)
    model = Chat().model("http://provider.invalid")
    server.will(Chat().says(["hi"]))
    _, response = await ask(model)
    assert server.asked[0].target == "http://provider.invalid/v1/chat/completions"
    assert response.wire[0].url == "http://provider.invalid/v1/chat/completions"
    await model.aclose()


async def test_connections_are_used_again(server: ModelServer, protocol: Protocol, model: ProvidedModel) -> None:
    """A response is read to its end, so that the next request needs no new connection."""
    for _ in range(3):
        server.will(protocol.says(["hi"]))
        await ask(model)
    assert server.connections == 1
