"""The governor: a runtime beside a loop that is not ours, and the way of its proposals to the path of an action."""

import asyncio
import atexit
import os
import threading
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Iterable, Mapping
from concurrent.futures import Future
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, contextmanager, suppress
from contextvars import ContextVar
from typing import Any, NamedTuple, Self, TypeVar

import msgspec

from interlock.actions.action import Action
from interlock.actions.foreign import Validate
from interlock.actions.tool import Takes, Tool, proposed_body, tool
from interlock.adapters.calling import Call, Harmless, in_task, in_thread
from interlock.adapters.showing import Showing
from interlock.agents import Agent
from interlock.errors import DeclarationError, RunEndedError, UnknownRunError
from interlock.guardian import Policy
from interlock.journal.redact import Redactor
from interlock.journal.store import Store
from interlock.models import Proposal
from interlock.provenance import Labels
from interlock.runtime.loops import DRAIN
from interlock.runtime.options import Credentials
from interlock.runtime.outcomes import Outcome, Turn
from interlock.runtime.session import Session
from interlock.runtime.sync import SyncRuntime

T = TypeVar("T")


class Where(msgspec.Struct, frozen=True):
    """Which run a proposal belongs to; the run is started when there is none of that id.

    A run is what an undo takes back as a whole: one piece of work, or one turn of a conversation. Its id has to be the
    same when the framework goes on after a crash. `input` is what the user said: where values are traced, nothing else
    counts as the user's words.
    """

    run: str
    user: str | Mapping[str, Any] | None = None
    conversation: str | None = None
    tenant: str = ""
    input: Any = None


class Block(NamedTuple):
    """A stretch of code whose calls belong to one run: who governs them, and how often each was made.

    `open` names what is still to come in the run: while there is any, the run does not end with the block.
    """

    governor: "Governor"
    where: Where
    calls: Counter[str]
    open: set[str]


_block: ContextVar[Block | None] = ContextVar("block", default=None)


