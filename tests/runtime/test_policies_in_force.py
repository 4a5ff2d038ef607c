"""Which rules judge a run: the agent's, its organisation's and its tenant's; replaced at once or not at all."""

import asyncio
from typing import ClassVar

import pytest

from interlock import (
    Agent,
    Ctx,
    Denied,
    Done,
    MemoryStore,
    Outcome,
    Policy,
    Proposal,
    Runtime,
    ScriptedModel,
    Waiting,
    action,
    arg,
    count,
    fact,
    forbid,
    need,
    permit,
)
from interlock.errors import DeclarationError, PolicyError


@action.irreversible(repeatable=True)
async def pay(ctx: Ctx[None], amount: int) -> str:
    """Pay an amount."""
    return "paid"


@pay.fact
async def limit(ctx: Ctx[None], amount: int) -> int:
    """How much may be paid."""
    return 70


@action.irreversible(repeatable=True)
async def mail(ctx: Ctx[None], to: str) -> str:
    """Send a letter."""
    return "sent"


def desk(name: str = "desk") -> Agent:
    """Return an agent that may pay and send letters."""
    return Agent(name, [pay, mail], policy=Policy(permit([pay, mail])))


async def paid(rt: Runtime, amount: int, tenant: str = "", key: str = "", run: str | None = None) -> Outcome:
    """Return what comes of a payment."""
    handle = await rt.start("desk", tenant=tenant, run=run)
    async with rt.session(handle.id) as s:
        return await s.perform(Proposal("pay", {"amount": amount}, key))


class TestLevels:
    """Organisation, agent, tenant: each only narrows."""

    ORGANISATION = Policy(forbid(pay, when=arg.amount > 90, because="organisation"))
    TENANTS: ClassVar = {"acme": Policy(forbid(pay, when=arg.amount > fact.limit, because="acme"))}

    async def test_all_levels_count(self) -> None:
        """The organisation's rules are for all, a tenant's for its own runs; their facts are gathered."""
        async with Runtime(":memory:", desk(), organisation=self.ORGANISATION, tenants=self.TENANTS) as rt:
            assert isinstance(await paid(rt, 90), Done)
            denied = await paid(rt, 91)
            assert isinstance(denied, Denied)
            assert denied.reasons == ("organisation",)
            assert isinstance(await paid(rt, 70, "acme"), Done)
            assert isinstance(await paid(rt, 71, "acme"), Denied)
            assert isinstance(await paid(rt, 71, "other"), Done)

    async def test_a_level_can_not_permit(self) -> None:
        """A permit in the organisation's or a tenant's rules is refused with its place."""
        for more in ({"organisation": Policy(permit(pay))}, {"tenants": {"acme": Policy(permit(pay))}}):
            with pytest.raises(PolicyError, match=r"test_policies_in_force\.py:\d+.*can't permit"):
                Runtime(":memory:", desk(), **more)

    async def test_a_level_names_what_there_is(self) -> None:
        """Its rules are checked against all agents; one that concerns only some of them stays with those."""
        with pytest.raises(PolicyError, match="did you mean pay"):
            Runtime(":memory:", desk(), organisation=Policy(forbid("pya")))
        other = Agent("other", [mail], policy=Policy(permit(mail)))
        async with Runtime(":memory:", desk(), other, organisation=Policy(forbid([pay, mail]))) as rt:
            run = await rt.start("other")
            async with rt.session(run.id) as s:
                assert isinstance(await s.perform(Proposal("mail", {"to": "a"})), Denied)

    async def test_the_policy_of_a_run_is_stored_with_its_tenants_rules(self) -> None:
        """Each decision names a hash under which the whole policy can be had from the journal."""
        async with Runtime(":memory:", desk(), tenants=self.TENANTS) as rt:
            await paid(rt, 1, "acme", run="r1")
            await paid(rt, 1, run="r2")
            hashes = set()
            for name in ("r1", "r2"):
                for one in await rt.run(name).history():
                    judgement = getattr(one.event, "judgement", None)
                    if judgement is not None:
                        hashes.add(judgement.policy)
            assert len(hashes) == 2
            for one in hashes:
                stored = await rt.journal.store.blob(one)
                assert stored is not None
                assert Policy.from_json(stored).hash == one


