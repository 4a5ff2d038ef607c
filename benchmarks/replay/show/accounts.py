"""What the journal says of the runs: what became of each proposal, and why. The numbers come from here."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import msgspec

from benchmarks.replay.show import policies
from interlock.kernel import events as ev
from interlock.kernel.events import Recorded

Fate = Literal["done", "denied", "asked", "failed", "unknown"]


class Effect(NamedTuple):
    """An effect that was done: with what arguments and under which idempotency key."""

    function: str
    args: dict[str, object]
    key: str
    effect: str


@dataclass(slots=True)
class Account:
    """What happened in one run, as far as it has been read.

    `fates` has the last word about each proposal; `asking` says whose approval each waits for, and why.
    """

    suite: str
    fates: dict[str, Fate] = field(default_factory=dict)
    effects: list[Effect] = field(default_factory=list)
    denials: Counter[str] = field(default_factory=Counter)
    asking: dict[str, str] = field(default_factory=dict)
    confirmed: int = 0
    ended: bool = False
    _intents: dict[int, ev.Intended] = field(default_factory=dict)

    def read(self, one: Recorded) -> None:
        """Read the run's next event."""
        match one.event:
            case ev.Asked() as asked:
                self._asked(asked)
            case ev.Answered():
                self.confirmed += 1
            case ev.Intended() as intent:
                self._intents[one.seq] = intent
                self._is(intent.call, "unknown")
            case ev.Denied() as denied:
                self._is(denied.call, "denied")
                self.denials[_why_not(denied)] += 1
            case ev.Done() | ev.Failed() as outcome:
                self._outcome(outcome)
            case ev.RunEnded():
                self.ended = True
            case _:
                pass

    def _is(self, call: str, fate: Fate) -> None:
        self.fates[call] = fate
        self.asking.pop(call, None)

    def _asked(self, asked: ev.Asked) -> None:
        self._is(asked.call, "asked")
        if asked.kind == "approval":
            self.asking[asked.call] = f"{asked.action}: by {asked.level}, {because(self.suite, asked)}"

    def _outcome(self, outcome: ev.Done | ev.Failed) -> None:
        self._is(outcome.call, "done" if isinstance(outcome, ev.Done) else "failed")
        if isinstance(outcome, ev.Done) and outcome.intent:
            intent = self._intents[outcome.intent]
            args = msgspec.json.decode(bytes(intent.args))
            self.effects.append(Effect(outcome.action, args, intent.key, outcome.effect))


def account(suite: str, history: Iterable[Recorded]) -> Account:
    """Read all events of one run, in order."""
    told = Account(suite)
    for one in history:
        told.read(one)
    return told


def _why_not(denied: ev.Denied) -> str:
    """Return the reasons of a denial, without the value that it was about."""
    said = "; ".join(denied.reasons).partition(" (got ")[0]
    return said if denied.action in said else f"{denied.action}: {said}"


def because(suite: str, asked: ev.Asked) -> str:
    """Return the reasons that the policy gives for an approval, in its own words."""
    rules = policies.POLICIES[suite].rules
    clauses = [rules[int(rule.removeprefix("r")) - 1].clause for rule in asked.judgement.rules]
    return " and ".join(clause.because for clause in clauses if clause.level == asked.level)
