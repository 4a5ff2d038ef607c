"""`interlock approve`, `deny` and `answer`: a person's decision, posted durably into the run's inbox."""

import asyncio
import getpass
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec

from interlock.cli import text
from interlock.cli.errors import WELL, AnswerError, UsageError
from interlock.cli.inbox import LATER, commands, open_questions, posted
from interlock.cli.project import journal_path
from interlock.cli.reading import opened, row_of
from interlock.cli.screen import Screen
from interlock.errors import UnknownRunError
from interlock.journal.journal import Journal
from interlock.kernel import events as ev
from interlock.runtime.clock import SystemClock
from interlock.runtime.mailbox import Mailbox
from interlock.runtime.questions import Question, parse

PATIENCE = 0.5
"""How long it is waited whether a runtime takes the answer in, in seconds."""


def myself() -> str:
    """Return the login name of whoever runs this command.

    Raises:
        UsageError: the system does not say.
    """
    try:
        return getpass.getuser()
    except (OSError, KeyError) as error:
        raise UsageError("the system does not say who you are; give --by NAME") from error


def decide(given: Path | None, question: str, decision: str, *, by: str | None, note: str, json: bool) -> int:
    """Post a yes or no."""
    return asyncio.run(_post(given, question, _Answer(decision, by or myself(), note), json=json))


def tell(given: Path | None, question: str, words: str, *, result: str, by: str | None, note: str, json: bool) -> int:
    """Post what became of an effect, how an undo goes on, or the answer to what an agent asks its user.

    Raises:
        UsageError: *result* is not JSON.
    """
    try:
        value = msgspec.json.decode(result)
    except msgspec.DecodeError as error:
        raise UsageError(f"--result {result}: this is not JSON ({error})") from error
    return asyncio.run(_post(given, question, _Answer(words, by or myself(), note, value, told=True), json=json))


class _Answer(msgspec.Struct, frozen=True):
    """What a person says; `told` where it is given in words."""

    words: str
    by: str
    note: str
    result: object = None
    told: bool = False


async def _post(given: Path | None, name: str, answer: _Answer, *, json: bool) -> int:
    async with opened(journal_path(given)) as journal:
        given_run, seq = parse(name)
        run = (await row_of(journal, given_run)).id
        question = await _open(journal, run, seq)
        await _give(question, answer, given)
        taken = await taken_in(lambda: posted(journal, run, seq))
    screen = Screen()
    if json:
        document = {"question": question.id, "decision": answer.words, "by": answer.by, "action": question.action}
        screen.json({**document, "taken_in": taken})
        return WELL
    after = "the run has taken it in" if taken else LATER
    screen.line(f"posted: {text.value(answer.words)[1:-1]} by {text.visible(answer.by)}; {after}")
    return WELL


async def _open(journal: Journal, run: str, seq: int) -> Question:
    """Return the question, if it is one and still open.

    Raises:
        UsageError: there is no such question.
        AnswerError: it is decided, or its time is over.
    """
    clock = SystemClock()
    try:
        question = await Mailbox(journal, clock).question(run, seq)
    except UnknownRunError:
        raise UsageError(f"run {run} has no event {seq}; `interlock inbox` lists what is asked") from None
    earlier = await posted(journal, run, seq)
    if earlier is not None:
        raise AnswerError(
            f"question {question.id} has its answer: {earlier.decision} by {earlier.by}, not taken in yet"
        )
    if seq not in open_questions(await journal.state(run)):
        raise AnswerError(f"question {question.id} is closed: {await _closed(journal, run, seq)}")
    if 0 < question.expires <= clock.now():
        over = text.span(clock.now() - question.expires)
        raise AnswerError(f"question {question.id} is closed: its time was over {over} ago")
    return question


async def _closed(journal: Journal, run: str, seq: int) -> str:
    for one in await journal.history(run, seq, (ev.Answered, ev.Lapsed)):
        event = one.event
        if isinstance(event, ev.Answered) and event.question == seq:
            return f"{event.decision} by {event.by} at {text.moment(one.at)}"
        if isinstance(event, ev.Lapsed) and event.question == seq:
            return f"nobody answered in time, {text.moment(one.at)}"
    return "what it was about is over, or another question took its place"


async def _give(question: Question, answer: _Answer, given: Path | None) -> None:
    """Post the answer as the kind of question wants it.

    Raises:
        UsageError: this kind takes another answer.
    """
    kind, words = question.kind, answer.words
    instead = " or ".join(f"`{one}`" for one in commands(kind, question.id, given))
    if answer.told != (kind not in ("approval", "confirmation")):
        raise UsageError(f"question {question.id} is of kind {kind}; answer it with {instead}")
    asks, taken = _TAKEN.get(kind, ("", (words,)))
    if words not in taken:
        raise UsageError(f"question {question.id} asks {asks}; answer it with {instead}")
    if answer.result is not None and words != "happened":
        raise UsageError("--result is for `happened`")
    if kind == "question":
        await question.answer(words, answer.by)
    elif words == "happened":
        await question.happened(answer.by, answer.result, answer.note)
    else:
        await _posting(question)[words](answer.by, answer.note)


_TAKEN = {
    "unknown": ("whether something happened", ("happened", "never")),
    "undo": ("how an undo goes on", ("again", "leave", "stop")),
}
"""What kinds of question ask, and the words that they take."""


def _posting(question: Question) -> dict[str, Callable[[str, str], Awaitable[None]]]:
    return {
        "approve": question.approve,
        "deny": question.deny,
        "never": question.never,
        "again": question.again,
        "leave": question.leave,
        "stop": question.stop,
    }


async def taken_in(lies: Callable[[], Awaitable[object]]) -> bool:
    """Wait a moment, and return whether a runtime has taken in what *lies* in an inbox (falsy: no more)."""
    for _ in range(10):
        if not await lies():
            return True
        await asyncio.sleep(PATIENCE / 10)
    return False
