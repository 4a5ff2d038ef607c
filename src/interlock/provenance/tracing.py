"""Tracing a proposal: the origin of each argument by its role, and the strikes that follow."""

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from typing import Any, cast

from interlock.provenance import shapes
from interlock.provenance.defaults import is_group_key, role_of, words_of
from interlock.provenance.finding import USERS, Finder, Found
from interlock.provenance.grants import Concern, Grants
from interlock.provenance.labels import Labels
from interlock.provenance.normal import days, number, plain
from interlock.provenance.origin import Against, Origin, Role, Strike, Traced
from interlock.provenance.seen import Seen
from interlock.provenance.trust import Trust
from interlock.provenance.weighing import Weighing

MOST_ARGUMENTS = 1_000
"""How many leaves of one proposal's arguments are traced; with more, the proposal can't be judged."""

LONGEST_SHOWN = 60

_LEAKING = frozenset({"what may not leave"})
_UNASKED = frozenset({"what the user did not point to"})
_NAMED = frozenset({"what the user named"})


class Known:
    """What tracing has to know of an action: its name, effect, documentation, and whether a read of it leaves.

    `open_world`: anybody may have written the texts of its results, where the operator says nothing of them.
    `listed`: the arguments that take one of a few values that the action's author wrote down.
    """

    def __init__(
        self,
        name: str,
        *,
        effect: str,
        doc: str = "",
        egress: bool = False,
        open_world: bool = False,
        listed: Iterable[str] = (),
    ) -> None:
        self.name = name
        self.effect = effect
        self.doc = doc
        self.egress = egress
        self.open_world = open_world
        self.listed = frozenset(listed)


_NEARNESS: dict[Concern, int] = {"nothing": 0, "other": 1, "bound": 2, "named": 3}


