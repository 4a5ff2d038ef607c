"""Models without a provider: one that follows a script, one that plays a recorded run again."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence

from interlock.models.messages import ModelSaid, Proposal, Request, Response
from interlock.models.model import ModelError

Step = str | Proposal | Sequence[Proposal] | Response
"""What a script's step may be: words, a proposal, several at once, or a whole response."""


class ScriptedModel:
    """A model whose answers are written beforehand; never call what it does intelligence.

    Args:
        script: Its answers in order, or a function from the request to the next answer.
        name: What the journal calls it.
        pause: How long it takes to begin, in seconds.

    A list is played once a conversation: the next answer is found by how many responses the messages hold, so that a
    run that was interrupted goes on where it was, and a second message goes on behind the first one's answers.
    """

    def __init__(
        self, script: Sequence[Step] | Callable[[Request], Step], *, name: str = "scripted", pause: float = 0.0
    ) -> None:
        self.name = name
        self._script = script
        self._pause = pause

    async def respond(self, request: Request) -> AsyncGenerator[str | Response]:
        """Yield the words of the next answer, then the answer; see `Model.respond`.

        Raises:
            ModelError: the script is at its end.
        """
        if self._pause:
            await asyncio.sleep(self._pause)
        response = as_response(self._script(request) if callable(self._script) else self._next(request))
        for piece in _pieces(response.text):
            yield piece
        yield response

    def _next(self, request: Request) -> Step:
        assert not callable(self._script)
        place = sum(isinstance(message, ModelSaid) for message in request.messages)
        if place >= len(self._script):
            raise ModelError(
                f"the script of model {self.name!r} has {len(self._script)} answers, and its conversation asks for one "
                "more; write one for each turn of the conversation, the last of each run in words, or give a function",
                transient=False,
            )
        return self._script[place]

    def __repr__(self) -> str:
        return f"<ScriptedModel {self.name}>"


class RecordedModel:
    """A model that answers as one did in a recorded run, whatever it is shown.

    Args:
        responses: The recorded responses, in order.
        name: What the journal calls it; say whose answers they were.
    """

    def __init__(self, responses: Iterable[Response | ModelSaid], *, name: str = "recorded") -> None:
        self.name = name
        self._responses = [as_response(one) for one in responses]

    async def respond(self, request: Request) -> AsyncGenerator[str | Response]:
        """Yield the text of the recorded answer, then the answer; see `Model.respond`.

        Raises:
            ModelError: the recording is at its end.
        """
        place = sum(isinstance(message, ModelSaid) for message in request.messages)
        if place >= len(self._responses):
            raise ModelError(
                f"the recording {self.name!r} holds {len(self._responses)} responses, and one more was asked for: "
                "this run has left what was recorded",
                transient=False,
            )
        response = self._responses[place]
        if response.text:
            yield response.text
        yield response

    def __repr__(self) -> str:
        return f"<RecordedModel {self.name} [responses: {len(self._responses)}]>"


def as_response(step: "Step | ModelSaid") -> Response:
    """Return a step of a script as the response that it stands for."""
    if isinstance(step, Response):
        return step
    if isinstance(step, str):
        return Response(text=step)
    if isinstance(step, ModelSaid):
        return Response(text=step.text, proposals=step.proposals, finish="calls" if step.proposals else "stop")
    proposals = (step,) if isinstance(step, Proposal) else tuple(step)
    return Response(proposals=proposals, finish="calls")


def _pieces(text: str) -> list[str]:
    """Cut a text into words with what follows them, as a stream would bring it."""
    words = text.split(" ")
    return [word + " " for word in words[:-1]] + words[-1:] if text else []
