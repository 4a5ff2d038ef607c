"""Cutting streamed words into sentences, so that each can be looked at before anybody reads it."""

import re
from collections.abc import Callable, Sequence

# It begins with one set of signs, which makes looking for the next end fast.
_END = re.compile(
    r"[.!?…。！？\n](?:(?<=[.!?…])[\"'”’»)\]]*\s+|(?<=[。！？])|(?<=\n)\n*)"  # noqa: RUF001 - full-width signs are meant
)

LONGEST = 2_000
"""After how many characters a sentence is cut even where it does not end."""


class Sentences:
    """Takes words as they come and gives back whole sentences; joined, these are the words exactly.

    However the words come in pieces, the sentences are the same.

    The mutable state: the beginning of the next sentence.
    """

    def __init__(self) -> None:
        self._begun = ""

    def feed(self, words: str) -> list[str]:
        """Return the sentences that *words* complete."""
        text = self._begun + words
        whole: list[str] = []
        start = 0
        # What ends the text may go on with the next words: another space, a closing quote.
        while (end := _end(text, start)) < len(text):
            whole.append(text[start:end])
            start = end
        self._begun = text[start:]
        return whole

    def rest(self) -> list[str]:
        """Return what is left at the end, if anything."""
        left, self._begun = self._begun, ""
        return [left] if left else []


def _end(text: str, start: int) -> int:
    """Return where the sentence that begins at *start* ends, at the latest."""
    latest = start + LONGEST
    found = _END.search(text, start, latest + 1)
    return latest if found is None else min(found.end(), latest)


def problem_with(sentence: str, checks: Sequence[Callable[[str], str | None]]) -> str | None:
    """Return what the first check that finds something says; a check that raises has found something."""
    for check in checks:
        try:
            found = check(sentence)
        except Exception as error:  # noqa: BLE001 - whatever a check does, the words stay inside
            found = f"a check of the output failed: {type(error).__name__}: {error}"
        if found:
            return found
    return None
