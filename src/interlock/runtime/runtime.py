"""The runtime: opens a journal, drives its runs, resumes what a crash left, and hands out sessions."""

import asyncio
import os
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Self

import msgspec

from interlock.agents import Agent
from interlock.canonical import canonical
from interlock.durations import microseconds
from interlock.errors import (
    DeclarationError,
    RunEndedError,
    RuntimeClosedError,
    StaleWriterError,
    UnknownRunError,
)
from interlock.journal.journal import Journal
from interlock.journal.redact import Redactor
from interlock.journal.store import RunRow, Store
from interlock.kernel import events as ev
from interlock.kernel.events import Recorded
from interlock.kernel.state import State
from interlock.runtime.clock import Clock, SystemClock
from interlock.runtime.ids import run_id
from interlock.runtime.live import LiveRun
from interlock.runtime.loops import DRAIN, Loops
from interlock.runtime.mailbox import Mailbox
from interlock.runtime.options import Credentials, Options
from interlock.runtime.outcomes import Finished, Stopped, Waiting
from interlock.runtime.path import ActionPath
from interlock.runtime.pool import ThreadPool
from interlock.runtime.questions import Question, parse
from interlock.runtime.sending import Sender
from interlock.runtime.session import Session
from interlock.runtime.tending import Tender
from interlock.undo import UndoPlan, plan

IDLE = 1024
"""How many runs that nobody holds stay folded in memory."""


