"""The loop of an agent that thinks with a model, as the states of a machine: thinking, acting, thinking, … done.

Each entry of a state is one step of the loop, so that a crash costs at most the step that was under way, whatever the
run's age. What the steps rest on (asking the model, performing, refusing) is the flow's, and durable.
"""

from collections.abc import Callable, Coroutine, Mapping, Sequence
from itertools import groupby
from typing import Any, Literal, Protocol

from interlock.actions.action import Action
from interlock.actions.context import Ctx
from interlock.actions.schema import Signature
from interlock.errors import AnswerWithheldError
from interlock.machines import Final, Machine, State
from interlock.models import Definition, Proposal, Response

ANSWER = "answer"
"""The name under which a model proposes its structured answer."""

MOST_PROPOSALS = 64
"""How many proposals of one turn are taken."""

Following = Literal["thinking", "acting", "done"]


class Steps(Protocol):
    """What the loop needs of a flow."""

    output: Any
    withheld: bool
    """Whether a check kept a part of the last turn's words from the user."""
    begun: str
    """What the user had read of the last turn's answer before it was interrupted."""

    async def turn(self) -> Response:
        """Ask the model, once and durably."""
        ...

    async def proposals(self) -> Sequence[Proposal]:
        """Return what the model proposed in its last turn."""
        ...

    def news(self) -> bool:
        """Whether words of the user came that the last turn has not seen."""
        ...

    def perform(self, action: str, args: Any, *, key: str) -> Coroutine[Any, Any, Any]:
        """Take a proposal down the path of an action."""
        ...

    def gather(self, *steps: Coroutine[Any, Any, Any]) -> Coroutine[Any, Any, Any]:
        """Do several steps at once."""
        ...

    async def refuse(self, proposal: Proposal, reason: str, instead: str, *, key: str) -> None:
        """Turn a proposal (or the whole answer) down, and tell the model why."""
        ...

    async def objection(self, answer: Any) -> tuple[str, str] | None:
        """Return why the texts of a structured answer may not be given, and what to do instead; None where they may."""
        ...


class Loop:
    """The code behind the states.

    Args:
        actions: The agent's actions.
        output: The type of the answer, or None where it is words.
    """

    def __init__(self, actions: Mapping[str, Action[Any, Any, Any]], output: Any) -> None:
        self._actions = actions
        self.answer = None if output is None else _answer(output)

    def machine(self) -> Machine:
        """Return the standard machine."""
        return Machine(
            State("thinking", self.think, to=["acting", "thinking", "done"]),
            State("acting", self.act, to=["thinking", "done"]),
            Final("done"),
        )

    def definitions(self, offered: Callable[[str], bool]) -> tuple[Definition, ...]:
        """Return what the model is told that it can propose: of the actions, those that are *offered*."""
        told = [
            Definition(one.name, one.doc, one.signature.json_schema())
            for one in self._actions.values()
            if offered(one.name)
        ]
        if self.answer is not None:
            told.append(Definition(ANSWER, self.answer.doc, self.answer.json_schema()))
        return tuple(told)

    async def think(self, flow: Steps) -> Following:
        """Ask the model, and see where its answer leads."""
        response = await flow.turn()
        if response.proposals:
            return "acting"
        if response.finish == "filtered":
            raise AnswerWithheldError(f"the provider of model {response.model!r} withheld the answer: {response.text}")
        text = flow.begun + response.text
        refused = _unusable(response, text) or self._not_structured()
        if refused is not None:
            await flow.refuse(Proposal(ANSWER), *refused, key=ANSWER)
            return "thinking"
        if flow.withheld or flow.news():
            return "thinking"
        flow.output = text
        return "done"

    async def act(self, flow: Steps) -> Following:
        """Perform what was proposed: independent reads together, effects one after the other."""
        proposals = await flow.proposals()
        if len(proposals) > MOST_PROPOSALS:
            reason = f"{len(proposals)} proposals in one turn, at most {MOST_PROPOSALS} are taken; none was performed"
            await self._refuse_all(flow, proposals, reason)
            return "thinking"
        for reads, group in groupby(enumerate(proposals), lambda one: self._is_read(one[1])):
            calls = [(place, one) for place, one in group if not self._is_answer(one)]
            if reads:
                await flow.gather(*(flow.perform(one.action, one.args, key=str(place)) for place, one in calls))
                continue
            for place, one in calls:
                await flow.perform(one.action, one.args, key=str(place))
        answers = [(place, one) for place, one in enumerate(proposals) if self._is_answer(one)]
        if answers and await self._took(flow, answers, alone=len(answers) == len(proposals)):
            return "done"
        return "thinking"

    # structured answers

    def _is_answer(self, proposal: Proposal) -> bool:
        return self.answer is not None and proposal.action == ANSWER

    async def _took(self, flow: Steps, answers: list[tuple[int, Proposal]], *, alone: bool) -> bool:
        """Take the first answer, if it fits and stands alone; refuse what is not taken."""
        assert self.answer is not None
        (place, proposal), *others = answers
        for other, one in others:
            await flow.refuse(one, "one answer is taken", "give it once", key=str(other))
        instead = f"propose {ANSWER} alone, with arguments that fit its schema"
        early = _early(flow, alone=alone)
        if early:
            await flow.refuse(proposal, early, instead, key=str(place))
            return False
        try:
            output = self.answer.arguments(proposal.args)["answer"]
        except (ValueError, TypeError, RecursionError) as error:
            await flow.refuse(proposal, f"it does not fit: {error}", instead, key=str(place))
            return False
        objection = await flow.objection(output)
        if objection is not None:
            await flow.refuse(proposal, *objection, key=str(place))
            return False
        flow.output = output
        return True

    def _not_structured(self) -> tuple[str, str] | None:
        if self.answer is None:
            return None
        return "it is in words, and this agent's answer has a schema", f"propose {ANSWER}"

    # proposals

    def _is_read(self, proposal: Proposal) -> bool:
        action = self._actions.get(proposal.action)
        return action is None or (action.effect == "read" and not action.egress)

    async def _refuse_all(self, flow: Steps, proposals: Sequence[Proposal], reason: str) -> None:
        for place, one in enumerate(proposals):
            await flow.refuse(one, reason, "propose fewer", key=str(place))


def _unusable(response: Response, text: str) -> tuple[str, str] | None:
    """Return what is wrong with an answer without proposals, and what to do instead; None where it can be used."""
    if response.finish == "length":
        return "it was cut off at the limit of tokens", "go on where it stopped, and be shorter"
    if not text.strip():
        return "it is empty", "answer the user, or propose an action"
    return None


def _early(flow: Steps, *, alone: bool) -> str:
    """Return what an answer can't have taken into account; empty where there is nothing."""
    if not alone:
        return "it came with proposals whose results it can't have seen"
    return "the user has said something since" if flow.news() else ""


def _answer(output: Any) -> Signature:
    """Return the structured answer as the signature of an action with one argument."""

    def answer(ctx: Ctx[Any], answer: Any) -> Any:
        """Give the final answer, when nothing more is to be done."""

    answer.__annotations__ = {"ctx": Ctx[Any], "answer": output, "return": output}
    return Signature(ANSWER, answer)
