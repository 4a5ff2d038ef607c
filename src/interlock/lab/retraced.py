"""Recorded runs traced again under other labels: what a reviewer would have been asked, and what denied."""

import re
from collections.abc import Iterable, Mapping
from typing import Final

import msgspec
from msgspec import Struct

from interlock.agents import Agent
from interlock.kernel import events as ev
from interlock.kernel.events import Event, Recorded
from interlock.lab.proposed import KINDS, Proposed, proposed
from interlock.provenance import Index, Labels, Traced, Trust, Written
from interlock.runtime.live import id_of
from interlock.runtime.tracing import FOLDED, known, texts_of

READ: Final = tuple(dict.fromkeys((*FOLDED, *KINDS, ev.RunEnded)))
"""The types of events that are needed."""

_PLACE = re.compile(r"\[\d+\]")

Cause = tuple[str, str, str]
"""What strikes are counted by: what they are about, the action, the argument."""


class Reason(Struct):
    """How often one thing spoke against a proposal, where last, and in which words."""

    questions: int = 0
    denials: int = 0
    run: str = ""
    seq: int = 0
    says: str = ""


class Retraced(Struct):
    """What tracing would have made of recorded runs.

    `questions` are proposals that one thing speaks against, without those (`asked`) whose approval the policy needed
    anyway; `denials` those that two speak against. `untold` could not be traced, which denies too.
    """

    runs: int = 0
    asking: int = 0
    proposals: int = 0
    questions: int = 0
    asked: int = 0
    denials: int = 0
    untold: int = 0
    reasons: dict[Cause, Reason] = {}


class _Run(Struct):
    started: ev.RunStarted
    index: Index | None = None
    events: list[tuple[int, Event]] = []
    calls: set[str] = set()
    asked: bool = False


class Retracing:
    """Takes in the events of a journal in their order, and traces each proposal of an agent.

    What happened stays as it happened: a run goes on behind a proposal that would have been denied.

    Args:
        agent: Whose proposals are traced.
        labels: By what.
        agents: All agents that are known, by name: their actions gave the results that earlier runs read.

    The mutable state: what was found, the runs that are not over or may be gone on with, what agents wrote by tenant,
    what the answers of other agents are worth.
    """

    def __init__(self, agent: Agent, labels: Labels, agents: Mapping[str, Agent]) -> None:
        self._agent = agent
        self._labels = labels
        self._agents = agents
        self._runs: dict[str, _Run] = {}
        self._dialogues: dict[tuple[str, str, str | None], list[str]] = {}
        self._written: dict[str, Written] = {}
        self._answers: dict[tuple[str, str], int] = {}
        self.found = Retraced()

    def add(self, one: Recorded) -> None:
        """Take in the journal's next event."""
        if isinstance(one.event, ev.RunStarted):
            self._start(one.run, one.event)
        run = self._runs.get(one.run)
        if run is None:
            return
        traced = run.started.agent == self._agent.name
        found = proposed(one.event) if traced else None
        if found is not None and run.index is not None and found.call not in run.calls:
            run.calls.add(found.call)
            self._trace(one, run, run.index, found)
        if isinstance(one.event, FOLDED):
            self._fold(run, one.seq, self._worth(one.run, one.event))
        if isinstance(one.event, ev.RunEnded):
            self._end(run)
            if run.started.conversation is None:
                del self._runs[one.run]

    def _start(self, name: str, started: ev.RunStarted) -> None:
        before = self._before(started)
        run = self._runs[name] = _Run(started)
        if started.conversation is not None:
            self._dialogues.setdefault(_dialogue(started), []).append(name)
        handed_on = started.parent is not None and self._is_indexed(started.parent[0])
        if started.agent != self._agent.name and not handed_on:
            return
        self.found.runs += started.agent == self._agent.name
        run.index = self._empty(started, before)
        for seq, event in (each for one in before for each in one.events):
            run.index.add(seq, event)

    def _is_indexed(self, name: str) -> bool:
        return name in self._runs and self._runs[name].index is not None

    def _empty(self, started: ev.RunStarted, before: Iterable[_Run]) -> Index:
        agent = self._agents.get(started.agent, self._agent)
        agents = (*(self._agents.get(one.started.agent) for one in before), agent)
        actions = {action.name: known(action) for one in agents if one for action in one.actions.values()}
        examples = [text for example in agent.examples for text in texts_of(example)]
        written = self._written.setdefault(started.tenant, Written())
        return Index(self._labels, actions, written, operator=[agent.instructions], examples=examples)

    def _end(self, run: _Run) -> None:
        """Remember what a run's answer is worth to the one that handed it its task: the least of what it read."""
        if run.index is not None and run.started.parent is not None:
            least = run.index.least
            self._answers[run.started.parent] = int(Trust.USER if least is None else least)
        run.index = None

    def _worth(self, name: str, event: Event) -> Event:
        if not isinstance(event, ev.Done) or event.via != "delegate" or event.trust is not None:
            return event
        return msgspec.structs.replace(event, trust=self._answers.pop((name, event.call), int(Trust.NOWHERE)))

    def _before(self, started: ev.RunStarted) -> list[_Run]:
        """Return the runs that one may know of: those that handed it its task, and what their dialogue was before."""
        chain: list[_Run] = []
        first = started
        while first.parent is not None and (parent := self._runs.get(first.parent[0])) is not None:
            chain.insert(0, parent)
            first = parent.started
        earlier = self._dialogues.get(_dialogue(first), ()) if first.conversation is not None else ()
        runs = [self._runs[name] for name in earlier]
        return [*[one for one in runs if one.started is not first and one not in chain], *chain]

    def _fold(self, run: _Run, seq: int, event: Event) -> None:
        run.events.append((seq, event))
        if run.index is not None:
            run.index.add(seq, event)
        if isinstance(event, ev.Intended):
            self._written.setdefault(run.started.tenant, Written()).add(event)

    def _trace(self, one: Recorded, run: _Run, index: Index, call: Proposed) -> None:
        found = self.found
        found.proposals += 1
        try:
            traced = index.trace(call.action, call.args)
        except ValueError:
            found.untold += 1
            return
        if not traced.strikes:
            return
        if traced.denied:
            found.denials += 1
        elif f"approval {traced.level}" in call.needs:
            found.asked += 1
        else:
            found.questions += 1
            found.asking += not run.asked
            run.asked = True
        self._count(one, call.action, traced)

    def _count(self, one: Recorded, action: str, traced: Traced) -> None:
        causes: dict[Cause, str] = {}
        for strike in traced.strikes:
            causes.setdefault((strike.about, action, _PLACE.sub("[]", strike.argument)), strike.says)
        for cause, says in causes.items():
            reason = self.found.reasons.setdefault(cause, Reason())
            reason.denials += traced.denied
            reason.questions += not traced.denied
            reason.run, reason.seq, reason.says = one.run, one.seq, says


def retraced(
    events: Iterable[Recorded], agent: Agent, labels: Labels, agents: Mapping[str, Agent] | None = None
) -> Retraced:
    """Return what tracing by *labels* would have made of an agent's recorded runs (see `Retracing`)."""
    retracing = Retracing(agent, labels, agents or {agent.name: agent})
    for one in events:
        retracing.add(one)
    return retracing.found


def _dialogue(started: ev.RunStarted) -> tuple[str, str, str | None]:
    return started.tenant, started.conversation or "", id_of(msgspec.json.decode(bytes(started.user)))
