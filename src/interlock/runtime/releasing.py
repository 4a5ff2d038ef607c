"""What of an agent's words their user may read: whole sentences, looked at by the checks, without secrets."""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple, cast

import msgspec

from interlock.canonical import digest
from interlock.kernel import events as ev
from interlock.kernel.events import Event
from interlock.kernel.evolve import short
from interlock.provenance.outgoing import Outgoing
from interlock.runtime.backing import Backing
from interlock.runtime.claims import Claims
from interlock.runtime.live import LiveRun
from interlock.runtime.records import said, writable
from interlock.runtime.sentences import Sentences, problem_with

MOST_OF_A_KIND = 2
"""How often the same kind of thing is wrong with a run's words, nothing achieved in between, until it is parked."""

STAGE = "words"
"""The stage of a denial of words by where their content came from, or by what they claim."""

UNTRACED = "where its content came from could not be told"


class Problem(NamedTuple):
    """What is wrong with words, and what may be said instead; `kind` is empty where a check of the author found it."""

    kind: str
    says: str
    instead: str


class Releasing:
    """Takes the words of one answer as they come, and gives back what is released.

    Args:
        live: The run whose words they are.
        turn: The turn's key.
        elsewhere: Whether somebody else than the run's own user reads them.

    The mutable state: `problem` (what was found; nothing that comes after it is released), the sentence that has begun,
    what the looks keep of the sentences before, and what the last sentences were, as they came and as they were shown:
    a secret may go over several.
    """

    def __init__(self, live: LiveRun, turn: str, *, elsewhere: bool = False) -> None:
        agent = live.agent
        self.problem: Problem | None = None
        self._live = live
        self._turn = turn
        self._elsewhere = elsewhere
        self._sentences = Sentences()
        self._outgoing: Outgoing | None = None
        self._claims = Claims(agent.reach, None if agent.labels is None else agent.labels.phrases)
        self._backing = Backing(live)
        self._begins = ""
        self._came = ""
        self._shown = ""

    async def feed(self, words: str) -> list[ev.Said]:
        """Return what *words* complete.

        Raises:
            UnicodeEncodeError: half of a surrogate pair is among them.
            JournalError: what the run did can't be read.
        """
        return await self._released(self._sentences.feed(words))

    async def rest(self) -> list[ev.Said]:
        """Return what is left at the end.

        Raises:
            UnicodeEncodeError: half of a surrogate pair is in it.
            JournalError: what the run did can't be read.
        """
        return await self._released(self._sentences.rest())

    async def objection(self, answer: Any) -> tuple[str, str] | None:
        """Return why the texts of a structured answer (plain data) may not be given, and what to do instead.

        Raises:
            JournalError: what the run did can't be read.
        """
        cut = Sentences()
        for sentence in (one for text in _texts(answer) for one in (*cut.feed(text), *cut.rest())):
            found = await self._looked_at(sentence)
            if found is not None:
                return f"{sentence.strip()[:80]!r} may not be said, because {found.says}", found.instead
        return None

    async def _released(self, sentences: Iterable[str]) -> list[ev.Said]:
        released: list[ev.Said] = []
        for sentence in sentences:
            if self.problem is not None or self._live.agent.speaks_in_structure:
                break
            self.problem = await self._looked_at(sentence)
            if self.problem is not None:
                self._begins = sentence.strip()[:80]
            elif (shown := self._without_secrets(sentence)).text:
                released.append(shown)
        return released

    # the looks

    async def _looked_at(self, sentence: str) -> Problem | None:
        found = problem_with(sentence, self._live.agent.checks)
        if found is not None:
            return Problem("", found, "say it in another way")
        return await self._traced(sentence) or await self._claimed(sentence)

    async def _traced(self, sentence: str) -> Problem | None:
        """Look at where the sentence's content came from; where that fails, the words stay inside."""
        live = self._live
        if live.agent.labels is None:
            return None
        try:
            if self._outgoing is None:
                index = await live.tracing.index(live)
                self._outgoing = Outgoing(index, own=live.agent.labels.own, elsewhere=self._elsewhere)
            found = self._outgoing.problem(sentence)
        except UnicodeEncodeError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever goes wrong in a look, the words stay inside
            return Problem("untraced", f"{UNTRACED}: {said(error)}", "say it in another way")
        return None if found is None else Problem(*found)

    async def _claimed(self, sentence: str) -> Problem | None:
        """Look whether the sentence says that something was done which was not."""
        for claim in self._claims.in_sentence(sentence):
            if not await self._backing.backs(claim):
                names = ", ".join(sorted(claim.actions))
                return Problem(
                    "claim",
                    f"it says {claim.words!r}, and nothing of that kind was done: no outcome of {names}",
                    "do it, or say that it was not done",
                )
        return None

    # the end

    def ending(self) -> list[Event]:
        """Return what the run has to be told of words that were withheld, and the end of its patience."""
        if self.problem is None:
            return []
        kind, says, instead = self.problem
        reason = writable(f"from {self._begins!r} on, the user was not shown it, because {says}")
        denied = ev.Denied(
            call=f"{self._turn}.words",
            action="answer",
            stage=STAGE if kind else "validate",
            reasons=(reason,),
            instead=(instead,),
            digest=digest(STAGE.encode(), kind.encode()) if kind else "",
        )
        parked = self._parked(denied)
        return [denied] if parked is None else [denied, parked]

    def _parked(self, denied: ev.Denied) -> ev.Parked | None:
        """Return the parking of a run that was told once and says it again."""
        state = self._live.state
        times = 1 + dict(state.loop.denied).get(short(denied.digest), 0)
        if denied.stage != STAGE or times < MOST_OF_A_KIND or state.parked:
            return None
        return ev.Parked(
            reason=writable(f"the agent was told {times - 1} time(s) and says it again: {denied.reasons[0]}")
        )

    def _without_secrets(self, sentence: str) -> ev.Said:
        came = self._came + sentence
        redacted, rules = self._live.journal.redacted(msgspec.json.encode(came))
        shown = msgspec.json.decode(redacted, type=str)
        # What was shown can't be taken back; of a secret that began in it, no more is shown.
        text = shown.removeprefix(self._shown) if shown.startswith(self._shown) else ""
        if text == sentence:
            self._came = self._shown = sentence
        elif text:  # What lies wholly within a secret is not needed to see its end.
            self._came, self._shown = came, shown
        return ev.Said(call=self._turn, text=text, redacted=() if text == sentence else rules)


def _texts(value: Any) -> Iterator[str]:
    """Yield the texts in plain data."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, one in cast("dict[str, Any]", value).items():
            yield name
            yield from _texts(one)
    elif isinstance(value, list):
        for one in cast("list[Any]", value):
            yield from _texts(one)
