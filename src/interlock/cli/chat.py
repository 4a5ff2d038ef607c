"""`interlock chat`: a conversation with an agent in the terminal, or through a pipe."""

import asyncio
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from interlock.agents import Agent
from interlock.cli import inbox, text, undo, undo_plan
from interlock.cli.answers import myself
from interlock.cli.errors import INTERRUPTED, WELL
from interlock.cli.notes import Notes, logged
from interlock.cli.project import agents, journal_path
from interlock.cli.reading import opened, row_of
from interlock.cli.run import To, stopped_because, thinking, words_of
from interlock.cli.screen import Screen
from interlock.cli.show import show_run
from interlock.cli.undo_apply import Planned, Undone, begun, check, followed, planned
from interlock.cli.undo_scope import Target
from interlock.errors import InterlockError
from interlock.runtime.ids import run_id
from interlock.runtime.outcomes import Finished, Stopped, Waiting
from interlock.runtime.sync import SyncQuestion, SyncRun, SyncRuntime

HELP = "/show what happened, /undo it, /quit; anything else is said to the agent"


def chat_with(
    given: Path | None, named: Sequence[str], agent: str, *, user: str | None, conversation: str | None, json: bool
) -> int:
    """Talk with an agent until the input ends, /quit or ^C."""
    path, known = journal_path(given, must_exist=False), agents(named)
    thinking(known, agent)
    to = To(agent, user or myself(), conversation or f"chat-{run_id()}")
    code = WELL
    with logged(noted=True), SyncRuntime(path, *known.values()) as rt:
        try:
            _Chat(rt, known, to, path, given, json=json).go()
        except KeyboardInterrupt:
            code = INTERRUPTED
    sys.stderr.write(f"interlock: go on with `interlock chat {agent} --conversation {to.conversation}`\n")
    return code


