"""The synchronous twin: the same runtime for code without an event loop, on a loop in a thread of its own."""

import os
from collections.abc import AsyncGenerator, Coroutine, Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Protocol, Self, TypeVar, cast

from interlock.agents import Agent
from interlock.errors import DeclarationError
from interlock.journal.store import Store
from interlock.models import Proposal
from interlock.runtime.applying import Plan
from interlock.runtime.handles import Run
from interlock.runtime.options import Credentials
from interlock.runtime.outcomes import Denied, Done, Failed, Finished, Stopped, Turn, Unknown, Waiting
from interlock.runtime.portal import Portal
from interlock.runtime.questions import Question
from interlock.runtime.runtime import Runtime
from interlock.runtime.session import Session
from interlock.runtime.speaking import Spoken
from interlock.undo import Dependant, Item, Otherwise

T = TypeVar("T")

_END: Any = object()


class _Runner(Protocol):
    """What runs a coroutine to its end on the loop, and returns what it returns."""

    def __call__(self, coroutine: Coroutine[Any, Any, T]) -> T: ...


class SyncRuntime:
    """`Runtime` for synchronous code: `with SyncRuntime("desk.db", desk) as rt`; takes the same arguments.

    Attributes:
        inner: The runtime itself; it lives on the loop behind `portal`.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        self.inner = Runtime(*args, **options)
        self._portal: Portal | None = None

    def __enter__(self) -> Self:
        self._portal = Portal()
        try:
            self._run(self.inner.__aenter__())
        except BaseException:
            portal, self._portal = self._portal, None
            portal.close()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        try:
            self._run(self.inner.__aexit__(*error))
        finally:
            portal, self._portal = self.portal, None
            portal.close()

    @property
    def portal(self) -> Portal:
        """The way to the loop that the runtime lives on.

        Raises:
            RuntimeError: it is not open.
        """
        if self._portal is None:
            raise RuntimeError("use it inside `with SyncRuntime(…)`")
        return self._portal

    def _run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        try:
            portal = self.portal
        except RuntimeError:
            coroutine.close()
            raise
        return portal.run(coroutine)

    def start(self, agent: str, input: Any = None, **options: Any) -> "SyncRun":  # noqa: A002 - it is the run's input
        """Start a run; see `Runtime.start`."""
        return SyncRun(self._run, self._run(self.inner.start(agent, input, **options)))

    def send(self, agent: str, text: str, **options: Any) -> "SyncRun":
        """Bring a message of a user to an agent; see `Runtime.send`."""
        return SyncRun(self._run, self._run(self.inner.send(agent, text, **options)))

    def run(self, run: str) -> "SyncRun":
        """Return a handle on the run with this id."""
        return SyncRun(self._run, self.inner.run(run))

    @contextmanager
    def session(self, run: str) -> "Generator[SyncSession]":
        """Hold a run open for a loop of your own; see `Runtime.session`."""
        manager = self.inner.session(run)
        session = self._run(manager.__aenter__())
        try:
            yield SyncSession(self._run, session)
        finally:
            self._run(manager.__aexit__(None, None, None))

    def questions(self, run: str | None = None) -> "list[SyncQuestion]":
        """Return what waits for a person, of one run or of all."""
        return [SyncQuestion(self._run, one) for one in self._run(self.inner.questions(run))]


class SyncSession:
    """`Session` for synchronous code."""

    def __init__(self, run: _Runner, session: Session) -> None:
        self._run = run
        self._session = session

    def perform(self, proposal: Proposal) -> "Done | Denied | SyncWaiting | Failed | Unknown":
        """Take a proposal down the one path of an action; see `Session.perform`."""
        outcome = self._run(self._session.perform(proposal))
        return _waiting(self._run, outcome) if isinstance(outcome, Waiting) else outcome

    def record(self, turn: Turn) -> None:
        """Record a model turn; see `Session.record`."""
        self._run(self._session.record(turn))

    def recall(self, key: str) -> Turn | None:
        """Return the turn recorded under *key*, or None."""
        return self._run(self._session.recall(key))

    def speak(self, text: str, *, key: str = "", reader: Any = None) -> Spoken:
        """Take an answer down to its user, as far as they may be shown it; see `Session.speak`."""
        return self._run(self._session.speak(text, key=key, reader=reader))

    def finish(self, output: Any = None) -> None:
        """End the run well; see `Session.finish`."""
        self._run(self._session.finish(output))

    def fail(self, error: str) -> None:
        """End the run as failed; see `Session.fail`."""
        self._run(self._session.fail(error))


class SyncRun:
    """`Run` for synchronous code."""

    def __init__(self, run: _Runner, handle: Run) -> None:
        self._run = run
        self._handle = handle
        self.id = handle.id

    def result(self) -> "Finished | SyncWaiting | Stopped":
        """Return what became of the run; see `Run.result`."""
        found = self._run(self._handle.result())
        return _waiting(self._run, found) if isinstance(found, Waiting) else found

    def text(self) -> Generator[str]:
        """Yield what the agent says to its user, sentence by sentence; see `Run.text`."""
        return _each(self._run, self._handle.text())

    def drafts(self) -> Generator[str]:
        """Yield the model's words as they come, before anybody has looked at them; see `Run.drafts`."""
        return _each(self._run, self._handle.drafts())

    def status(self) -> str:
        """Return the word for what the run is doing."""
        return self._run(self._handle.status())

    def cancel(self, by: str, reason: str = "", *, undo: bool = False) -> None:
        """Ask the run to stop; see `Run.cancel`."""
        self._run(self._handle.cancel(by, reason, undo=undo))

    def questions(self) -> "list[SyncQuestion]":
        """Return what the run asks people."""
        return [SyncQuestion(self._run, one) for one in self._run(self._handle.questions())]

    def undo_plan(self) -> "SyncPlan":
        """Return what an undo of the run would do now."""
        return SyncPlan(self._run, self._run(self._handle.undo_plan()))


