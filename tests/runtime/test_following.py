"""Hot reload: a policy's file comes into force when it changes; a broken one changes nothing and says so."""

import logging

import pytest

from interlock import Agent, Ctx, Denied, Done, MemoryStore, Policy, Proposal, Runtime, action, forbid, permit
from interlock.errors import PolicyError
from interlock.testing import FakeClock


@action.irreversible(repeatable=True)
async def pay(ctx: Ctx[None], amount: int) -> str:
    """Pay an amount."""
    return "paid"


def source(condition: str) -> str:
    """Return a policy's file."""
    return f"from interlock import Policy, arg, permit\npolicy = Policy(permit('pay', when={condition}))\n"


async def paid(rt, amount):
    run = await rt.start("desk")
    async with rt.session(run.id) as s:
        return type(await s.perform(Proposal("pay", {"amount": amount})))


@pytest.fixture
def agent():
    return Agent("desk", [pay], policy=Policy(permit(pay)))


class TestFollowing:
    async def test_it_is_in_force_at_once_and_whenever_it_changes(self, agent, tmp_path):
        """The file counts from the start; an edit counts within a second, in Python and in JSON."""
        file, clock = tmp_path / "policy.py", FakeClock()
        file.write_text(source("arg.amount < 10"))
        async with Runtime(MemoryStore(), agent, clock=clock) as rt:
            following = rt.follow_policy(str(file), agent="desk")
            assert await paid(rt, 50) is Denied
            file.write_text(source("arg.amount < 100"))
            await clock.elapse("2s")
            assert await paid(rt, 50) is Done
            assert following.problem == ""
            assert repr(following) == f"<Following {file} [in force]>"

    @pytest.mark.parametrize(
        ("broken", "why"),
        [
            ("policy = Policy(", r"policy\.py:1: SyntaxError"),
            ("\nimport nowhere_at_all", r"policy\.py:2: ModuleNotFoundError"),
            (source("arg.amuont < 10"), "no argument amuont; did you mean amount"),
            (source("arg.amount").replace("when=arg.amount", "when=arg.amount + 1"), "must be true or false"),
            ("policy = 5", "is no Policy"),
            ("", "it has no policy"),
        ],
    )
    async def test_a_broken_file_keeps_the_old_policy_and_says_so(self, agent, tmp_path, caplog, broken, why):
        """Nothing changes but the log and the problem; mended, the file counts again."""
        file, clock = tmp_path / "policy.py", FakeClock()
        file.write_text(source("arg.amount < 10"))
        async with Runtime(MemoryStore(), agent, clock=clock) as rt:
            following = rt.follow_policy(str(file), agent="desk")
            before = rt.agents["desk"].policy.hash
            with caplog.at_level(logging.ERROR, "interlock"):
                file.write_text(broken)
                following.look()
            assert rt.agents["desk"].policy.hash == before
            with pytest.raises(PolicyError, match=why):
                raise PolicyError(following.problem)
            assert "the one before it stays" in caplog.text
            assert await paid(rt, 50) is Denied
            assert await paid(rt, 5) is Done
            file.write_text(source("arg.amount < 1000"))
            following.look()
            assert following.problem == ""
            assert await paid(rt, 50) is Done

    async def test_a_file_that_is_gone_changes_nothing(self, agent, tmp_path):
        """A missing file is a broken one."""
        file = tmp_path / "policy.json"
        file.write_bytes(Policy(permit(pay), forbid(pay)).to_json())
        async with Runtime(MemoryStore(), agent) as rt:
            following = rt.follow_policy(str(file), agent="desk")
            assert await paid(rt, 1) is Denied
            file.unlink()
            following.look()
            assert "there is no file" in following.problem
            assert await paid(rt, 1) is Denied

    async def test_what_is_wrong_from_the_start_is_not_followed(self, agent, tmp_path):
        """Whoever starts with a broken file is told at once, and the agent's own policy stays."""
        file = tmp_path / "policy.py"
        file.write_text("policy = Policy(")
        async with Runtime(MemoryStore(), agent) as rt:
            with pytest.raises(PolicyError, match="SyntaxError"):
                rt.follow_policy(str(file), agent="desk")
            assert await paid(rt, 1) is Done
