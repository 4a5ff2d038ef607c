"""The recorded writes before the guardian, each in the world in which it was recorded.

What the guardian stops is done beside it, as the recorded desk did it: so that every decision is about the world of the
recording, and none depends on an earlier one.
"""

import re
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress

from msgspec import Struct

from benchmarks.tau import actions, confirmation
from benchmarks.tau.desk import Conversation, Desk
from benchmarks.tau.policy import POLICY
from benchmarks.tau.recorded import Call, Saying, Trajectory
from benchmarks.tau.world import World
from interlock import Agent, Ctx, Denied, Proposal, Refused, Runtime, Session, Waiting

NAME = "desk"


class Decision(Struct, frozen=True):
    """What became of a call: permitted, denied by rules, or left unconfirmed.

    `rules` are the sentences that the rules cite; `lacks` says what the customer's yes lacked, empty where there was
    one, or where nobody asked for it because the rules denied.
    """

    rules: tuple[str, ...] = ()
    lacks: str = ""

    @property
    def is_stopped(self) -> bool:
        """Whether it was not done."""
        return bool(self.rules or self.lacks)

    @property
    def by(self) -> tuple[str, ...]:
        """The names of the sentences that stopped it."""
        return self.rules or (("confirm",) if self.lacks else ())


class Judge:
    """A runtime with the airline's policy, and conversations in it."""

    def __init__(self, runtime: Runtime, desk: Desk) -> None:
        self._runtime = runtime
        self._desk = desk
        self._runs = 0

    async def decide(self, conversation: Conversation, call: Call, *, given: bool = False) -> Decision:
        """Judge one call by the path of an action, as far as its performance; nothing is changed.

        *given* says that the customer confirms whatever is asked.
        """
        self._runs += 1
        run = f"{NAME}-{self._runs}"
        self._desk[run] = conversation
        try:
            await self._runtime.start(NAME, run=run)
            async with self._runtime.session(run) as session:
                return await _weighed(session, conversation, call, given=given)
        finally:
            del self._desk[run]

    @staticmethod
    def open() -> tuple[Runtime, Desk]:
        """Return a runtime that is not entered yet, and the desk that its actions work at."""
        desk: Desk = {}
        return Runtime(":memory:", Agent(NAME, actions.ALL, policy=POLICY, deps=lambda: desk)), desk


async def _weighed(session: Session, conversation: Conversation, call: Call, *, given: bool) -> Decision:
    proposal = Proposal(call.name, call.args, "write")
    match await session.weigh(proposal):
        case None:
            return Decision()
        case Denied(reasons=reasons):
            return Decision(_cited(reasons))
        case Waiting(question):
            lacks = "" if given else confirmation.missing(conversation, question.action, question.args)
            if lacks:
                return Decision(lacks=lacks)
            await question.approve(by="the customer")
            match await session.weigh(proposal):
                case None:
                    return Decision()
                case Denied(reasons=reasons):
                    return Decision(_cited(reasons))
                case other:
                    raise AssertionError(f"{call}: {other}")
        case other:
            raise AssertionError(f"{call}: {other}")


def _cited(reasons: Iterable[str]) -> tuple[str, ...]:
    """Return the short names of the sentences that the reasons begin with; other reasons as they are."""
    return tuple(dict.fromkeys(re.sub(r"^([a-z ]+): .*", r"\1", one, flags=re.DOTALL) for one in reasons))


async def performed(conversation: Conversation, call: Call, key: str) -> bool:
    """Do a write as the recorded desk did it, beside the guardian; tell whether it changed anything."""
    declared = next(one for one in actions.WRITES if one.name == call.name)
    world, before = conversation.world, conversation.world.copy()
    with suppress(Refused, *actions.MALFORMED):
        await declared.function(Ctx[Desk]({key: conversation}, key=key, run=key), **call.args)
    return (world.reservations, world.users) != (before.reservations, before.users)


async def changes(conversation: Conversation, call: Call) -> bool:
    """Tell whether a write would change anything."""
    return await performed(Conversation(conversation.world.copy()), call, "tried")


See = Callable[[Conversation, Call], Awaitable[None]]


async def through(world: World, trajectory: Trajectory, see: See) -> None:
    """Play one recorded conversation, and have each of its answered writes seen before it is done."""
    conversation = Conversation(world.copy())
    for place, event in enumerate(trajectory.events):
        if isinstance(event, Saying):
            conversation.said.append((event.role, event.text))
        elif event.is_write and event.observation is not None:
            await see(conversation, event)
            await performed(conversation, event, f"w{place}")


async def through_gold(world: World, trajectory: Trajectory, see: See) -> None:
    """Play the gold writes of a task, one after another; the customer's id and instruction stand for what they say."""
    conversation = Conversation(world.copy(), [("user", f"{trajectory.user_id}: {trajectory.instruction}")])
    for place, call in enumerate(trajectory.gold):
        if call.is_write:
            await see(conversation, call)
            await performed(conversation, call, f"w{place}")
