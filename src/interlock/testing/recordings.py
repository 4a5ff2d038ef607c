"""A recorded run as a test: the same proposals before another policy, answered as recorded."""

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, cast

import msgspec

from interlock.actions.action import Action, Refused
from interlock.actions.context import Ctx
from interlock.agents import Agent
from interlock.kernel import events as ev
from interlock.kernel.events import Event, Recorded
from interlock.machines import State
from interlock.models import Proposal
from interlock.runtime.runtime import Run
from interlock.runtime.session import Session
from interlock.testing.memory import MemoryRuntime, approving, runtime

RUN = "replay"
DENIED = "denied"
PERMITTED = "permitted"


class Decision(msgspec.Struct, frozen=True):
    """What was decided about a proposal: permitted or denied, what it needed first, and why.

    Two decisions are equal when verdict and needs are; reasons are for people.
    """

    verdict: str
    needs: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()

    def same(self, other: "Decision") -> bool:
        """Whether it is the same decision, whatever its reasons."""
        return (self.verdict, sorted(self.needs)) == (other.verdict, sorted(other.needs))

    def __str__(self) -> str:
        needs = f", needing {' and '.join(self.needs)}" if self.needs else ""
        reasons = f" ({'; '.join(self.reasons)})" if self.reasons else ""
        return f"{self.verdict}{needs}{reasons}"


class Proposed(msgspec.Struct, frozen=True, omit_defaults=True):
    """One proposal of a recorded run: where in the machine it was made, what was decided, what came of it.

    `facts` are the facts that the decision read, by the path that a rule names ("booking.owner").
    """

    key: str
    action: str
    args: Any
    decision: Decision
    state: str = ""
    facts: dict[str, Any] = {}
    result: Any = None
    error: str = ""


class Recording(msgspec.Struct, frozen=True, omit_defaults=True):
    """What `replay` needs of a run; `to_json` and `from_json` keep it in a file beside the tests."""

    agent: str
    proposals: tuple[Proposed, ...]
    user: Any = None
    tenant: str = ""

    def to_json(self) -> bytes:
        """Return it as indented JSON."""
        return msgspec.json.format(msgspec.json.encode(self), indent=2)

    @classmethod
    def from_json(cls, data: bytes | str) -> "Recording":
        """Return the recording that `to_json` wrote.

        Raises:
            msgspec.DecodeError: it is not one.
        """
        return msgspec.json.decode(data, type=cls)


class Difference(msgspec.Struct, frozen=True):
    """A proposal about which is decided differently now."""

    proposed: Proposed
    now: Decision

    def __str__(self) -> str:
        one = self.proposed
        args = ", ".join(f"{name}={value!r}" for name, value in _arguments(one.args).items())
        return f"{one.action}({args}) [{one.key}]\n    was: {one.decision}\n    now: {self.now}"


class Replay(msgspec.Struct, frozen=True):
    """What came of a replay: each proposal's decision now, and those that differ from the recorded ones."""

    decisions: tuple[Decision, ...]
    differences: tuple[Difference, ...]

    def __str__(self) -> str:
        head = f"{len(self.differences)} of {len(self.decisions)} decisions differ"
        return "\n".join((head, *(f"  {one}" for one in self.differences)))


def recorded(history: Sequence[Recorded]) -> Recording:
    """Return the proposals of a run, from its history (`await run.history()`), of this journal or any other.

    Raises:
        ValueError: the history does not begin with the start of a run.
    """
    if not history or not isinstance(history[0].event, ev.RunStarted):
        raise ValueError("this is not the whole history of a run: it does not begin with its start")
    started = history[0].event
    state, proposals = "", dict[str, Proposed]()
    for one in history:
        event = one.event
        if isinstance(event, ev.Entered):
            state = event.state
        else:
            _account(proposals, event, state)
    user = msgspec.json.decode(bytes(started.user))
    return Recording(started.agent, tuple(proposals.values()), user, started.tenant)


def _account(proposals: dict[str, Proposed], event: Event, state: str) -> None:
    """Add what *event* tells about a proposal: it is new, or has come to its outcome."""
    key = getattr(event, "call", "")
    known = proposals.get(key)
    if known is None and isinstance(event, _FIRST) and not getattr(event, "undoes", 0):
        if isinstance(event, ev.Denied) and event.stage == "run":
            return  # It was not judged: the run was being cancelled, or the process had no thread left.
        known = proposals[key] = _proposed(key, event, state)
    if known is None:
        return
    if isinstance(event, ev.Done):
        proposals[key] = msgspec.structs.replace(known, result=msgspec.json.decode(bytes(event.result)))
    elif isinstance(event, ev.Failed):
        proposals[key] = msgspec.structs.replace(known, error=event.error)


_FIRST = (ev.Denied, ev.Asked, ev.Delayed, ev.Intended, ev.Done, ev.Failed)
"""What a proposal's first event can be: it holds arguments and judgement (a read that failed has none)."""