class Governor:
    """Judges, journals and performs once what the loop of another framework proposes.

    It runs a runtime in a thread of its own, opened when it is first needed (or by `with governor:`) and closed at the
    end of the process. The body of a tool is performed where its caller is: in its own task or thread.

    Args:
        journal: The path of a SQLite file, ":memory:", or a store.
        tools: What the framework's tools do (`tool.read("search")`, …); actions of our own may stand among them.
            A tool that is not declared counts as irreversible.
        policy: What may be done; what no rule permits is denied.
        name: The agent's name in the journal.
        deps: What makes `ctx.deps` for undo functions, probes and facts; see `Agent`.
        labels: What the results of tools are worth. Given, it is traced where the values of each call came from, and
            models are shown results cleaned. The user's words have to be the run's input (see `run`): a value that
            stands nowhere else is one that nobody named.
        credentials: As for `Runtime`.
        redact: As for `Runtime`.
        patience: As for `Runtime`.
        question_ttl: As for `Runtime`.
        confirmation_ttl: As for `Runtime`.

    Raises:
        DeclarationError: a tool can't keep its word, or two share a name.
        PolicyError: a rule names a tool that is not declared.
    """

    def __init__(
        self,
        journal: str | os.PathLike[str] | Store,
        tools: Iterable[Action[Any, Any, Any]] = (),
        *,
        policy: Policy,
        name: str = "agent",
        deps: Callable[[], Any] | None = None,
        labels: Labels | None = None,
        credentials: Credentials | None = None,
        redact: Redactor | None = None,
        patience: str = "15s",
        question_ttl: str = "24h",
        confirmation_ttl: str = "15m",
    ) -> None:
        self.name = name
        self.agent = Agent(name, tools, policy=policy, deps=deps, labels=labels)
        self._journal = journal
        self._options = {
            "credentials": credentials,
            "redact": redact,
            "patience": patience,
            "question_ttl": question_ttl,
            "confirmation_ttl": confirmation_ttl,
        }
        self._opening = threading.Lock()
        self._binding = threading.Lock()
        self._runtime: SyncRuntime | None = None
        self._process = 0

    # its runtime

    @property
    def runtime(self) -> SyncRuntime:
        """The runtime, opened if it is not: to answer questions, to look at runs and to undo them.

        Raises:
            DriverConflictError: another process drives this journal.
            JournalError: the journal can't be opened.
        """
        with self._opening:
            if self._runtime is None or self._process != os.getpid():  # A fork has the object, not the thread.
                self._runtime = SyncRuntime(self._journal, self.agent, **self._options).__enter__()
                self._process = os.getpid()
                atexit.register(self.close)
            return self._runtime

    def close(self) -> None:
        """Let effects under way end and close the journal; the next use opens it again."""
        with self._opening:
            runtime, self._runtime = self._runtime, None
        atexit.unregister(self.close)
        if runtime is not None and self._process == os.getpid():
            runtime.portal.run(runtime.portal.settled(DRAIN))
            runtime.__exit__(None, None, None)

    def __enter__(self) -> Self:
        _ = self.runtime
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # what there is

    def bind(self, name: str, doc: str, schema: Mapping[str, Any], *, validate: Validate | None = None) -> Tool:
        """Say what a tool of the framework takes; saying the same again costs nothing.

        Args:
            name: The tool's name.
            doc: What it does, in the framework's words.
            schema: The JSON schema of its arguments.
            validate: The framework's own validation of them: raw in, typed and with defaults out; raises ValueError.

        Raises:
            DeclarationError: the schema is none, or a function attached to the tool does not take the arguments.
            PolicyError: a rule names an argument that the tool does not have.
        """
        with self._binding:
            found = self._tool(name)
            if not found.is_bound or found.doc != doc or found.signature.json_schema() != schema:
                found.bind(doc, schema, validate=validate)
                self.agent.add(found)
        return found

    def bind_to(self, name: str, takes: Takes) -> Tool:
        """The same for a tool whose arguments and results are known as those of an action are."""
        with self._binding:
            found = self._tool(name)
            found.takes(takes)
            self.agent.add(found)
        return found

    def _tool(self, name: str) -> Tool:
        found = self.agent.actions.get(name)
        if found is None:
            return tool.irreversible(name)
        if not isinstance(found, Tool):
            raise DeclarationError(
                f"{name!r} is an action of governor {self.name!r}, with a body of its own; declare it with tool.… to "
                "have the framework perform it, or rename one of them"
            )
        return found

    # proposals

    async def perform(
        self,
        where: Where,
        proposal: Proposal,
        body: Callable[[dict[str, Any]], Awaitable[Any]],
        *,
        harmless: Harmless = (),
    ) -> Outcome:
        """Take a proposal down the path of an action, and perform its body here when its time comes.

        The body gets the judged arguments. It is called when the intent is durable (a read: when it is judged), and
        not at all where the outcome is known already: the same key returns what it came to. Cancelling the caller in
        the middle of a body leaves the outcome unknown; it is looked for as after a crash.

        Args:
            where: The run that it belongs to.
            proposal: The tool's name, its arguments and a key: the same for the same call after a crash, and another
                for every other call of the run.
            body: Performs the tool; its result needs a JSON form to be there again after a crash.
            harmless: Exceptions of the body that say that nothing has happened.

        Raises:
            Exception: what the body raised, where nothing has happened (a read, `harmless`, the tool's `refuses`).
            InterlockError: the path can't be walked: the run has ended, the key names another proposal, the journal
                refuses. Nothing was done after that.
        """
        runtime = self.runtime
        return await in_task(runtime.portal, lambda call: self._walk(runtime, where, proposal, call), body, harmless)

    def perform_sync(
        self, where: Where, proposal: Proposal, body: Callable[[dict[str, Any]], Any], *, harmless: Harmless = ()
    ) -> Outcome:
        """`perform` for a caller without an event loop; the body is performed in its thread."""
        runtime = self.runtime
        return in_thread(runtime.portal, lambda call: self._walk(runtime, where, proposal, call), body, harmless)

    async def _walk(self, runtime: SyncRuntime, where: Where, proposal: Proposal, call: Call) -> None:
        proposed_body.set(call.body)
        await _using(self._session(runtime, where), lambda session: session.perform(proposal), call.land)

    async def weigh(self, where: Where, proposal: Proposal) -> Outcome | None:
        """Take a proposal as far as its performance: people are asked for what it needs; see `Session.weigh`."""
        return await self._do(where, lambda session: session.weigh(proposal))

    async def refuse(self, where: Where, proposal: Proposal, reason: str, instead: str) -> None:
        """Record that a proposal names nothing that there is, unless that is known; see `Session.refuse`."""
        await self._do(where, lambda session: session.refuse(proposal, reason, instead, stage="resolve"))

    @asynccontextmanager
    async def _session(self, runtime: SyncRuntime, where: Where) -> AsyncGenerator[Session]:
        """Hold the run open, behind the portal; start it if there is none."""
        inner = runtime.inner
        async with AsyncExitStack() as stack:
            try:
                session = await stack.enter_async_context(inner.session(where.run))
            except UnknownRunError:
                await inner.start(
                    self.name,
                    where.input,
                    run=where.run,
                    user=where.user,
                    conversation=where.conversation,
                    tenant=where.tenant,
                )
                session = await stack.enter_async_context(inner.session(where.run))
            yield session

    async def _do(self, where: Where, work: Callable[[Session], Awaitable[T]]) -> T:
        """Have something done in a session of the run, and wait for it here."""
        runtime = self.runtime
        return await asyncio.wrap_future(_begun(runtime, self._session(runtime, where), work))

    def _do_sync(self, where: Where, work: Callable[[Session], Awaitable[T]]) -> T:
        runtime = self.runtime
        return _begun(runtime, self._session(runtime, where), work).result()

    def showing(self, call: str) -> Showing:
        """Return what shows a model the outcome of the call with this key."""
        return Showing(self.agent.labels is not None, call)

    # model turns

    async def record(self, where: Where, turn: Turn) -> None:
        """Record a model turn of the run; see `Session.record`."""
        await self._do(where, lambda session: session.record(turn))

    def record_sync(self, where: Where, turn: Turn) -> None:
        """`record` for a caller without an event loop."""
        self._do_sync(where, lambda session: session.record(turn))

    async def recall(self, where: Where, key: str) -> Turn | None:
        """Return the turn recorded under *key*, or None; see `Session.recall`."""
        return await self._do(where, lambda session: session.recall(key))

    def recall_sync(self, where: Where, key: str) -> Turn | None:
        """`recall` for a caller without an event loop."""
        return self._do_sync(where, lambda session: session.recall(key))

    # people, and the end

    async def answer(self, question: str, approve: bool, by: str, note: str = "") -> None:
        """Answer a question for an approval or a confirmation, by its id.

        Raises:
            UnknownQuestionError: there is none, or it asks for something else.
            UnknownRunError: its run does not exist.
        """
        runtime = self.runtime
        await runtime.portal.wait_for(_answer(runtime, question, by, note, approve=approve))

    def answer_sync(self, question: str, approve: bool, by: str, note: str = "") -> None:
        """`answer` for a caller without an event loop."""
        runtime = self.runtime
        runtime.portal.run(_answer(runtime, question, by, note, approve=approve))

    async def finish(self, where: Where, output: Any = None) -> None:
        """End a run well, with its output; nothing happens where it has ended, or something of it is still open."""
        runtime = self.runtime
        with suppress(UnknownRunError):
            await asyncio.wrap_future(_begun(runtime, runtime.inner.session(where.run), _finishing(output)))

    def finish_sync(self, where: Where, output: Any = None) -> None:
        """`finish` for a caller without an event loop."""
        runtime = self.runtime
        with suppress(UnknownRunError):
            _begun(runtime, runtime.inner.session(where.run), _finishing(output)).result()

    # plain functions

    @contextmanager
    def run(
        self,
        run: str,
        *,
        user: str | Mapping[str, Any] | None = None,
        conversation: str | None = None,
        tenant: str = "",
        input: Any = None,  # noqa: A002 - it is the run's input
    ) -> Generator[Where]:
        """Say that what is called in this block belongs to the run with this id.

        The run ends with the block; where the block raises, or something waits for a person, it stays open, and goes
        on in a later block with the same id.

        Args:
            run: The run's id.
            user: Whom it acts for; see `Runtime.start`.
            conversation: Which dialogue it belongs to.
            tenant: Which tenant it belongs to.
            input: What the user said, in their own words and nothing besides; anything with a JSON form.
        """
        where = Where(run, user, conversation, tenant, input)
        block = Block(self, where, Counter(), set())
        token = _block.set(block)
        try:
            yield where
        finally:
            _block.reset(token)
        if not block.open:
            self.finish_sync(where)

    def __repr__(self) -> str:
        state = "closed" if self._runtime is None else "open"
        return f"<Governor {self.name}: {', '.join(self.agent.actions)} [{state}]>"