class SyncPlan:
    """An undo plan for synchronous code."""

    def __init__(self, run: _Runner, plan: Plan) -> None:
        self._run = run
        self._plan = plan

    @property
    def items(self) -> tuple[Item, ...]:
        """The effects, the last one first, and what will become of each."""
        return self._plan.items

    @property
    def dependants(self) -> tuple[Dependant, ...]:
        """Later effects, not in the plan, that rest on what it takes back."""
        return self._plan.dependants

    def with_dependants(self) -> "SyncPlan":
        """Return the plan that also takes back what rests on this one's effects."""
        return SyncPlan(self._run, self._run(self._plan.with_dependants()))

    def apply(self, by: str, *, otherwise: Otherwise = "stop", user: Any = None) -> tuple[Item, ...]:
        """Take back what the plan names; see `Plan.apply`."""
        return self._run(self._plan.apply(by, otherwise=otherwise, user=user))

    def __str__(self) -> str:
        return str(self._plan)


class SyncQuestion:
    """A question for synchronous code; `id`, `kind`, `level`, `says` and `reasons` are those of `question`."""

    def __init__(self, run: _Runner, question: Question) -> None:
        self._run = run
        self.question = question
        self.id = question.id
        self.kind = question.kind
        self.level = question.level
        self.says = question.says
        self.reasons = question.reasons

    def approve(self, by: str, note: str = "") -> None:
        """Say yes."""
        self._run(self.question.approve(by, note))

    def deny(self, by: str, note: str = "") -> None:
        """Say no."""
        self._run(self.question.deny(by, note))

    def happened(self, by: str, result: Any = None, note: str = "") -> None:
        """Say that the effect in question did happen."""
        self._run(self.question.happened(by, result, note))

    def never(self, by: str, note: str = "") -> None:
        """Say that the effect in question did not happen and will not."""
        self._run(self.question.never(by, note))

    def again(self, by: str, note: str = "") -> None:
        """Have the undo try again."""
        self._run(self.question.again(by, note))

    def leave(self, by: str, note: str = "") -> None:
        """Have the undo leave this effect, and go on with the rest."""
        self._run(self.question.leave(by, note))

    def stop(self, by: str, note: str = "") -> None:
        """Have the undo end here."""
        self._run(self.question.stop(by, note))

    def answer(self, text: str, by: str) -> None:
        """Answer a question that the agent asks its user."""
        self._run(self.question.answer(text, by))

    def __repr__(self) -> str:
        return repr(self.question)


@dataclass(frozen=True, match_args=False)
class SyncWaiting(Waiting):
    """`Waiting` for synchronous code: its questions are answered without an event loop."""

    # A question's twin has the same methods and waits in them, so that the one can't stand for the other by type.
    questions: tuple[SyncQuestion, ...] = ()  # pyright: ignore[reportIncompatibleVariableOverride]

    @property
    def question(self) -> SyncQuestion:  # pyright: ignore[reportIncompatibleMethodOverride]
        """The first of the questions; see `Waiting.question`."""
        return cast("SyncQuestion", super().question)


def _waiting(run: _Runner, found: Waiting) -> SyncWaiting:
    return SyncWaiting(tuple(SyncQuestion(run, one) for one in found.questions), found.until)


def _each(run: _Runner, items: AsyncGenerator[T]) -> Generator[T]:
    """Yield what *items* yields on the loop; whoever stops early stops them too."""

    async def following() -> T:
        return await anext(items, _END)

    try:
        while (item := run(following())) is not _END:
            yield item
    finally:
        with suppress(RuntimeError):  # The loop that has ended has closed them itself.
            run(items.aclose())


def run_sync(
    agent: Agent,
    text: str,
    *,
    journal: str | os.PathLike[str] | Store = ":memory:",
    user: str | Mapping[str, Any] | None = None,
    tenant: str = "",
    conversation: str | None = None,
    message_id: str | None = None,
    credentials: Credentials | None = None,
) -> Finished | SyncWaiting | Stopped:
    """Bring one message to an agent and return what became of it: for scripts and notebooks.

    It works where an event loop runs already. What waits for a person is in the journal, if that is a file; answer it
    with the `interlock` command or in a `SyncRuntime`.

    Args:
        agent: The agent, with a model or a machine.
        text: What the user says.
        journal: As for `Runtime`; by default one in memory, of which nothing is left.
        user: Whom the run acts for; see `Runtime.start`.
        tenant: Which tenant the run belongs to.
        conversation: Which dialogue it belongs to; in a journal that is kept, the agent knows what was said before.
        message_id: Your own id of the message; see `Runtime.send`.
        credentials: As for `Runtime`.

    Raises:
        DeclarationError: nothing drives the agent, or a `message_id` comes without conversation and user.
        OtherUserError: the conversation is another user's.
        DriverConflictError: another process drives this journal.
    """
    if agent.machine is None:
        raise DeclarationError(f"agent {agent.name!r} would never answer; give it model=… (or machine=…)")
    with SyncRuntime(journal, agent, credentials=credentials) as rt:
        options = {"user": user, "tenant": tenant, "conversation": conversation, "message_id": message_id}
        return rt.send(agent.name, text, **options).result()