class Runtime:
    """Runs agents on a journal; used as `async with Runtime("desk.db", desk) as rt`.

    Args:
        journal: The path of a SQLite file (made if it does not exist), ":memory:", or a store.
        agents: The agents that it runs.
        credentials: The secrets that actions may declare: a mapping, or a function from name to secret.
        redact: What must never be stored; by default well-known forms of credentials. Credentials given to actions
            are added by themselves.
        max_runs: How many runs are held at once; `start` and `session` wait while there are as many.
        patience: How long `perform` waits for an unknown outcome to become known, for example "15s".
        question_ttl: How long a question, and a yes to it, counts.
        clock: Where the time comes from.

    Raises:
        DeclarationError: two agents share a name, or a duration can't be read.
    """

    def __init__(
        self,
        journal: str | os.PathLike[str] | Store,
        *agents: Agent,
        credentials: Credentials | None = None,
        redact: Redactor | None = None,
        max_runs: int = 10_000,
        patience: str = "15s",
        question_ttl: str = "24h",
        clock: Clock | None = None,
    ) -> None:
        self.agents = {agent.name: agent for agent in agents}
        if len(self.agents) != len(agents):
            raise DeclarationError(f"two agents share a name: {', '.join(agent.name for agent in agents)}")
        self._where = journal
        self._redactor = redact if redact is not None else Redactor()
        self._options = Options(
            patience=microseconds(patience),
            question_ttl=microseconds(question_ttl),
            max_runs=max_runs,
            credentials=credentials if credentials is not None else {},
        )
        self._clock = clock if clock is not None else SystemClock()
        self._live: dict[str, LiveRun] = {}
        self._idle: dict[str, LiveRun] = {}
        self._opening: dict[str, asyncio.Lock] = {}
        self._open = False

    # opening and closing

    async def __aenter__(self) -> Self:
        """Open the journal, become its driver, and begin to resume what is unfinished.

        Raises:
            DriverConflictError: another process drives this journal.
            JournalError: the journal can't be opened.
        """
        store = await _opened(self._where)
        try:
            await store.drive(f"process {os.getpid()}")
        except BaseException:
            await store.close()
            raise
        self.journal = Journal(store, self._redactor)
        self._mail = Mailbox(self.journal, self._clock)
        self._slots = asyncio.Semaphore(self._options.max_runs)
        self._sender = Sender(ThreadPool(), self._options.credentials, self.journal, self._clock)
        self._path = ActionPath(self._sender, self._options)
        self._loops = Loops(self._mail, Tender(self._path), self.held, self._live, self.agents)
        self._open = True
        await self._loops.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop beginning things, let effects under way end, and close the journal."""
        self._open = False
        await self._loops.stop()
        flights = [flight.join() for live in self._live.values() for flight in live.flights.values()]
        if flights:
            await asyncio.wait(flights, timeout=DRAIN)
        await self._sender.close()
        await self.journal.store.close()

    # runs

    async def start(
        self,
        agent: str,
        input: Any = None,  # noqa: A002 - it is the run's input
        *,
        run: str | None = None,
        user: str | Mapping[str, Any] | None = None,
        tenant: str = "",
        conversation: str | None = None,
        deadline: str | None = None,
    ) -> "Run":
        """Start a run, durably, and return it. Given the id of a run that exists, return that: nothing starts twice.

        Args:
            agent: The name of the agent.
            input: What the run's code finds as its input; anything with a JSON form.
            run: An id of your own (a message id, an order number); by default a new one that sorts by time.
            user: Whom the run acts for: an id, or a mapping with an "id" and what rules may read as `user.…`.
            tenant: Which tenant the run belongs to.
            conversation: Which dialogue the run belongs to.
            deadline: After how long nothing new begins and the run fails, for example "1h".

        Raises:
            DeclarationError: there is no such agent.
            CanonicalError: input or user have no JSON form.
        """
        self._check_open()
        known = self._agent(agent)
        identifier = run if run is not None else run_id()
        if run is not None and await self.journal.store.row(run) is not None:
            return Run(self, run)
        principal = {"id": user} if isinstance(user, str) else user
        now = self._clock.now()
        started = ev.RunStarted(
            agent=agent,
            tenant=tenant,
            driven=known.machine is not None,
            machine=known.machine_hash,
            policy=known.policy.hash,
            user=msgspec.Raw(canonical(principal)),
            conversation=conversation,
            input=msgspec.Raw(canonical(input)),
            deadline=None if deadline is None else now + microseconds(deadline),
        )
        if known.machine is not None:
            await self._loops.room(self._options.max_runs)
        async with self._slots:
            live = LiveRun(identifier, known, self._mail, State(), 1, None)
            try:
                await live.append(started)
            except StaleWriterError:
                return Run(self, identifier)  # Somebody else started it in this very moment.
        self._keep(live)
        if known.machine is not None:
            self._loops.tend(identifier)
        return Run(self, identifier)

    def run(self, run: str) -> "Run":
        """Return a handle on the run with this id; it is looked up when it is used."""
        return Run(self, run)

    @asynccontextmanager
    async def session(self, run: str) -> AsyncGenerator[Session]:
        """Hold a run open for a loop of your own; what a crash left open in it is reconciled first.

        Raises:
            UnknownRunError: there is no such run.
            RunEndedError: the run has ended.
            DeclarationError: its agent is not one of this runtime's, or its machine drives it.
        """
        self._check_open()
        async with self.held(run) as live:
            if live.state.driven:
                raise DeclarationError(f"run {run!r} is driven by the machine of agent {live.agent.name!r}")
            if live.state.ended:
                raise RunEndedError(f"run {run!r} is {live.state.ended}; start a new one")
            if live.state.calls:
                await self._loops.tend_now(live)
            try:
                yield Session(self._path, live)
            finally:
                # An effect under way is never abandoned: the session ends when it has its outcome.
                while live.flights:
                    await next(iter(live.flights.values())).landed()

    @asynccontextmanager
    async def held(self, run: str) -> AsyncGenerator[LiveRun]:
        """Hold the one copy of a run that this process works on.

        Raises:
            UnknownRunError: there is no such run.
            DeclarationError: its agent is not one of this runtime's.
        """
        live = await self._hold(run)
        try:
            yield live
        finally:
            await self._let_go(live)

    async def _hold(self, run: str) -> LiveRun:
        live = self._live.get(run)
        if live is not None and live.broken is None:
            live.holders += 1
            return live
        async with self._opening.setdefault(run, asyncio.Lock()):
            live = self._live.get(run)
            if live is None or live.broken is not None:
                await self._slots.acquire()
                try:
                    live = self._idle.pop(run, None) or await self._loaded(run)
                except BaseException:
                    self._slots.release()
                    raise
                self._live[run] = live
            live.holders += 1
        self._opening.pop(run, None)
        return live

    async def _loaded(self, run: str) -> LiveRun:
        row = await self.journal.store.row(run)
        if row is None:
            raise UnknownRunError(f"no run {run!r} in this journal")
        agent = self._agent(row.agent)
        state = await self.journal.state(run)
        # The run's first append waits for the claim; what goes before it (finding out what to do) doesn't have to.
        claim = asyncio.get_running_loop().create_task(self.journal.store.claim(run))
        return LiveRun(run, agent, self._mail, state, row.epoch + 1, row, claim)

    async def _let_go(self, live: LiveRun) -> None:
        live.holders -= 1
        if live.holders:
            return
        try:
            if live.broken is None:
                await live.claimed()
                await live.sync_row()
        finally:
            if not live.holders and self._live.get(live.id) is live:
                del self._live[live.id]
                self._slots.release()
                self._keep(live)

    def _keep(self, live: LiveRun) -> None:
        """Remember a run that nobody holds for a while, so that going on with it needs no reading and no claim."""
        if live.broken is None and not live.state.ended and not live.flights:
            self._idle[live.id] = live
            if len(self._idle) > IDLE:
                del self._idle[next(iter(self._idle))]

    def _agent(self, name: str) -> Agent:
        try:
            return self.agents[name]
        except KeyError:
            known = ", ".join(self.agents) or "none"
            raise DeclarationError(f"this runtime has no agent {name!r}; it has: {known}") from None

    def _check_open(self) -> None:
        if not self._open:
            raise RuntimeClosedError("the runtime is not open; use it inside `async with Runtime(…)`")

    # people

    async def questions(self, run: str | None = None) -> list[Question]:
        """Return what waits for a person, of one run or of all."""
        if run is not None:
            return await self._questions_of(run)
        found: list[Question] = []
        after = ""
        while rows := await self.journal.store.rows(statuses=("waiting", "undoing"), after=after):
            for row in rows:
                found += await self._questions_of(row.id)
            after = rows[-1].id
        return found

    async def _questions_of(self, run: str) -> list[Question]:
        live = self._live.get(run)
        state = live.state if live is not None else await self.journal.state(run)
        asks = [ask for call in state.calls.values() for ask in call.asks if not ask.decision]
        return [await self._mail.question(run, ask.seq) for ask in asks]

    async def question(self, question_id: str) -> Question:
        """Return one question by its id.

        Raises:
            UnknownQuestionError: there is none.
            UnknownRunError: its run does not exist.
        """
        return await self._mail.question(*parse(question_id))

    async def post(self, run: str, kind: str, content: Any) -> None:
        """Put a signal into a run's inbox, durably.

        Raises:
            UnknownRunError: there is no such run.
        """
        await self._mail.post(run, kind, content)

    async def settled(self) -> None:
        """Wait until nothing more can be done now: every run has ended, waits, sleeps or is a foreign loop's."""
        await self._loops.settled()

    async def watch(self, run: str) -> RunRow:
        """Return the row of a run.

        Raises:
            UnknownRunError: there is no such run.
        """
        row = await self.journal.store.row(run)
        if row is None:
            raise UnknownRunError(f"no run {run!r} in this journal")
        return row

    async def result_of(self, run: str, *, wait: bool) -> Finished | Waiting | Stopped | None:
        """Return what became of the run; with *wait*, once it has ended or needs somebody."""
        while True:
            changed = self._mail.watch(run)
            row = await self.watch(run)
            result = await self._result(row)
            if result is not None or not wait:
                changed.cancel()
                return result
            await changed

    async def _result(self, row: RunRow) -> Finished | Waiting | Stopped | None:
        if row.status == "waiting":
            return Waiting(tuple(await self._questions_of(row.id)))
        if row.status == "parked":
            return Stopped("parked", (await self.journal.state(row.id)).parked)
        if row.status not in ("done", "failed", "cancelled"):
            return None
        ends = await self.journal.history(row.id, 0, (ev.RunEnded,))
        ended = ends[-1].event
        assert isinstance(ended, ev.RunEnded)
        if ended.how == "done":
            return Finished(msgspec.json.decode(bytes(ended.output)))
        return Stopped(ended.how, ended.error)

    async def undo_plan_of(self, run: str) -> UndoPlan:
        """Return what an undo of the run would do now."""
        row = await self.watch(run)
        state = await self.journal.state(run)
        history = await self.journal.history(run, 0, (ev.Intended, ev.Done))
        open_calls = [
            f"{call.action} ({call.key})" for call in state.calls.values() if call.phase in ("intended", "unknown")
        ]
        return plan(run, history, self._agent(row.agent).actions, open_calls)

    async def undone(self, run: str, before: int) -> tuple[int, ...]:
        """Wait until the run has seen more than *before* undos end; return what the last one could not take back."""
        while True:
            changed = self._mail.watch(run)
            ends = await self.journal.history(run, 0, (ev.UndoEnded,))
            if len(ends) > before:
                changed.cancel()
                ended = ends[-1].event
                assert isinstance(ended, ev.UndoEnded)
                return ended.failed
            await changed

    def __repr__(self) -> str:
        state = f"{len(self._live)} runs held" if self._open else "closed"
        return f"<Runtime {', '.join(self.agents)} [{state}]>"


