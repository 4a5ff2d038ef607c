"""A run's events in words: for each what happened, with what, and why."""

from collections.abc import Callable
from typing import Any, cast

import msgspec

from interlock.cli import origins, text, timeline_undo
from interlock.cli.told import Told
from interlock.kernel import events as ev
from interlock.kernel.events import Event, Recorded


class Teller:
    """Tells events one after another.

    Where it numbers model turns, give it all of one run's events in order. `rules` are the rules that it has named,
    by policy and id, in the order in which it named them.
    """

    def __init__(self, *, numbered: bool = True) -> None:
        self.rules: dict[tuple[str, str], None] = {}
        self._numbered = numbered
        self._turns = 0
        self._said = ""
        self._recalled: set[tuple[str, str]] = set()

    def tell(self, one: Recorded) -> Told:
        """Return what an event says."""
        event = one.event
        if isinstance(event, ev.TurnRecorded):
            self._turns += 1
            word = f"turn {self._turns}" if self._numbered else "turn"
            if event.is_reading:
                return _reading(event, word)
            said, self._said = self._said, ""
            return _turn(event, word, said)
        if isinstance(event, ev.Said):
            self._said += event.text
        if isinstance(event, ev.UndoStarted):
            self._recalled |= {(one.run, call) for call in event.recalls}
        if isinstance(event, ev.NotUndone):
            return timeline_undo.not_undone(one)
        if isinstance(event, ev.Denied) and (one.run, event.call) in self._recalled:
            return timeline_undo.recalled(event)
        if isinstance(event, _JUDGED):
            return self._judged(one)
        told = _TELL.get(type(event))
        return told(event) if told is not None else Told(type(event).__name__.lower())

    def _judged(self, one: Recorded) -> Told:
        event: Any = one.event
        judgement: ev.Judgement = event.judgement or ev.Judgement()
        match event:
            case ev.Denied():
                return Told("denied", text.call(event.action, event.args), self._against(event, judgement), "red")
            case ev.Asked():
                why = self._behind(judgement, event.reasons)
                return Told("asked", asked(event), (*why, _until(event, one)), "yellow")
            case ev.Delayed():
                about = f"{text.call(event.action, event.args)} waits for {text.span(event.until - one.at)}"
                return Told("delayed", about, self._behind(judgement), "yellow")
            case ev.Delegated():
                about = f"{text.call(event.action, event.args)} to run {text.visible(event.to)}"
                return Told("delegated", about, self._behind(judgement))
            case ev.Intended():
                return Told("intent", _intended(event), (*timeline_undo.way_of(event), *self._behind(judgement)))
            case _:
                return Told("done", _done(event), (*timeline_undo.wrote(event), *self._behind(judgement)), "green")

    def _against(self, event: ev.Denied, judgement: ev.Judgement) -> tuple[str, ...]:
        """Say why a proposal was turned down, and what the agent was told to do instead."""
        stage = "" if event.stage == "judge" else f" (at stage {event.stage})"
        reasons = [f"because {text.visible(reason)}{stage}" for reason in event.reasons]
        instead = [f"instead: {text.visible(one)}" for one in event.instead]
        return (*reasons, *instead, *self._behind(judgement, told=event.reasons))

    def _behind(
        self, judgement: ev.Judgement, reasons: tuple[str, ...] = (), told: tuple[str, ...] = ()
    ) -> tuple[str, ...]:
        """Say what a decision rested on: reasons, rules, facts, origins, counts; and what rules in shadow say.

        What was *told* already is not said again.
        """
        lines = [f"because {text.visible(reason)}" for reason in reasons]
        self.rules |= {(judgement.policy, number): None for number in judgement.rules if number not in _GATES}
        rules = [number for number in judgement.rules if number != UNRULED]
        lines += [f"by {', '.join(rules)}"] if rules else []
        facts: dict[str, Any] = msgspec.json.decode(bytes(judgement.facts)) or {}
        lines += [f"fact {text.visible(name)} was {text.value(value)}" for name, value in facts.items()]
        counted: dict[str, Any] = msgspec.json.decode(bytes(judgement.counted)) or {}
        lines += [f"{text.visible(name)} was {text.value(value)}" for name, value in counted.items()]
        lines += origins.lines(judgement, (*reasons, *told))
        lines += [f"in shadow: {text.visible(said)}" for said in judgement.shadowed]
        return tuple(lines)


