"""A handle on a run that a runtime holds, by its id."""

from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING

from interlock.kernel import events as ev
from interlock.kernel.events import Recorded
from interlock.runtime.outcomes import Finished, Stopped, Waiting
from interlock.runtime.questions import Question

if TYPE_CHECKING:
    from interlock.runtime.applying import Plan
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

    async def cancel(self, by: str, reason: str = "", *, undo: bool = False) -> None:
        """Ask the run to stop: what is under way is finished and recorded, nothing new begins.

        With *undo*, all that it did is then taken back. Returns when that is durable.
        """
        await self._runtime.post(self.id, "cancel", ev.CancelRequested(by=by, reason=reason, undo=undo))

    async def unpark(self, by: str) -> None:
        """Let a parked run go on."""
        await self._runtime.post(self.id, "unpark", ev.Unparked(by=by))

    async def undo_plan(self) -> "Plan":
        """Return what an undo of the run would do now; nothing is done before it is applied. See `Runtime.undo_plan`.

        Raises:
            UnknownRunError: there is no such run.
        """
        return await self._runtime.undo_plan(self.id)

    def __repr__(self) -> str:
        return f"<Run {self.id}>"