class Tracer:
    """Traces proposals.

    Args:
        labels: What the operator said.
        actions: The agent's actions.
        finder: What finds values.
        seen: What the run has read.
        grants: What the user asked for.
    """

    def __init__(
        self, labels: Labels, actions: Mapping[str, Known], finder: Finder, seen: Seen, grants: Grants
    ) -> None:
        self._labels = labels
        self._actions = actions
        self._finder = finder
        self._seen = seen
        self._grants = grants

    def trace(self, action: str, args: Mapping[str, Any]) -> Traced:
        """Return the origins of the arguments' values, and what speaks against the proposal.

        Raises:
            ValueError: it has more arguments than can be traced.
        """
        origins: list[Origin] = []
        concern: Concern = "nothing"
        pointed = False
        weighing = Weighing()
        leaks: list[tuple[Strike, str]] = []
        sinks: list[str] = []
        for path, name, value in argument_values(args):
            role = role_in(self._labels, action, name, value, self._listed(action))
            found = self._found(role, name, value)
            if role == "sink":
                sinks.append(str(value))
            concern = _nearer(concern, self._concern(role, value, found))
            pointed = pointed or self._is_pointed_to(value, found)
            origins.append(Origin(path, role, found.trust, found.how, found.words))
            for strike, where in self._strikes(action, path, name, role, value, found):
                if strike.about == "leak":
                    leaks.append((strike, next(iter(where))))
                else:
                    weighing.add(strike, where)
        if not pointed and (lost := weighing.about_sinks()):
            says = f"{lost.argument}: nothing in this proposal is what the user named, or from what he pointed to"
            weighing.add(Strike("sink", says, lost.argument), _UNASKED)
        for strike, source in leaks:
            if not self._is_cleared(source, sinks):
                weighing.add(strike, _LEAKING)
        return Traced(tuple(origins), self._strikes_in_all(action, origins, concern, weighing), self._labels.level)

    def _strikes_in_all(
        self, action: str, origins: list[Origin], concern: Concern, weighing: Weighing
    ) -> tuple[Strike, ...]:
        if self._is_relaxed(action, origins):
            return weighing.lasting()
        if not self._is_read(action) and not self._is_granted(action, concern):
            return weighing.independent(Strike("grant", f"the user's words do not ask for {action}"))
        return weighing.independent()

    def _listed(self, action: str) -> frozenset[str]:
        known = self._actions.get(action)
        return frozenset() if known is None else known.listed

    def _is_read(self, action: str) -> bool:
        known = self._actions.get(action)
        return known is not None and known.effect == "read"

    def _leaves_with(self, action: str) -> bool:
        known = self._actions.get(action)
        return known is not None and known.egress

    def _found(self, role: Role, name: str, value: Any) -> Found:
        if role == "reference" and _is_small(value):
            return self._finder.object(str(value), words_of(name))
        if role == "time" and isinstance(value, str):
            return self._finder.time(value)
        if isinstance(value, str) and (role != "amount" or number(value) is None):
            return self._finder.text(value)
        if isinstance(value, bool) or value is None:
            return Found(Trust.USER, "option")
        found = self._finder.number(value, derivable=role == "amount")
        return found if found.trust >= Trust.DIRECTORY else max(found, self._finder.text(str(value)), key=_trust)

    def _strikes(  # noqa: PLR0917 - an argument is all of this
        self, action: str, path: str, name: str, role: Role, value: Any, found: Found
    ) -> Iterator[tuple[Strike, frozenset[str]]]:
        """Yield what speaks against one argument, each with the sources that chose it."""
        least = self._labels.least.get(action, {}).get(name)
        about: Against | None = None
        if self._is_read(action):
            if self._leaves_with(action) and role == "sink" and not self._may_be_sink(value, found, least):
                about = "egress"
        elif role == "sink":
            about = None if self._may_be_sink(value, found, least) else "sink"
        elif role == "content":
            yield from self._in_content(path, value, least) if isinstance(value, str) else ()
        elif role != "selector":
            enough = found.trust >= (Trust.DIRECTORY if least is None else least)
            about = None if enough or self._is_idea(action, role, value, found) else role
        if about is not None:
            yield Strike(about, self._says(path, value, found), path), found.results
        if about in ("sink", "egress") and isinstance(value, str) and (other := self._finder.instead(value)):
            yield Strike(about, f"{path}: the user named {other!r}, not {_short(value)!r}", path), _NAMED

    def _is_idea(self, action: str, role: Role, value: Any, found: Found) -> bool:
        """Whether a value is the model's own idea of when, or of which object where that can be taken back.

        Nobody else chose it, and it carries no authority.
        """
        if role == "time":
            return found.trust is Trust.NOWHERE or not days(str(value))
        known = self._actions.get(action)
        reversible = known is not None and known.effect == "reversible"
        return role == "reference" and reversible and found.trust is Trust.NOWHERE

    def _may_be_sink(self, value: Any, found: Found, least: Trust | None) -> bool:
        if found.trust >= (Trust.DIRECTORY if least is None else least):
            return True
        if found.trust is not Trust.CORRESPONDENT or not isinstance(value, str):
            return False
        return self._finder.names(value) or any(
            is_group_key(place.key) and self._finder.binds(place) for place in found.places
        )

    def _in_content(self, path: str, value: str, least: Trust | None) -> Iterator[tuple[Strike, frozenset[str]]]:
        for link in shapes.links(value):
            found = self._finder.text(link)
            enough = found.trust >= (Trust.DIRECTORY if least is None else least)
            if not enough and not self._finder.is_own(plain(link)):
                yield Strike("link", self._says(f"a link in {path}", link, found), path), found.results
        text = plain(value)
        for source, place in self._seen.secrets.within(text):
            # A user who speaks of the password means it to be told; to whom, is the sink's matter.
            if not any(self._finder.named(word) for word in words_of(place.key)):
                yield Strike("leak", f"{path} holds what may not leave ({place.said()})", path), frozenset({source})

    def _is_cleared(self, source: str, sinks: Sequence[str]) -> bool:
        """Whether what an action returned may go to all who would get it."""
        cleared = {plain(one) for one in self._labels.cleared.get(source, ())}
        return bool(sinks) and all(not cleared.isdisjoint({plain(to), plain(to).rpartition("@")[2]}) for to in sinks)

    def _is_granted(self, action: str, concern: Concern) -> bool:
        """Whether the user asked for the action; one that a command may mean has to concern what the user spoke of."""
        return action in self._grants.granted or self._grants.may_mean(action, concern)

    def _concern(self, role: Role, value: Any, found: Found) -> Concern:
        """Return what one value is to what the user spoke of."""
        if role not in ("sink", "reference") or not isinstance(value, str):
            return "nothing"
        if found.how == "named" and found.words[:1] == (USERS,) and len(value) > 2:
            return "named"
        near = found.trust >= Trust.CORRESPONDENT and any(self._finder.binds(place) for place in found.places)
        return "bound" if near else "other"

    def _is_pointed_to(self, value: Any, found: Found) -> bool:
        """Whether the user named a value, or the source that it stands in: the file, the page, the person asked for."""
        if found.how == "named":
            return found.words[:1] == (USERS,) and len(str(value)) > 2
        return any(self._finder.points_to(place) for place in found.places)

    def _is_relaxed(self, action: str, origins: list[Origin]) -> bool:
        return action in self._labels.relaxed and not any(one.role == "sink" for one in origins)

    def _says(self, path: str, value: Any, found: Found) -> str:
        shown = _short(str(value))
        if found.trust is Trust.NOWHERE:
            return f"{path}: {shown!r} appears in nothing that was said or read"
        where = "; ".join(found.words)
        return f"{path}: {shown!r} appears only in {where} ({found.trust})"


