"""The runtime: opens a journal, drives its runs, resumes what a crash left, and hands out sessions."""

import asyncio
import os
from collections.abc import AsyncGenerator, Collection, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Self

import msgspec

from interlock.agents import Agent
from interlock.canonical import canonical
from interlock.durations import microseconds
from interlock.errors import (
    DeclarationError,
    RuntimeClosedError,
    StaleWriterError,
    UnknownRunError,
)
from interlock.guardian import Policy
from interlock.journal.journal import Journal
from interlock.journal.redact import Redactor
from interlock.journal.store import RunRow, Store
from interlock.kernel import events as ev
from interlock.kernel.state import State
from interlock.models import Closing
from interlock.runtime.applying import Applying, Plan
from interlock.runtime.choosing import Scope
from interlock.runtime.clock import Clock, SystemClock
from interlock.runtime.deeds import Deeds
from interlock.runtime.delegation import Delegation
from interlock.runtime.dialogue import Dialogue, Message
from interlock.runtime.following import Following
from interlock.runtime.gates import Gates
from interlock.runtime.handles import Run
from interlock.runtime.ids import run_id
from interlock.runtime.live import LiveRun
from interlock.runtime.loops import DRAIN, Loops
from interlock.runtime.mailbox import Mailbox
from interlock.runtime.model_planner import ModelPlanner
from interlock.runtime.opening import opened
from interlock.runtime.options import Credentials, Look, Options
from interlock.runtime.path import ActionPath
from interlock.runtime.pool import ThreadPool
from interlock.runtime.quarantine import Reader
from interlock.runtime.questions import Question, parse
from interlock.runtime.roster import Roster
from interlock.runtime.sending import Sender
from interlock.runtime.session import Session
from interlock.runtime.tending import Tender
from interlock.runtime.tracing import Tracing
from interlock.runtime.watching import Watching

