"""One run as its journal tells it, line by line, with the time since its start."""

import json
from collections.abc import Callable
from typing import Any, cast

import msgspec

from benchmarks.replay.show import accounts, screen
from interlock.kernel import events as ev
from interlock.kernel.events import Recorded

Line = tuple[str, str]


def show(suite: str, history: list[Recorded]) -> None:
    """Print the run."""
    began = history[0].at
    for one in history:
        for word, text in _lines(suite, one.event):
            seconds = f"{(one.at - began) / 1_000_000:+8.3f}" if word else ""
            print(f"{seconds:8}  {word:9} {screen.cut(text, screen.width() - 20)}".rstrip())


def _lines(suite: str, event: ev.Event) -> list[Line]:
    if isinstance(event, ev.Asked):
        return _asked(suite, event)
    tell = _TELL.get(type(event))
    return tell(event) if tell else [(type(event).__name__.lower(), "")]


def _started(event: ev.RunStarted) -> list[Line]:
    return [("started", f"agent {event.agent}, policy {event.policy[:12]}")]


def _turn(event: ev.TurnRecorded) -> list[Line]:
    response = msgspec.json.decode(bytes(event.response))
    proposes = ", ".join(call["function"] for call in response["calls"])
    lines = [("model", response["content"] or "(no text)")]
    return [*lines, ("", f"proposes {proposes}")] if proposes else lines


def _asked(suite: str, event: ev.Asked) -> list[Line]:
    call = _call(event.action, event.args)
    if event.kind == "confirmation":
        return [("asked", f"the user: {call}")]
    return [("asked", f"{event.level}: {call}"), ("", f"because {accounts.because(suite, event)}")]


def _answered(event: ev.Answered) -> list[Line]:
    return [("answered", f"{event.decision} by {event.by} ({event.note})")]


def _denied(event: ev.Denied) -> list[Line]:
    return [("denied", _call(event.action, event.args)), *(("", reason) for reason in event.reasons)]


def _intended(event: ev.Intended) -> list[Line]:
    rules = f"judged by {', '.join(event.judgement.rules)}; idempotency key {event.key[:12]}"
    return [("intent", _call(event.action, event.args)), ("", rules)]


def _done(event: ev.Done) -> list[Line]:
    if event.intent:
        return [("done", f"{event.action} ({event.via}): {_plain(event.result)}")]
    return [("done", _call(event.action, event.args)), ("", f"-> {_plain(event.result)}")]


def _failed(event: ev.Failed) -> list[Line]:
    return [("failed", f"{event.action}: {event.error}")]


def _ended(event: ev.RunEnded) -> list[Line]:
    return [("ended", f"{event.how}: {_plain(event.output)}")]


_TELL: dict[type[ev.Event], Callable[[Any], list[Line]]] = {
    ev.RunStarted: _started,
    ev.TurnRecorded: _turn,
    ev.Answered: _answered,
    ev.Denied: _denied,
    ev.Intended: _intended,
    ev.Done: _done,
    ev.Failed: _failed,
    ev.RunEnded: _ended,
}


def _call(action: str, args: Any) -> str:
    given: Any = msgspec.json.decode(bytes(args))
    if not isinstance(given, dict):
        return f"{action}({given!r})"
    named = cast("dict[str, Any]", given)
    shown = (f"{name}={_text(value)}" for name, value in named.items() if value is not None)
    return f"{action}({', '.join(shown)})"


def _plain(raw: Any) -> str:
    value = msgspec.json.decode(bytes(raw))
    return value if isinstance(value, str) else _text(value)


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
