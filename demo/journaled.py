"""What the journal says was done: the effects of all runs in the order in which their outcomes were recorded."""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import msgspec

from interlock.kernel import events as ev
from interlock.kernel.events import Recorded


class Effect(NamedTuple):
    """An effect with the key of its request; `undoes` is the key of the one that it takes back, or empty."""

    action: str
    args: dict[str, Any]
    result: Any
    key: str
    undoes: str
    user: dict[str, Any]


class OpenEffect(NamedTuple):
    """An effect whose intent is recorded and whose outcome is not."""

    run: str
    call: str
    action: str
    key: str


def effects(histories: Iterable[list[Recorded]]) -> list[Effect]:
    """Return what was done in all runs, in order."""
    placed = [found for history in histories for found in _effects(history)]
    return [effect for _, effect in sorted(placed, key=lambda one: one[0])]


def _effects(history: list[Recorded]) -> Iterator[tuple[int, Effect]]:
    intents: dict[int, ev.Intended] = {}
    behind: dict[int, ev.Intended] = {}
    user: dict[str, Any] = {}
    for one in history:
        match one.event:
            case ev.RunStarted() as started:
                user = _plain(started.user)
            case ev.Intended() as intent:
                intents[one.seq] = intent
            case ev.Done() as done if done.intent:
                behind[one.seq] = intent = intents[done.intent]
                first = behind[done.undoes] if done.undoes else intent
                undoes = first.key if done.undoes else ""
                effect = Effect(done.action, _plain(first.args), _plain(done.result), intent.key, undoes, user)
                yield one.position, effect
            case _:
                pass


def open_effects(histories: Iterable[list[Recorded]]) -> list[OpenEffect]:
    """Return what was sent, or was about to be, and has no outcome."""
    return [one for history in histories for one in _open(history)]


def _open(history: list[Recorded]) -> Iterable[OpenEffect]:
    sent: dict[str, OpenEffect] = {}
    for one in history:
        match one.event:
            case ev.Intended() as intent:
                sent[intent.call] = OpenEffect(one.run, intent.call, intent.action, intent.key)
            case ev.Done() | ev.Failed() | ev.Withheld() | ev.Probed(answer="never"):
                sent.pop(one.event.call, None)
            case _:
                pass
    return sent.values()


def _plain(raw: Any) -> Any:
    return msgspec.json.decode(bytes(raw))
