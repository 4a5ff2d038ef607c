"""The runtime of a test: in memory, on a clock that the test moves, with functions that are watched."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from itertools import count
from typing import TYPE_CHECKING, Any, Self, cast

from msgspec.structs import replace

from interlock.actions.action import Action
from interlock.agents import Agent
from interlock.journal.memory import MemoryStore
from interlock.models import Proposal
from interlock.runtime.outcomes import Denied, Done, Failed, Finished, Stopped, Unknown, Waiting
from interlock.runtime.pool import ThreadPool
from interlock.runtime.questions import Question
from interlock.runtime.runtime import Run, Runtime
from interlock.runtime.session import Session
from interlock.testing.calls import Call, Watch
from interlock.testing.clock import FakeClock
from interlock.testing.faults import Fault, JournalFault
from interlock.testing.life import Life
from interlock.testing.reading import Reader
from interlock.testing.store import Acknowledged, WatchedStore
from interlock.undo import Item

if TYPE_CHECKING:
    from interlock.journal.store import Store

Person = Callable[[Question], Awaitable[None]]
"""Who answers questions in a test: an async function of a question that approves, denies or tells."""


class MemoryRuntime(Runtime):
    """A `Runtime` on a `MemoryStore` and a `FakeClock`; made by `runtime`.

    Attributes:
        clock: What the test moves: `clock.advance("10m")`, `await clock.elapse("10m")`, `await clock.run(…)`.
        store: Where the journal is; after a crash, what survived it.
        deps: What actions find in `ctx.deps`, where the test gave it; it outlives crashes, as the world does.
        acknowledged: Every event whose append returned, by run and seq.
    """

    def __init__(
        self,
        *agents: Agent,
        clock: FakeClock | None = None,
        store: MemoryStore | None = None,
        deps: Any = None,
        faults: Sequence[Fault | JournalFault] = (),
        **options: Any,
    ) -> None:
        self.clock = clock if clock is not None else FakeClock()
        self.store = store if store is not None else MemoryStore()
        self.deps = deps
        self.acknowledged: Acknowledged = {}
        self._authored = agents
        self._settings = options
        self._journal_faults: list[JournalFault] = []
        self._numbers = count(1)
        self._first_faults = faults
        super().__init__(self.store, *agents, clock=self.clock, **options)

    # its lives

    async def __aenter__(self) -> Self:
        """Open it, and count what the caller starts from now on as part of its process."""
        self._watch = Watch(self.clock, Life())
        self.inject(*self._first_faults)
        await self._be_born()
        return self

    async def _be_born(self) -> None:
        """Begin a life of the process, on what the store holds."""
        life = self._watch.life = Life()
        given = None if self.deps is None else lambda: self.deps
        agents = [self._watch.watched(agent, given) for agent in self._authored]
        store = WatchedStore(self.store, life, self.acknowledged, self._journal_faults)
        Runtime.__init__(self, cast("Store", store), *agents, clock=self.clock, **self._settings)
        life.begin()
        try:
            await super().__aenter__()
        except BaseException:
            life.end()
            raise
        self._sender.pool = _HeldPool(self.clock)

    async def __aexit__(self, *error: object) -> None:
        """Close it; what is in the store can still be read by the assertions of this room."""
        self._watch.life.end()
        await self.clock.run(super().__aexit__(*error))

    async def _die(self) -> None:
        """Drop the process without cleaning up, keep what was durable, and start a new one on it."""
        life = self._watch.life
        life.kill(sparing=asyncio.current_task())
        survivors = self.store.fork()
        await life.bury()
        life.end()
        self._sender.pool.close()
        self.store = survivors
        await self._be_born()

    async def kill(self) -> None:
        """Kill the process here and now (what is under way is lost without clean-up), and start a new one."""
        await self._die()

    def crash_at(self, boundary: str) -> "CrashAt":
        """Return a context whose body is cut off by a crash at *boundary*; after it, a new process runs.

        `async with rt.crash_at("after:intended"): …`. The boundaries are `before:TYPE` and `after:TYPE` of
        each event that is appended (of the run's row: `before:row`), of a signal (`before:signal:decision`)
        and of a claim; `sending` (an effect has happened, nobody knows it), `undoing` and `reading`;
        "after:done#2" is the second crossing.

        Raises:
            AssertionError: the body ended, and the boundary was not crossed; the message names those that
                were.
        """
        return CrashAt(self, boundary)

    @property
    def crossed(self) -> list[str]:
        """The boundaries that this life has crossed, or since `crash_at` began."""
        return self._watch.life.crossed

    # faults and calls

    def inject(self, *faults: Fault | JournalFault) -> None:
        """Have faults strike from now on."""
        for fault in faults:
            if isinstance(fault, JournalFault):
                self._journal_faults.append(fault)
            else:
                self._watch.faults.append(fault)

    def action(self, name: str) -> Action[Any, Any, Any]:
        """Return one of the agents' actions by its name.

        Raises:
            KeyError: no agent has it.
        """
        for agent in self._authored:
            if name in agent.actions:
                return agent.actions[name]
        known = ", ".join(sorted(name for agent in self._authored for name in agent.actions))
        raise KeyError(f"no agent has an action {name!r}; there are: {known}")

    def reader(self) -> Reader:
        """Return what reads the journal as it is now, also after the runtime was closed."""
        return Reader(self.store)

    @property
    def calls(self) -> list[Call]:
        """Every call of the agents' functions, over all lives, in order."""
        return self._watch.calls

    def calls_of(self, action: str, part: str = "perform", **args: Any) -> list[Call]:
        """Return the calls that reached a function of an action, with at least these arguments."""
        return self._watch.of(action, part, args)

    # going on to the end, with people

    async def outcome(
        self, session: Session, proposal: Proposal, person: Person | None = None
    ) -> Done | Denied | Failed:
        """Perform *proposal* until it has an outcome: *person* answers what is asked, time passes as needed.

        Raises:
            AssertionError: something is asked and there is nobody to answer.
        """
        return await self.clock.run(self._insist(session, proposal, person))

    async def _insist(self, session: Session, proposal: Proposal, person: Person | None) -> Done | Denied | Failed:
        if not proposal.key:  # It is one proposal, however often it is performed until it has an outcome.
            proposal = replace(proposal, key=f"proposal {next(self._numbers)}")
        while True:
            outcome = await session.perform(proposal)
            if isinstance(outcome, (Done, Denied, Failed)):
                return outcome
            if outcome.questions:
                await self._answered(session.run, outcome.questions, person)
            else:
                until = outcome.again_at if isinstance(outcome, Unknown) else outcome.until
                await self.clock.sleep((until - self.clock.now()) / 1_000_000)

    async def ending(self, run: Run, person: Person | None = None) -> Finished | Stopped:
        """Return how *run* ended, or that it is parked; *person* answers, time passes as needed.

        Raises:
            AssertionError: something is asked and there is nobody to answer.
        """
        return await self.clock.run(self._end(run, person))

    async def _end(self, run: Run, person: Person | None) -> Finished | Stopped:
        while True:
            result = await run.result()
            if not isinstance(result, Waiting):
                return result
            await self._answered(run.id, result.questions, person)

    async def _answered(self, run: str, questions: Sequence[Question], person: Person | None) -> None:
        for question in questions:
            if person is None:
                raise AssertionError(f"{question!r} is asked, and nobody answers: give person=…")
            await person(question)
        while await self.store.signals(run=run):  # The runtime takes answers in by itself, at once if it can.
            await self.clock.sleep(0.001)

    async def undo(self, run: Run | str, by: str = "test", person: Person | None = None) -> tuple[Item, ...]:
        """Undo a run and return what could not be taken back; *person* answers, time passes as needed.

        An undo that is under way (a crash may have come in between) is awaited first.
        """
        handle = run if isinstance(run, Run) else self.run(run)
        await self.clock.run(self._after_undo(handle))
        plan = await handle.undo_plan()
        work = asyncio.ensure_future(plan.apply(by))
        if person is not None:
            answering = asyncio.ensure_future(self._answer_until(work, handle.id, person))
            work.add_done_callback(lambda _: answering.cancel())
        return await self.clock.run(work)

    async def _after_undo(self, run: Run) -> None:
        while await run.status() == "undoing":
            await self.clock.sleep(1)

    async def _answer_until(self, work: "asyncio.Future[Any]", run: str, person: Person) -> None:
        while not work.done():
            await self._answered(run, await self.questions(run), person)
            await self.clock.sleep(1)


class CrashAt:
    """The body of an `async with` that is cut off by a crash; `happened` says whether it was."""

    def __init__(self, runtime: MemoryRuntime, boundary: str, *, must: bool = True) -> None:
        self._runtime = runtime
        self._boundary = boundary
        self._must = must
        self.happened = False

    async def __aenter__(self) -> Self:
        self._life = self._runtime._watch.life  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
        self._life.die_in(self._boundary)
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> bool:
        life = self._life
        self.happened = life.dead
        if not life.dead:
            crossed = life.crossed.copy()
            life.live_on()
            if kind is None and self._must:
                shown = ", ".join(crossed) or "none"
                raise AssertionError(f"the boundary {self._boundary!r} was not crossed; these were: {shown}")
            return False
        task = asyncio.current_task()
        if task is not None and kind is not None:
            task.uncancel()
        await self._runtime.kill()
        return True


class _HeldPool(ThreadPool):
    """A thread pool during whose work the clock doesn't jump."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__()
        self._clock = clock

    def submit(self, function: Callable[[], Any]) -> tuple[asyncio.Future[Any], Callable[[], bool]]:
        future, expire = super().submit(function)
        release = self._clock.held()
        future.add_done_callback(lambda _: release())
        return future, expire


def runtime(
    *agents: Agent,
    clock: FakeClock | None = None,
    store: MemoryStore | None = None,
    deps: Any = None,
    faults: Sequence[Fault | JournalFault] = (),
    **options: Any,
) -> MemoryRuntime:
    """Make what a test runs an agent in: `async with` it.

    Args:
        agents: The agents that it runs; copies of them, whose functions are watched.
        clock: The clock to share with other runtimes; by default one of its own.
        store: A journal to go on with; by default an empty one.
        deps: What actions find in `ctx.deps` instead of what the agent's factory makes.
        faults: What goes wrong, made by `interlock.testing.faults`.
        options: Whatever else `Runtime` takes.
    """
    return MemoryRuntime(*agents, clock=clock, store=store, deps=deps, faults=faults, **options)


def approving(by: str = "ana") -> Person:
    """Return a person who says yes to every approval and confirmation, and doesn't know what happened.

    Raises (when asked whether something happened): AssertionError.
    """

    async def answer(question: Question) -> None:
        assert question.kind != "unknown", f"{question!r} is asked, and {by} doesn't know"
        await question.approve(by)

    return answer


def denying(by: str = "ana", note: str = "") -> Person:
    """Return a person who says no to every approval and confirmation, and doesn't know what happened.

    Raises (when asked whether something happened): AssertionError.
    """

    async def answer(question: Question) -> None:
        assert question.kind != "unknown", f"{question!r} is asked, and {by} doesn't know"
        await question.deny(by, note)

    return answer


def crash_at(rt: MemoryRuntime, boundary: str) -> CrashAt:
    """Return a context whose body is cut off by a crash at *boundary*; see `MemoryRuntime.crash_at`."""
    return rt.crash_at(boundary)
