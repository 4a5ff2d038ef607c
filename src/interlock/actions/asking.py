"""Ready-made actions that the runtime carries out itself: asking the user, handing a task on to another agent."""

from typing import Any

from interlock.actions.action import Action, action
from interlock.actions.context import Ctx


@action.read
async def ask_user(ctx: Ctx[Any], question: str) -> str:
    """Ask the user a question and wait for the answer. Use it when something that only the user knows is missing."""
    raise NotImplementedError("the runtime asks the user itself; this function is never called")


def handing_on(name: str, does: str) -> Action[Any, Any, Any]:
    """Return the action with which an agent hands a task on to the agent *name*, which *does* this.

    Raises:
        DeclarationError: the name can't be an action's.
    """

    async def hand_on(ctx: Ctx[Any], task: str) -> Any:
        raise NotImplementedError("the runtime hands the task on itself; this function is never called")

    hand_on.__name__ = name
    hand_on.__doc__ = f"Hand a task on to another agent and wait for its answer. It knows nothing but the task. {does}"
    return action.read(hand_on)
