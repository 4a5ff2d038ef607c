"""Cutting streamed words into sentences, so that each can be looked at before anybody reads it."""

import re
from collections.abc import Callable, Sequence

_END = re.compile(r"(?<=[.!?…])[\"'”’»)\]]*\s+|(?<=[。！？])|\n+")  # noqa: RUF001 - the full-width signs are meant

LONGEST = 2_000
"""After how many characters a sentence is cut even where it does not end."""


class Sentences:
    """Takes words as they come and gives back whole sentences; joined, these are the words exactly.

    The mutable state: the beginning of the next sentence.
    """

    def __init__(self) -> None:
        self._begun = ""

    def feed(self, words: str) -> list[str]:
        """Return the sentences that *words* complete."""
        text = self._begun + words
        whole: list[str] = []
        start = 0
        for end in _END.finditer(text):
            # What ends the text may go on with the next words: another space, a closing quote.
            if end.end() < len(text) and end.end() > start:
                whole.append(text[start : end.end()])
                start = end.end()
        while len(text) - start > LONGEST:
            whole.append(text[start : start + LONGEST])
            start += LONGEST
        self._begun = text[start:]
        return whole

    def rest(self) -> list[str]:
        """Return what is left at the end, if anything."""
        left, self._begun = self._begun, ""
        return [left] if left else []


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