def asked(event: ev.Asked) -> str:
    """Say who was asked what."""
    match event.kind:
        case "approval":
            back = f" taking back event {event.undoes}:" if event.undoes else ""
            return f"{text.visible(event.level)} to approve{back} {text.call(event.action, event.args)}"
        case "confirmation":
            return f"the user to confirm {text.call(event.action, event.args)}"
        case "question":
            return f"the user: {text.visible(text.cut(event.says))}"
        case _:
            return f"people: {text.visible(text.cut(event.says))}"


def _until(event: ev.Asked, one: Recorded) -> str:
    expires = f", expires after {text.span(event.expires - one.at)}" if event.expires else ""
    return f"question {text.visible(one.run)}:{one.seq}{expires}"


def _intended(event: ev.Intended) -> str:
    attempt = f" (attempt {event.attempt})" if event.attempt > 1 else ""
    if event.undoes:
        return f"to take back {text.visible(event.action)} of event {event.undoes}{attempt}"
    return f"{text.call(event.action, event.args)}{attempt}"


def _done(event: ev.Done) -> str:
    via = "" if event.via == "performed" else f" (known by {event.via})"
    took = f" in {text.took(event.duration)}" if event.duration >= 1000 else ""
    problem = f"; {text.visible(event.problem)}" if event.problem else ""
    if event.undoes:
        return f"taken back: {text.visible(event.action)} of event {event.undoes}{took}{via}{problem}"
    about = text.visible(event.action) if event.intent else text.call(event.action, event.args)
    result = "" if bytes(event.result) == b"null" else f" → {text.raw(event.result)}"
    return f"{about}{result}{took}{via}{problem}"


def _turn(event: ev.TurnRecorded, word: str, said: str) -> Told:
    return Told(word, _asking(event), _response(event.response, said), "cyan")


def _asking(event: ev.TurnRecorded | ev.Planned) -> str:
    """Say which model was asked, and what that took."""
    tokens = f"{event.input_tokens:,} + {event.output_tokens:,} tokens" if event.input_tokens else ""
    figures = (tokens, text.took(event.latency) if event.latency >= 1000 else "", text.money([event.cost]))
    return "  ".join((text.visible(event.model), ", ".join(one for one in figures if one))).strip()


def _plan(event: ev.Planned) -> Told:
    asking = _asking(event)
    details = (asking,) if asking else ()
    if event.error:
        return Told("no plan", text.visible(text.cut(event.error, 600)), details, "red")
    effects = ", ".join(map(text.visible, event.grants)) or "no effect"
    return Told("plan", f"the user's words call for {effects}", details)


def _reading(event: ev.TurnRecorded, word: str) -> Told:
    """Tell of a text that a model without actions read: what it said nobody was told but for the values."""
    told = _turn(event, word, "")
    call = event.call.rpartition(ev.READING)[0]
    return Told(word, told.about, (f"read in quarantine, for call {text.visible(call)}", *told.details), told.colour)


def _response(response: msgspec.Raw, said: str) -> tuple[str, ...]:
    """Say what a model answered beyond what was *said*: words and proposals where the shape is ours, else the JSON."""
    given: Any = msgspec.json.decode(bytes(response))
    if not isinstance(given, dict) or not {"text", "proposals"} & given.keys():
        return () if given is None else (text.raw(response),)
    answer = cast("dict[str, Any]", given)
    lines = [f"thought: {text.visible(text.cut(str(answer['reasoning'])))}"] if answer.get("reasoning") else []
    lines += [f"says {text.value(answer['text'])}"] if answer.get("text") not in (None, "", said) else []
    lines += [f"proposes {_proposal(one)}" for one in answer.get("proposals") or ()]
    finish = answer.get("finish")
    return (
        (*lines, f"ended because of {text.visible(str(finish))}") if finish in ("length", "filtered") else tuple(lines)
    )


def _proposal(one: dict[str, Any]) -> str:
    return text.call(str(one.get("action", "?")), msgspec.Raw(msgspec.json.encode(one.get("args") or {})))


def _started(event: ev.RunStarted) -> Told:
    policy = f"policy {event.policy[:12]}" if event.policy else "no policy"
    details = [f"input {text.raw(event.input)}"] if bytes(event.input) != b"null" else []
    if event.parent is not None:
        details.append(f"delegated by run {text.visible(event.parent[0])}")
    return Told("started", f"agent {text.visible(event.agent)}, {policy}", tuple(details))


