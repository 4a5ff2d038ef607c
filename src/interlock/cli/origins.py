"""Where the values of a proposal came from, and what that says against it, in words."""

from collections.abc import Container

import msgspec

from interlock.cli import text
from interlock.kernel import events as ev
from interlock.provenance import Origin, Trust

MOST: int = 12
"""Of how many values it is told where they came from: those with the least trust."""

_HOW = {"derived": "derived from ", "assembled": "put together from "}


def lines(judgement: ev.Judgement, told: Container[str] = ()) -> list[str]:
    """Return a line for each value, and one for each strike that is not among the reasons that were *told*."""
    origins = msgspec.json.decode(bytes(judgement.origins), type=tuple[Origin, ...] | None) or ()
    shown = [_line(one) for one in sorted(origins, key=lambda one: one.trust)[:MOST]]
    if len(origins) > MOST:
        shown.append(f"and {len(origins) - MOST} more values, none of them with less trust")
    return [*shown, *(f"against it: {text.visible(said)}" for said in judgement.strikes if said not in told)]


def _line(origin: Origin) -> str:
    label = str(Trust(origin.trust))
    where = " and ".join(one for one in origin.sources if one != label)
    said = f"{label}, {_HOW.get(origin.how, '')}{where}" if where else label
    return text.visible(text.cut(f"{origin.argument}: {said}", 300))
