"""Where the values of a proposal came from, and what speaks against it: plain data."""

from typing import Literal

import msgspec

from interlock.provenance.trust import Trust

Role = Literal["sink", "reference", "time", "amount", "content", "selector"]
"""What an argument is to its action.

sink: it carries authority (a recipient, a URL, a payee, a password) · reference: it names an object · time · amount ·
content: words that are sent or stored · selector: it narrows a look-up, or sets an option.
"""

Against = Literal["sink", "reference", "time", "amount", "link", "grant", "leak", "egress"]
"""What a strike is about: the role of the argument; a link within content; an effect that nobody asked
for; confidential data that would leave; a read whose address carries data away."""


class Origin(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where one argument's value came from.

    `argument` is its path (`recipients[0]`); of a value put together from several, `trust` is the least and `sources`
    are all of them, in words; `how` says how it was found: equal, named (in the user's words), derived, assembled,
    nowhere.
    """

    argument: str
    role: Role
    trust: Trust
    how: str = "equal"
    sources: tuple[str, ...] = ()


class Strike(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing that speaks against a proposal, in words that a reviewer can judge by."""

    about: Against
    says: str
    argument: str = ""


class Traced(msgspec.Struct, frozen=True, omit_defaults=True):
    """A proposal with the origins of its values, and the strikes against it.

    Strikes are independent of each other: none permits, one needs an approval of `level`, two deny.
    """

    origins: tuple[Origin, ...] = ()
    strikes: tuple[Strike, ...] = ()
    level: str = ""

    @property
    def denied(self) -> bool:
        """Whether two independent things speak against it."""
        return len(self.strikes) > 1
