"""How far a value can be trusted, by where it came from."""

from enum import IntEnum


class Trust(IntEnum):
    """The integrity of a value; more is better, and what is put together has the least of its parts (Biba 1977).

    A policy reads the number as `origin.<argument>.trust` and compares it with a member.
    """

    NOWHERE = 0
    """In nothing that the run has seen: the model made it up."""
    EXAMPLE = 1
    """Only in a few-shot example: the model copied what was invented for it."""
    THIRD_PARTY = 2
    """Text that anybody may have written: mail from outside, web pages, reviews, files."""
    COLLEAGUE = 3
    """Free text of people of the same organisation."""
    CORRESPONDENT = 4
    """What a correspondent calls himself: a sender's address, a user's handle."""
    DIRECTORY = 5
    """What the organisation keeps of people and things: address books, names of files and channels."""
    SYSTEM = 6
    """What a system made: ids, amounts, dates, states."""
    USER = 7
    """The words of the user that the run acts for, and what the operator wrote."""

    def __str__(self) -> str:
        return _WORDS[self]

    @classmethod
    def named(cls, name: str) -> "Trust":
        """Return the level of this name, as label files write it (`third_party`).

        Raises:
            ValueError: there is none of that name.
        """
        try:
            return cls[name.upper()]
        except KeyError:
            known = ", ".join(one.name.lower() for one in cls)
            raise ValueError(f"{name!r} is no level of trust; there are {known}") from None


_WORDS = {
    Trust.NOWHERE: "nowhere",
    Trust.EXAMPLE: "a few-shot example",
    Trust.THIRD_PARTY: "third-party text",
    Trust.COLLEAGUE: "a colleague's text",
    Trust.CORRESPONDENT: "a correspondent's identity",
    Trust.DIRECTORY: "directory data",
    Trust.SYSTEM: "a system's data",
    Trust.USER: "the user's words",
}
