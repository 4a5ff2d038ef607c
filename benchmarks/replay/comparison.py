"""One run as the runtime played it, held against what the package gets by executing the same calls in their order."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from benchmarks.replay import dojo, fates
from benchmarks.replay.fates import Fate
from benchmarks.replay.recorded import Answer, RecordedRun
from interlock.kernel import events as ev
from interlock.kernel.events import Recorded


class Reference(NamedTuple):
    """What the package makes of a run's calls: each answer, and the digest of the environment after the last."""

    answers: list[Answer]
    digest: str


class Played(msgspec.Struct, kw_only=True):
    """What is counted of one run.

    `calls` counts by how the answers compare, `denied` what was denied and what the recording says of it.
    `reproduced` is whether the environment is the one that the package gets, and `differs` says why it is not;
    `changed` is whether it is another one than at the start. `ended` is how the run ended.
    """

    run: str
    model: str
    suite: str
    attacked: bool
    turns: int
    effects: int
    calls: dict[str, int]
    denied: dict[str, int]
    changed: bool
    reproduced: bool
    differs: str
    ended: str


def digest(env: dojo.Environment) -> str:
    """Return the sha256 of the whole environment's canonical JSON."""
    return hashlib.sha256(dojo.state(env).encode()).hexdigest()


def reference(run: RecordedRun, start: dojo.Environment) -> Reference:
    """Execute the run's calls by the package alone, in a copy of the environment in which it started."""
    env = start.model_copy(deep=True)
    answers = [dojo.perform(env, run.suite, call.function, call.args) for call in run.executed]
    return Reference(answers, digest(env))


def compared(
    run: RecordedRun, start: dojo.Environment, after: dojo.Environment, history: Sequence[Recorded], ended: str
) -> Played:
    """Hold what the journal and the environment say against the reference."""
    expected, found = reference(run, start), digest(after)
    told = fates.outcomes(run, history)
    each = [Fate(*one) for one in zip(run.executed, told, expected.answers, strict=True)]
    reproduced = found == expected.digest
    return Played(
        run=run.id,
        model=run.model,
        suite=run.suite,
        attacked=run.attacked,
        turns=sum(isinstance(one.event, ev.TurnRecorded) for one in history),
        effects=sum(isinstance(fate.outcome, ev.Done) and fate.outcome.effect != "read" for fate in each),
        calls=Counter(fate.word for fate in each),
        denied=fates.denials(each),
        changed=found != digest(start),
        reproduced=reproduced,
        differs="" if reproduced else fates.why(each, ended),
        ended=ended,
    )
