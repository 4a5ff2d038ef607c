"""An agent among the actions: a run of its own, an authority that only narrows, crashes anywhere."""

import pytest
from shop import Shop, a_payment, a_price, happened, pay, price, seller, speaking

from interlock import (
    Agent,
    Finished,
    Policy,
    Proposal,
    ScriptedModel,
    Stopped,
    Waiting,
    action,
    arg,
    ask_user,
    forbid,
    need,
    permit,
)
from interlock.errors import DeclarationError
from interlock.kernel import events as ev
from interlock.testing import every_crash, runtime

ALL = Policy(permit([price, pay, ask_user]))
PAYING = Policy(permit(pay))
HAND_ON = Proposal("buyer", {"task": "buy tea"})


def buyer(*turns, policy=ALL, actions=(price, pay, ask_user), **options):
    model = speaking(*turns)
    return Agent("buyer", actions, instructions="You buy things.", model=model, policy=policy, **options)


def boss(sub, *turns, policy):
    return seller(speaking(*turns), actions=[price, pay, sub], policy=policy)


def may(*rules):
    """The boss may hand on and pay, and what *rules* add."""
    return Policy(permit(["buyer", "price", "pay"]), *rules)


async def ended(sub, policy, turns=(HAND_ON, "Done.")):
    async with runtime(boss(sub, *turns, policy=policy), deps=Shop()) as rt:
        run = await rt.send("seller", "buy")
        result = await rt.ending(run)
        (handed,) = await happened(run, ev.Delegated)
        child = rt.run(handed.to)
        return result, run, child, rt.deps, await happened(run), await happened(child)


class TestHandingOn:
    """The task goes to a run of the other agent, and its answer is the proposal's outcome."""

    async def test_the_answer_comes_back(self):
        sub = buyer(a_price("tea"), a_payment("ann"), "Bought for 5.")
        result, run, child, shop, told, below = await ended(sub, may())
        assert result == Finished("Done.")
        assert shop.payments == [("ann", "5")]
        assert (below[0].agent, below[0].parent[0]) == ("seller/buyer", run.id)
        assert child.id.startswith(run.id)
        (done,) = [one for one in told if isinstance(one, ev.Done)]
        assert (done.via, bytes(done.result)) == ("delegate", b'"Bought for 5."')

    async def test_it_is_judged_like_any_proposal(self):
        """Where no rule permits handing on, nothing is handed on."""
        sub = buyer("Never asked.")
        agent = boss(sub, HAND_ON, "I may not.", policy=Policy(permit("price")))
        async with runtime(agent, deps=Shop()) as rt:
            run = await rt.send("seller", "buy")
            assert await rt.ending(run) == Finished("I may not.")
            assert [one.stage for one in await happened(run, ev.Denied)] == ["judge"]
            assert len(await rt.journal.store.rows()) == 1

    async def test_it_that_fails_fails_the_proposal(self):
        """The other agent's run comes to no answer: the caller's model is told so."""
        sub = buyer(Proposal("ask_user", {"question": "Which?"}), "never")
        async with runtime(boss(sub, HAND_ON, "It failed.", policy=may(permit("ask_user"))), deps=Shop()) as rt:
            run = await rt.send("seller", "buy")
            waiting = await run.result()
            await rt.run(waiting.question.run).cancel(by="ops")
            assert await rt.ending(run) == Finished("It failed.")
            (failed,) = await happened(run, ev.Failed)
            assert failed.error.startswith("agent 'buyer' did not finish (cancelled)")

    async def test_cancelling_goes_down(self):
        """With the caller's run the other agent's run ends too."""
        sub = buyer(Proposal("ask_user", {"question": "Which?"}), "never")
        async with runtime(boss(sub, HAND_ON, "never", policy=may(permit("ask_user"))), deps=Shop()) as rt:
            run = await rt.send("seller", "buy")
            waiting = await run.result()
            assert isinstance(waiting, Waiting)
            child = rt.run(waiting.question.run)
            await run.cancel(by="ann")
            assert (await rt.ending(run)).status == "cancelled"
            assert (await rt.ending(child)).status == "cancelled"


class TestUndo:
    """What another agent did is part of the caller's plan, and taken back in its own run."""

    async def test_the_plan_holds_what_the_other_did(self):
        sub = buyer(a_payment("ann"), "Paid.")
        async with runtime(boss(sub, HAND_ON, "Done.", policy=may()), deps=Shop()) as rt:
            run = await rt.send("seller", "buy")
            await rt.ending(run)
            plan = await run.undo_plan()
            (item,) = plan.items
            assert item.run != run.id
            assert await plan.apply(by="ana") == ()
            assert not rt.deps.payments


