"""A crash at every boundary of runs that a model drives: they end as without it, and each effect happens once."""

import pytest
from shop import Model, Shop, a_payment, a_price, happened, said, seller, speaking, spoken, turns_in

from interlock import Finished, ModelError, Proposal
from interlock.context import shown
from interlock.kernel import events as ev
from interlock.models import UserSaid
from interlock.testing import every_crash, history_of

FIRST = "It is all paid. You get two parcels. Thank you!"
SECOND = "You are welcome. Bye."

ASK = Proposal("ask_user", {"question": "Which size?"}, "q")
BUYING = [
    ("Let me look. ", a_price("tea"), a_price("rum"), a_payment("ann")),
    ASK,
    [a_payment("bob", "500"), Proposal("fly", {}), a_price("gin")],
    FIRST,
    SECOND,
]


def shaky(model, failing=2):
    """A model that fails a few times before its third turn, and a function that has it do so again."""
    left = [failing]

    async def answer(request):
        if turns_in(request) == 2 and left[0]:
            left[0] -= 1
            raise ModelError("overloaded", transient=True)
        async for piece in model.respond(request):
            yield piece

    def anew():
        left[0] = failing
        return Shop()

    return Model(answer), anew


async def buying(rt):
    """Two messages of a conversation; the first has the user asked and a person approve."""

    async def person(question):
        if question.kind == "question":
            await rt.send("seller", "7", conversation="c", user="ann", message_id="a1")
        else:
            await question.approve("carol")

    for number, text in enumerate(("buy", "thanks"), 1):
        run = await rt.send("seller", text, conversation="c", user="ann", message_id=f"m{number}")
        await rt.ending(run, person)


async def bought(rt):
    """Both were paid once, both runs said what they had to say once, and every prompt can be built again."""
    assert rt.deps.payments == [("ann", "5"), ("bob", "500")], rt.deps.calls
    first, second = await _runs(rt)
    assert await first.result() == Finished(FIRST)
    assert await second.result() == Finished(SECOND)
    assert "".join(await spoken(first)) == f"Let me look. {FIRST}"
    assert "".join(await spoken(second)) == SECOND
    for run in (first, second):
        for number in range(1, 1 + len(await happened(run, ev.TurnRecorded))):
            assert (await shown(rt.journal, run.id, number)).exact


async def _runs(rt):
    """Return the runs of the conversation, in the order of their messages."""
    runs = [rt.run(row.id) for row in await rt.journal.conversation("", "c")]
    return sorted(runs, key=lambda run: history_of(rt, run.id)[0].event.message)


class TestConversation:
    """Reads and effects in a turn, the user asked, a person's approval, a model that fails, a second message."""

    async def test_every_crash(self):
        """After a crash at any boundary the conversation ends as without one."""
        model, anew = shaky(speaking(*BUYING))
        crashes = await every_crash(seller(model), buying, check=bought, deps=anew, down=("0s", "1h"))
        crossed = {at for (at,) in crashes.boundaries}
        assert not crashes.asked
        assert crossed >= {"sending", "reading", "after:said", "before:turn", "after:turn_failed", "after:slept"}

    async def test_two_crashes(self):
        """So it does when the process that goes on is killed, too."""
        model, anew = shaky(speaking(*BUYING), failing=1)
        crashes = await every_crash(seller(model), buying, check=bought, deps=anew, twice=True, every=61)
        assert any(len(at) == 2 for at in crashes.boundaries)


class TestTyped:
    async def test_every_crash(self):
        """A typed answer comes out the same, once what did not fit was refused."""
        turns = [
            [a_price("tea")],
            [a_payment("ann"), Proposal("answer", {"answer": {"tea": 3}})],
            [Proposal("answer", {"answer": "three"})],
            [Proposal("answer", {"answer": {"tea": 3}})],
        ]

        async def play(rt):
            await rt.ending(await rt.send("seller", "how much?", user="ann", message_id="m"))

        async def check(rt):
            (row,) = await rt.store.rows()
            assert await rt.run(row.id).result() == Finished({"tea": 3})
            assert rt.deps.payments == [("ann", "5")]

        agent = seller(speaking(*turns), output=dict[str, int])
        await every_crash(agent, play, check=check, deps=Shop)


class TestTwoMessages:
    @pytest.mark.parametrize("first", ["words", "work"])
    async def test_every_crash(self, first):
        """A second message right behind the first is answered once, by whichever run has it."""

        async def answer(request):
            words = [one.text for one in request.messages if isinstance(one, UserSaid)]
            if first == "work" and not turns_in(request):
                yield said("", a_payment("ann"))
                return
            yield f"Heard {words}. "
            yield "Bye."
            yield said(f"Heard {words}. Bye.")

        async def play(rt):
            runs = [await rt.send("seller", f"w{n}", conversation="c", message_id=f"m{n}") for n in (1, 2)]
            for run in runs:
                await rt.ending(run)
            await rt.clock.elapse("1m")

        async def check(rt):
            events = [one.event for row in await rt.store.rows() for one in history_of(rt, row.id)]
            taken = [one.message for one in events if isinstance(one, ev.RunStarted | ev.MessageReceived)]
            assert sorted(taken) == ["m1", "m2"]
            outputs = [(await rt.run(row.id).result()).output for row in await rt.store.rows()]
            assert any(one.endswith("Heard ['w1', 'w2']. Bye.") for one in outputs), outputs
            assert rt.deps.payments == ([("ann", "5")] if first == "work" else [])

        await every_crash(seller(Model(answer)), play, check=check, deps=Shop)


class TestCancel:
    async def test_every_crash(self):
        """A run that is cancelled while it waits ends as cancelled, and what it had done is known."""

        async def play(rt):
            run = await rt.send("seller", "buy", user="ann", message_id="m")
            if await run.status() != "cancelled":
                await rt.clock.run(run.result())
                await run.cancel("ana")
            await rt.clock.elapse("1m")
            assert await run.status() == "cancelled"

        def check(rt):
            assert rt.deps.payments == [("ann", "5")]

        await every_crash(seller(speaking(*BUYING)), play, check=check, deps=Shop)