if TYPE_CHECKING:
    from starlette.types import ASGIApp

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
        confirmation_ttl: How long a question to the user, whether this is what they want, and their yes to it, counts.
        organisation: Rules for all agents, beside each one's own policy; they may only restrict.
        tenants: Rules for the runs of a tenant, by its name; they may only restrict.
        clock: Where the time comes from.

    Raises:
        DeclarationError: two agents share a name, or a duration can't be read.
        PolicyError: rules of the organisation or a tenant permit something, or name what no agent has.
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
        confirmation_ttl: str = "15m",
        organisation: Policy | None = None,
        tenants: Mapping[str, Policy] | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.roster = Roster(agents, organisation, tenants)
        self._where = journal
        self._redactor = redact if redact is not None else Redactor()
        self._options = Options(
            patience=microseconds(patience),
            question_ttl=microseconds(question_ttl),
            confirmation_ttl=microseconds(confirmation_ttl),
            max_runs=max_runs,
            credentials=credentials if credentials is not None else {},
        )
        self._clock = clock if clock is not None else SystemClock()
        self._live: dict[str, LiveRun] = {}
        self._idle: dict[str, LiveRun] = {}
        self._opening = Gates()
        self._followed: list[Following] = []
        self._open = False
        self.closing = asyncio.Event()
        """Set once the runtime begins to close: whoever waits for a run of it stops waiting."""

    @property
    def agents(self) -> Mapping[str, Agent]:
        """The agents by name, those that others hand tasks on to among them."""
        return self.roster.everyone

    # opening and closing

    async def __aenter__(self) -> Self:
        """Open the journal, become its driver, and begin to resume what is unfinished.

        Raises:
            DriverConflictError: another process drives this journal.
            JournalError: the journal can't be opened.
        """
        for agent in self.agents.values():
            _ = agent.model  # A missing key or package is told now, not in the first run.
        store = await opened(self._where)
        try:
            await store.drive(f"process {os.getpid()}")
        except BaseException:
            await store.close()
            raise
        self.journal = Journal(store, self._redactor)
        self._mail = Mailbox(self.journal, self._clock)
        self._deeds = Deeds(self.journal, self._clock)
        self._deeds.watch(self.roster.windows())
        self._tracing = Tracing(self.journal, self._deeds, lambda: self.agents)
        self._slots = asyncio.Semaphore(self._options.max_runs)
        self.watching = Watching(self.journal, self._mail, self._live, self.agents)
        self._dialogue = Dialogue(
            self.journal,
            self._mail,
            self._state_of,
            start=self._start_now,
            full=lambda: self._loops.full(self._options.max_runs),
            room=lambda: self._loops.room(self._options.max_runs),
        )
        self._sender = Sender(ThreadPool(), self._options.credentials, self.journal, self._clock)
        self._path = ActionPath(self._sender, self._options, Delegation(self._sender, self._started))
        self._applying = Applying(self.journal, self.watching, self._agent_of, self._sender, self.post)
        self._loops = Loops(self._mail, Tender(self._path, self._dialogue.hand_on), self.held, self._live, self.agents)
        self._open = True
        try:
            await self._loops.start()
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop beginning things, let effects under way end, and close the journal."""
        try:
            await self._wind_down()
        finally:
            await self.journal.store.close()

    async def _wind_down(self) -> None:
        self._open = False
        self.closing.set()
        for following in self._followed:
            following.stop()
        held = set(self._live.values())  # Who held a run lets go of it when it is stopped; what is in flight goes on.
        await self._loops.stop()
        flights = [flight.join() for live in held.union(self._live.values()) for flight in live.flights.values()]
        if flights:
            await asyncio.wait(flights, timeout=DRAIN)
        await self._sender.close()
        for model in {id(one.model): one.model for one in self.agents.values()}.values():
            if isinstance(model, Closing):
                await model.aclose()
        for action in {id(one): one for agent in self.agents.values() for one in agent.actions.values()}.values():
            if isinstance(action, Reader):
                await action.close()
        labels = {id(one.labels): one.labels for one in self.agents.values() if one.labels is not None}
        for one in labels.values():
            if isinstance(one.planner, ModelPlanner):
                await one.planner.close()

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
        message: str = "",
    ) -> Run:
        """Start a run, durably, and return it. Given the id of a run that exists, return that: nothing starts twice.

        Args:
            agent: The name of the agent.
            input: What the run's code finds as its input; anything with a JSON form.
            run: An id of your own (a message id, an order number); by default a new one that sorts by time.
            user: Whom the run acts for: an id, or a mapping with an "id" and what rules may read as `user.…`.
            tenant: Which tenant the run belongs to.
            conversation: Which dialogue the run belongs to.
            deadline: After how long nothing new begins and the run fails, for example "1h".
            message: The sender's own id of the message that began it.

        Raises:
            DeclarationError: there is no such agent.
            CanonicalError: input or user have no JSON form.
        """
        self.check_open()
        identifier = run if run is not None else run_id()
        if run is not None and await self.journal.store.row(run) is not None:
            return Run(self, run)
        known = self.roster.of(agent, tenant)
        if known.machine is not None:
            await self._loops.room(self._options.max_runs)
        async with self._slots:
            await self._started(
                known,
                identifier,
                input,
                user={"id": user} if isinstance(user, str) else user,
                tenant=tenant,
                conversation=conversation,
                deadline=None if deadline is None else self._clock.now() + microseconds(deadline),
                message=message,
            )
        return Run(self, identifier)

    async def _started(self, known: Agent, run: str, given: Any, *, user: Any = None, **fields: Any) -> None:
        """Write the first event of a run and have it tended; if somebody else started it just now, that is as good."""
        started = ev.RunStarted(
            agent=known.name,
            driven=known.machine is not None,
            machine=known.machine_hash,
            policy=known.policy.hash,
            prompt=known.head_hash,
            user=msgspec.Raw(canonical(user)),
            input=msgspec.Raw(canonical(given)),
            **fields,
        )
        async with self._opening.one_at_a_time(run):
            live = LiveRun(run, known, self._mail, State(), 1, None, self._deeds, self._tracing)
            try:
                await live.append(started)
            except StaleWriterError:
                return
            self._keep(live)
        if known.machine is not None:
            self._loops.tend(run)

    async def _start_now(self, agent: str, given: str, *, run: str, **fields: Any) -> None:
        await self._started(self.roster.of(agent, fields["tenant"]), run, given, **fields)

    async def send(
        self,
        agent: str,
        text: str,
        *,
        conversation: str | None = None,
        user: str | Mapping[str, Any] | None = None,
        tenant: str = "",
        message_id: str | None = None,
    ) -> Run:
        """Bring a message of a user to an agent, durably, and return the run that takes it.

        In a conversation that is the run that asked the user something, or the one that is at work; otherwise a new
        one begins, which knows what was said before. While a run waits for other people, the conversation goes on in
        a new one.

        Args:
            agent: The name of the agent.
            text: What the user says.
            conversation: Which dialogue it belongs to; without one it stands alone.
            user: Whom the run acts for; see `start`.
            tenant: Which tenant the run belongs to.
            message_id: The sender's own id of the message: sent again, it is found again and nothing happens twice.

        Raises:
            DeclarationError: there is no such agent, it has neither model nor machine, or a `message_id` comes without
                conversation and user.
            OtherUserError: the conversation is another user's.
        """
        self.check_open()
        if self.roster.of(agent, tenant).machine is None:
            raise DeclarationError(
                f"nobody would answer: agent {agent!r} has neither a model nor a machine; give it model=…, "
                "or start a run and drive it in a session"
            )
        principal = {"id": user} if isinstance(user, str) else user
        message = Message(agent, text, principal, tenant, conversation, message_id or "")
        return Run(self, await self._dialogue.send(message))

    def run(self, run: str) -> Run:
        """Return a handle on the run with this id; it is looked up when it is used."""
        return Run(self, run)

    @asynccontextmanager
    async def session(self, run: str) -> AsyncGenerator[Session]:
        """Hold a run open for a loop of your own; what a crash left open in it is reconciled first.

        One that has ended still tells what its proposals came to, and takes no new ones.

        Raises:
            UnknownRunError: there is no such run.
            DeclarationError: its agent is not one of this runtime's, or its machine drives it.
        """
        self.check_open()
        async with self.held(run) as live:
            if live.state.driven:
                raise DeclarationError(f"run {run!r} is driven by the machine of agent {live.agent.name!r}")
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
        async with self._opening.one_at_a_time(run):
            live = self._live.get(run)
            if live is None or live.broken is not None:
                await self._slots.acquire()
                try:
                    live = self._idle.pop(run, None) or await self._loaded(run)
                except BaseException:
                    self._slots.release()
                    raise
                # A policy may have been replaced since the run was last held.
                live.agent = self.roster.of(live.state.agent, live.state.tenant)
                self._live[run] = live
            live.holders += 1
        return live

    async def _loaded(self, run: str) -> LiveRun:
        row = await self.journal.store.row(run)
        if row is None:
            raise UnknownRunError(f"no run {run!r} in this journal")
        agent = self.roster.of(row.agent, row.tenant)
        state = await self.journal.state(run)
        # The run's first append waits for the claim; what goes before it (finding out what to do) doesn't have to.
        claim = asyncio.get_running_loop().create_task(self.journal.store.claim(run))
        return LiveRun(run, agent, self._mail, state, row.epoch + 1, row, self._deeds, self._tracing, claim)

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

    async def _state_of(self, run: str) -> State:
        live = self._live.get(run)
        return live.state if live is not None else await self.journal.state(run)

    def check_open(self) -> None:
        """Do nothing while the runtime is open.

        Raises:
            RuntimeClosedError: it is not open yet, or is closing.
        """
        if not self._open:
            raise RuntimeClosedError("the runtime is not open; use it inside `async with Runtime(…)`")

    # policies

    def set_policy(self, policy: Policy, *, agent: str | None = None, tenant: str | None = None) -> None:
        """Judge by another policy from now on: an agent's own, a tenant's, or (with neither) the organisation's.

        All of it changes at once or nothing does. A judgement under way counts for nothing under the new policy: what
        was approved under the old one, and has not been performed, is judged and asked about again.

        Raises:
            DeclarationError: there is no such agent, or agent and tenant are both given.
            PolicyError: the policy names what there is not, or permits what it may only restrict.
        """
        roster = self.roster.replaced(policy, agent=agent, tenant=tenant)
        if self._open:
            for live in (*self._live.values(), *self._idle.values()):
                live.agent = roster.of(live.state.agent, live.state.tenant)
            self._deeds.watch(roster.windows())
        self.roster = roster

    def follow_policy(self, file: str, *, agent: str | None = None, tenant: str | None = None) -> Following:
        """Judge by the policy in a file, now and whenever the file changes.

        A file that can't be read, or whose policy can't be, changes nothing: the policy before it stays in force, the
        log says so, and so does `problem` of what is returned.

        Args:
            file: `FILE.py`, `FILE.py:NAME` (by default the name `policy`) or `FILE.json`.
            agent: Whose own policy it is, as in `set_policy`.
            tenant: For which tenant's runs it is.

        Raises:
            PolicyError: the file can't be put in force as it is now; nothing is followed.
            DeclarationError: there is no such agent, or agent and tenant are both given.
        """
        self.check_open()
        following = Following(file, lambda policy: self.set_policy(policy, agent=agent, tenant=tenant), self._clock)
        self._followed.append(following)
        return following

    # people

    async def questions(self, run: str | None = None) -> list[Question]:
        """Return what waits for a person, of one run or of all."""
        return await (self.watching.questions() if run is None else self.watching.questions_of(run))

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

    def asgi(
        self, *, user: Look | None = None, tenant: Look | None = None, agents: Collection[str] | None = None
    ) -> "ASGIApp":
        """Return an ASGI application to talk to the agents, for a host to mount: `app.mount("/agents", rt.asgi(…))`.

        It works in the event loop in which this runtime is open. Its endpoints stand in `interlock.server.app`.

        Args:
            user: Finds whom a request is made for: an id, or a mapping with an "id"; sync or async. None means that
                nobody is signed in (401). An `HTTPException` that it raises is the answer; anything else that it
                raises or returns is a fault of the host (500, and the log says what). A run, a question and a
                conversation are only there for their own user. Without this function nobody is told from anybody:
                runs have no user, and whoever can send a request may read and continue them all.
            tenant: Finds the tenant, a text, in the same way; by default all are of one.
            agents: The names of those that may be talked to; by default all.

        Raises:
            DeclarationError: Starlette is not installed, or there is no such agent.
        """
        if find_spec("starlette") is None:
            raise DeclarationError("the HTTP endpoints need Starlette: pip install 'interlock[server]'")
        # By its name, because rooms depend on what is below them and the server stands above. It is asked for here
        # because here is where whoever embeds a runtime looks for it.
        return import_module("interlock.server").asgi(self, user=user, tenant=tenant, agents=agents)

    async def undo_plan(
        self,
        run: str = "",
        *,
        seq: int = 0,
        conversation: str = "",
        agent: str = "",
        since: datetime | None = None,
        tenant: str | None = None,
    ) -> Plan:
        """Return what an undo would do now; nothing is done before it is applied.

        Args:
            run: The run that is undone, with the runs that it handed tasks on to.
            seq: Only this effect of the run: the seq of its outcome.
            conversation: Instead of a run: a conversation (of *tenant*).
            agent: Instead of a run: all that this agent did.
            since: Instead of a run: all that was done from then on; also together with *agent*.
            tenant: The tenant; None for a run's own, for the nameless one of conversations, and for all tenants.

        Raises:
            UnknownRunError: there is no such run, or nothing of that conversation.
            UnknownEffectError: the run has no such effect, or it has been taken back.
            DeclarationError: none, or more than one, of a run, a conversation, and an agent or a time was given.
        """
        return await self._applying.plan(Scope.of(run, seq, conversation, agent, since, tenant))

    def _agent_of(self, row: RunRow) -> Agent:
        return self.roster.of(row.agent, row.tenant)

    def __repr__(self) -> str:
        state = f"{len(self._live)} runs held" if self._open else "closed"
        return f"<Runtime {', '.join(self.agents)} [{state}]>"
