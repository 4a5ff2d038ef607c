"""A provider's model: the same behaviour over every protocol, against a server on this machine."""

import asyncio
import json
import subprocess
import sys
from contextlib import aclosing
from decimal import Decimal
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from asking import ask, request, said
from model_protocols import KEY, Anthropic, Chat, Google, Protocol, Responses, begun
from model_server import SILENT, ModelServer, elsewhere

from interlock import models
from interlock.errors import DeclarationError
from interlock.models import Model, ModelError, ModelSaid, Proposal, Response, Result, UserSaid, opened, providers
from interlock.models.provided import ProvidedModel

PROVIDERS_CODE = ("pydantic_ai", "httpx2", "openai", "anthropic", "google.genai")


class TestAnswers:
    async def test_text_comes_piece_by_piece_and_the_response_has_it_whole(
        self, server: ModelServer, protocol: Protocol, model: ProvidedModel
    ) -> None:
        server.will(protocol.says(["Good", " morning", ", Ana."]))
        pieces, response = await ask(model)
        assert pieces == ["Good", " morning", ", Ana."]
        assert response.text == "Good morning, Ana."
        assert (response.finish, response.proposals, response.unrecorded) == ("stop", (), "")

    async def test_proposals_have_key_and_arguments_put_together_from_fragments(
        self, server: ModelServer, protocol: Protocol, model: ProvidedModel
    ) -> None:
        fragments = ['{"ref":', ' "A', '1", "amount": "4', '0"}']
        server.will(protocol.says(["Wait."], [("call_a", "refund", fragments), ("call_b", "look", ["{}"])]))
        _, response = await ask(model)
        assert response.proposals == (
            Proposal("refund", {"ref": "A1", "amount": "40"}, "call_a"),
            Proposal("look", {}, "call_b"),
        )
        assert (response.text, response.finish) == ("Wait.", "calls")

    async def test_tokens_are_counted_as_the_provider_counts_them(
        self, server: ModelServer, protocol: Protocol, model: ProvidedModel
    ) -> None:
        server.will(protocol.says(["hi"]))
        _, response = await ask(model)
        assert (response.input_tokens, response.cached_tokens, response.output_tokens) == (11, 3, 7)

    async def test_a_known_price_is_a_decimal_in_text_and_an_unknown_one_is_empty(
        self, server: ModelServer, protocol: Protocol, model: ProvidedModel
    ) -> None:
        server.will(protocol.says(["hi"]))
        _, response = await ask(model)
        if isinstance(protocol, Chat):
            assert (response.model, response.cost) == ("llama3:8b", "")
        else:
            assert response.model.startswith(protocol.name.partition(":")[2])
            assert 0 < Decimal(response.cost) < 1

    async def test_the_limit_of_tokens_is_a_finish_of_its_own(
        self, server: ModelServer, protocol: Protocol, model: ProvidedModel
    ) -> None:
        server.will(protocol.says(["and then"], finish=protocol.length))
        _, response = await ask(model)
        assert (response.finish, response.text) == ("length", "and then")

    async def test_what_the_provider_withholds_is_filtered(
        self, server: ModelServer, protocol: Protocol, model: ProvidedModel
    ) -> None:
        server.will(protocol.says(["I"], finish=protocol.filtered))
        _, response = await ask(model)
        assert response.finish == "filtered"

    @pytest.mark.parametrize("protocol", [Chat(), Responses(), Anthropic()], ids=lambda one: one.name, indirect=True)
    async def test_arguments_that_are_no_json_object_stay_the_text_that_they_are(
        self, server: ModelServer, protocol: Protocol, model: ProvidedModel
    ) -> None:
        for garbage in ('{"ref": "A1"', "refund A1 please", '["A1"]', '{"ref": NaN}', '"A1"'):
            server.will(protocol.says(calls=[("call_a", "refund", [garbage])]))
            _, response = await ask(model)
            assert response.proposals == (Proposal("refund", garbage, "call_a"),)
            kept = msgspec.json.encode(response.proposals)
            assert msgspec.json.decode(kept, type=tuple[Proposal, ...]) == response.proposals

    async def test_a_refusal_of_openai_is_text_and_filtered(self, server: ModelServer) -> None:
        chat, responses = Chat(), Responses()
        refusing = [chat.delta({"role": "assistant", "refusal": one}) for one in ("I can't", " help.")]
        server.will([*refusing, *chat.says()[1:]])
        server.will(responses.refuses(["I can't", " help."]))
        for protocol in (chat, responses):
            model = protocol.model(server.url)
            pieces, response = await ask(model)
            assert "".join(pieces) == response.text == "I can't help."
            assert response.finish == "filtered"
            await model.aclose()

    async def test_reasoning_is_kept_apart_from_the_text(self, server: ModelServer) -> None:
        model = Anthropic().model(server.url)
        server.will(Anthropic().says(["Done."], thinking=("He wants it back.", "sig")))
        pieces, response = await ask(model)
        assert (pieces, response.text, response.reasoning) == (["Done."], "Done.", "He wants it back.")
        await model.aclose()

    async def test_must_propose_leaves_the_model_no_other_answer(
        self, server: ModelServer, protocol: Protocol, model: ProvidedModel
    ) -> None:
        for must in (True, False):
            server.will(protocol.says(calls=[("call_a", "look", ["{}"])]))
            await ask(model, request(must_propose=must))
        chosen = [_choice(json.loads(one.body)) for one in server.asked]
        assert chosen[0] in {"required", "any", "ANY"}
        assert chosen[1] not in {"required", "any", "ANY"}

    async def test_settings_go_with_every_request(self, server: ModelServer) -> None:
        model = Chat().model(server.url, settings={"temperature": 0.25, "max_tokens": 99})
        server.will(Chat().says(["hi"]))
        await ask(model)
        body = json.loads(server.asked[0].body)
        assert body["temperature"] == 0.25
        assert 99 in (body.get("max_tokens"), body.get("max_completion_tokens"))
        await model.aclose()

    async def test_one_model_serves_many_calls_at_once_and_keeps_them_apart(
        self, server: ModelServer, protocol: Protocol, model: ProvidedModel
    ) -> None:
        for _ in range(5):
            server.will(protocol.says(["he", "llo"]))
        answers = await asyncio.gather(*(ask(model, request(UserSaid(f"I am {n}"))) for n in range(5)))
        for number, (_, response) in enumerate(answers):
            (exchange,) = response.wire
            assert f"I am {number}".encode() in b"".join(exchange.request)

    def test_one_model_serves_one_event_loop_after_the_other(self, protocol: Protocol) -> None:
        """The connections of the first loop are of no use to the second."""

        async def once(model: ProvidedModel) -> str:
            _, response = await ask(model)
            await model.aclose()
            return response.text

        with elsewhere() as server:
            model = protocol.model(server.url)
            for _ in range(2):
                server.will(protocol.says(["hi"]))
                assert asyncio.run(once(model)) == "hi"