class TestReplacing:
    """`set_policy`: judged by another policy from now on."""

    async def test_an_agents_own(self) -> None:
        """The next judgement goes by the new policy, in runs that began before as well."""
        async with Runtime(":memory:", desk()) as rt:
            assert isinstance(await paid(rt, 1, run="r1", key="a"), Done)
            rt.set_policy(Policy(permit(pay, when=arg.amount < 5)), agent="desk")
            assert isinstance(await paid(rt, 9, run="r1", key="b"), Denied)
            assert isinstance(await paid(rt, 4, run="r1", key="c"), Done)

    async def test_a_tenants_and_the_organisations(self) -> None:
        """Each level is replaced by itself; the others stay."""
        async with Runtime(":memory:", desk()) as rt:
            rt.set_policy(Policy(forbid(pay, when=arg.amount > 50)), tenant="acme")
            rt.set_policy(Policy(forbid(pay, when=arg.amount > 80)))
            outcomes = [type(await paid(rt, amount, tenant)) for amount, tenant in ((60, "acme"), (60, ""), (81, ""))]
            assert outcomes == [Denied, Done, Denied]

    async def test_one_that_is_wrong_changes_nothing(self) -> None:
        """A policy that can't be is refused, and the old one stays in force."""
        async with Runtime(":memory:", desk()) as rt:
            before = rt.agents["desk"].policy.hash
            for wrong, where in (
                (Policy(permit("pya")), {"agent": "desk"}),
                (Policy(permit(pay, when=arg.amont > 1)), {"agent": "desk"}),
                (Policy(permit(pay)), {}),
                (Policy(permit(pay)), {"tenant": "acme"}),
            ):
                with pytest.raises(PolicyError):
                    rt.set_policy(wrong, **where)
            for where in ({"agent": "nobody"}, {"agent": "desk", "tenant": "acme"}):
                with pytest.raises(DeclarationError):
                    rt.set_policy(Policy(), **where)
            assert rt.agents["desk"].policy.hash == before
            assert isinstance(await paid(rt, 1), Done)

    async def test_what_was_approved_under_another_policy_is_asked_again(self) -> None:
        """An approval is for exactly this, under exactly this policy."""
        first = Policy(permit(pay), need.approval("boss", pay))
        second = Policy(permit(pay, when=arg.amount < 100), need.approval("boss", pay))
        async with Runtime(":memory:", Agent("desk", [pay], policy=first)) as rt:
            waiting = await paid(rt, 1, run="r1", key="k")
            assert isinstance(waiting, Waiting)
            await waiting.question.approve(by="bo")
            rt.set_policy(second, agent="desk")
            again = await paid(rt, 1, run="r1", key="k")
            assert isinstance(again, Waiting)
            assert again.question.id != waiting.question.id
            await again.question.approve(by="bo")
            assert isinstance(await paid(rt, 1, run="r1", key="k"), Done)

    async def test_a_window_that_is_new_counts_what_was_done_before(self) -> None:
        """A rule over the past that comes with the new policy knows the past."""
        async with Runtime(":memory:", desk()) as rt:
            for _ in range(3):
                await paid(rt, 1)
            rt.set_policy(Policy(forbid(pay, when=count(pay, per="agent") >= 4)))
            assert [type(await paid(rt, 1)) for _ in range(2)] == [Done, Denied]

    async def test_two_at_once(self) -> None:
        """Whatever order they come in, one policy is in force, whole: every decision is one of the two."""
        low, high = (Policy(permit(pay, when=arg.amount < top), permit(mail)) for top in (10, 20))
        async with Runtime(MemoryStore(), desk()) as rt:

            async def replacing(policy: Policy) -> None:
                for _ in range(50):
                    rt.set_policy(policy, agent="desk")
                    await asyncio.sleep(0)

            async def paying() -> list[Outcome]:
                return [await paid(rt, 15) for _ in range(50)]

            _, _, outcomes = await asyncio.gather(replacing(low), replacing(high), paying())
            assert all(isinstance(one, (Done, Denied)) for one in outcomes)
            hashes = {
                one.event.judgement.policy
                for one in await rt.journal.feed(0, 1000)
                if hasattr(one.event, "judgement") and one.event.judgement is not None
            }
            assert hashes <= {low.hash, high.hash, desk().policy.hash}

    async def test_while_facts_are_gathered(self) -> None:
        """A policy that comes in the middle of a judgement, and needs facts of its own, gets them."""

        @action.irreversible
        async def slow(ctx: Ctx[None], amount: int) -> str:
            """Pay slowly."""
            return "paid"

        @slow.fact
        async def swapped(ctx: Ctx[None], amount: int) -> bool:
            rt.set_policy(after, agent="slow")
            return True

        @slow.fact
        async def limit(ctx: Ctx[None], amount: int) -> int:
            return 70

        before = Policy(permit(slow, when=fact.swapped == True))  # noqa: E712 - a condition
        after = Policy(permit(slow, when=arg.amount <= fact.limit))
        async with Runtime(":memory:", Agent("slow", [slow], policy=before)) as rt:
            handle = await rt.start("slow")
            async with rt.session(handle.id) as s:
                assert isinstance(await s.perform(Proposal("slow", {"amount": 70})), Done)
                assert isinstance(await s.perform(Proposal("slow", {"amount": 71})), Denied)


class TestLeastPrivilege:
    """A model is told only of what it could ever do."""

    def test_what_is_never_permitted_is_not_offered(self) -> None:
        """No permit, or a forbid that always holds: the model does not hear of the action."""
        for policy in (Policy(permit(pay)), Policy(permit([pay, mail]), forbid(mail))):
            agent = Agent("desk", [pay, mail], policy=policy, model=ScriptedModel([]))
            assert agent.head is not None
            assert [one.name for one in agent.head.actions] == ["pay"]

    def test_delegation_narrows(self) -> None:
        """What the caller may not do, its helper is not even told of."""
        helper = Agent("helper", [pay, mail], policy=Policy(permit([pay, mail])), model=ScriptedModel([]))
        agent = Agent("desk", [helper], policy=Policy(permit(["helper", "mail"])), model=ScriptedModel([]))
        below = agent.delegates["helper"]
        assert below.head is not None
        assert [one.name for one in below.head.actions] == ["mail"]

    def test_a_tenant_narrows(self) -> None:
        """A tenant's rules take away what they always forbid."""
        agent = Agent("desk", [pay, mail], policy=Policy(permit([pay, mail])), model=ScriptedModel([]))
        narrowed = agent.restricted(Policy(forbid(mail)))
        assert narrowed.head is not None
        assert [one.name for one in narrowed.head.actions] == ["pay"]
        assert narrowed.head_hash != agent.head_hash
