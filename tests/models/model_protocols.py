"""What the four protocols say on the wire, as their documentation has it: streams of server-sent events."""

import json
from collections.abc import Sequence
from typing import Any

from interlock.models.provided import ProvidedModel

KEY = "a-key-that-nobody-may-ever-see-0123456789"

Call = tuple[str, str, Sequence[str]]
"""A call in a stream: its id, the action, and its arguments in fragments."""


def event(data: Any, name: str = "") -> bytes:
    text = data if isinstance(data, str) else json.dumps(data)
    return f"event: {name}\ndata: {text}\n\n".encode() if name else f"data: {text}\n\n".encode()


FRAME = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1_700_000_000, "model": "llama3:8b"}


class Chat:
    """OpenAI's chat completions, as Ollama and vLLM serve them too."""

    name = "openai:llama3"
    messages = "messages"
    length, filtered = "length", "content_filter"

    def model(self, url: str, **more: Any) -> ProvidedModel:
        return ProvidedModel(self.name, base_url=f"{url}/v1", **{"api_key": KEY, **more})

    def says(self, texts: Sequence[str] = (), calls: Sequence[Call] = (), finish: str = "") -> list[bytes]:
        chunks = [self.delta({"role": "assistant", "content": ""})]
        chunks += [self.delta({"content": text}) for text in texts]
        for index, (key, action, fragments) in enumerate(calls):
            function = {"name": action, "arguments": ""}
            begun = {"index": index, "id": key, "type": "function", "function": function}
            chunks.append(self.delta({"tool_calls": [begun]}))
            chunks += [
                self.delta({"tool_calls": [{"index": index, "function": {"arguments": one}}]}) for one in fragments
            ]
        chunks.append(self.delta({}, finish or ("tool_calls" if calls else "stop")))
        usage = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}
        details = {"prompt_tokens_details": {"cached_tokens": 3}}
        chunks.append(event({**FRAME, "choices": [], "usage": {**usage, **details}}))
        return [*chunks, event("[DONE]")]

    def delta(self, delta: Any, finish: str | None = None) -> bytes:
        return event({**FRAME, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})

    def error(self, message: str) -> bytes:
        return json.dumps({"error": {"message": message, "type": "some_error", "code": None}}).encode()


class Responses:
    """OpenAI's responses."""

    name = "openai-responses:gpt-5.6-sol"
    messages = "input"
    length, filtered = "max_output_tokens", "content_filter"

    def model(self, url: str, **more: Any) -> ProvidedModel:
        return ProvidedModel(self.name, base_url=f"{url}/v1", **{"api_key": KEY, **more})

    def says(self, texts: Sequence[str] = (), calls: Sequence[Call] = (), finish: str = "") -> list[bytes]:
        items: list[list[Any]] = []
        if texts:
            items.append(self._message(texts))
        items += [self._call(place, *one) for place, one in enumerate(calls, 1)]
        return self.stream([one for item in items for one in item], finish)

    def stream(self, inner: Sequence[Any], finish: str = "") -> list[bytes]:
        usage = {
            "input_tokens": 11,
            "input_tokens_details": {"cached_tokens": 3},
            "output_tokens": 7,
            "output_tokens_details": {"reasoning_tokens": 2},
            "total_tokens": 18,
        }
        last = {"type": "response.completed", "response": self._response("completed", usage=usage)}
        if finish:
            cut = self._response("incomplete", usage=usage, incomplete_details={"reason": finish})
            last = {"type": "response.incomplete", "response": cut}
        first = {"type": "response.created", "response": self._response("in_progress")}
        return [
            event({**one, "sequence_number": number}, one["type"]) for number, one in enumerate([first, *inner, last])
        ]

    def reasoning(self, summary: str, signature: str) -> list[Any]:
        item = {"id": "rs_1", "type": "reasoning", "summary": []}
        place = {"item_id": "rs_1", "output_index": 0, "summary_index": 0}
        part = {"type": "summary_text", "text": summary}
        return [
            {"type": "response.output_item.added", "output_index": 0, "item": item},
            {"type": "response.reasoning_summary_text.delta", **place, "delta": summary},
            {
                "type": "response.output_item.done",
                "output_index": 0,
                "item": {**item, "summary": [part], "encrypted_content": signature},
            },
        ]

    def refuses(self, words: Sequence[str]) -> list[bytes]:
        place = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
        item = {"id": "msg_1", "type": "message", "role": "assistant", "status": "in_progress", "content": []}
        return self.stream(
            [
                {"type": "response.output_item.added", "output_index": 0, "item": item},
                *({"type": "response.refusal.delta", **place, "delta": one} for one in words),
                {"type": "response.refusal.done", **place, "refusal": "".join(words)},
            ]
        )

    def _response(self, status: str, **more: Any) -> Any:
        fixed = {"parallel_tool_calls": True, "tool_choice": "auto", "tools": [], "output": []}
        told = {"id": "resp_1", "object": "response", "created_at": 1_700_000_000, "model": "gpt-5.6-sol"}
        return {**told, **fixed, "status": status, **more}

    def _message(self, texts: Sequence[str]) -> list[Any]:
        item = {"id": "msg_1", "type": "message", "role": "assistant", "status": "in_progress", "content": []}
        place = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
        whole = {"type": "output_text", "text": "".join(texts), "annotations": [], "logprobs": []}
        return [
            {"type": "response.output_item.added", "output_index": 0, "item": item},
            {"type": "response.content_part.added", **place, "part": {**whole, "text": ""}},
            *({"type": "response.output_text.delta", **place, "delta": one, "logprobs": []} for one in texts),
            {"type": "response.output_text.done", **place, "text": "".join(texts), "logprobs": []},
            {"type": "response.content_part.done", **place, "part": whole},
            {
                "type": "response.output_item.done",
                "output_index": 0,
                "item": {**item, "status": "completed", "content": [whole]},
            },
        ]

    def _call(self, place: int, key: str, action: str, fragments: Sequence[str]) -> list[Any]:
        item = {"id": f"fc_{key}", "type": "function_call", "call_id": key, "name": action, "arguments": ""}
        where = {"item_id": f"fc_{key}", "output_index": place}
        whole = "".join(fragments)
        return [
            {"type": "response.output_item.added", "output_index": place, "item": {**item, "status": "in_progress"}},
            *({"type": "response.function_call_arguments.delta", **where, "delta": one} for one in fragments),
            {"type": "response.function_call_arguments.done", **where, "name": action, "arguments": whole},
            {
                "type": "response.output_item.done",
                "output_index": place,
                "item": {**item, "status": "completed", "arguments": whole},
            },
        ]

    def error(self, message: str) -> bytes:
        return json.dumps({"error": {"message": message, "type": "some_error", "code": None}}).encode()