class TestStreaming:
    async def test_a_piece_is_there_before_the_answer_ends(
        self, server: ModelServer, protocol: Protocol, model: ProvidedModel
    ) -> None:
        """The server goes silent after the first words; they come all the same."""
        server.will(begun(protocol), then=SILENT)
        async with aclosing(model.respond(request())) as answer:
            assert await anext(answer) == "Well"

    async def test_closing_the_generator_closes_the_connection(
        self, server: ModelServer, protocol: Protocol, model: ProvidedModel
    ) -> None:
        server.will(begun(protocol), then=SILENT)
        answer = model.respond(request())
        await anext(answer)
        await answer.aclose()
        await asyncio.wait_for(server.left.wait(), 5)

    async def test_cancelling_closes_the_connection(
        self, server: ModelServer, protocol: Protocol, model: ProvidedModel
    ) -> None:
        server.will(begun(protocol), then=SILENT)
        heard = asyncio.Event()

        async def listen() -> None:
            async with aclosing(model.respond(request())) as answer:
                async for _ in answer:
                    heard.set()

        task = asyncio.create_task(listen())
        await asyncio.wait_for(heard.wait(), 5)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert task.cancelled()
        await asyncio.wait_for(server.left.wait(), 5)


class TestHistory:
    async def test_a_turn_with_its_results_goes_back_to_the_provider(
        self, server: ModelServer, protocol: Protocol, model: ProvidedModel
    ) -> None:
        server.will(protocol.says(["One moment."], [("call_a", "look", ['{"ref":"A1"}'])]))
        server.will(protocol.says(["It is paid."]))
        _, first = await ask(model, request(UserSaid("is A1 paid?")))
        told = said(model, first), Result("call_a", "look", "paid on 3 May")
        await ask(model, request(UserSaid("is A1 paid?"), *told))
        messages = json.dumps(json.loads(server.asked[1].body)[protocol.messages])
        places = [messages.index(one) for one in ("is A1 paid?", "One moment.", "look", "paid on 3 May")]
        assert places == sorted(places)
        assert messages.count('"call_a"') == 2

    async def test_earlier_pieces_stay_as_they_are_while_the_conversation_grows(
        self, server: ModelServer, protocol: Protocol, model: ProvidedModel
    ) -> None:
        """Head, messages so far and tail are stored once, however long the conversation gets."""
        server.will(protocol.says(["One moment."], [("a", "look", ['{"ref":"A1"}']), ("b", "look", ["{}"])]))
        server.will(protocol.says(["It is paid."]))
        server.will(protocol.says([], [("c", "refund", ['{"ref":"A1"}'])]))
        server.will(protocol.says(["Refunded."]))
        results = [
            [Result("a", "look", "paid"), Result("b", "look", "no ref", failed=True)],
            [],
            [Result("c", "refund", "ok")],
        ]
        messages: list[Any] = [UserSaid("is A1 paid?")]
        sent: list[tuple[bytes, ...]] = []
        for number in range(4):
            _, response = await ask(model, request(*messages))
            sent.append(response.wire[0].request)
            messages += [said(model, response), *(results[number] if number < 3 else [])]
            if not response.proposals:
                messages.append(UserSaid(f"and then? ({number})"))
        for before, after in pairwise(sent):
            assert len(after) > len(before)
            assert after[: len(before) - 1] == before[:-1]
            assert after[-1] == before[-1]

    async def test_the_signature_of_anthropics_thinking_goes_back_unchanged(self, server: ModelServer) -> None:
        protocol = Anthropic()
        model = protocol.model(server.url)
        signature = "EqoBCkgIARABGAIiQL+/very/opaque=="
        server.will(protocol.says(["Hm."], [("a", "look", ["{}"])], thinking=("Let me look.", signature)))
        server.will(protocol.says(["Done."]))
        _, first = await ask(model)
        kept = msgspec.json.decode(msgspec.json.encode(said(model, first)), type=ModelSaid)
        await ask(model, request(UserSaid("hello"), kept, Result("a", "look", "paid")))
        turn = json.loads(server.asked[1].body)["messages"][1]["content"]
        assert turn[0] == {"type": "thinking", "thinking": "Let me look.", "signature": signature}
        assert [one["type"] for one in turn] == ["thinking", "text", "tool_use"]
        await model.aclose()

    async def test_openais_encrypted_reasoning_goes_back_unchanged(self, server: ModelServer) -> None:
        protocol = Responses()
        model = protocol.model(server.url)
        events = protocol.reasoning("Let me look.", "gAAAA-opaque")
        call = protocol.says(calls=[("a", "look", ["{}"])])
        server.will([*protocol.stream(events)[:-1], *call[1:]])
        server.will(protocol.says(["Done."]))
        _, first = await ask(model)
        assert first.reasoning == "Let me look."
        await ask(model, request(UserSaid("hello"), said(model, first), Result("a", "look", "paid")))
        items = json.loads(server.asked[1].body)["input"]
        (reasoning,) = [one for one in items if one.get("type") == "reasoning"]
        assert reasoning["encrypted_content"] == "gAAAA-opaque"
        await model.aclose()

    async def test_another_providers_turn_goes_by_its_text_and_proposals(
        self, server: ModelServer, protocol: Protocol, model: ProvidedModel
    ) -> None:
        server.will(protocol.says(["ok"]))
        native = {"kind": "response", "parts": [{"part_kind": "text", "content": "something only they can read"}]}
        turn = ModelSaid("Let me see.", (Proposal("look", {"ref": "A1"}, "k1"),), native, "mistral:large")
        await ask(model, request(UserSaid("hello"), turn, Result("k1", "look", "paid")))
        body = server.asked[0].body
        assert b"Let me see." in body
        assert b"something only they can read" not in body