def _nearer(one: Concern, other: Concern) -> Concern:
    """Return what two values together are to the user's words: the nearest that one of them is."""
    return one if _NEARNESS[one] >= _NEARNESS[other] else other


def _short(text: str) -> str:
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"


def _is_small(value: Any) -> bool:
    """Whether a reference is a small number, which things of many kinds have."""
    return (isinstance(value, int) and not isinstance(value, bool)) or (
        isinstance(value, str) and value.isdigit() and len(value) < 7
    )


def _trust(found: Found) -> Trust:
    return found.trust


def role_in(labels: Labels, action: str, name: str, value: Any, listed: Container[str] = ()) -> Role:
    """Return what an argument of this name and value is to its action: as declared, else by its name, else by type."""
    declared = labels.arguments.get(action, {}).get(name)
    if declared is not None:
        return declared
    if isinstance(value, bool) or value is None or name in listed:
        return "selector"
    return role_of(name) or ("amount" if isinstance(value, (int, float)) else _role_of_text(value))


def _role_of_text(value: str) -> Role:
    """Return what a text is to an action whose argument's name doesn't tell."""
    if not shapes.is_field(value):
        return "content"
    return "time" if days(value) else "reference"


def argument_values(args: Mapping[str, Any]) -> Iterator[tuple[str, str, Any]]:
    """Yield the single values of arguments: path, the name that tells the role, value.

    Raises:
        ValueError: there are more than can be traced.
    """
    left = MOST_ARGUMENTS
    stack: list[tuple[str, str, Any]] = [(name, name, value) for name, value in reversed(list(args.items()))]
    while stack:
        path, name, value = stack.pop()
        if isinstance(value, dict):
            fields = cast("dict[str, Any]", value)
            stack += [(f"{path}.{inner}", inner, one) for inner, one in reversed(fields.items())]
            # What is no name of a field is a value: {"bob@corp.example": "reads"}.
            stack += [(f"{path}.{inner}", name, inner) for inner in reversed(fields) if not inner.isidentifier()]
        elif isinstance(value, list):
            items = cast("list[Any]", value)
            stack += [(f"{path}[{place}]", name, items[place]) for place in reversed(range(len(items)))]
        elif value is not None:
            left -= 1
            if left < 0:
                raise ValueError(f"the arguments hold more than {MOST_ARGUMENTS} values; they can't be traced")
            yield path, name, value
