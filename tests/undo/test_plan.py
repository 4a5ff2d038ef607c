"""The plan of an undo: made from the journal, before anything is taken back."""

import pytest
from msgspec import Raw

from interlock import Ctx, action
from interlock.kernel import events as ev
from interlock.kernel.events import Recorded
from interlock.undo import Item, UndoPlan, effects, plan, resting


@action.compensable
async def refund(ctx: Ctx[None], ref: str, amount: int) -> str:
    return ref


@refund.undo
async def _(ctx: Ctx[None], done: str, ref: str, amount: int) -> None: ...


@action.reversible
async def rename(ctx: Ctx[None], ref: str) -> str:
    return ref


@rename.undo
async def _(ctx: Ctx[None], done: str, ref: str) -> None: ...


@action.irreversible
async def send(ctx: Ctx[None], to: str) -> None: ...


ACTIONS = {"refund": refund, "rename": rename, "send": send}


class History:
    """Builds the events of a run."""

    def __init__(self):
        self.events = []

    def add(self, event):
        seq = len(self.events) + 1
        self.events.append(Recorded(seq, "r1", seq, 0, event))
        return seq

    def did(self, name, effect, args=b"{}", **fields):
        """Add an intent and its outcome, and return the outcome's seq."""
        key = f"k{len(self.events)}"
        marks = {"redacted": fields.pop("redacted", ())}
        at = self.add(
            ev.Intended(call=key, action=name, effect=effect, key="i", perform_before=1, args=Raw(args), **marks)
        )
        return self.add(ev.Done(call=key, action=name, effect=effect, intent=at, **fields))

    def plan(self, open_calls=()):
        return plan("run r1", effects(self.events), lambda _: ACTIONS, run="r1", open_calls=open_calls)


class TestPlan:
    """What will become of each effect."""

    def test_the_last_effect_comes_first(self):
        """Effects are taken back in reverse order, each in the way that its declaration promised."""
        history = History()
        first = history.did("rename", "reversible", b'{"ref":"AB12"}')
        second = history.did("refund", "compensable", b'{"ref":"AB12","amount":3}')
        third = history.did("send", "irreversible", b'{"to":"ana"}')
        made = history.plan()
        assert made.items == (
            Item(third, "send", {"to": "ana"}, "cannot", "it is irreversible", "r1"),
            Item(second, "refund", {"ref": "AB12", "amount": 3}, "compensate", "", "r1", "undo"),
            Item(first, "rename", {"ref": "AB12"}, "restore", "", "r1", "undo"),
        )
        assert made.targets == (second, first)

    def test_reads_and_failures_are_no_effects(self):
        """Only what changed the world is in the plan."""
        history = History()
        history.add(ev.Done(call="k", action="look", effect="read"))
        history.add(ev.Failed(call="k", action="refund", error="declined"))
        assert history.plan().items == ()

    def test_what_was_taken_back_is_not_taken_back_again(self):
        """An effect with a recorded undo is left out, and so is the undo itself."""
        history = History()
        first = history.did("refund", "compensable", b'{"ref":"AB12","amount":3}')
        second = history.did("refund", "compensable", b'{"ref":"AB12","amount":3}')
        history.did("refund", "compensable", undoes=first)
        assert history.plan().targets == (second,)

    @pytest.mark.parametrize(
        ("name", "fields", "why"),
        [
            ("gone", {}, "the agent no longer has this action"),
            ("send", {}, "it is irreversible"),
            ("refund", {"redacted": ("jwt",)}, "secrets in its arguments or result were not kept"),
            ("refund", {"problem": "no JSON"}, "its result could not be recorded"),
        ],
    )
    def test_what_can_not_be_taken_back_says_why(self, name, fields, why):
        """A person reads the reason before the undo begins."""
        history = History()
        history.did(name, "compensable", **fields)
        (item,) = history.plan().items
        assert (item.way, item.why) == ("cannot", why)

    def test_an_outcome_without_its_intent(self):
        """Without the intent nobody knows the arguments."""
        history = History()
        history.add(ev.Done(call="k", action="refund", effect="compensable", intent=9))
        (item,) = history.plan().items
        assert (item.args, item.way, item.why) == (None, "cannot", "its intent is not in the journal")

    def test_a_result_that_is_null(self):
        """An action that returns nothing is taken back like any other."""
        history = History()
        history.did("refund", "compensable", b'{"ref":"AB12","amount":3}', result=Raw(b"null"))
        assert len(history.plan().targets) == 1


def test_it_reads_as_text():
    """A plan printed is what a person decides on."""
    history = History()
    history.did("rename", "reversible", b'{"ref":"AB12"}')
    history.did("send", "irreversible", b'{"to":"ana"}')
    assert str(history.plan(["refund (k9)"])) == (
        "undo of run r1: 1 of 2 effects can be taken back\n"
        "  cannot     send(to='ana') (it is irreversible)\n"
        "  restore    rename(ref='AB12')\n"
        "  outcome not known yet: refund (k9)"
    )


class TestResting:
    """Which later effect rests on an earlier one."""

    def test_what_they_wrote_and_read_tells(self):
        """One that changed the same again, or refers to it, rests on it; one that only reads the same does not."""
        history = History()
        first = history.did("rename", "reversible", wrote=("a",), read=("z",))
        again = history.did("rename", "reversible", wrote=("a",))
        refers = history.did("rename", "reversible", wrote=("b",), read=("a",))
        history.did("rename", "reversible", wrote=("c",), read=("z",))
        known = {one.seq: one for one in effects(history.events)}
        found = {later.seq: why for later, _, why in resting([known[first]], known.values())}
        assert found == {again: "it changed a again", refers: "it refers to a"}

    def test_a_returned_value_that_is_used(self):
        """What an effect returned, and was not given itself, shows where it goes."""
        history = History()
        first = history.did("refund", "compensable", b'{"ref":"AB12"}', result=Raw(b'{"id":"R-77","ref":"AB12"}'))
        history.did("rename", "reversible", b'{"ref":"AB12"}')
        used = history.did("rename", "reversible", b'{"ref":["R-77"]}')
        known = {one.seq: one for one in effects(history.events)}
        assert [later.seq for later, _, _ in resting([known[first]], known.values())] == [used]

    def test_it_is_passed_on(self):
        """What rests on something that rests on it, rests on it."""
        history = History()
        first = history.did("rename", "reversible", wrote=("a",))
        second = history.did("rename", "reversible", wrote=("b",), read=("a",))
        third = history.did("rename", "reversible", wrote=("c",), read=("b",))
        known = {one.seq: one for one in effects(history.events)}
        found = [(later.seq, on.seq) for later, on, _ in resting([known[first]], known.values())]
        assert found == [(second, first), (third, second)]


def test_what_is_done_run_by_run():
    """Effects of several runs are taken back in one order; a run's turn comes again where another lies between."""
    items = (
        Item(9, "pay", {}, "compensate", run="a"),
        Item(7, "pay", {}, "cannot", run="b"),
        Item(5, "pay", {}, "compensate", run="a"),
        Item(4, "pay", {}, "recall", run="b", call="k"),
        Item(3, "pay", {}, "restore", run="b"),
        Item(2, "pay", {}, "restore", run="a"),
    )
    made = UndoPlan("", items)
    assert made.batches == (ev.Batch("a", (9, 5)), ev.Batch("b", (3,), ("k",)), ev.Batch("a", (2,)))
    assert (made.able, made.runs) == (5, ("a", "b"))