class TestOpening:
    def test_a_name_opens_the_model_of_a_provider(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("OPENAI_API_KEY", KEY)
        model = opened("openai:gpt-5")
        assert isinstance(model, ProvidedModel)
        assert isinstance(model, Model)
        assert (model.name, repr(model)) == ("openai:gpt-5", "<ProvidedModel openai:gpt-5>")

    @pytest.mark.parametrize("protocol", [Responses(), Anthropic(), Google()], ids=lambda one: one.name)
    def test_a_missing_key_is_one_error_that_names_the_variable(
        self, monkeypatch: pytest.MonkeyPatch, protocol: Protocol
    ) -> None:
        for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "ANTHROPIC_API_KEY", "GOOGLE_API_KEY", "GEMINI_API_KEY"):
            monkeypatch.delenv(name, raising=False)
        variable = {"o": "OPENAI_API_KEY", "a": "ANTHROPIC_API_KEY", "g": "GOOGLE_API_KEY"}[protocol.name[0]]
        with pytest.raises(DeclarationError, match=variable):
            ProvidedModel(protocol.name)

    @pytest.mark.parametrize(
        "name", ["gpt-5", "openai:", ":gpt-5", "nosuchprovider:x", "gateway/openai:gpt-5", "test", ""]
    )
    def test_a_name_that_nobody_knows_is_refused(self, name: str) -> None:
        with pytest.raises(DeclarationError, match="model"):
            ProvidedModel(name, api_key=KEY)

    def test_a_provider_whose_package_is_missing_says_which(self) -> None:
        with pytest.raises(DeclarationError, match="groq"):
            ProvidedModel("groq:llama-3.3-70b")

    def test_what_a_provider_does_not_take_is_refused(self) -> None:
        with pytest.raises(DeclarationError, match="takes no base_url"):
            ProvidedModel("deepseek:deepseek-chat", base_url="http://localhost:1", api_key=KEY)

    async def test_openais_key_does_not_go_to_another_server(
        self, server: ModelServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("OPENAI_API_KEY", KEY)
        model = ProvidedModel("openai:llama3", base_url=f"{server.url}/v1")
        server.will(Chat().says(["hi"]))
        await ask(model)
        assert KEY not in str(server.asked[0])
        await model.aclose()

    async def test_the_environment_of_the_sdks_is_honoured(
        self, server: ModelServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """`openai:` is the responses API, at the address and with the key that OpenAI's SDK would take."""
        monkeypatch.setenv("OPENAI_API_KEY", KEY)
        monkeypatch.setenv("OPENAI_BASE_URL", f"{server.url}/v1")
        model = ProvidedModel("openai:gpt-5")
        server.will(Responses().says(["hi"]))
        _, response = await ask(model)
        assert response.text == "hi"
        assert server.asked[0].target == "/v1/responses"
        assert server.asked[0].headers["authorization"] == f"Bearer {KEY}"
        await model.aclose()

    async def test_a_provider_with_a_client_of_its_own_says_that_it_is_not_recorded(
        self, server: ModelServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """No such provider's package is installed here, so one is made to look like it."""
        monkeypatch.setattr(providers, "_takes_client", lambda _: False)
        monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
        monkeypatch.setenv("ANTHROPIC_BASE_URL", server.url)
        model = ProvidedModel("anthropic:claude-haiku-4-5")
        server.will(Anthropic().says(["hi"]), headers={"connection": "close"})
        _, response = await ask(model)
        assert (response.text, response.wire) == ("hi", ())
        assert "'anthropic' sends through a client of its own" in response.unrecorded

    def test_the_class_is_there_by_its_name(self) -> None:
        assert models.ProvidedModel is ProvidedModel
        with pytest.raises(AttributeError, match="no attribute 'ProvidedModels'"):
            _ = models.ProvidedModels

    def test_importing_the_room_brings_no_providers_code(self) -> None:
        code = f"import sys, interlock.models; print([one for one in {PROVIDERS_CODE} if one in sys.modules])"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert done.stdout.strip() == "[]"


class TestSettled:
    async def test_nothing_is_retried(self, server: ModelServer, protocol: Protocol, model: ProvidedModel) -> None:
        """The runtime owns retries: a second owner would multiply them."""
        for _ in range(3):
            server.will([protocol.error("busy")], status=503, headers={"content-type": "application/json"})
        with pytest.raises(ModelError):
            await ask(model)
        assert len(server.asked) == 1


def _choice(body: Any) -> str:
    """Return how a request lets the model choose between words and proposals."""
    if "toolConfig" in body:
        return body["toolConfig"]["functionCallingConfig"]["mode"]
    choice = body.get("tool_choice", "auto")
    return choice["type"] if isinstance(choice, dict) else choice


def test_a_response_is_plain_data() -> None:
    """What the journal keeps of it must survive the way to JSON and back."""
    response = Response("hi", (Proposal("look", {"ref": "A1"}, "k"),), native={"kind": "response"})
    assert msgspec.json.decode(msgspec.json.encode(response), type=Response) == response