def _proposed(
    key: str, event: "ev.Denied | ev.Asked | ev.Delayed | ev.Intended | ev.Done | ev.Failed", state: str
) -> Proposed:
    judgement = getattr(event, "judgement", None) or ev.Judgement()
    reasons = event.reasons if isinstance(event, ev.Denied) else ()
    return Proposed(
        key=key,
        action=event.action,
        args=msgspec.json.decode(bytes(event.args)),
        decision=Decision(DENIED if reasons else PERMITTED, judgement.needs, reasons),
        state=state,
        facts=msgspec.json.decode(bytes(judgement.facts)) or {},
    )


async def replay(what: Recording | Sequence[Recorded] | Run, agent: Agent) -> Replay:
    """Make the proposals of a recorded run to *agent*, in memory, and return which decisions differ.

    Nothing of the agent is performed: actions answer with the recorded results, facts with what was read then
    (a fact that was not read then can't be gathered, so a rule that reads it now denies, and says so). Where
    people are asked, they say yes; delays pass at once.
    """
    if isinstance(what, Run):
        what = await what.history()
    recording = what if isinstance(what, Recording) else recorded(what)
    current: list[Proposed] = []
    stand_in = _stand_in(agent, current)
    async with runtime(stand_in) as rt:
        await rt.start(agent.name, run=RUN, user=recording.user, tenant=recording.tenant)
        for one in recording.proposals:
            current[:] = [one]
            await _propose(rt, agent, one)
        again = {one.key: one.decision for one in recorded(rt.reader().history(RUN)).proposals}
    decisions = tuple(again[one.key] for one in recording.proposals)
    pairs = zip(recording.proposals, decisions, strict=True)
    return Replay(decisions, tuple(Difference(one, now) for one, now in pairs if not one.decision.same(now)))


async def _propose(rt: MemoryRuntime, agent: Agent, one: Proposed) -> None:
    """Make one proposal in the machine's state in which it was made, and follow it to its end."""
    async with rt.session(RUN) as session:
        live = session._live  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
        offers = None
        if one.state and agent.machine is not None:
            state = agent.machine.states.get(one.state)
            offers = state.offers if isinstance(state, State) else frozenset[str]()
            if live.state.place != one.state:
                await live.append(ev.Entered(state=one.state, entry=live.state.entry + 1))
        path = rt._path  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
        proposal = Proposal(one.action, _arguments(one.args), one.key)
        await rt.outcome(Session(path, live, "", offers), proposal, approving("replay"))


def _arguments(recorded: Any) -> dict[str, Any]:
    return cast("dict[str, Any]", recorded) if isinstance(recorded, dict) else {"": recorded}


def _stand_in(agent: Agent, current: list[Proposed]) -> Agent:
    """Return a copy of *agent* without machine and world; its functions answer for the current proposal."""
    twin = copy.copy(agent)
    twin.machine, twin.deps = None, None
    twin.actions = {name: _stand_in_action(action, current) for name, action in agent.actions.items()}
    return twin


def _stand_in_action(action: Action[Any, Any, Any], current: list[Proposed]) -> Action[Any, Any, Any]:
    async def answer(ctx: Ctx[Any], **args: Any) -> Any:
        if current[0].error:
            raise Refused(current[0].error)
        return current[0].result

    def fact(name: str) -> Callable[..., Any]:
        async def look(ctx: Ctx[Any], **args: Any) -> Any:
            return _fact(current[0].facts, name)

        return look

    twin = copy.copy(action)
    _ = action.signature
    vars(twin)["signature"] = action.signature
    twin.function, twin.verify_function = answer, None
    twin.facts = {name: fact(name) for name in action.facts}
    return twin


class _Partial(Mapping[str, Any]):
    """A fact as far as it was read when it was recorded; to read more of it is an error, not an absence."""

    def __init__(self) -> None:
        self._read: dict[str, Any] = {}

    def put(self, steps: Sequence[str], value: Any) -> None:
        """Add what was read at the end of *steps*."""
        if len(steps) == 1:
            self._read[steps[0]] = value
            return
        inner = self._read.setdefault(steps[0], _Partial())
        if isinstance(inner, _Partial):
            inner.put(steps[1:], value)

    def __getitem__(self, name: str) -> Any:
        if name not in self._read:
            raise LookupError(f"{name!r} was not read when this was recorded")
        return self._read[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._read)

    def __len__(self) -> int:
        return len(self._read)


def _fact(facts: Mapping[str, Any], name: str) -> Any:
    """Return a fact as far as it was read then.

    Raises:
        LookupError: nothing of it was read.
    """
    if name in facts:
        return facts[name]
    found = _Partial()
    for path, value in facts.items():
        first, *steps = path.split(".")
        if first == name:
            found.put(steps, value)
    if not found:
        raise LookupError("it was not read when this was recorded")
    return found
