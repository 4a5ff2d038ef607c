"""Where an agent run stands in the journal: its run, its turns, and the key of each call."""

from collections.abc import Awaitable, Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import count
from typing import Any, NamedTuple

import msgspec
from pydantic_ai import RunContext
from pydantic_ai.exceptions import UnexpectedModelBehavior, UserError
from pydantic_ai.messages import ModelMessage, ModelRequest, ModelResponse

from interlock.adapters.governor import Where
from interlock.runtime.outcomes import Outcome, Unknown, Waiting

User = Callable[[RunContext[Any]], str | Mapping[str, Any] | None]
"""Says whom a run acts for."""

MARK = "interlock"
"""Under which key of a response's metadata its mark is kept; the model does not see metadata."""


class Asked(msgspec.Struct, frozen=True):
    """A question that a call waits for: its id, what exactly it was asked about, and the call's key."""

    question: str
    digest: str
    key: str
    args: Any


class Mark(msgspec.Struct):
    """Where a response of the model stands in the journal; a later agent run goes on from there."""

    run: str
    turn: int
    asked: dict[str, Asked] = {}
    """By the id of the tool call."""

    @classmethod
    def of(cls, response: ModelResponse) -> "Mark | None":
        """Return the mark that a response bears, or None."""
        try:
            return msgspec.convert((response.metadata or {}).get(MARK), cls)
        except msgspec.ValidationError:
            return None

    def put(self, response: ModelResponse) -> "Mark":
        """Have a response bear the mark."""
        response.metadata = {**(response.metadata or {}), MARK: msgspec.to_builtins(self)}
        return self


class Inside(NamedTuple):
    """A body that is being performed: what is called within it is numbered."""

    agent_run: str | None
    key: str
    where: Where
    numbers: "count[int]"


_inside: ContextVar[Inside | None] = ContextVar("inside", default=None)


class Place(NamedTuple):
    """The key of a call, and the response that it stands in; None for a call that another tool makes."""

    key: str
    response: ModelResponse | None = None