def _answered(event: ev.Answered) -> Told:
    note = f": {text.visible(text.cut(event.note))}" if event.note else ""
    result = "" if bytes(event.result) == b"null" else f" {text.raw(event.result)}"
    colour = "red" if event.decision in ("deny", "never", "leave", "stop") else "green"
    about = f"question {event.question}: {text.visible(event.decision)}{result} by {text.visible(event.by)}{note}"
    return Told("answered", about, (), colour)


def _unknown(event: ev.OutcomeUnknown) -> Told:
    return Told("unknown", f"what became of it: {text.visible(text.cut(event.reason))}", (), "yellow")


def _probed(event: ev.Probed) -> Told:
    return Told("looked", "it did not happen" if event.answer == "never" else "not known yet")


def _message(event: ev.MessageReceived) -> Told:
    content: Any = msgspec.json.decode(bytes(event.content))
    if isinstance(content, dict) and isinstance(cast("dict[str, Any]", content).get("text"), str):
        message = cast("dict[str, Any]", content)
        by = f" by {text.visible(str(message['by']))}" if message.get("by") else ""
        return Told("message", f"{text.value(message['text'])}{by}", (), "cyan")
    return Told("message", text.raw(event.content), (), "cyan")


def _ended(event: ev.RunEnded) -> Told:
    what = f": {text.visible(text.cut(event.error))}" if event.error else ""
    if not what and bytes(event.output) != b"null":
        what = f": {text.raw(event.output)}"
    return Told("ended", f"{event.how}{what}", (), "green" if event.how == "done" else "red")


def _failed(event: ev.Failed) -> Told:
    what = f"to take back event {event.undoes}" if event.undoes else text.call(event.action, event.args)
    return Told("failed", what, (f"because {text.visible(text.cut(event.error, 600))}",), "red")


def _no_answer(event: ev.TurnFailed) -> Told:
    again = "asking again may help" if event.transient else "asking again won't help"
    about = f"{text.visible(event.model)}: {text.visible(text.cut(event.error, 600))}"
    return Told("no answer", about, (again,), "red")


def _cancel(event: ev.CancelRequested) -> Told:
    return Told("cancel", f"by {text.visible(event.by)}{f': {text.visible(event.reason)}' if event.reason else ''}")


UNRULED = "undo"
"""What stands as the rule of an undo that no rule of the policy speaks of."""

_GATES = ("duplicate", "provenance", UNRULED)
"""What stands among the rules of a decision and is no rule of a policy."""

_JUDGED = (ev.Denied, ev.Asked, ev.Delayed, ev.Delegated, ev.Intended, ev.Done)

_TELL: dict[type[Event], Callable[[Any], Told]] = {
    ev.RunStarted: _started,
    ev.Entered: lambda event: Told("state", text.visible(event.state), (), "dim"),
    ev.TurnFailed: _no_answer,
    ev.Planned: _plan,
    ev.Said: lambda event: Told("said", text.value(event.text.rstrip()), (), "cyan"),
    ev.Answered: _answered,
    ev.Lapsed: lambda event: Told("lapsed", f"nobody answered question {event.question} in time", (), "red"),
    ev.Retried: lambda event: Told("again", f"sent once more under its key (attempt {event.attempt})"),
    ev.Withheld: lambda _: Told("withheld", "its time to be sent had passed: it did not happen"),
    ev.OutcomeUnknown: _unknown,
    ev.Probed: _probed,
    ev.Failed: _failed,
    ev.VerifyFailed: lambda event: Told(
        "not found", f"{text.visible(event.action)}: {text.visible(event.reason)}", (), "red"
    ),
    ev.Verified: lambda event: Told("verified", f"event {event.outcome} is as it should be", (), "dim"),
    ev.Slept: lambda event: Told("sleeps", f"until {text.moment(event.until)}"),
    ev.MessageReceived: _message,
    ev.CancelRequested: _cancel,
    ev.Parked: lambda event: Told("parked", text.visible(event.reason), (), "yellow"),
    ev.Unparked: lambda event: Told("goes on", f"let go by {text.visible(event.by)}"),
    ev.RunEnded: _ended,
    ev.UndoStarted: timeline_undo.started,
    ev.UndoEnded: timeline_undo.ended,
    ev.Unrecognised: lambda event: Told(text.visible(event.type), "erased, or of a newer version"),
}
