"""The plan of an undo: made from the journal before anything is taken back."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, Literal

import msgspec

from interlock.actions.action import Action
from interlock.actions.way import Change
from interlock.kernel import events as ev
from interlock.undo.effects import Effect, overlap, resting

How = Literal["restore", "compensate", "recall", "cannot"]
"""restore: the exact prior state comes back · compensate: a counter-action makes it good · recall: it has not left yet,
and won't · cannot: none of these."""

Otherwise = Literal["stop", "leave", "ask"]
"""What is done where an effect can't be taken back: leave it and all that came before · leave it alone · ask people."""

Actions = Mapping[str, Action[Any, Any, Any]]

SHOWN = 80
"""How many characters of an effect's arguments a plan shows in its text; `Item.args` has them all."""


class Item(msgspec.Struct, frozen=True):
    """One effect: the seq of its outcome, what was done with what, and what will become of it.

    `by` is what takes it back (the name of its way, snapshot, or undo), `objects` names what it changed as far as that
    is known, `stays` is what no undo takes back (read by people, sent on). `call` is its key where it still waits for
    its delay. `changes` holds its objects before, after and now, `trouble` what stands in the way now, once somebody
    has looked.
    """

    seq: int
    action: str
    args: Any
    way: How
    why: str = ""
    run: str = ""
    by: str = ""
    objects: tuple[str, ...] = ()
    stays: str = ""
    call: str = ""
    changes: tuple[Change, ...] = ()
    trouble: str = ""

    def __str__(self) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in self.args.items()) if self.args else ""
        shown = shown if len(shown) <= SHOWN else f"{shown[:SHOWN]}…"
        notes = "; ".join(note for note in (self.why, self.trouble, self.stays and f"what stays: {self.stays}") if note)
        return f"{self.way:<10} {self.action}({shown}){f' ({notes})' if notes else ''}"


class Dependant(msgspec.Struct, frozen=True):
    """A later effect, not in the plan, that rests on one in it (`on`, a seq of `on_run`), and why.

    Where it is `bound`, it changed the same again: the other can't go back without it.
    """

    run: str
    seq: int
    action: str
    on_run: str
    on: int
    why: str
    bound: bool = False


class UndoPlan(msgspec.Struct, frozen=True):
    """What an undo will do, the last effect first; `open` names calls without a known outcome.

    `run` is the run that is undone, empty where effects of several may be; `what` says it in words. `dependants` are
    later effects that rest on what is taken back.
    """

    run: str
    items: tuple[Item, ...]
    open: tuple[str, ...] = ()
    what: str = ""
    dependants: tuple[Dependant, ...] = ()

    @property
    def targets(self) -> tuple[int, ...]:
        """The seqs of the outcomes that will be taken back, in order."""
        return tuple(item.seq for item in self.items if item.way not in ("cannot", "recall"))

    @property
    def able(self) -> int:
        """How many effects can be taken back, or recalled before they leave."""
        return sum(item.way != "cannot" for item in self.items)

    @property
    def batches(self) -> tuple[ev.Batch, ...]:
        """What is done, run by run, in order: a run's turn comes again where one of another lies between."""
        doing = [item for item in self.items if item.way != "cannot"]
        return tuple(
            ev.Batch(
                run,
                tuple(item.seq for item in items if item.way != "recall"),
                tuple(item.call for item in items if item.way == "recall"),
            )
            for run, items in ((run, tuple(items)) for run, items in groupby(doing, key=lambda item: item.run))
        )

    @property
    def runs(self) -> tuple[str, ...]:
        """The runs whose effects are in the plan."""
        return tuple(dict.fromkeys(item.run for item in self.items))

    def __str__(self) -> str:
        lines = [f"undo of {self.what}: {self.able} of {len(self.items)} effects can be taken back"]
        lines += [f"  {item}" for item in self.items]
        lines += [f"  outcome not known yet: {name}" for name in self.open]
        lines += [
            f"  rests on it: {one.action} (event {one.seq} of run {one.run}): {one.why}" for one in self.dependants
        ]
        return "\n".join(lines)


def plan(
    what: str,
    chosen: Sequence[Effect],
    actions: Callable[[str], Actions],
    *,
    run: str = "",
    later: Iterable[Effect] = (),
    delayed: Iterable[tuple[str, int, ev.Delayed]] = (),
    open_calls: Iterable[str] = (),
) -> UndoPlan:
    """Return the plan for taking back the *chosen* effects.

    Args:
        what: What is undone, in words.
        chosen: The effects, in any order.
        actions: Returns the actions of a run's agent, by the run's id.
        run: The run, where it is one.
        later: Effects that may rest on those.
        delayed: Calls that wait for their delay: the run, the seq and the event.
        open_calls: Calls without a known outcome, in words.
    """
    last_first = sorted(chosen, key=lambda effect: -effect.position)
    waiting = tuple(_recall(run, seq, event) for run, seq, event in delayed)
    items = tuple(_item(effect, actions(effect.run).get(effect.done.action)) for effect in last_first)
    return UndoPlan(run, (*waiting, *items), tuple(open_calls), what, tuple(_dependants(last_first, later)))


def _dependants(chosen: Sequence[Effect], later: Iterable[Effect]) -> Iterator[Dependant]:
    for one, on, why in resting(chosen, later):
        bound = any(overlap(one, earlier) for earlier in chosen if earlier.position < one.position)
        yield Dependant(one.run, one.seq, one.done.action, on.run, on.seq, why, bound)


def _recall(run: str, seq: int, event: ev.Delayed) -> Item:
    args = msgspec.json.decode(bytes(event.args))
    return Item(seq, event.action, args, "recall", "it waits for its delay", run, "delay", call=event.call)


def _item(effect: Effect, action: Action[Any, Any, Any] | None) -> Item:
    done, run = effect.done, effect.run
    stays = action.stays if action is not None else ""
    why = why_not(done, effect.intent, action)
    if why:
        return Item(effect.seq, done.action, effect.args, "cannot", why, run, objects=done.wrote, stays=stays)
    way: How = "restore" if done.effect == "reversible" else "compensate"
    by = effect.intent.way if effect.intent is not None and effect.intent.way else "undo"
    return Item(effect.seq, done.action, effect.args, way, "", run, by, done.wrote, stays)


def why_not(  # noqa: PLR0911 - each is a reason of its own
    done: ev.Done, intent: ev.Intended | None, action: Action[Any, Any, Any] | None
) -> str:
    """Return why an effect can't be taken back with its action as it is declared now; empty where it can."""
    if action is None:
        return "the agent no longer has this action"
    if intent is None:
        return "its intent is not in the journal"
    if action.undo_function is None:
        return "its arguments have left, for good" if done.effect == "read" else "it is irreversible"
    if intent.redacted or done.redacted:
        return "secrets in its arguments or result were not kept"
    if done.problem and bytes(done.result) == b"null":
        return "its result could not be recorded"
    kept_by = action.way.name if action.way is not None else "snapshot" if action.snapshot_function else "undo"
    if (intent.way or "undo") != kept_by:
        return f"it was kept for {intent.way or 'undo'}, and the action is taken back by {kept_by} now"
    try:
        action.signature.arguments(msgspec.json.decode(bytes(intent.args)))
    except ValueError as error:
        return f"its arguments don't fit the action any more: {error}"
    return ""
