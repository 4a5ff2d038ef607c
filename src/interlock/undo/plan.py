"""The plan of an undo: made from the journal before anything is taken back."""

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from interlock.actions.action import Action
from interlock.kernel import events as ev
from interlock.kernel.events import Recorded

Way = Literal["restore", "compensate", "cannot"]
"""restore: the exact prior state comes back · compensate: a counter-action makes it good ·
cannot: neither."""


READ = (ev.Intended, ev.Done, ev.Delegated)
"""The types of events that a plan is made from."""

SHOWN = 80
"""How many characters of an effect's arguments a plan shows in its text; `Item.args` has them all."""


class Item(msgspec.Struct, frozen=True):
    """One effect of the run: the seq of its outcome, what was done with what, and what will become of it."""

    seq: int
    action: str
    args: Any
    way: Way
    why: str = ""

    def __str__(self) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in self.args.items()) if self.args else ""
        shown = shown if len(shown) <= SHOWN else f"{shown[:SHOWN]}…"
        why = f" ({self.why})" if self.why else ""
        return f"{self.way:<10} {self.action}({shown}){why}"


class UndoPlan(msgspec.Struct, frozen=True):
    """What an undo of the run will do, the last effect first; `open` names calls without a known outcome.

    `elsewhere` are the runs of other agents that this one handed tasks on to: what they did is taken back by undoing
    them, not by this plan.
    """

    run: str
    items: tuple[Item, ...]
    open: tuple[str, ...] = ()
    elsewhere: tuple[str, ...] = ()

    @property
    def targets(self) -> tuple[int, ...]:
        """The seqs of the outcomes that will be taken back, in order."""
        return tuple(item.seq for item in self.items if item.way != "cannot")

    def __str__(self) -> str:
        lines = [f"undo of run {self.run}: {len(self.targets)} of {len(self.items)} effects can be taken back"]
        lines += [f"  {item}" for item in self.items]
        lines += [f"  outcome not known yet: {name}" for name in self.open]
        lines += [f"  not in this plan: what run {run} did, which a task was handed on to" for run in self.elsewhere]
        return "\n".join(lines)


def plan(
    run: str, history: list[Recorded], actions: Mapping[str, Action[Any, Any, Any]], open_calls: list[str]
) -> UndoPlan:
    """Return the plan for taking back all effects of a run that have not been taken back yet.

    `history` holds at least the run's events of the types in `READ`, in order.
    """
    intents = {one.seq: one.event for one in history if isinstance(one.event, ev.Intended)}
    outcomes = [(one.seq, one.event) for one in history if isinstance(one.event, ev.Done)]
    taken_back = {event.undoes for _, event in outcomes if event.undoes}
    effects = [
        (seq, event)
        for seq, event in outcomes
        if (event.effect != "read" or event.intent) and not event.undoes and seq not in taken_back
    ]
    items = tuple(
        _item(seq, event, intents.get(event.intent), actions.get(event.action)) for seq, event in reversed(effects)
    )
    elsewhere = tuple(one.event.to for one in history if isinstance(one.event, ev.Delegated))
    return UndoPlan(run, items, tuple(open_calls), elsewhere)


def _item(seq: int, done: ev.Done, intent: ev.Intended | None, action: Action[Any, Any, Any] | None) -> Item:
    args = msgspec.json.decode(bytes(intent.args)) if intent is not None else None
    why = _why_not(done, intent, action)
    if why:
        return Item(seq, done.action, args, "cannot", why)
    return Item(seq, done.action, args, "restore" if done.effect == "reversible" else "compensate")


def _why_not(done: ev.Done, intent: ev.Intended | None, action: Action[Any, Any, Any] | None) -> str:
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
    return ""
