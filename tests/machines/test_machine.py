"""State machines: what is refused when one is defined, and the data that the journal stores."""

import pytest

from interlock import Ctx, Final, Machine, State, action
from interlock.canonical import canonical, digest
from interlock.errors import DeclarationError


async def step(flow):
    """The code of a state."""


async def other(flow):
    """The code of another."""


@action.read
async def look(ctx: Ctx[None]) -> None: ...


def desk(**changes):
    """Return a machine of two states and an end."""
    first = {"offers": [look, "send"], "to": ["second", "done"]} | changes
    return Machine(State("first", step, **first), State("second", other, to=["first", "done"]), Final("done"))


class TestDefinition:
    """A machine is checked when it is defined; the message names the state and says what to do."""

    @pytest.mark.parametrize(
        ("states", "words"),
        [
            ((), r"put a State\(…\) first"),
            ((Final("done"), State("a", step, to=["done"])), r"put a State\(…\) first"),
            ((State("a", step, to=["a"]), State("a", other, to=["a"])), "two states share a name: a, a"),
            (
                (State("a", step, to=["dnoe"]), Final("done")),
                "leads to 'dnoe', which does not exist; did you mean 'done'",
            ),
            ((State("a", step, to=["zzz"]), Final("done")), "there are a, done"),
            ((State("a", step, to=["a"]),), r"no final state: add Final\('done'\)"),
            (
                (State("a", step, to=["done"]), State("b", step, to=["a"]), Final("done")),
                r"no way from 'a' leads to 'b': name it in the to=\[…\]",
            ),
            (
                (State("a", step, to=["done"]), Final("done"), Final("lost")),
                "no way from 'a' leads to 'lost'",
            ),
            (
                (
                    State("a", step, to=["done", "b"]),
                    State("b", step, to=["c"]),
                    State("c", step, to=["b"]),
                    Final("done"),
                ),
                "no way from 'b', 'c' leads to a final state: a run would never end; add a way out",
            ),
        ],
    )
    def test_machines(self, states, words):
        """A machine that can't be run to its end is refused."""
        with pytest.raises(DeclarationError, match=words):
            Machine(*states)

    @pytest.mark.parametrize(
        ("run", "given", "words"),
        [
            (step, {}, r"state 'a' leads nowhere: name the states that come next with to=\[…\]"),
            (step, {"to": "done"}, r"to= lists names; write to=\['done'\]"),
            (step, {"to": ["done"], "offers": "refund"}, r"offers= lists names; write offers=\['refund'\]"),
            (lambda flow: None, {"to": ["done"]}, "is not an async function; write async def"),  # noqa: ARG005
            (None, {"to": ["done"]}, "is not an async function; write async def"),
        ],
    )
    def test_states(self, run, given, words):
        """A state that could not work is refused where it is written."""
        with pytest.raises(DeclarationError, match=words):
            State("a", run, **given)


class TestWays:
    """Where a state leads."""

    def test_the_only_way_needs_no_answer(self):
        """A state with one way out takes it."""
        assert State("a", step, to=["done"]).next(None) == "done"

    def test_an_answer_names_the_way(self):
        """A state with several says which."""
        assert desk().states["first"].next("done") == "done"

    @pytest.mark.parametrize("answer", [None, "first", "nowhere"])
    def test_another_answer_is_refused(self, answer):
        """An answer that is none of the ways is an error that names them."""
        with pytest.raises(DeclarationError, match="must return one of second, done"):
            desk().states["first"].next(answer)


class TestData:
    """The machine as the journal stores it, by its content."""

    def test_the_whole(self):
        """All that decides how a run moves is in the data."""
        assert desk(version=2).data() == {
            "initial": "first",
            "states": [
                {
                    "name": "first",
                    "code": "test_machine.step@2",
                    "offers": ["look", "send"],
                    "to": ["second", "done"],
                },
                {"name": "second", "code": "test_machine.other@1", "offers": None, "to": ["first", "done"]},
                {"name": "done", "final": True},
            ],
        }

    def test_the_same_machine_has_the_same_hash(self):
        """The hash rests on the content: not on the order of the offers, nor on how they are given."""
        left = digest(canonical(desk().data()))
        assert left == digest(canonical(desk(offers=("send", look)).data()))
        assert left == digest(canonical(desk(offers=["look", "send", "send"]).data()))

    @pytest.mark.parametrize("changes", [{"version": 2}, {"offers": None}, {"offers": []}, {"to": ["done", "second"]}])
    def test_another_machine_has_another(self, changes):
        """Whatever changes how a run moves changes the hash."""
        assert canonical(desk(**changes).data()) != canonical(desk().data())


def test_reprs():
    """A log line shows the states and the ways."""
    machine = desk()
    assert repr(machine) == "<Machine first second done>"
    assert repr(machine.states["first"]) == "<State first → second, done>"
    assert repr(machine.states["done"]) == "<Final done>"