class Trail:
    """Where one agent run stands in the journal.

    The mutable state: the step that the agent is in, how often the model has answered in it, an answer that is still
    coming, the calls that the model was told are open, and what it has to be told because that is no longer so.

    Args:
        where: The run of the journal.
        agent_run: The framework's id of the agent run.
        going_on: The mark of the response whose calls this agent run begins with, if it goes on with some.
        defers: Whether questions end the agent run, as deferred tool requests.
        answered_by: Who answered the deferred requests of the earlier run, by the ids of the tool calls.
        denied: What those were told whose answer was no.
    """

    def __init__(
        self,
        where: Where,
        agent_run: str | None,
        *,
        going_on: Mark | None = None,
        defers: bool = False,
        answered_by: Mapping[str, str] | None = None,
        denied: Mapping[str, str] | None = None,
    ) -> None:
        self.where = where
        self.agent_run = agent_run
        self._going_on = going_on
        self.defers = defers
        self.answered_by = answered_by or {}
        self.denied = denied or {}
        self.open: dict[str, str] = {}
        self.closed: dict[str, str] = {}
        self.unrecorded: Callable[[ModelResponse], Awaitable[object]] | None = None
        self._step = 0
        self._answers = 0
        self._outdated: set[str] = set()
        self._names: set[str] = set()
        self._news: str | None = None

    @classmethod
    def begin(cls, ctx: RunContext[Any], user: User | None, **more: Any) -> "Trail":
        """Return the trail of an agent run that begins: a new one, or that of the calls that it goes on with."""
        mark = None
        if ctx.prompt is None or more.get("answered_by") is not None:
            response = pending(ctx.messages)
            if response is not None:
                mark = Mark.of(response) or Mark(ctx.run_id or "", 0).put(response)
        run = ctx.run_id or "" if mark is None else mark.run
        where = Where(run, user(ctx) if user is not None else None, ctx.conversation_id)
        return cls(where, ctx.run_id, going_on=mark, **more)

    def enter(self, step: int) -> None:
        """Note that the agent is about to ask its model."""
        self._step = step
        self._answers = 0
        self.unrecorded = None

    @property
    def request(self) -> str:
        """The key of the next request: it stays the same until the request has been answered."""
        return f"turn/{self._turn(self._step)}.{self._answers}"

    def answer(self) -> None:
        """Note that the request has been answered; there may be another in this step."""
        self._answers += 1

    async def record(self, response: ModelResponse) -> None:
        """Record the answer that came in pieces, unless that has been done."""
        record, self.unrecorded = self.unrecorded, None
        if record is not None:
            await record(response)

    def _turn(self, step: int) -> int:
        return step if self._going_on is None else self._going_on.turn + step

    def mark(self, response: ModelResponse, step: int) -> Mark:
        """Return the mark of a response, put there if it has none, or one that something else has left on it."""
        known = Mark.of(response)
        turn = self._turn(step)
        if known is not None and (known.run, known.turn) == (self.where.run, turn):
            return known
        return Mark(self.where.run, turn).put(response)

    def place(self, ctx: RunContext[Any]) -> Place:
        """Return the place of a tool call: the same when the run is played again, and no other call's.

        Raises:
            UnexpectedModelBehavior: two calls of one response have the same id.
            UserError: it is no call of an agent.
        """
        within = _inside.get()
        if within is not None and within.agent_run == ctx.run_id:
            return Place(f"{within.key}/{next(within.numbers)}")
        response = next((one for one in reversed(ctx.messages) if isinstance(one, ModelResponse)), None)
        calls = [] if response is None else [call.tool_call_id for call in response.tool_calls]
        if response is None or ctx.tool_call_id not in calls:
            raise UserError("a governed tool is called by an agent run, or within another tool of it")
        if calls.count(ctx.tool_call_id) > 1:
            raise UnexpectedModelBehavior(f"two tool calls of one response have the id {ctx.tool_call_id!r}")
        return Place(f"{self.mark(response, ctx.run_step).turn}/{calls.index(ctx.tool_call_id)}", response)

    # what the model was told

    def note(self, key: str, action: str, outcome: Outcome) -> None:
        """Note what the model is told about a call: that it is open, or what became of it."""
        if isinstance(outcome, (Waiting, Unknown)):
            self.open[key] = action
        else:
            self.open.pop(key, None)
            self.closed[key] = action

    def compare(self, was_open: Iterable[str]) -> None:
        """Compare what was open when an answer was recorded with what is open now."""
        self._outdated.update(key for key in was_open if key in self.closed)

    def tell(self, ctx: RunContext[Any]) -> None:
        """Have the model told what has changed since it answered, before the agent run ends.

        The answers that it has given count, because they may have been acted on; but it is to hear how things ended.
        """
        if not self._outdated:
            return
        if self._news is None or not ctx.dequeue(self._news):
            self._names = set[str]()
        self._names |= {self.closed[key] for key in self._outdated}
        self._outdated.clear()
        news = f"What you were told about {', '.join(sorted(self._names))} has changed since: see the results above."
        self._news = ctx.enqueue(news, priority="when_idle")

    # within a body

    @contextmanager
    def inside(self, key: str) -> Generator[None]:
        """Say that the body of a call is being performed."""
        token = _inside.set(Inside(self.agent_run, key, self.where, count()))
        try:
            yield
        finally:
            _inside.reset(token)


def run_id_within() -> str | None:
    """Return an id for an agent run that a tool starts, the same when the tool is performed again; None outside."""
    within = _inside.get()
    return None if within is None else f"{within.where.run}/{within.key}/{next(within.numbers)}"


def pending(messages: Sequence[ModelMessage]) -> ModelResponse | None:
    """Return the response at the end of a history whose tool calls have not all been answered, or None."""
    answered: set[str] = set()
    for message in reversed(messages):
        if isinstance(message, ModelRequest):
            answered |= {id_ for part in message.parts if (id_ := getattr(part, "tool_call_id", None))}
        elif {call.tool_call_id for call in message.tool_calls} - answered:
            return message
        else:
            return None
    return None
