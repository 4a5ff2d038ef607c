"""Agents: what belongs together is checked together."""

from decimal import Decimal

import pytest

from interlock import Agent, Ctx, Final, Machine, Policy, State, action, arg, fact, permit
from interlock.errors import DeclarationError, PolicyError


@action.read
async def look(ctx: Ctx[None], ref: str) -> str:
    return ref


@action.irreversible
async def pay(ctx: Ctx[None], ref: str, amount: Decimal) -> None: ...


@pay.fact
async def owed(ctx: Ctx[None], ref: str, amount: Decimal) -> Decimal:
    return amount


async def step(flow): ...


def machine(*offers):
    return Machine(State("work", step, offers=offers, to=["done"]), Final("done"))


class TestAgent:
    """What an agent is made of."""

    def test_what_it_knows(self):
        """Actions are found by name; facts are gathered where a rule reads them."""
        agent = Agent("desk", [look, pay], policy=Policy(permit(look), permit(pay, when=arg.amount <= fact.owed)))
        assert agent.actions == {"look": look, "pay": pay}
        assert agent.needed(look).facts == ()
        assert agent.needed(pay).facts == ("owed",)
        assert repr(agent) == "<Agent desk: look, pay>"

    def test_without_a_policy_nothing_is_permitted(self):
        """The default is to deny."""
        assert not Agent("desk", [look]).policy.rules

    def test_the_hash_of_its_machine(self):
        """The machine's content names it; an agent without one has no hash."""
        left, right = (Agent("desk", [look, pay], machine=machine("look", "pay")) for _ in range(2))
        assert left.machine_hash == right.machine_hash != Agent("desk", [look], machine=machine("look")).machine_hash
        assert Agent("desk", [look]).machine_hash == ""


class TestRefused:
    """What does not fit together."""

    def test_two_actions_of_a_name(self):
        """A model could not tell them apart."""
        with pytest.raises(DeclarationError, match="two actions called 'look'; rename one"):
            Agent("desk", [look, look])

    @pytest.mark.parametrize("thing", [step, "look", None])
    def test_what_is_no_action(self, thing):
        """A plain function is not an action until it is declared as one."""
        with pytest.raises(DeclarationError, match=r"is not an action; declare it with @action\.read"):
            Agent("desk", [thing])

    def test_an_action_that_can_not_keep_its_word(self):
        """The action's own check runs when an agent takes it."""

        @action.reversible
        def rename(ctx: Ctx[None]) -> None: ...

        with pytest.raises(DeclarationError, match="has no way back"):
            Agent("desk", [rename])

    def test_offers_of_what_it_does_not_have(self):
        """A state offers only what the agent can do."""
        with pytest.raises(DeclarationError, match=r"state 'work' offers pay, which the agent does not have"):
            Agent("desk", [look], machine=machine("look", "pay"))

    def test_dependencies_that_are_made_already(self):
        """Dependencies come from a factory, so that a resumed run gets live ones."""
        with pytest.raises(DeclarationError, match="is not a factory"):
            Agent("desk", [look], deps={"db": 1})

    @pytest.mark.parametrize(
        "policy",
        [
            Policy(permit("lok")),
            Policy(permit(look, when=arg.reff == "x")),
            Policy(permit(pay, when=fact.owned == 1)),
        ],
    )
    def test_a_policy_about_something_else(self, policy):
        """A policy that names an unknown action, argument or fact is refused."""
        with pytest.raises(PolicyError):
            Agent("desk", [look, pay], policy=policy)
