"""What the code of a machine's state works with: durable steps, found again after a crash."""

import asyncio
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, NoReturn

import msgspec

from interlock.canonical import canonical
from interlock.context.shown import Built
from interlock.durations import microseconds
from interlock.errors import KeyReusedError
from interlock.kernel import events as ev
from interlock.models import Proposal, Response
from interlock.runtime.outcomes import Denied, Done, Failed, Turn, Unknown, Waiting
from interlock.runtime.releasing import Releasing
from interlock.runtime.session import Session
from interlock.runtime.suspending import Suspended
from interlock.runtime.thinking import Thinking, turn_of

if TYPE_CHECKING:
    from interlock.runtime.live import LiveRun
    from interlock.runtime.path import ActionPath

Settled = Done | Denied | Failed


class Flow:
    """A run as the code of one of its states sees it.

    The code runs again from its start after a crash or a wait. What it performed, recorded or slept before is found by
    its key: its own, or else the number of the step in this entry of the state. So it must ask for the same steps in
    the same order; if it asks for something else under the same key, the run is parked and says so.
    """

    def __init__(self, path: "ActionPath", live: "LiveRun", offers: frozenset[str] | None, run_input: Any) -> None:
        self._live = live
        self._prefix = f"{live.state.entry}/"
        self._session = Session(path, live, self._prefix, offers)
        self._steps = 0
        self._asked: set[str] = set()
        self.input = run_input
        """What the run was started with, as plain data."""
        self.output: Any = None
        """What the run's result will be; set it before the last state is left."""
        self.withheld = False
        """Whether a check kept a part of the last turn's words from the user."""
        self.begun = ""
        """What the user had read of the last turn's answer before it was interrupted."""
        self._shown = 0

    @property
    def run(self) -> str:
        """The id of the run."""
        return self._live.id

    @property
    def user(self) -> Any:
        """The principal that the run acts for."""
        return self._live.user

    def perform(
        self, action: str, args: dict[str, Any] | None = None, *, key: str = ""
    ) -> Coroutine[Any, Any, Settled]:
        """Propose an action and return its outcome; waits for people, delays and unknown outcomes happen durably."""
        return self._perform(Proposal(action, args or {}, self._key(key)))

    async def _perform(self, proposal: Proposal) -> Settled:
        try:
            outcome = await self._session.perform(proposal)
        except KeyReusedError as error:
            await self._park(f"the code of state {self._live.state.place!r} no longer does what it did: {error}")
        if isinstance(outcome, (Waiting, Unknown)):
            raise Suspended
        return outcome

    def record(self, turn: Turn) -> Coroutine[Any, Any, None]:
        """Record a model turn, durably and once."""
        return self._session.record(msgspec.structs.replace(turn, key=self._key(turn.key)))

    async def recall(self, key: str) -> Turn | None:
        """Return the turn recorded under *key* in this entry of the state, or None."""
        return await self._session.recall(key)

    # the steps of an agent that thinks with a model (see agents/loop.py)

    async def turn(self) -> Response:
        """Ask the agent's model, once in this entry and durably; its words are released as they come."""
        key = self._prefix + self._key("turn")
        found = await self._found(key)
        turn = found.event if found is not None else await Thinking(self._live, key).turn()
        self.withheld = await self._found(f"{key}.words") is not None
        return self._taken_up(turn)

    async def proposals(self) -> tuple[Proposal, ...]:
        """Return what the model proposed in the turn that the last entry of a state made."""
        found = await self._live.journal.find(self._live.id, f"{self._live.state.entry - 1}/turn")
        assert found is not None
        return self._taken_up(found.event).proposals

    def _taken_up(self, turn: ev.Event) -> Response:
        assert isinstance(turn, ev.TurnRecorded)
        built = msgspec.json.decode(bytes(turn.request), type=Built)
        self._shown, self.begun = built.seen, built.begun
        return turn_of(turn)

    def news(self) -> bool:
        """Whether words of the user came that the last turn has not seen."""
        return self._live.state.spoke > self._shown

    async def refuse(self, proposal: Proposal, reason: str, instead: str, *, key: str) -> None:
        """Turn a proposal (or the whole answer) down as not valid, durably and once."""
        await self._session.refuse(msgspec.structs.replace(proposal, key=self._key(key)), reason, instead)

    async def objection(self, answer: Any) -> tuple[str, str] | None:
        """Return why the texts of a structured answer may not be given, and what to do instead; None where they may."""
        return await Releasing(self._live, "").objection(msgspec.json.decode(canonical(answer)))

    def gather(self, *steps: Coroutine[Any, Any, Any]) -> Coroutine[Any, Any, list[Any]]:
        """Perform several steps at once; see `gather`."""
        return gather(*steps)

    async def _found(self, key: str) -> ev.Recorded | None:
        if self._live.from_start and key not in self._live.closed:
            return None
        return await self._live.journal.find(self._live.id, key)

    def sleep(self, duration: str, *, key: str = "") -> Coroutine[Any, Any, None]:
        """Wait durably ("10m"): the process may end meanwhile."""
        return self._sleep(microseconds(duration), self._prefix + self._key(key))

    async def _sleep(self, duration: int, key: str) -> None:
        live = self._live
        found = await self._found(key)
        if found is None:
            await live.append(ev.Slept(call=key, until=live.clock.now() + duration))
            raise Suspended
        if not isinstance(found.event, ev.Slept):
            await self._park(f"the code of state {live.state.place!r} no longer does what it did at step {key!r}")
        elif found.event.until > live.clock.now():
            raise Suspended

    def _key(self, given: str) -> str:
        self._steps += 1
        key = given or str(self._steps)
        self._asked.add(self._prefix + key)
        return key

    async def _park(self, reason: str) -> NoReturn:
        await self._live.append(ev.Parked(reason=reason))
        raise Suspended

    async def check_complete(self) -> None:
        """Park the run if its code ended without asking again for a call that is still open."""
        left = [key for key in self._live.state.calls if key.startswith(self._prefix) and key not in self._asked]
        if left:
            await self._park(
                f"the code of state {self._live.state.place!r} no longer does what it did: "
                f"it ended without step {left[0].removeprefix(self._prefix)!r}, which is still open"
            )


async def gather(*steps: Coroutine[Any, Any, Any]) -> list[Any]:
    """Perform several steps at once; if one has to wait, the others are finished first."""
    results = await asyncio.gather(*steps, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return results
