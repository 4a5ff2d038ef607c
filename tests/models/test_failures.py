"""Every way in which a provider fails is one `ModelError` that says what happened, and whether to ask again."""

import socket
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from asking import ask
from model_protocols import KEY, Anthropic, Chat, Google, Protocol, Responses, begun, event
from model_server import CUT, SILENT, ModelServer

from interlock.models import ModelError
from interlock.models.provided import ProvidedModel

JSON = {"content-type": "application/json"}


STATUSES = [
    (400, False, "refused the request (400): that is wrong"),
    (401, False, "refused the key (401); give it another api_key"),
    (403, False, "refused the key (403); give it another api_key"),
    (404, False, "is not known there (404); check the model's name"),
    (408, True, "failed (408); ask again later"),
    (409, True, "failed (409); ask again later"),
    (413, False, "refused the request (413)"),
    (422, False, "refused the request (422)"),
    (429, True, "is asked too often (429)"),
    (500, True, "failed (500); ask again later"),
    (503, True, "failed (503); ask again later"),
    (529, True, "failed (529); ask again later"),
]

OVERLOADED = {
    Chat: event({"error": {"message": "overloaded today", "code": 503}}),
    Responses: event({"type": "error", "code": "server_error", "message": "overloaded today"}, "error"),
    Anthropic: event({"type": "error", "error": {"type": "overloaded_error", "message": "overloaded today"}}, "error"),
    Google: event({"error": {"code": 503, "message": "overloaded today", "status": "UNAVAILABLE"}}),
}


async def failed(model: ProvidedModel) -> ModelError:
    with pytest.raises(ModelError) as caught:
        await ask(model)
    assert KEY not in str(caught.value)
    assert str(caught.value).startswith(model.name)
    return caught.value


