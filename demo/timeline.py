"""One conversation as its journal tells it, in short: what was proposed, judged, asked, done and said."""

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec

from demo import screen
from interlock.kernel import events as ev
from interlock.kernel.events import Event, Recorded


class Line(NamedTuple):
    """A word for what happened, and what it was; without a word it goes on with the line above."""

    word: str
    about: str


def show(history: list[Recorded]) -> None:
    """Print a run; `interlock show` has all of it."""
    began = history[0].at
    for one in history:
        for word, about in _lines(one.event):
            seconds = f"{(one.at - began) / 1_000_000:+8.3f}" if word else ""
            screen.hang(f"{seconds:8}  {word:8}", about, most=3)


def _lines(event: Event) -> Iterator[Line]:
    match event:
        case ev.RunStarted():
            yield Line("customer", _plain(event.input))
        case ev.TurnRecorded():
            yield from _turn(_plain(event.response))
        case ev.Denied():
            yield Line("denied", event.action)
            yield Line("", "; ".join(event.reasons))
        case ev.Asked():
            yield Line("asked", f"{event.level or 'the customer'}: {'; '.join(event.reasons) or event.says}")
        case ev.Answered():
            yield Line("answer", f"{event.decision} by {event.by}{f': {event.note}' if event.note else ''}")
        case ev.Done():
            result = "" if bytes(event.result) == b"null" else f" -> {json.dumps(_plain(event.result))}"
            yield Line("done", f"{event.action}{'' if event.via == 'performed' else f' ({event.via})'}{result}")
        case ev.OutcomeUnknown() | ev.Retried():
            yield Line("unknown" if isinstance(event, ev.OutcomeUnknown) else "again", event.call)
        case ev.RunEnded() | ev.Parked():
            yield Line("parked" if isinstance(event, ev.Parked) else "ended", "")
        case _:
            pass


def _turn(response: dict[str, Any]) -> Iterator[Line]:
    if response.get("text"):
        yield Line("model", response["text"])
    for one in response.get("proposals", ()):
        args = ", ".join(f"{name}={value!r}" for name, value in one.get("args", {}).items())
        yield Line("model", f"{one['action']}({args})")


def _plain(raw: msgspec.Raw) -> Any:
    return msgspec.json.decode(bytes(raw))
