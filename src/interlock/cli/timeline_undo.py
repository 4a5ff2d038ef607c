"""The events of an undo in words."""

from collections.abc import Sequence

import msgspec

from interlock.actions.way import Change
from interlock.cli import changes, text
from interlock.cli.told import Told
from interlock.kernel import events as ev
from interlock.kernel.events import Recorded

_OTHERWISE = {
    "ask": "people are asked about what can't be taken back",
    "leave": "what can't be taken back is left",
    "stop": "it stops at what can't be taken back",
}


def started(event: ev.UndoStarted) -> Told:
    """Tell that somebody had effects taken back."""
    details = [f"recalls {', '.join(map(text.visible, event.recalls))}"] if event.recalls else []
    details += [_OTHERWISE.get(event.otherwise, text.visible(event.otherwise))] if event.targets else []
    details += [f"then in run {text.visible(one.run)}: {_batch(one)}" for one in event.then[: changes.MOST]]
    if len(event.then) > changes.MOST:
        details.append(f"and so on, {len(event.then) - changes.MOST:,} more")
    which = _events(event.targets) if event.targets or not event.recalls else text.counted(len(event.recalls), "call")
    return Told("undo", f"by {text.visible(event.by)}, {which}", tuple(details), "yellow")


def _events(seqs: Sequence[int]) -> str:
    return f"events {', '.join(map(str, seqs))}" if seqs else "nothing"


def _batch(one: ev.Batch) -> str:
    recalls = (f"recalls {', '.join(map(text.visible, one.recalls))}",) if one.recalls else ()
    return ", ".join((*((_events(one.targets),) if one.targets else ()), *recalls))


def not_undone(one: Recorded) -> Told:
    """Tell that an effect was not taken back: why, what stood in the way, and whether it is tried again."""
    event = one.event
    assert isinstance(event, ev.NotUndone)
    reasons = [f"because {text.visible(text.cut(event.reason, 600))}"]
    found = msgspec.json.decode(bytes(event.changes), type=tuple[Change, ...] | None) or ()
    reasons += [line.text for line in changes.lines(found)]
    if event.again_at:
        reasons.append(f"tried again after {text.took(max(event.again_at - one.at, 0))}")
    about = f"not taken back: {text.visible(event.action)} of event {event.target}"
    return Told(text.visible(event.kind), about, tuple(reasons), "yellow" if event.again_at else "red")


def ended(event: ev.UndoEnded) -> Told:
    """Tell what an undo came to."""
    if not event.failed and not event.stopped:
        return Told("undone", "all that was to be taken back", (), "green")
    how = "it stopped: left as they are" if event.stopped else "but for"
    return Told("undone", f"{how} {_events(event.failed)}", (), "red")


def recalled(event: ev.Denied) -> Told:
    """Tell that a call's wait for its delay was ended by an undo."""
    return Told(
        "recalled", text.call(event.action, event.args), tuple(map(text.visible, event.reasons)), colour="yellow"
    )


def way_of(event: ev.Intended) -> tuple[str, ...]:
    """Return by what the effect can be taken back exactly, where Interlock does that by itself."""
    if event.undoes or event.way in ("", "undo"):
        return ()
    how = "its objects were read before it" if event.way == "snapshot" else f"captured by {text.visible(event.way)}"
    return (how,)


def wrote(event: ev.Done) -> tuple[str, ...]:
    """Return what an effect is known to have changed, the first few objects."""
    if not event.wrote:
        return ()
    named = ", ".join(map(text.visible, event.wrote[: changes.MOST]))
    more = f" and {len(event.wrote) - changes.MOST:,} more" if len(event.wrote) > changes.MOST else ""
    return (f"changed {named}{more}",)
