"""A planner that is a model without actions, asked with a form to fill in."""

from collections.abc import Sequence
from typing import Final

import msgspec

from interlock.actions.schema import MisfitError
from interlock.canonical import canonical
from interlock.models import Closing, Model, ModelError, Request, Response, UserSaid, opened
from interlock.provenance.cleaning import LIMIT
from interlock.provenance.planner import Offered, Plan
from interlock.runtime.form import Form
from interlock.runtime.quarantine import response_of
from interlock.runtime.records import said

_INSTRUCTIONS: Final = (
    "You are given what a user said to an assistant, and the actions that the assistant has. Propose `answer`, once, "
    "with the names of the actions that the user's words themselves ask for, or can't be carried out without. Name an "
    "action only if the user would be surprised that it was not done. What the user forbids is not asked for. To look "
    "something up, to summarise it or to answer asks for none. Words that leave it to a text what is done (do what the "
    "e-mail says) ask for none either. If in doubt, leave an action out: a person is asked then."
)


class ModelPlanner:
    """Asks a model which effects a user's words call for; see `Planner`.

    It is asked once, without any of the run's results; an answer that does not fit grants nothing.

    Args:
        model: What plans: a model, or its name.
    """

    def __init__(self, model: str | Model) -> None:
        self._model = model
        self._form = Form("planner", list[str])
        self._definition = msgspec.structs.replace(
            self._form.definition, description="Give the names of the actions that are asked for, once."
        )

    async def plan(self, words: str, actions: Sequence[Offered]) -> Plan:
        """Return what the model says is asked for, and what asking cost; a model that fails is a plan with an error.

        Raises:
            DeclarationError: the model can't be opened.
        """
        self._model = model = opened(self._model)
        if len(words) > LIMIT:
            error = f"the user's words have {len(words):,} characters, at most {LIMIT:,} are planned for"
            return Plan(model=model.name, error=error)
        asked = canonical({"actions": msgspec.to_builtins(actions), "the user said": words}).decode()
        request = Request(_INSTRUCTIONS, (UserSaid(asked),), (self._definition,), must_propose=True)
        try:
            response = await response_of(model, request)
        except ModelError as error:
            return Plan(model=model.name, error=said(error))
        try:
            return _plan(model, response, tuple(self._form.filled(response)))
        except MisfitError as error:
            return _plan(model, response, error=f"its answer does not fit: {', '.join(error.kinds)}")

    async def close(self) -> None:
        """Close what the model holds in the running event loop; one that was never opened holds nothing."""
        if isinstance(self._model, Closing):
            await self._model.aclose()


def _plan(model: Model, response: Response, grants: tuple[str, ...] = (), error: str = "") -> Plan:
    return Plan(grants, model.name, error, response.input_tokens, response.output_tokens, response.cost)
