"""What has to be there at every moment of an undo, and somebody else who comes in between."""

from contextlib import suppress
from random import Random

from benchmarks.undo.histories.acts import Act
from benchmarks.undo.histories.bank import Bank, Dump, RefusedByDatabaseError
from benchmarks.undo.histories.history import History
from benchmarks.undo.histories.oracle import changed, predicted
from benchmarks.undo.histories.others import after
from benchmarks.undo.histories.play import Played
from benchmarks.undo.histories.undoing import Chosen

OFTEN, SOON = 0.4, 0.1
"""In what share of the undos somebody else writes, and after what share of their crashes until somebody did."""


class Course:
    """The undo of a played history, looked at after every crash.

    The mutable state: what has been played, which grows where somebody else writes meanwhile; what must come of it; and
    crashes after which an effect was neither there nor taken back.
    """

    def __init__(self, bank: Bank, history: History, played: Played, plans: list[Chosen]) -> None:
        self.played = played
        self.expected = predicted(played.now, [plan.effects for plan in plans], history.undo.otherwise)
        self.torn = 0
        self.meddled = False
        self._bank = bank
        self._history = history
        self._plans = plans
        self._random = Random(repr(history.steps))
        self._alone = self._random.random() > OFTEN

    def crashed(self) -> None:
        """Look at what a crash has left."""
        now = self._bank.dump()
        if now not in self.expected.stages:
            self.torn += 1
        elif not (self._alone or self.meddled or self.expected.conflicts) and self._random.random() < SOON:
            self._meddle(now)

    def _meddle(self, now: Dump) -> None:
        """Have somebody else write to what is still to be taken back; what must come of it is another thing then."""
        done = self.expected.taken[: self.expected.stages.index(now)]
        left = [[one for one in plan.effects if one[0] not in done] for plan in self._plans]
        acts = [self._history.steps[name[1]] for plan in left for name, _ in plan]
        aims = [one for one in acts if isinstance(one, Act)]
        if not aims:
            return
        with suppress(RefusedByDatabaseError):
            self._bank.edit(after(self._random, len(self._history.steps), self._random.choice(aims)).statements)
            self.meddled = True
            then = self._bank.dump()
            self.played = Played((*self.played.steps, (None, changed(now, then))), then)
            expected = predicted(then, left, self._history.undo.otherwise)
            self.expected = expected._replace(taken=(*done, *expected.taken))