class Anthropic:
    """Anthropic's messages."""

    name = "anthropic:claude-haiku-4-5"
    messages = "messages"
    length, filtered = "max_tokens", "refusal"

    def model(self, url: str, **more: Any) -> ProvidedModel:
        return ProvidedModel(self.name, base_url=url, **{"api_key": KEY, **more})

    def says(
        self,
        texts: Sequence[str] = (),
        calls: Sequence[Call] = (),
        finish: str = "",
        thinking: tuple[str, str] | None = None,
    ) -> list[bytes]:
        blocks: list[tuple[Any, list[Any]]] = []
        if thinking:
            deltas = [
                {"type": "thinking_delta", "thinking": thinking[0]},
                {"type": "signature_delta", "signature": thinking[1]},
            ]
            blocks.append(({"type": "thinking", "thinking": "", "signature": ""}, deltas))
        if texts:
            blocks.append(({"type": "text", "text": ""}, [{"type": "text_delta", "text": one} for one in texts]))
        for key, action, fragments in calls:
            deltas = [{"type": "input_json_delta", "partial_json": one} for one in fragments]
            blocks.append(({"type": "tool_use", "id": key, "name": action, "input": {}}, deltas))
        usage = {"input_tokens": 8, "cache_read_input_tokens": 3, "cache_creation_input_tokens": 0, "output_tokens": 1}
        message = {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-haiku-4-5"}
        message |= {"content": [], "stop_reason": None, "stop_sequence": None, "usage": usage}
        events: list[Any] = [{"type": "message_start", "message": message}, {"type": "ping"}]
        for index, (start, deltas) in enumerate(blocks):
            events.append({"type": "content_block_start", "index": index, "content_block": start})
            events += [{"type": "content_block_delta", "index": index, "delta": one} for one in deltas]
            events.append({"type": "content_block_stop", "index": index})
        reason = finish or ("tool_use" if calls else "end_turn")
        delta = {"stop_reason": reason, "stop_sequence": None}
        events.append({"type": "message_delta", "delta": delta, "usage": {"output_tokens": 7}})
        events.append({"type": "message_stop"})
        return [event(one, one["type"]) for one in events]

    def error(self, message: str) -> bytes:
        return json.dumps({"type": "error", "error": {"type": "some_error", "message": message}}).encode()


class Google:
    """Gemini's streamGenerateContent."""

    name = "google:gemini-3.8-flash"
    messages = "contents"
    length, filtered = "MAX_TOKENS", "SAFETY"

    def model(self, url: str, **more: Any) -> ProvidedModel:
        return ProvidedModel(self.name, base_url=url, **{"api_key": KEY, **more})

    def says(self, texts: Sequence[str] = (), calls: Sequence[Call] = (), finish: str = "") -> list[bytes]:
        parts: list[Any] = [{"text": text} for text in texts]
        for key, action, fragments in calls:
            parts.append({"functionCall": {"id": key, "name": action, "args": json.loads("".join(fragments))}})
        chunks = [self._chunk([part]) for part in parts]
        return [*chunks, self._chunk([{"text": ""}], finish or "STOP")]

    def _chunk(self, parts: Any, finish: str | None = None) -> bytes:
        candidate = {"content": {"parts": parts, "role": "model"}, "index": 0}
        usage = {"promptTokenCount": 11, "candidatesTokenCount": 7, "totalTokenCount": 18, "cachedContentTokenCount": 3}
        named = {"modelVersion": "gemini-3.8-flash", "responseId": "r-1", "usageMetadata": usage}
        return event({"candidates": [candidate | ({"finishReason": finish} if finish else {})], **named})

    def error(self, message: str) -> bytes:
        return json.dumps({"error": {"code": 400, "message": message, "status": "SOME_ERROR"}}).encode()


Protocol = Chat | Responses | Anthropic | Google
PROTOCOLS: list[Protocol] = [Chat(), Responses(), Anthropic(), Google()]


def begun(protocol: Protocol) -> list[bytes]:
    """Return the first events of an answer, up to its first word, which is "Well"."""
    events = protocol.says(["Well", "then"])
    return events[: next(place for place, one in enumerate(events) if b'"Well"' in one) + 1]
