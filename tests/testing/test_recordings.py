"""A recorded run is made again before another policy; what is decided differently is the report."""

import msgspec
import payments
import pytest

from interlock import Agent, Ctx, Policy, Proposal, action, arg, fact, forbid, need, permit
from interlock.testing import Recording, approving, denying, faults, recorded, replay, runtime


class Owner(msgspec.Struct):
    """Whom an account belongs to."""

    name: str
    country: str


@action.compensable(idempotent=True)
async def refund(ctx: Ctx[None], ref: str, amount: int) -> str:
    """Refund."""
    return f"refunded {amount}"


@refund.undo
async def _(ctx: Ctx[None], done: str, ref: str, amount: int) -> None: ...


@refund.fact
async def owner(ctx: Ctx[None], ref: str, amount: int) -> Owner:
    return Owner("ann", "NL")


@action.read
async def look(ctx: Ctx[None], ref: str) -> str:
    """Look."""
    return ref


def desk(*rules):
    return Agent("desk", [refund, look], policy=Policy(permit([look, refund]), *rules))


OLD = (
    forbid(refund, when=arg.amount > 500, because="too much"),
    need.approval("finance", refund, when=arg.amount > 100),
    forbid(refund, when=fact.owner.name != "ann", because="not hers"),
)


async def history(*proposals, rules=OLD, person=None, **options):
    """Return the history of a run with these proposals."""
    async with runtime(desk(*rules), **options) as rt:
        run = await rt.start("desk", run="r1", user="u1")
        async with rt.session("r1") as session:
            for number, (name, args) in enumerate(proposals):
                await rt.outcome(session, Proposal(name, args, f"k{number}"), person or approving())
        return await run.history()


PROPOSALS = [
    ("look", {"ref": "A"}),
    ("refund", {"ref": "A", "amount": 50}),
    ("refund", {"ref": "A", "amount": 200}),
    ("refund", {"ref": "A", "amount": 900}),
    ("refnd", {}),
]


class TestRecorded:
    async def test_what_is_kept(self):
        """Each proposal is kept with its decision, the facts that it read and its result, in their order."""
        recording = recorded(await history(*PROPOSALS))
        assert (recording.agent, recording.user) == ("desk", {"id": "u1"})
        assert [str(one.decision).partition(" (")[0] for one in recording.proposals] == [
            "permitted",
            "permitted",
            "permitted, needing approval finance",
            "denied",
            "denied",
        ]
        assert recording.proposals[1].facts == {"owner.name": "ann"}
        assert [one.result for one in recording.proposals] == ["A", "refunded 50", "refunded 200", None, None]

    async def test_a_file(self):
        """A recording goes into a file beside the tests, and comes back the same."""
        recording = recorded(await history(*PROPOSALS))
        assert Recording.from_json(recording.to_json()) == recording

    def test_not_a_run(self):
        """What is not a run's whole history is refused."""
        with pytest.raises(ValueError, match="does not begin with its start"):
            recorded([])


class TestReplay:
    async def test_the_same_policy(self):
        """Before the policy under which it was recorded, everything is decided as it was."""
        again = await replay(await history(*PROPOSALS), desk(*OLD))
        assert again.differences == ()
        assert str(again) == "0 of 5 decisions differ"

    async def test_another_policy(self):
        """Before another policy the decisions that differ are told, with reasons then and now."""
        again = await replay(await history(*PROPOSALS), desk(need.confirmation(refund), OLD[2]))
        assert str(again) == (
            "3 of 5 decisions differ\n"
            "  refund(amount=50, ref='A') [k1]\n"
            "    was: permitted\n    now: permitted, needing confirmation\n"
            "  refund(amount=200, ref='A') [k2]\n"
            "    was: permitted, needing approval finance\n    now: permitted, needing confirmation\n"
            "  refund(amount=900, ref='A') [k3]\n"
            "    was: denied (too much)\n    now: permitted, needing confirmation"
        )

    async def test_a_fact_that_was_not_read(self):
        """A rule that reads more than was read then can't be judged, so it denies and says why."""
        strict = desk(forbid(refund, when=fact.owner.country != "NL", because="abroad"), *OLD)
        again = await replay(await history(PROPOSALS[1]), strict)
        (difference,) = again.differences
        assert difference.now.verdict == "denied"
        assert "was not read when this was recorded" in difference.now.reasons[0]

    async def test_what_people_said_does_not_matter(self):
        """A no of a person is no decision of the policy; neither is a delay or an unknown outcome."""
        denied = await history(PROPOSALS[2], person=denying())
        assert (await replay(denied, desk(*OLD))).differences == ()
        slow = await history(PROPOSALS[1], rules=(need.delay("1h", refund),))
        assert (await replay(slow, desk(need.delay("1h", refund)))).differences == ()
        assert len((await replay(slow, desk())).differences) == 1
        lost = await history(PROPOSALS[1], faults=[faults.lost_answer("refund")])
        assert (await replay(lost, desk(*OLD))).differences == ()

    async def test_nothing_is_performed(self):
        """The agent's own functions are not called: the recorded results answer."""
        bank = payments.Bank()
        async with runtime(payments.loop_agent(), deps=bank) as rt:
            run = await rt.start("loop")
            async with rt.session(run.id) as session:
                await rt.outcome(session, Proposal("pay_keyed", {"to": "ann", "amount": "40"}, "p1"))
            recording = recorded(await run.history())
            again = await replay(run, payments.loop_agent(payments.STRICT))
        assert again.differences == ()
        assert len(bank.payments) == 1
        assert len((await replay(recording, Agent("loop", payments.ACTIONS))).differences) == 1

    async def test_a_driven_run(self):
        """The proposals of a machine's states are made in those states again, with what these offer."""
        async with runtime(payments.driven_agent("pay_keyed"), deps=payments.Bank()) as rt:
            run = await rt.start("driven")
            await rt.ending(run)
            done = await run.history()
        assert [one.state for one in recorded(done).proposals] == ["work", "work", "tell"]
        assert (await replay(done, payments.driven_agent("pay_keyed"))).differences == ()
        other = payments.driven_agent("pay_keyed", payments.STRICT)
        assert [one.now.needs for one in (await replay(done, other)).differences] == [("approval finance",)]

    async def test_a_failed_read_and_a_refusal(self):
        """What failed then fails again, whatever kind of failure it was."""
        from interlock import Refused

        failing = [faults.raises("look"), faults.raises("refund", Refused("closed"))]
        failed = await history(*PROPOSALS[:2], faults=failing)
        assert [one.error for one in recorded(failed).proposals] == [
            "ConnectionError: the connection was refused",
            "closed",
        ]
        assert (await replay(failed, desk(*OLD))).differences == ()
