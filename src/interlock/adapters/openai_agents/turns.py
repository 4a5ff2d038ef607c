"""One turn of a model: its number in the run, what the journal keeps of it, whether it has been made before."""

import json
import time
from typing import Any, cast

from agents import ModelResponse, TResponseInputItem

from interlock.adapters.governor import Governor
from interlock.adapters.openai_agents import responses, shown
from interlock.adapters.openai_agents.lives import Items, once
from interlock.adapters.openai_agents.places import CallId, Place
from interlock.canonical import canonical, digest
from interlock.errors import KeyReusedError
from interlock.runtime.outcomes import Turn


class AskedTurn:
    """One turn, from its question to its answer.

    Args:
        governor: Whose journal it is.
        place: Where in the run it is.
        model: The model's name.
        agent: The agent's.
        instructions: What the model is told first.
        asked: The rest of what it is told.

    Attributes:
        asked: What the model gets to see of it.
    """

    def __init__(  # noqa: PLR0917 - it is made in two places, which have them all
        self,
        governor: Governor,
        place: Place,
        model: str,
        agent: str,
        instructions: str | None,
        asked: str | list[TResponseInputItem],
    ) -> None:
        items = [{"role": "user", "content": asked}] if isinstance(asked, str) else cast("Items", asked)
        self._governor = governor
        self._place = place
        self._model = model
        self._began = time.monotonic()
        self._number = _number(place, items)
        items = once(items, place.mark, self._number)
        new = shown.news(items)
        self.asked = shown.restored(items)
        self._request = {
            "agent": agent,
            "input": responses.plain(shown.restored(new)),
            "answers": _answers(place, self._number, new),
        }
        if place.is_new(digest(canonical([agent, responses.plain(instructions)]))):
            self._request["instructions"] = responses.plain(instructions)

    async def recalled(self) -> ModelResponse | None:
        """Return the response of this turn if it is in the journal.

        Raises:
            KeyReusedError: it was an answer to something else.
        """
        key, run = self._place.turn(self._number), self._place.block.where
        turn = await self._governor.recall(run, key)
        if turn is None:
            return None
        before, now = turn.request["answers"], self._request["answers"]
        if before != now:
            raise KeyReusedError(
                f"turn {key} of run {run.run!r} was an answer to {_short(before)}, and now it is asked {_short(now)}: "
                "give each piece of work, and each of two at once, a run id of its own"
            )
        return responses.recalled(turn.response)

    async def record(self, response: ModelResponse) -> ModelResponse:
        """Put the response into the journal, and return it as it stands there when that is durable."""
        kept = responses.recorded(response)
        turn = Turn(
            self._model,
            self._request,
            kept,
            response.usage.input_tokens,
            response.usage.output_tokens,
            time.monotonic() - self._began,
            self._place.turn(self._number),
        )
        await self._governor.record(self._place.block.where, turn)
        recalled = responses.recalled(kept)
        recalled.raw_usage = response.raw_usage
        return recalled

    def delivered(self, response: ModelResponse) -> ModelResponse:
        """Return the response as the SDK gets it; the turn is over."""
        self._place.turns = self._number + 1
        self._place.waits(False)
        return responses.delivered(response, self._call)

    def named(self, item: Any, index: int) -> Any:
        """Return an item of a stream as the SDK gets it."""
        return responses.delivered_item(item, index, self._call)

    def _call(self, index: int, original: str) -> CallId:
        return self._place.call(self._number, index, original)


def _number(place: Place, items: Items) -> int:
    """Return the number of the turn.

    A state of the SDK that goes on, maybe in another process, ends with the results of the turn before. What begins
    anew ends with the user's words, and its turns are counted.
    """
    last = items[-1] if items else {}
    before = place.seen(last.get("call_id")) if str(last.get("type")).endswith("_output") else None
    return place.turns if before is None else before + 1


def _answers(place: Place, number: int, new: Items) -> Any:
    """Return what a turn answers: the user's last words, or the calls whose results it is told."""
    if new and new[-1].get("role") == "user":
        return responses.plain(new[-1].get("content"))
    calls = (CallId.parse(one["call_id"]) for one in new if place.seen(one.get("call_id")) == number - 1)
    return sorted({call.key for call in calls if call is not None})


def _short(said: Any) -> str:
    text = said if isinstance(said, str) else json.dumps(said)
    return repr(text if len(text) <= 80 else f"{text[:80]}…")
