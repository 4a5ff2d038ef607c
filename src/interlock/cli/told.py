"""One event in words."""

from msgspec import Struct

Colour = str


class Told(Struct, frozen=True):
    """One event in words: a word for it, what it is about, details, and a colour for the word."""

    word: str
    about: str = ""
    details: tuple[str, ...] = ()
    colour: Colour = ""
