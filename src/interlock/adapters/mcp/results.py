"""Between outcomes and what a client of the protocol is answered."""

import shlex
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from interlock.adapters.telling import told
from interlock.runtime.outcomes import Denied, Done, Failed, Outcome, Unknown, Waiting
from interlock.runtime.questions import Question

AGAIN = "Call it again with the same arguments to find out; it will not be done twice."


class ToolError(Exception):
    """A tool answered that it went wrong (`isError`). In a declaration's `refuses=` it says: then nothing happened."""


def words(result: Mapping[str, Any]) -> str:
    """Return the text of a result."""
    content = result.get("content")
    parts = cast("list[Any]", content) if isinstance(content, list) else []
    blocks = [cast("dict[str, Any]", one) for one in parts if isinstance(one, dict)]
    return "\n".join(str(one.get("text")) for one in blocks if one.get("type") == "text")


def error(text: str) -> dict[str, Any]:
    """Return the result of a tool that says: this went wrong. A model reads it."""
    return {"content": [{"type": "text", "text": text}], "isError": True}


def answered(outcome: Outcome, journal: Path | None) -> dict[str, Any]:
    """Return what a client is answered where no answer of the server is at hand.

    Args:
        outcome: What became of the call.
        journal: Where people find the questions.
    """
    match outcome:
        case Done(result, _) if isinstance(result, Mapping) and "content" in result:
            return dict(cast("Mapping[str, Any]", result))
        case Done(result, problem):
            why = problem or (f"a person says that it came to this: {result}" if result is not None else "it was lost")
            return error(f"It was done, but its answer is not there: {why}. Do not do it again.")
        case Waiting(questions=()):
            when = datetime.fromtimestamp(outcome.until / 1_000_000, UTC).isoformat(" ", "seconds")
            return error(f"Nothing has been done yet: it has to wait until {when}. After that, {_lower(AGAIN)}")
        case Waiting(questions=questions):
            return error(f"Nothing has been done yet: {_asked(questions, journal)} {AGAIN}")
        case Unknown(reason, _, questions):
            who = f" A person is asked whether it happened: {_asked(questions, journal)}" if questions else ""
            return error(f"{reason}.{who} {AGAIN}")
        case Denied() | Failed():
            return error(told(outcome))


def _asked(questions: tuple[Question, ...], journal: Path | None) -> str:
    parts = [f"{_whom(one)} ({_commands(one, journal)})" for one in questions]
    return f"{' and '.join(parts)}."


def _whom(question: Question) -> str:
    match question.kind:
        case "approval":
            return f"it waits for the approval of {question.level or 'a person'}"
        case "confirmation":
            return "it waits for the user's confirmation"
        case _:
            return f"question {question.id} is open"


def _commands(question: Question, journal: Path | None) -> str:
    where = f" --journal {shlex.quote(str(journal))}" if journal is not None else ""
    name = shlex.quote(question.id)
    if question.kind == "unknown":
        return f"`interlock answer {name} happened{where}`, or `never`"
    return f"`interlock approve {name}{where}`, or `deny`"


def _lower(text: str) -> str:
    return text[0].lower() + text[1:]
