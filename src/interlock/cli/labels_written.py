"""Labels as Python that an operator reads line by line: each line with what was seen beside it."""

import json
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from interlock.agents import Agent
from interlock.cli import text
from interlock.lab.labels import Suggestion
from interlock.lab.observed import ActionSeen
from interlock.provenance import Labels

_WIDTH = 79
_INDENT = "    "


def written(agent: Agent, runs: int, seen: Mapping[str, ActionSeen], found: Sequence[Suggestion]) -> str:
    """Return a declaration of labels as Python: what is declared and what is suggested, the evidence in comments."""
    declared = agent.labels if agent.labels is not None else Labels()
    lines = [*_head(agent, runs), "labels = Labels("]
    for part in ("results", "arguments"):
        lines += _part(part, [one for one in found if one.part == part], declared.data()[part], seen)
    lines += _rest(declared)
    return "\n".join([*lines, ")"]) + "\n"


def _head(agent: Agent, runs: int) -> Iterator[str]:
    name = text.visible(agent.name).replace("\\", "/").replace('"', "'")
    yield f'"""Labels of {name}, suggested from {text.counted(runs, "run")}: to be read before they are used."""'
    yield ""
    yield from _comment(
        "A comment says what a field or an argument is taken for by default, and what was seen of it. A line without "
        "`#` says otherwise. Nothing is trusted because it was used; trust is raised by shape alone, and whether a "
        "system or somebody else writes such a field, you know better.",
        "",
    )
    yield ""
    yield "from interlock import Labels"
    yield ""


def _part(
    part: str, found: Sequence[Suggestion], declared: Mapping[str, Mapping[str, str]], seen: Mapping[str, ActionSeen]
) -> Iterator[str]:
    by_action = {action: list(of) for action, of in groupby(found, key=lambda one: one.action)}
    if not by_action and not declared:
        return
    yield f"{_INDENT}{part}={{"
    for action in sorted({*by_action, *declared}):
        yield from _action(action, by_action.get(action, []), declared.get(action, {}), seen.get(action))
    yield f"{_INDENT}}},"


def _action(
    action: str, found: Sequence[Suggestion], declared: Mapping[str, str], seen: ActionSeen | None
) -> Iterator[str]:
    if seen is not None:
        counts = f"{text.counted(seen.proposals, 'proposal')}, {text.counted(seen.results, 'result')}"
        more = "; some have names that are data, or there are too many" if seen.left_out else ""
        yield from _comment(f"{action}: {counts}{more}", _INDENT * 2)
    elif declared:
        yield from _comment(f"{action}: not seen", _INDENT * 2)
    opened = bool(declared) or any(one.suggested for one in found)
    if opened:
        yield f"{_INDENT * 2}{quoted(action)}: {{"
    indent = _INDENT * (3 if opened else 2)
    for one in found:
        yield from _line(one, indent, declared)
    for name in declared.keys() - {one.name for one in found}:
        yield f"{indent}{quoted(name)}: {quoted(declared[name])},"
    if opened:
        yield f"{_INDENT * 2}}},"


def _line(one: Suggestion, indent: str, declared: Mapping[str, str]) -> Iterator[str]:
    yield from _comment(f"{one.name}: {one.default}; {one.seen}", indent)
    if one.suggested:
        yield from _comment(f"{one.suggested}: {one.why}", indent)
    if one.asks:
        yield from _comment(f"or {one.asks}", indent)
    said = declared.get(one.name, one.suggested)
    if said:
        yield f"{indent}{quoted(one.name)}: {quoted(said)},"


def _rest(declared: Labels) -> Iterator[str]:
    """Yield what was declared besides, as it is."""
    usual = Labels().data()
    for name, value in declared.data().items():
        if name not in ("results", "arguments") and value != usual[name]:
            yield f"{_INDENT}{name}={_value(value)},"
    if declared.detectors:
        yield from _comment("detectors: as before", _INDENT)


def _value(value: Any) -> str:
    match value:
        case Mapping():
            return f"{{{', '.join(f'{quoted(name)}: {_value(one)}' for name, one in value.items())}}}"  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
        case list() | tuple():
            return f"[{', '.join(map(_value, value))}]"  # pyright: ignore[reportUnknownArgumentType]
        case _:
            return quoted(value)


def _comment(said: str, indent: str) -> Iterable[str]:
    """Return comments of a text that nothing in it can end."""
    width = max(_WIDTH - len(indent) - 2, 40)
    return [f"{indent}# {line}" for line in textwrap.wrap(text.visible(said), width, break_long_words=False)]


def quoted(name: str) -> str:
    """Return a text as Python; no name can end the text that it stands in."""
    return json.dumps(name) if name.isascii() else ascii(name)
