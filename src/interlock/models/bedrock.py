"""Records Bedrock, whose HTTP client is botocore's and not ours, by the events that botocore emits."""

from collections.abc import Iterator, Mapping
from typing import Any

from interlock.models.recording import Tap, current

SERVICE = "bedrock-runtime"


def record(client: Any) -> None:
    """Record what a client of boto3 exchanges with Bedrock, and take its retries from it: the runtime owns them."""
    events = client.meta.events
    events.register(f"before-send.{SERVICE}", _sent)
    events.register(f"before-parse.{SERVICE}", _received)
    events.unregister(f"needs-retry.{SERVICE}", unique_id=f"retry-config-{SERVICE}")


def _sent(request: Any, **_: Any) -> None:
    recording = current()
    if recording is not None:
        recording.begin(request.method, request.url, _texts(request.headers), bytes(request.body or b""))


def _received(response_dict: dict[str, Any], **_: Any) -> None:
    recording = current()
    if recording is None:
        return
    tap = recording.last
    tap.status = response_dict["status_code"]
    body = response_dict["body"]
    if isinstance(body, bytes):
        tap.take(body)
        tap.end()
    else:
        response_dict["body"] = _Tapped(body, tap)


def _texts(headers: Mapping[str, str | bytes]) -> dict[str, str]:
    return {
        name.lower(): value.decode(errors="replace") if isinstance(value, bytes) else value
        for name, value in headers.items()
    }


class _Tapped:
    """The body of a streamed response: passed on as it comes, and kept; in all else the body itself."""

    def __init__(self, body: Any, tap: Tap) -> None:
        self._body = body
        self._tap = tap

    def stream(self) -> Iterator[bytes]:
        for chunk in self._body.stream():
            self._tap.take(chunk)
            yield chunk
        self._tap.end()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._body, name)
