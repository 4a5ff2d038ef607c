"""Handles on what a runtime holds: a run by its id, a plan to take its effects back."""

from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Any

from interlock.errors import RunEndedError
from interlock.kernel import events as ev
from interlock.kernel.events import Recorded
from interlock.runtime.outcomes import Finished, Stopped, Waiting
from interlock.runtime.questions import Question
from interlock.undo import UndoPlan

if TYPE_CHECKING:
    from interlock.runtime.runtime import Runtime


class Run:
    """A handle on one run, by its id."""

    def __init__(self, runtime: "Runtime", run: str) -> None:
        self._runtime = runtime
        self._heard = 0
        self.id = run

    async def status(self) -> str:
        """Return the word for what the run is doing.

        It is one of running, waiting, sleeping, parked, idle, undoing, done, failed and cancelled.

        Raises:
            UnknownRunError: there is no such run.
        """
        return (await self._runtime.watching.row(self.id)).status

    async def result(self) -> Finished | Waiting | Stopped:
        """Return what became of the run, once it has ended, is parked, or waits for a person.

        Raises:
            UnknownRunError: there is no such run.
        """
        return await self._runtime.watching.result(self.id)

    async def text(self) -> AsyncGenerator[str]:
        """Yield what the agent says to its user, sentence by sentence, each once it has passed its checks.

        It ends when there is a result (the run has ended, waits or is parked). Another call goes on where this one
        ended, and begins anew with the first sentence on another handle: what was said stays in the journal.

        Raises:
            UnknownRunError: there is no such run.
        """
        async for sentence in self._runtime.watching.heard(self.id, self._heard):
            self._heard = sentence.seq
            yield sentence.text

    async def drafts(self) -> AsyncGenerator[str]:
        """Yield the model's words as they come, before anybody has looked at them, until there is a result.

        They are no part of the journal, and what a check finds in them is not taken back: show them as a draft, and
        put what `text` yields in their place. Only words that come while this is listened to, in this process.
        """
        async for words in self._runtime.watching.drafted(self.id):
            yield words

    async def questions(self) -> list[Question]:
        """Return what the run asks people."""
        return await self._runtime.questions(self.id)

    async def history(self) -> list[Recorded]:
        """Return everything that happened in the run, in order."""
        return await self._runtime.journal.history(self.id)

    async def cancel(self, by: str, reason: str = "") -> None:
        """Ask the run to stop: what is under way is finished and recorded, nothing new begins.

        Returns when that is durable.
        """
        await self._runtime.post(self.id, "cancel", ev.CancelRequested(by=by, reason=reason))

    async def unpark(self, by: str) -> None:
        """Let a parked run go on."""
        await self._runtime.post(self.id, "unpark", ev.Unparked(by=by))

    async def undo_plan(self) -> "Plan":
        """Return what an undo of the run would do now; nothing is done before it is applied.

        Raises:
            UnknownRunError: there is no such run.
        """
        return Plan(self._runtime, await self._runtime.undo_plan_of(self.id))

    def __repr__(self) -> str:
        return f"<Run {self.id}>"


class Plan:
    """An undo plan that can be applied."""

    def __init__(self, runtime: "Runtime", made: UndoPlan) -> None:
        self._runtime = runtime
        self.made = made

    @property
    def items(self) -> Any:
        """The effects, the last one first, and what will become of each."""
        return self.made.items

    async def apply(self, by: str) -> tuple[int, ...]:
        """Take back what the plan names, and return the outcomes (their seqs) that could not be; survives crashes.

        Raises:
            RunEndedError: the run is still going; cancel it first.
        """
        run = self.made.run
        status = (await self._runtime.watching.row(run)).status
        if status in ("running", "sleeping"):
            raise RunEndedError(f"run {run!r} is {status}; let it end, or cancel it, before its effects are taken back")
        if not self.made.targets:
            return ()
        before = len(await self._runtime.journal.history(run, 0, (ev.UndoEnded,)))
        await self._runtime.post(run, "undo", ev.UndoStarted(by=by, targets=self.made.targets))
        return await self._runtime.watching.undone(run, before)

    def __str__(self) -> str:
        return str(self.made)