def here() -> Block | None:
    """Return the block of `Governor.run` that this code stands in, or None."""
    return _block.get()


async def _using(
    held: AbstractAsyncContextManager[Session],
    work: Callable[[Session], Awaitable[T]],
    land: Callable[[T | None, BaseException | None], object],
) -> None:
    """Do something in a session, and tell what came of it before the session ends.

    At its end it waits for whatever else is in flight in the run; that may be waiting for this very caller.
    """
    try:
        async with held as session:
            land(await work(session), None)
    except Exception as error:  # noqa: BLE001 - it is raised again where the caller is
        land(None, error)
    except BaseException:
        land(None, RuntimeError("the governor was closed; the journal says how far it came"))
        raise


def _begun(
    runtime: SyncRuntime, held: AbstractAsyncContextManager[Session], work: Callable[[Session], Awaitable[T]]
) -> "Future[T]":
    """Have something done in a session behind the portal, and return a future for what comes of it."""
    done: Future[Any] = Future()

    def land(result: T | None, error: BaseException | None) -> None:
        if done.done():
            return  # The caller has left, or the end of the session failed after all was said.
        if error is None:
            done.set_result(result)
        else:
            done.set_exception(error)

    runtime.portal.begin(_using(held, work, land))
    return done


def _finishing(output: Any) -> Callable[[Session], Awaitable[None]]:
    async def finish(session: Session) -> None:
        if not session.is_busy:
            with suppress(RunEndedError):
                await session.finish(output)

    return finish


async def _answer(runtime: SyncRuntime, question: str, by: str, note: str, *, approve: bool) -> None:
    found = await runtime.inner.question(question)
    await (found.approve(by, note) if approve else found.deny(by, note))