class _Chat:
    """One conversation.

    The mutable state: the last run, the runs that wait for other people, the questions that were shown already.
    """

    def __init__(
        self,
        rt: SyncRuntime,
        known: dict[str, Agent],
        to: To,
        path: Path,
        given: Path | None,
        *,
        json: bool,
    ) -> None:
        assert to.user is not None
        self._rt = rt
        self._known = known
        self._to = to
        self._user = to.user
        self._path = path
        self._given = given
        self._notes = Notes(path, json=json)
        self._json = json
        self._screen = Screen()
        self._typed = sys.stdin.isatty() and not json
        self._last: SyncRun | None = None
        self._waiting: list[SyncRun] = []
        self._shown: set[str] = set()

    def go(self) -> None:
        """Take one line after another."""
        if self._typed:
            self._note(HELP)
        while (line := self._read("> ")) is not None:
            for run in self._waiting.copy():
                self._follow(run)
            if not self._took(line.strip()):
                return

    def _took(self, line: str) -> bool:
        """Do what a line says, and return whether to go on."""
        if line == "/quit":
            return False
        try:
            if line.startswith("/"):
                self._command(line)
            elif line:
                to = self._to
                self._last = self._rt.send(to.agent, line, user=to.user, conversation=to.conversation)
                self._follow(self._last)
        except InterlockError as error:
            self._note(str(error), "red")
        return True

    def _command(self, line: str) -> None:
        if line not in ("/show", "/undo"):
            self._note(HELP)
        elif self._last is None:
            self._note("nothing was said yet")
        elif line == "/show":
            show_run(self._path, self._last.id, json=self._json)
        else:
            self._undo(self._last)

    # a run, to its end or to where it waits for others

    def _follow(self, run: SyncRun) -> None:
        """Say what the agent says, and put the user's questions to the user, until others are needed."""
        said = False
        while True:
            with self._notes.of(run.id):
                said = self._hear(run) or said
                result = run.result()
            if isinstance(result, Waiting) and self._answered(result.questions):
                continue
            break
        self._waiting = [one for one in self._waiting if one.id != run.id]
        match result:
            case Waiting():
                self._waiting.append(run)
            case Finished(output) if not self._json:
                if not said:
                    self._screen.line(words_of(output))
            case Finished(output):
                self._tell(type="ended", run=run.id, status="done", output=output)
            case Stopped(status, reason) if self._json:
                self._tell(type="ended", run=run.id, status=status, reason=reason)
            case Stopped():
                self._note(asyncio.run(self._stopped(run, result)), "red")

    def _hear(self, run: SyncRun) -> bool:
        said = False
        for sentence in run.text():
            said = True
            if self._json:
                self._tell(type="said", run=run.id, text=sentence)
            else:
                sys.stdout.write(text.visible(sentence, lines=True))
                sys.stdout.flush()
        if said and not self._json:
            sys.stdout.write("\n")
        return said

    def _answered(self, questions: Sequence[SyncQuestion]) -> bool:
        """Put the user's own questions to the user, show those for others once; return whether any has its answer."""
        answered = False
        for one in questions:
            if one.id not in self._shown:
                self._shown.add(one.id)
                self._show(one)
            if one.kind == "confirmation":
                answered = self._confirm(one) or answered
            elif one.kind == "question":
                answered = self._reply(one) or answered
        return answered

    def _confirm(self, question: SyncQuestion) -> bool:
        yes = self._yes_or_no()
        if yes is None:
            return False
        if yes:
            question.approve(self._user)
        else:
            question.deny(self._user)
        return True

    def _reply(self, question: SyncQuestion) -> bool:
        words = self._read("answer> ")
        if not words:
            return False
        question.answer(words.strip(), self._user)
        return True

    def _undo(self, run: SyncRun) -> None:
        found = asyncio.run(planned(self._path, Target(run.id), self._known))
        self._plan(found, None)
        if not found.made.batches:
            return
        # What rests on it was shown: a yes is to leaving that.
        undo.check_dependants(found.made, "without")
        asyncio.run(check(self._path, found.made))
        if self._yes_or_no():
            request = asyncio.run(begun(self._path, found.made, self._user, "ask"))
            self._plan(found, asyncio.run(followed(self._path, found.made, request)))

    def _plan(self, found: Planned, undone: Undone | None) -> None:
        if self._json:
            self._tell(type="undo", **undo_plan.as_json(found, undone))
        elif undone is None:
            undo_plan.put(self._screen, found)
        else:
            undo_plan.put_undone(self._screen, found.made, undone)

    # the terminal

    def _show(self, question: SyncQuestion) -> None:
        item = asyncio.run(self._item(question))
        if self._json:
            self._tell(type="asked", **inbox.as_json(item))
        else:
            inbox.put(self._screen, item, time.time_ns() // 1000, self._given, own=question.kind != "approval")

    async def _stopped(self, run: SyncRun, result: Stopped) -> str:
        async with opened(self._path) as journal:
            return await stopped_because(journal, run.id, result, self._given)

    async def _item(self, question: SyncQuestion) -> inbox.Item:
        run, _, seq = question.id.rpartition(":")
        async with opened(self._path) as journal:
            return await inbox.item(journal, await row_of(journal, run), int(seq))

    def _yes_or_no(self) -> bool | None:
        while (line := self._read("y/n> ")) is not None:
            word = line.strip().lower()
            if word in ("y", "yes"):
                return True
            if word in ("n", "no"):
                return False
            self._note("y or n?")
        return None

    def _read(self, prompt: str) -> str | None:
        """Return the next line of input, None at its end."""
        if self._typed:
            with suppress(ImportError):
                import readline  # noqa: F401, PLC0415  # pyright: ignore[reportUnusedImport]  # gives `input` a history
            with suppress(EOFError):
                return input(prompt)
            return None
        return sys.stdin.readline() or None

    def _note(self, words: str, colour: str = "dim") -> None:
        if self._json:
            self._tell(type="note", text=words)
        else:
            self._screen.line((text.visible(words), colour))

    def _tell(self, **document: Any) -> None:
        self._screen.json(document)
