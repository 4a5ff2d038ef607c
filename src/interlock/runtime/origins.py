"""Between what tracing found, what rules read of it, and what a decision records."""

from collections.abc import Iterable, Mapping
from typing import Any, cast

import msgspec

from interlock.guardian import ABSENT
from interlock.provenance import Origin, Strike, Traced, Trust


def sound(traced: Any) -> Traced:
    """Return what tracing answered, if it is an answer: nothing else speaks for a proposal.

    Raises:
        TypeError: it is something else.
    """
    fits = type(traced) is Traced and _are(Origin, traced.origins) and _are(Strike, traced.strikes)
    if not fits or (traced.strikes and not (type(traced.level) is str and traced.level)):
        raise TypeError(f"tracing answered {traced!r}, which does not say where the values came from")
    return traced


def _are(kind: type[Origin] | type[Strike], given: Any) -> bool:
    return type(given) is tuple and all(type(one) is kind for one in cast("tuple[Any, ...]", given))


def recorded(origins: Iterable[Origin]) -> msgspec.Raw:
    """Return origins as a decision records them."""
    return msgspec.Raw(msgspec.json.encode(tuple(origins)))


def told(args: Mapping[str, Any], origins: Iterable[Origin]) -> dict[str, Any]:
    """Return what rules read of where the arguments (JSON values) came from: for each, of what it holds the least.

    What holds no value is `ABSENT`; of what tracing said nothing, nothing stands there, and rules that ask deny.
    """
    worst: dict[str, Origin] = {}
    for one in origins:
        for name in args:
            if _leads_into(one.argument, name) and (name not in worst or one.trust < worst[name].trust):
                worst[name] = one
    found: dict[str, Any] = {name: ABSENT for name, value in args.items() if not _holds(value)}
    return found | {name: _said(one) for name, one in worst.items()}


def _leads_into(path: str, argument: str) -> bool:
    """Whether a path (`to[0].name`) may lead into *argument*; where names hold dots, into more than one."""
    return path == argument or path.startswith((f"{argument}[", f"{argument}."))


def _holds(value: Any) -> bool:
    """Whether there is anything in it that came from somewhere."""
    if isinstance(value, list):
        return any(map(_holds, cast("list[Any]", value)))
    return value not in (None, "", {})


def _said(origin: Origin) -> dict[str, Any]:
    return {
        "trust": int(origin.trust),
        "label": str(Trust(origin.trust)),
        "source": "; ".join(origin.sources),
        "how": origin.how,
        "role": origin.role,
    }
