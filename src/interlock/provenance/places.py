"""Where a value stood: the result, its field and record."""

import msgspec

from interlock.provenance.trust import Trust


class Result:
    """One result: what it is called in words, what it was asked with, the short texts of its records, the long ones."""

    __slots__ = ("asked", "records", "texts", "words")

    def __init__(self, words: str, asked: tuple[str, ...]) -> None:
        self.words = words
        self.asked = asked
        self.records: dict[int, list[str]] = {}
        self.texts: list[str] = []

    def forget(self, text: str) -> None:
        """Forget its oldest text. What is half forgotten is no source that values can be taken from by its name."""
        self.texts.remove(text)
        self.asked = ()


class Place(msgspec.Struct, frozen=True, gc=False):
    """Where an atom stood; of a text to look into, the text in its one spelling and as it came.

    There are hundreds of thousands of them, which no cycle runs through: the garbage collector passes them over.
    """

    trust: Trust
    result: Result
    path: str
    record: int
    text: str = ""
    raw: str = ""

    @property
    def key(self) -> str:
        """The name of the field."""
        return self.path.rpartition(".")[2].replace("[]", "").replace("{}", "")

    def said(self) -> str:
        """Return the place in words."""
        return f"{self.result.words}: {self.key}" if self.key else self.result.words
