"""How policy commands print what stands where in a case, and what a verdict comes to."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from interlock.cli import text
from interlock.guardian import ABSENT, Case, Failed, Verdict
from interlock.guardian.english import label
from interlock.guardian.tree import Clock
from interlock.lab.candidates import OTHER
from interlock.lab.places import Place
from interlock.lab.reasons import shown

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def decided(verdict: Verdict) -> str:
    """Return what a verdict comes to: `permitted`, `permitted, needing approval finance` or `denied`."""
    return decided_as(permitted=verdict.permitted, needs=tuple(map(str, verdict.needs)))


def decided_as(*, permitted: bool, needs: tuple[str, ...]) -> str:
    """Return the same for what is left of a verdict when its reasons are dropped."""
    if not permitted:
        return "denied"
    return f"permitted, needing {' and '.join(needs)}" if needs else "permitted"


def colour(verdict: Verdict) -> str:
    """Return the colour of a verdict."""
    if not verdict.permitted:
        return "bold red"
    return "bold yellow" if verdict.needs else "bold green"


def changed(place: Place, value: Any, case: Case) -> str:
    """Return a change as it would be typed: `amount=100`, `fact booking.owner="u42"`, `without note`."""
    if isinstance(place, Clock):
        at = _EPOCH + timedelta(microseconds=case.at or 0)
        return f"at {at:%Y-%m-%d %H:%M} UTC (a {at:%A})"
    name = label(place)
    root, _, rest = name.partition(".")
    named = {"arg": rest, "fact": f"fact {rest}"}.get(root, name)
    if value is ABSENT:
        return text.visible(f"without {named}")
    return text.visible(f"{named}={'anything else' if value == OTHER else shown(value)}")


def plain(value: Any) -> Any:
    """Return a value of a case as JSON has it."""
    match value:
        case None | bool() | int() | str():
            return value
        case date():
            return value.isoformat()
        case Failed():
            return {"failed": value.reason}
        case dict():
            return {str(key): plain(each) for key, each in value.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
        case list() | tuple():
            return [plain(each) for each in value]  # pyright: ignore[reportUnknownVariableType]
        case _:
            return None if value is ABSENT else shown(value)


def short(place: str) -> str:
    """Return a place in a file from the current folder where it is below that."""
    here = f"{Path.cwd()}/"
    return place.removeprefix(here)
