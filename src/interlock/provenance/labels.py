"""What an operator says of results and arguments: who could have written which field, and which argument does what."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from interlock.errors import DeclarationError
from interlock.provenance.detectors import Detector
from interlock.provenance.origin import Role
from interlock.provenance.planner import Planner
from interlock.provenance.trust import Trust

ROLES = ("sink", "reference", "time", "amount", "content", "selector")


class Labels:
    """The declaration by which an agent's proposals are traced; every part of it has a default by type and name.

    Args:
        results: By action, who could have written which field of its result: patterns of paths (`*.body`, `rows[].id`,
            `*` for all the rest; a key alone matches at any depth) to levels of trust (`third_party`; see `Trust`).
        arguments: By action, the role of each argument (`sink`, `reference`, `time`, `amount`, `content`, `selector`).
        phrases: By action, how users ask for it ("pay", "send * money"); the words of its name and of its first line
            of documentation count as well.
        own: What belongs to the user or the organisation: addresses, domains, accounts, names. A sink among them is
            trusted as the directory is.
        secret: By action, fields of results that may not leave (patterns of paths, or `*`).
        cleared: By action, the recipients (addresses or domains) that secret fields may go to all the same.
        relaxed: Actions on which strikes do not count that concern neither a sink nor a leak: they are reversible, or
            touch only what is the user's own, as long as they are given no sink.
        least: By action, how far an argument's value has to be trusted where that is not what its role asks: a level,
            as for results (`{"get_page": {"url": "colleague"}}`: a link that a colleague wrote may be visited).
        level: Who is asked where one thing speaks against a proposal.
        detectors: What looks for injections in results; what it suspects is third-party text from then on.
        planner: What else tells, from the user's words alone, which effects they call for (`ModelPlanner`, say); it is
            asked once for the same words. Its grants count as long as it is declared.

    Raises:
        DeclarationError: a level or a role that there isn't.
    """

    def __init__(
        self,
        *,
        results: Mapping[str, Mapping[str, str]] | None = None,
        arguments: Mapping[str, Mapping[str, Role]] | None = None,
        phrases: Mapping[str, Iterable[str]] | None = None,
        own: Iterable[str] = (),
        secret: Mapping[str, Iterable[str]] | None = None,
        cleared: Mapping[str, Iterable[str]] | None = None,
        relaxed: Iterable[str] = (),
        least: Mapping[str, Mapping[str, str]] | None = None,
        level: str = "reviewer",
        detectors: Sequence[Detector] = (),
        planner: Planner | None = None,
    ) -> None:
        self.results = {name: _levels(name, fields) for name, fields in (results or {}).items()}
        self.arguments = {name: _roles(name, roles) for name, roles in (arguments or {}).items()}
        self.phrases = {name: tuple(said) for name, said in (phrases or {}).items()}
        self.own = tuple(own)
        self.secret = {name: tuple(fields) for name, fields in (secret or {}).items()}
        self.cleared = {name: tuple(to) for name, to in (cleared or {}).items()}
        self.relaxed = frozenset(relaxed)
        self.least = {name: _levels(name, fields) for name, fields in (least or {}).items()}
        self.level = level
        self.detectors = tuple(detectors)
        self.planner = planner

    def data(self) -> dict[str, Any]:
        """Return the declaration as plain data, for its hash and for people."""
        return {
            "results": _written(self.results),
            "arguments": self.arguments,
            "phrases": self.phrases,
            "own": self.own,
            "secret": self.secret,
            "cleared": self.cleared,
            "relaxed": sorted(self.relaxed),
            "least": _written(self.least),
            "level": self.level,
        }


def _written(levels: Mapping[str, Mapping[str, Trust]]) -> dict[str, dict[str, str]]:
    return {name: {path: trust.name.lower() for path, trust in fields.items()} for name, fields in levels.items()}


def _levels(action: str, fields: Mapping[str, str]) -> dict[str, Trust]:
    try:
        return {path: Trust.named(level) for path, level in fields.items()}
    except ValueError as error:
        raise DeclarationError(f"labels of {action!r}: {error}") from None


def _roles(action: str, roles: Mapping[str, Role]) -> dict[str, Role]:
    for argument, role in roles.items():
        if role not in ROLES:
            raise DeclarationError(
                f"labels of the arguments of {action!r}: {argument!r} can't be a {role!r}; there are {', '.join(ROLES)}"
            )
    return dict(roles)