class Run:
    """A handle on one run, by its id."""

    def __init__(self, runtime: Runtime, run: str) -> None:
        self._runtime = runtime
        self.id = run

    async def status(self) -> str:
        """Return the word for what the run is doing.

        It is one of running, waiting, sleeping, parked, idle, undoing, done, failed and cancelled.

        Raises:
            UnknownRunError: there is no such run.
        """
        return (await self._runtime.watch(self.id)).status

    async def result(self) -> Finished | Waiting | Stopped:
        """Return what became of the run, once it has ended, is parked, or waits for a person.

        Raises:
            UnknownRunError: there is no such run.
        """
        result = await self._runtime.result_of(self.id, wait=True)
        assert result is not None
        return result

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

    def __init__(self, runtime: Runtime, made: UndoPlan) -> None:
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
        status = (await self._runtime.watch(run)).status
        if status in ("running", "sleeping"):
            raise RunEndedError(f"run {run!r} is {status}; let it end, or cancel it, before its effects are taken back")
        if not self.made.targets:
            return ()
        before = len(await self._runtime.journal.history(run, 0, (ev.UndoEnded,)))
        await self._runtime.post(run, "undo", ev.UndoStarted(by=by, targets=self.made.targets))
        return await self._runtime.undone(run, before)

    def __str__(self) -> str:
        return str(self.made)


async def _opened(where: "str | os.PathLike[str] | Store") -> Store:
    if not isinstance(where, (str, os.PathLike)):
        return where
    path = os.fspath(where)
    if path == ":memory:":
        from interlock.journal.memory import MemoryStore  # noqa: PLC0415 - only who uses a store pays for its import

        return MemoryStore()
    if "://" in path:
        raise DeclarationError(f"{path!r}: journals live in a SQLite file, ':memory:' or a store object; give a path")
    from interlock.journal.sqlite import SqliteStore  # noqa: PLC0415 - the same

    return SqliteStore(path)