class TestStatuses:
    async def test_each_says_whether_to_ask_again(
        self, server: ModelServer, protocol: Protocol, model: ProvidedModel
    ) -> None:
        for status, transient, words in STATUSES:
            server.will([protocol.error("that is wrong")], status=status, headers=JSON)
            error = await failed(model)
            assert (status, error.transient) == (status, transient)
            assert words in str(error)
            assert error.wire[0].status == status

    async def test_the_seconds_after_which_to_ask_again_are_the_providers(
        self, server: ModelServer, protocol: Protocol, model: ProvidedModel
    ) -> None:
        server.will([protocol.error("slow down")], status=429, headers={**JSON, "retry-after": "7"})
        assert (await failed(model)).retry_after == 7

    async def test_so_is_the_date(self, server: ModelServer, protocol: Protocol, model: ProvidedModel) -> None:
        when = format_datetime(datetime.now(UTC) + timedelta(hours=2), usegmt=True)
        server.will([protocol.error("slow down")], status=503, headers={**JSON, "retry-after": when})
        seconds = (await failed(model)).retry_after
        assert seconds is not None
        assert 7000 < seconds <= 7200

    async def test_without_one_there_is_none(
        self, server: ModelServer, protocol: Protocol, model: ProvidedModel
    ) -> None:
        server.will([protocol.error("slow down")], status=429, headers=JSON)
        assert (await failed(model)).retry_after is None

    async def test_the_key_that_is_missing_is_named(self, server: ModelServer, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("OPENAI_API_KEY", KEY)
        monkeypatch.setenv("OPENAI_BASE_URL", f"{server.url}/v1")
        model = ProvidedModel("openai:gpt-5")
        server.will([Responses().error(f"Incorrect API key provided: {KEY}")], status=401, headers=JSON)
        error = await failed(model)
        assert "refused the key (401); set OPENAI_API_KEY" in str(error)
        await model.aclose()

    async def test_a_long_complaint_is_shortened(
        self, server: ModelServer, protocol: Protocol, model: ProvidedModel
    ) -> None:
        server.will([protocol.error("wrong " * 1000)], status=400, headers=JSON)
        assert len(str(await failed(model))) < 400

    async def test_a_complaint_that_is_no_json_is_told_too(
        self, server: ModelServer, protocol: Protocol, model: ProvidedModel
    ) -> None:
        server.will([b"<html><h1>Bad Gateway</h1></html>"], status=502, headers={"content-type": "text/html"})
        error = await failed(model)
        assert error.transient
        assert "(502)" in str(error)

    async def test_an_empty_account_is_not_asked_again(self, server: ModelServer) -> None:
        """OpenAI says so under the status of a rate limit."""
        model = Chat().model(server.url)
        body = b'{"error": {"message": "You exceeded your quota", "code": "insufficient_quota", "type": "x"}}'
        server.will([body], status=429, headers=JSON)
        error = await failed(model)
        assert not error.transient
        assert "has no quota or credit left (429): You exceeded your quota" in str(error)
        await model.aclose()


class TestConnections:
    async def test_a_refused_connection(self, protocol: Protocol) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            model = protocol.model(f"http://127.0.0.1:{taken.getsockname()[1]}")
            error = await failed(model)
        assert error.transient
        assert "could not be reached" in str(error)
        assert error.wire[0].status == 0

    async def test_a_host_that_does_not_exist(self, protocol: Protocol) -> None:
        error = await failed(protocol.model("http://nowhere.invalid"))
        assert error.transient
        assert "could not be reached" in str(error)

    async def test_silence(self, server: ModelServer, protocol: Protocol) -> None:
        """The time counts from the last byte."""
        model = protocol.model(server.url, timeout=0.1)
        server.will(begun(protocol), then=SILENT)
        error = await failed(model)
        assert error.transient
        assert "gave no answer in time" in str(error)
        assert error.wire[0].cut
        await model.aclose()

    async def test_a_connection_that_breaks_in_the_middle(
        self, server: ModelServer, protocol: Protocol, model: ProvidedModel
    ) -> None:
        server.will(begun(protocol), then=CUT)
        error = await failed(model)
        assert error.transient
        assert "the connection broke" in str(error)


class TestAnswers:
    """What comes under status 200 and is no answer all the same."""

    async def test_one_that_ends_in_the_middle(
        self, server: ModelServer, protocol: Protocol, model: ProvidedModel
    ) -> None:
        """The connection ends well, as behind a proxy whose upstream broke; half an answer must not pass for whole."""
        server.will(begun(protocol))
        error = await failed(model)
        assert error.transient
        assert "before the answer was whole" in str(error)

    async def test_none_at_all(self, server: ModelServer, protocol: Protocol, model: ProvidedModel) -> None:
        server.will([])
        error = await failed(model)
        assert error.transient
        assert error.wire[0].status == 200

    async def test_garbage(self, server: ModelServer, protocol: Protocol, model: ProvidedModel) -> None:
        for body in (b"data: {not json\n\n", b"<html>hello</html>", b"data: []\n\n", b"\xff\xfe", b'data: "text"\n\n'):
            server.will([body])
            error = await failed(model)
            assert error.transient
            assert b"".join(error.wire[0].response) == body

    async def test_events_that_nobody_knows_after_the_first_words(
        self, server: ModelServer, protocol: Protocol, model: ProvidedModel
    ) -> None:
        for data in (b'{"type": 7}', b"{}", b"null", b'{"choices": 3, "candidates": 3}'):
            server.will([*begun(protocol), b"data: " + data + b"\n\n"])
            assert (await failed(model)).transient

    async def test_an_error_within_the_stream(
        self, server: ModelServer, protocol: Protocol, model: ProvidedModel
    ) -> None:
        server.will([*begun(protocol), OVERLOADED[type(protocol)]])
        error = await failed(model)
        assert error.transient
        assert "overloaded today" in str(error)

    async def test_a_call_that_google_calls_malformed(self, server: ModelServer) -> None:
        model = Google().model(server.url)
        server.will(Google().says(["Well"], finish="MALFORMED_FUNCTION_CALL"))
        error = await failed(model)
        assert error.transient
        assert "MALFORMED_FUNCTION_CALL" in str(error)
        await model.aclose()

    async def test_a_server_that_names_no_reason_but_says_that_it_is_done_is_believed(
        self, server: ModelServer
    ) -> None:
        model = Chat().model(server.url)
        events = Chat().says(["Hello"])
        server.will([one for one in events if b'"finish_reason": "stop"' not in one])
        _, response = await ask(model)
        assert (response.text, response.finish) == ("Hello", "stop")
        await model.aclose()


async def test_a_request_that_a_model_class_refuses_is_not_asked_again(server: ModelServer) -> None:
    model = Chat().model(server.url, settings={"tool_choice": ["no_such_action"]})
    error = await failed(model)
    assert not error.transient
    assert error.wire == ()
    assert server.asked == []
