"""The synchronous twin: the same runtime for code without an event loop, on a loop in a thread of its own."""

import asyncio
import threading
from collections.abc import Coroutine, Generator
from contextlib import contextmanager
from typing import Any, Self, TypeVar

from interlock.models import Proposal
from interlock.runtime.outcomes import Finished, Outcome, Stopped, Turn, Waiting
from interlock.runtime.questions import Question
from interlock.runtime.runtime import Run, Runtime
from interlock.runtime.session import Session
from interlock.undo import Item

T = TypeVar("T")


class _Loop:
    """An event loop in a daemon thread (a notebook's or a framework's own loop is left alone)."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="interlock-loop", daemon=True)
        self._thread.start()

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class SyncRuntime:
    """`Runtime` for synchronous code: `with SyncRuntime("desk.db", desk) as rt`; takes the same arguments."""

    def __init__(self, *args: Any, **options: Any) -> None:
        self._runtime = Runtime(*args, **options)
        self._loop: _Loop | None = None

    def __enter__(self) -> Self:
        self._loop = _Loop()
        try:
            self._run(self._runtime.__aenter__())
        except BaseException:
            self._loop.close()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        self._run(self._runtime.__aexit__(*error))
        assert self._loop is not None
        self._loop.close()

    def _run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        if self._loop is None:
            coroutine.close()
            raise RuntimeError("use it inside `with SyncRuntime(…)`")
        return self._loop.run(coroutine)

    def start(self, agent: str, input: Any = None, **options: Any) -> "SyncRun":  # noqa: A002 - it is the run's input
        """Start a run; see `Runtime.start`."""
        return SyncRun(self._run, self._run(self._runtime.start(agent, input, **options)))

    def run(self, run: str) -> "SyncRun":
        """Return a handle on the run with this id."""
        return SyncRun(self._run, self._runtime.run(run))

    @contextmanager
    def session(self, run: str) -> "Generator[SyncSession]":
        """Hold a run open for a loop of your own; see `Runtime.session`."""
        manager = self._runtime.session(run)
        session = self._run(manager.__aenter__())
        try:
            yield SyncSession(self._run, session)
        finally:
            self._run(manager.__aexit__(None, None, None))

    def questions(self, run: str | None = None) -> "list[SyncQuestion]":
        """Return what waits for a person, of one run or of all."""
        return [SyncQuestion(self._run, one) for one in self._run(self._runtime.questions(run))]


class SyncSession:
    """`Session` for synchronous code."""

    def __init__(self, run: Any, session: Session) -> None:
        self._run = run
        self._session = session

    def perform(self, proposal: Proposal) -> Outcome:
        """Take a proposal down the one path of an action; see `Session.perform`."""
        return self._run(self._session.perform(proposal))

    def record(self, turn: Turn) -> None:
        """Record a model turn; see `Session.record`."""
        self._run(self._session.record(turn))

    def recall(self, key: str) -> Turn | None:
        """Return the turn recorded under *key*, or None."""
        return self._run(self._session.recall(key))

    def finish(self, output: Any = None) -> None:
        """End the run well; see `Session.finish`."""
        self._run(self._session.finish(output))

    def fail(self, error: str) -> None:
        """End the run as failed; see `Session.fail`."""
        self._run(self._session.fail(error))


class SyncRun:
    """`Run` for synchronous code."""

    def __init__(self, run: Any, handle: Run) -> None:
        self._run = run
        self._handle = handle
        self.id = handle.id

    def result(self) -> Finished | Waiting | Stopped:
        """Return what became of the run; see `Run.result`."""
        return self._run(self._handle.result())

    def status(self) -> str:
        """Return the word for what the run is doing."""
        return self._run(self._handle.status())

    def cancel(self, by: str, reason: str = "") -> None:
        """Ask the run to stop; see `Run.cancel`."""
        self._run(self._handle.cancel(by, reason))

    def questions(self) -> "list[SyncQuestion]":
        """Return what the run asks people."""
        return [SyncQuestion(self._run, one) for one in self._run(self._handle.questions())]

    def undo_plan(self) -> "SyncPlan":
        """Return what an undo of the run would do now."""
        return SyncPlan(self._run, self._run(self._handle.undo_plan()))


class SyncPlan:
    """An undo plan for synchronous code."""

    def __init__(self, run: Any, plan: Any) -> None:
        self._run = run
        self._plan = plan

    @property
    def items(self) -> tuple[Item, ...]:
        """The effects, the last one first, and what will become of each."""
        return self._plan.items

    def apply(self, by: str) -> tuple[int, ...]:
        """Take back what the plan names; see `Plan.apply`."""
        return self._run(self._plan.apply(by))

    def __str__(self) -> str:
        return str(self._plan)


class SyncQuestion:
    """A question for synchronous code; `question` has its text."""

    def __init__(self, run: Any, question: Question) -> None:
        self._run = run
        self.question = question

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
