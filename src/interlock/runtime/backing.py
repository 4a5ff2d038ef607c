"""What a run did, and its conversation before it: what its claims are held against."""

import msgspec

from interlock.kernel import events as ev
from interlock.kernel.events import Recorded
from interlock.runtime.claims import Claim
from interlock.runtime.live import LiveRun

SHORTEST_QUOTATION = 16
"""From how many characters on words of a result are taken for a quotation of it."""


class Backing:
    """Tells of the claims of one answer whether something that was done backs them.

    What counts is what was done and not taken back: in the run itself, in those that handed it its task, in the other
    runs of its conversation; and what was sent and has no outcome yet, since it may have been done.

    Args:
        live: The run.

    The mutable state: what was read, once a claim was made.
    """

    def __init__(self, live: LiveRun) -> None:
        self._live = live
        self._outcomes: list[ev.Done] | None = None

    async def backs(self, claim: Claim) -> bool:
        """Whether an outcome backs the claim, or a result has its very words: then it is a quotation.

        Raises:
            JournalError: what was done can't be read.
        """
        if self._outcomes is None:
            self._outcomes = [one for run in await self._runs() for one in await self._done(run)]
        subs = self._live.agent.delegates
        under_way = (one for one in self._live.state.calls.values() if one.phase not in ("asked", "delayed", "clear"))
        did = {one.action for one in self._outcomes if one.effect != "read" or one.action in subs}
        did.update(one.action for one in under_way)
        # What an agent did that a task was handed on to stands in a run of its own: it may have done all that it can.
        did.update(name for one in did & subs.keys() for name in subs[one].reach)
        return not claim.actions.isdisjoint(did) or self._is_quoted(claim.words)

    def _is_quoted(self, words: str) -> bool:
        needle = msgspec.json.encode(words)[1:-1]
        if len(needle) < SHORTEST_QUOTATION:
            return False
        return any(needle in bytes(one.result) for one in self._outcomes or ())

    async def _runs(self) -> list[str]:
        """Return the runs whose deeds count."""
        live = self._live
        store = live.journal.store
        runs, parent, conversation = [live.id], live.state.parent, live.state.conversation
        while parent:
            runs.append(parent)
            started = (await live.journal.event(parent, 1)).event
            assert isinstance(started, ev.RunStarted)
            parent, conversation = (started.parent or ("",))[0], conversation or started.conversation
        if conversation is not None:
            row = await store.row(live.id)
            user = None if row is None else row.user
            rows = await live.journal.conversation(live.state.tenant, conversation)
            runs += [one.id for one in rows if one.user == user and one.id not in runs]
        return runs

    async def _done(self, run: str) -> list[ev.Done]:
        """Return the outcomes of a run that hold: those that were not taken back."""
        recorded: list[Recorded] = await self._live.journal.history(run, 0, (ev.Done,))
        done = [(one.seq, one.event) for one in recorded if isinstance(one.event, ev.Done)]
        back = {one.undoes for _, one in done if one.undoes}
        return [one for seq, one in done if not one.undoes and seq not in back]