class TestAuthority:
    """What the caller may not, nobody may on its behalf."""

    async def test_the_callers_policy_forbids_below(self):
        sub = buyer(a_payment("ann", "50"), "Tried.")
        policy = may(forbid(pay, when=arg.amount > 20, because="over 20"))
        _, _, _, shop, _, below = await ended(sub, policy)
        assert not shop.payments
        (denied,) = [one for one in below if isinstance(one, ev.Denied)]
        assert denied.reasons == ("over 20",)

    async def test_what_the_caller_does_not_permit_is_denied_below(self):
        sub = buyer(a_payment("ann"), "Tried.")
        _, _, _, shop, _, below = await ended(sub, Policy(permit("buyer")))
        assert not shop.payments
        assert [one.stage for one in below if isinstance(one, ev.Denied)] == ["judge"]

    async def test_its_own_policy_narrows_further(self):
        sub = buyer(a_payment("ann"), "Tried.", policy=Policy(permit(price)))
        _, _, _, shop, _, _ = await ended(sub, may())
        assert not shop.payments

    async def test_needs_of_both_add_up(self):
        """The caller's rule asks finance, the other agent's its lead: the caller's result shows both questions."""
        own = Policy(permit(pay), need.approval("lead", pay))
        sub = buyer(a_payment("ann"), "Paid.", policy=own)
        policy = may(need.approval("finance", pay))
        async with runtime(boss(sub, HAND_ON, "Done.", policy=policy), deps=Shop()) as rt:
            run = await rt.send("seller", "buy")
            waiting = await run.result()
            assert sorted(one.level for one in waiting.questions) == ["finance", "lead"]
            for question in waiting.questions:
                await question.approve(by="ana")
            assert await rt.ending(run) == Finished("Done.")
            assert rt.deps.payments == [("ann", "5")]

    async def test_two_levels_down(self):
        """The outermost policy bounds the innermost agent."""
        clerk = Agent(
            "clerk", [pay], instructions="You pay.", model=speaking(a_payment("ann", "50"), "x"), policy=PAYING
        )
        middle = Agent(
            "buyer",
            [clerk],
            model=speaking(Proposal("clerk", {"task": "pay"}), "y"),
            policy=Policy(permit(["clerk", "pay"])),
        )
        policy = Policy(permit(["buyer", "clerk", "pay"]), forbid(pay, when=arg.amount > 20, because="over 20"))
        agent = seller(speaking(HAND_ON, "z"), actions=[middle], policy=policy)
        async with runtime(agent, deps=Shop()) as rt:
            run = await rt.send("seller", "buy")
            assert await rt.ending(run) == Finished("z")
            assert not rt.deps.payments
            assert {row.agent for row in await rt.journal.store.rows()} == {
                "seller",
                "seller/buyer",
                "seller/buyer/clerk",
            }


class TestDeclaring:
    """What can't work is refused when it is declared."""

    def test_checks_of_words_for_a_typed_answer(self):
        """They would never be asked."""
        with pytest.raises(DeclarationError, match="check that type"):
            Agent("typed", [price], model=ScriptedModel(["x"]), output=int, checks=[lambda _: None])

    def test_it_needs_a_model(self):
        with pytest.raises(DeclarationError, match="no model of its own"):
            Agent("boss", [Agent("sub", [price])], model=ScriptedModel(["x"]))

    def test_one_name_for_two_actions(self):
        """One policy judges both by the name: it has to mean one action."""

        @action.irreversible
        async def pay(ctx, to: str) -> None:
            """Another one."""

        with pytest.raises(DeclarationError, match="different actions called 'pay'"):
            boss(buyer("x", actions=[pay], policy=Policy()), "x", policy=Policy())

    def test_a_nested_policy_is_stored_whole(self):
        """Read again from the journal it gives the same hash."""
        sub = boss(buyer("x"), "y", policy=may()).delegates["buyer"]
        assert Policy.from_json(sub.policy.to_json()).hash == sub.policy.hash
        assert sub.policy.hash != ALL.hash


async def test_every_crash():
    """Whatever is killed when: both runs end, and what was handed on is paid once."""

    def agents():
        sub = buyer(a_price("tea"), a_payment("ann"), "Bought.")
        return boss(sub, HAND_ON, a_payment("bob"), "Done.", policy=may())

    async def play(rt):
        run = await rt.send("seller", "buy", user="ann", message_id="m1")
        assert not isinstance(await rt.ending(run), Stopped)

    def check(rt):
        assert rt.deps.payments == [("ann", "5"), ("bob", "5")], rt.deps.calls

    crashes = await every_crash(agents(), play, check=check, deps=Shop)
    assert not crashes.asked
