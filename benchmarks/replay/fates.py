"""What became of each recorded call, beside what the package answers to it. Reads the journal, knows no environment."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import msgspec

from benchmarks.replay.recorded import Answer, RecordedCall, RecordedRun
from interlock.kernel import events as ev
from interlock.kernel.events import Event, Recorded

SAME = "answered with the same text"
ALIKE = "turned down by both, each in its own words"
ALONE = "denied here, executed by the package"
OTHER = "answered with another text"
MISSING = "not performed here"

UNKNOWN_ARGUMENT = "an unknown argument: the call was denied here and {} in the recording; the package ignores it"
UNEXPLAINED = "unexplained"

ERROR_LIMIT = 2000
"""How many characters of an error the journal keeps."""

Outcome = ev.Done | ev.Failed | ev.Denied


class Fate(NamedTuple):
    """A recorded call, what the runtime made of it (None: nothing), and what the package answers to it."""

    call: RecordedCall
    outcome: Outcome | None
    answer: Answer

    @property
    def word(self) -> str:
        """How the two compare."""
        match self.outcome:
            case None:
                return MISSING
            case ev.Denied():
                return ALONE if self.answer.error is None else ALIKE
            case ev.Failed(error=error):
                return SAME if _errors(error, self.answer.error) else OTHER
            case ev.Done(result=result):
                told = Answer(msgspec.json.decode(bytes(result)), None)
                return SAME if told == self.answer else OTHER


def _errors(journaled: str, answered: str | None) -> bool:
    """Whether it is the same error; the journal puts the exception's type before that of a read."""
    return answered is not None and journaled.removeprefix("FunctionError: ") == answered[: len(journaled)]


def outcomes(run: RecordedRun, history: Iterable[Recorded]) -> Iterator[Outcome | None]:
    """Yield what became of each executed call: the loop performs a turn's proposals in the entry after the turn's."""
    turns: list[int] = []
    found: dict[str, Event] = {}
    for one in history:
        match one.event:
            case ev.TurnRecorded(call=call):
                turns.append(int(call.partition("/")[0]))
            case ev.Done(call=call) | ev.Failed(call=call) | ev.Denied(call=call):
                found[call] = one.event
            case _:
                pass
    for number, turn in enumerate(run.turns):
        entry = turns[number] + 1 if number < len(turns) else None
        for place, call in enumerate(turn.calls):
            if call.answered:
                outcome = found.get(f"{entry}/{place}")
                yield outcome if isinstance(outcome, Outcome) else None


def denials(fates: Iterable[Fate]) -> Counter[str]:
    """Count what was denied by the stage, and by what its recording answered."""
    counted: Counter[str] = Counter()
    for fate in fates:
        if isinstance(fate.outcome, ev.Denied):
            error = fate.call.error
            counted[f"{fate.outcome.stage}; recorded: {'executed' if error is None else error.partition(':')[0]}"] += 1
    return counted


def why(fates: Iterable[Fate], ended: str) -> str:
    """Return why the environments differ: the first call that did not go as in the package."""
    for fate in fates:
        if fate.word == MISSING:
            return f"not every call was performed; the run {ended}"
        if fate.word == ALONE:
            return _why_alone(fate)
    return UNEXPLAINED


def _why_alone(fate: Fate) -> str:
    assert isinstance(fate.outcome, ev.Denied)
    reasons = "; ".join(fate.outcome.reasons)
    if "there is no such argument" in reasons:
        return UNKNOWN_ARGUMENT.format("executed" if fate.call.error is None else "refused")
    return f"denied: {reasons}"
