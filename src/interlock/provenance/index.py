"""What a run has seen, folded from its events, and asked where the values of a proposal came from."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast

import msgspec

from interlock.kernel import events as ev
from interlock.kernel.events import Event
from interlock.provenance import shapes
from interlock.provenance.finding import Finder, Found
from interlock.provenance.grants import Grants
from interlock.provenance.labels import Labels
from interlock.provenance.leaves import Fields, texts_in
from interlock.provenance.origin import Origin, Traced
from interlock.provenance.seen import Seen
from interlock.provenance.tracing import Known, Tracer
from interlock.provenance.trust import Trust
from interlock.provenance.written import Written, leaves_of, spellings

LONGEST_WORDS = 60
"""How many characters of an argument stand in the name of a result."""


class Index:
    """The atoms of a run.

    Args:
        labels: What the operator said of results and arguments.
        actions: The agent's actions, by name.
        written: What agents wrote, in this run or any earlier one.
        operator: Texts of the operator: the instructions.
        examples: Texts of the few-shot examples.

    The mutable state: what was seen and heard, what was asked for, the arguments of effects under way, what a planner
    was asked about.
    """

    def __init__(
        self,
        labels: Labels,
        actions: Mapping[str, Known],
        written: Written,
        *,
        operator: Iterable[str] = (),
        examples: Iterable[str] = (),
    ) -> None:
        self._labels = labels
        self._actions = actions
        self._seen = Seen(written)
        self._finder = Finder(self._seen, labels.own, operator, examples)
        self._grants = Grants((one.name for one in actions.values() if one.effect != "read"), labels.phrases)
        self._tracer = Tracer(labels, actions, self._finder, self._seen, self._grants)
        self._fields: dict[str, Fields] = {}
        self._asked: dict[str, Any] = {}
        self._said: list[str] = []
        self._planned: set[str] = set()

    @property
    def least(self) -> Trust | None:
        """The least trust of all that the run has read; None where it has read nothing."""
        return self._seen.least

    @property
    def words(self) -> str:
        """All that the user said by now, one text a line."""
        return "\n".join(self._said)

    def is_planned(self, asked: str) -> bool:
        """Whether the planner was asked what has this digest (see `kernel.events.Planned`)."""
        return asked in self._planned

    def add(self, seq: int, event: Event) -> None:
        """Grow by the run's next event."""
        match event:
            case ev.RunStarted(parent=None):
                self._hear(event.input)
            case ev.MessageReceived():
                self._hear(event.content)
            case ev.Answered() if event.decision == "answer":
                self._hear(event.result)
            case ev.Intended() if not event.undoes:
                self._begun(event)
            case ev.Done() if not event.undoes:
                self._read(event)
            case ev.Planned() if self._labels.planner is not None:
                self._planned.add(event.asked)
                self._grants.grant(event.grants)
            case _:
                pass

    def _begun(self, event: ev.Intended) -> None:
        args = _decoded(event.args)
        self._asked[event.call] = args
        if "provenance" in event.judgement.rules:  # A reviewer was asked about these values, and said yes to them.
            origins = msgspec.json.decode(bytes(event.judgement.origins), type=tuple[Origin, ...] | None) or ()
            approved = {
                one.argument for one in origins if one.role in ("sink", "reference") and one.trust < Trust.DIRECTORY
            }
            for argument, text in leaves_of(args, ""):
                if argument in approved and shapes.is_field(text):
                    self._finder.endorse(text)

    def _hear(self, content: msgspec.Raw) -> None:
        for text in texts_in(_decoded(content)):
            self._said.append(text)
            self._finder.hear(text)
            self._grants.hear(text)

    def _read(self, event: ev.Done) -> None:
        asked = self._asked.pop(event.call, None)
        if asked is None:
            asked = _decoded(event.args)
        asked = cast("dict[str, Any]", asked) if isinstance(asked, dict) else {}
        most = Trust.USER if event.trust is None else Trust(event.trust)
        if event.suspected:
            most = min(most, Trust.THIRD_PARTY)
        value = _decoded(event.result)
        if event.via == "person":
            return  # The user's answer was heard as the user's words.
        unproven = (one for one in texts_in(asked) if self._finder.text(one).trust < Trust.DIRECTORY)
        echoed = frozenset(spelling for one in unproven for spelling in spellings(one))
        fields = self._fields_of(event.action)
        self._seen.add(event.action, _named(event.action, asked), asked, value, fields, most, echoed)

    def _fields_of(self, action: str) -> Fields:
        if action not in self._fields:
            known = self._actions.get(action)
            egress, open_world = (known.egress, known.open_world) if known is not None else (False, False)
            self._fields[action] = Fields(action, self._labels, egress=egress, open_world=open_world)
        return self._fields[action]

    def trace(self, action: str, args: Mapping[str, Any]) -> Traced:
        """Return where the values of a proposal came from, and what speaks against it.

        Args:
            action: Its name.
            args: The arguments as JSON values.
        """
        return self._tracer.trace(action, args)

    def find(self, value: str) -> Found:
        """Return where a text came from."""
        return self._finder.text(value)

    def texts(self) -> Iterator[tuple[Trust, str, str]]:
        """Yield the free texts that were read: how far each can be trusted, where it stood, and the text as it came."""
        for place in self._seen.texts():
            yield place.trust, place.said(), place.raw

    def secrets(self) -> Mapping[str, str]:
        """Return the texts that may not leave, each with where it stood."""
        return {text: place.said() for text, (_, place) in self._seen.secrets.items()}


def _named(action: str, asked: Mapping[str, Any]) -> str:
    """Return what a result is called: the action, and what it was asked with."""
    words = ", ".join(one.strip() for one in texts_in(asked) if shapes.is_field(one))
    if len(words) > LONGEST_WORDS:
        words = f"{words[:LONGEST_WORDS]}…"
    return f"{action}({words})"


def _decoded(value: msgspec.Raw) -> Any:
    """Return what is recorded; what is nested too deep, or holds too large numbers, as the text that it is."""
    try:
        return msgspec.json.decode(bytes(value))
    except (msgspec.DecodeError, RecursionError):
        return bytes(value).decode(errors="replace")
