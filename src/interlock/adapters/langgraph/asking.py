"""A graph that waits for people: it is paused with their questions, and goes on with what they said."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple, TypeGuard, cast

from langchain_core.messages import ToolCall
from langgraph.types import interrupt

from interlock.kernel import events as ev
from interlock.runtime.outcomes import Outcome, Unknown, Waiting
from interlock.runtime.questions import Question
from interlock.runtime.runtime import Runtime

YES = frozenset({"approve", "accept"})
NO = frozenset({"deny", "reject"})

UNNAMED = "whoever resumed the graph"
"""Stands in the journal for a person whom nobody named."""


class Answer(NamedTuple):
    """What somebody who resumed a graph said; `question` is empty where they named none."""

    question: str
    word: str
    by: str
    note: str
    result: str | None


def is_asked(outcome: Outcome) -> TypeGuard[Waiting | Unknown]:
    """Whether it takes people, or time, before the call can go on."""
    return isinstance(outcome, Waiting) or (isinstance(outcome, Unknown) and bool(outcome.questions))


def paused(outcome: Waiting | Unknown, call: ToolCall) -> list[Answer]:
    """Pause the graph with what is asked; when it is resumed, return what was said. Nothing may have been.

    Raises:
        GraphInterrupt: the graph is to be paused here; LangGraph catches it.
    """
    said = interrupt(_request(outcome, call))
    each = cast("list[Any]", said) if isinstance(said, list) else [said]
    return [_answer(cast("Mapping[str, Any]", one)) for one in each if isinstance(one, Mapping)]


async def pass_on(runtime: Runtime, run: str, call: str, answers: Sequence[Answer], *, alone: bool) -> None:
    """Give answers to the questions that they are for; what is not asked any more is passed over.

    An answer that names no question counts only where the call has only ever asked one, and nothing else is asked in
    its task (*alone*). LangGraph hands a task its old answers again in the order of its interrupts, whatever is asked
    by then: an answer to one question must not become the answer to the next.
    """
    still_open = {one.id: one for one in await runtime.questions(run)}
    for answer in answers:
        question = answer.question or (await _only_one(runtime, run, call) if alone else "")
        if question in still_open:
            await _say(still_open.pop(question), answer)


async def _only_one(runtime: Runtime, run: str, call: str) -> str:
    """Return the id of the only question that this call has ever asked; empty where it has asked more."""
    history = await runtime.run(run).history()
    asked = [one for one in history if isinstance(one.event, ev.Asked) and f"{one.event.call}/".startswith(f"{call}/")]
    return f"{run}:{asked[0].seq}" if len(asked) == 1 else ""


async def _say(question: Question, answer: Answer) -> None:
    """Answer in the way that the question is answered in; another word answers nothing, and it is asked again."""
    if question.kind == "unknown":
        if answer.word == "happened":
            await question.happened(answer.by, answer.result, answer.note)
        elif answer.word == "never":
            await question.never(answer.by, answer.note)
    elif question.kind == "undo":
        pass  # It is about what a run has done, not about what a graph does: `interlock inbox` has it.
    elif answer.word in YES:
        await question.approve(answer.by, answer.note)
    elif answer.word in NO:
        await question.deny(answer.by, answer.note)


def _answer(said: Mapping[str, Any]) -> Answer:
    """Read an answer, in our words or in those of LangChain's middleware for people in the loop."""
    word = str(said.get("decision") or said.get("type") or "")
    note = str(said.get("note") or said.get("message") or "")
    result = said.get("result")
    text = result if result is None or isinstance(result, str) else json.dumps(result, default=str)
    return Answer(str(said.get("question") or ""), word, str(said.get("by") or UNNAMED), note, text)


def _request(outcome: Waiting | Unknown, call: ToolCall) -> dict[str, Any]:
    """Return what whoever is to answer needs to know, as plain data."""
    until = outcome.until if isinstance(outcome, Waiting) else outcome.again_at
    return {
        "tool": call["name"],
        "tool_call_id": call["id"],
        "questions": [
            {
                "question": one.id,
                "kind": one.kind,
                "level": one.level,
                "says": one.says,
                "args": one.args,
                "reasons": list(one.reasons),
            }
            for one in outcome.questions
        ],
        "until": datetime.fromtimestamp(until / 1_000_000, UTC).isoformat() if until else None,
    }
