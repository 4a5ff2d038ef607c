"""What of a model's words their user may read: whole sentences, looked at by the checks, without secrets."""

import msgspec

from interlock.agents import Agent
from interlock.journal.journal import Journal
from interlock.kernel import events as ev
from interlock.runtime.sentences import Sentences, problem_with


class Releasing:
    """Takes the words of one turn as they come, and gives back what is released.

    Args:
        agent: Whose words they are.
        journal: What knows the secrets.
        turn: The turn's key.

    The mutable state: `problem` (what a check found; nothing that comes after it is released), the sentence that has
    begun, and what the last sentences were, as they came and as they were shown: a secret may go over several.
    """

    def __init__(self, agent: Agent, journal: Journal, turn: str) -> None:
        self.problem = ""
        self._agent = agent
        self._journal = journal
        self._turn = turn
        self._sentences = Sentences()
        self._came = ""
        self._shown = ""

    def feed(self, words: str) -> list[ev.Said]:
        """Return what *words* complete.

        Raises:
            UnicodeEncodeError: half of a surrogate pair is among them.
        """
        return self._released(self._sentences.feed(words))

    def rest(self) -> list[ev.Said]:
        """Return what is left at the end."""
        return self._released(self._sentences.rest())

    def _released(self, sentences: list[str]) -> list[ev.Said]:
        released: list[ev.Said] = []
        for sentence in sentences:
            if self.problem or self._agent.speaks_in_structure:
                break
            found = problem_with(sentence, self._agent.checks)
            if found is not None:
                self.problem = f"from {sentence.strip()[:80]!r} on, the user was not shown it, because {found}"
            elif (said := self._without_secrets(sentence)).text:
                released.append(said)
        return released

    def _without_secrets(self, sentence: str) -> ev.Said:
        came = self._came + sentence
        redacted, rules = self._journal.redacted(msgspec.json.encode(came))
        shown = msgspec.json.decode(redacted, type=str)
        # What was shown can't be taken back; of a secret that began in it, no more is shown.
        text = shown.removeprefix(self._shown) if shown.startswith(self._shown) else ""
        if text == sentence:
            self._came = self._shown = sentence
        elif text:  # What lies wholly within a secret is not needed to see its end.
            self._came, self._shown = came, shown
        return ev.Said(call=self._turn, text=text, redacted=() if text == sentence else rules)
