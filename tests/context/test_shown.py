"""What a model was shown, built again from the journal: the same to the letter, at every turn of a run."""

import pytest

from interlock import (
    Agent,
    Ctx,
    Example,
    Finished,
    MemoryStore,
    Policy,
    Proposal,
    Runtime,
    ScriptedModel,
    Turn,
    Waiting,
    action,
    ask_user,
    need,
    permit,
)
from interlock.context import Head, shown
from interlock.errors import UnknownRunError
from interlock.models import Definition, ModelSaid, Response
from interlock.testing import approving, runtime


@action.read
async def look(ctx: Ctx[None], at: str) -> str:
    """Look at something."""
    return f"{at}: sk-{'a1' * 24}" if at == "key" else "x" * 30_000


@action.compensable(idempotent=True)
async def pay(ctx: Ctx[None], to: str) -> str:
    """Pay."""
    return f"paid {to}"


@pay.undo
async def _(ctx: Ctx[None], done: str, to: str) -> None: ...


POLICY = Policy(permit([look, pay, ask_user]), need.approval("lead", pay))
TURNS = [
    (Proposal("look", {"at": "key"}), Proposal("look", {"at": "shelf"}), Proposal("fly", "{nonsense")),
    (Proposal("ask_user", {"question": "?"}),),
    "",
    (Proposal("pay", {"to": "ann"}, "p"),),
    "All done. Bye.",
    "Nothing else?",
]


class Remembering:
    """A scripted model, a provider's form of its turns beside them, that remembers what it was asked."""

    name = "test:m"

    def __init__(self):
        self.asked = []

    async def respond(self, request):
        self.asked.append(request)
        number = sum(isinstance(one, ModelSaid) for one in request.messages)
        made = TURNS[number]
        native = {"kind": "response", "number": number}
        if isinstance(made, str):
            yield made
            yield Response(made, native=native)
        else:
            yield Response("Let me see. ", made, native=native, finish="calls")


def clerk(model):
    return Agent(
        "clerk",
        [look, pay, ask_user],
        model=model,
        policy=POLICY,
        instructions="You help.",
        examples=[Example("hi", "hello")],
    )


async def conversation(rt, kill=False):
    """Have the whole of it, with a crash at each halt if wanted; return the runs."""
    run = await rt.send("clerk", "help me", conversation="c", user="ann")
    assert isinstance(await rt.clock.run(run.result()), Waiting)
    if kill:
        await rt.kill()
    await rt.send("clerk", "blue", conversation="c", user="ann")
    await rt.clock.elapse("1s")
    if kill:
        await rt.kill()
    assert await rt.ending(rt.run(run.id), approving()) == Finished("All done. Bye.")
    assert await rt.undo(run.id) == ()
    after = await rt.send("clerk", "thanks", conversation="c", user="ann")
    assert await rt.ending(after) == Finished("Nothing else?")
    return run.id, after.id


@pytest.mark.parametrize("kill", [False, True])
async def test_it_is_what_the_model_was_given(kill):
    """Every prompt of a run and of the next one comes out as it was, secrets left out from the start."""
    model = Remembering()
    async with runtime(clerk(model)) as rt:
        first, second = await conversation(rt, kill=kill)
        prompts = [await shown(rt.journal, first, number) for number in range(1, 6)]
        prompts.append(await shown(rt.journal, second, 1))
        assert all(one.exact for one in prompts)
        assert [one.request for one in prompts] == model.asked
        for before, after in zip(model.asked, model.asked[1:], strict=False):
            assert after.messages[: len(before.messages)] == before.messages
    assert "sk-a1" not in str(model.asked)
    assert "[redacted:openai-key]" in str(model.asked)


async def test_a_prompt_that_can_not_be_built_again():
    """When a part of it was erased, what is left is shown, and that it is not exact."""
    model = Remembering()
    async with runtime(clerk(model)) as rt:
        first, _ = await conversation(rt)
        big = [address for address, data in rt.store._blobs.items() if len(data) > 20_000]
        for one in big:
            del rt.store._blobs[one]
        assert (await shown(rt.journal, first, 1)).exact
        erased = await shown(rt.journal, first, 2)
        assert not erased.exact
        assert len(erased.request.messages) == len(model.asked[1].messages)
        head = (await rt.journal.event(first, 1)).event.prompt
        del rt.store._blobs[head]
        assert not (await shown(rt.journal, first, 1)).exact


class TestNone:
    async def test_no_such_turn(self):
        """A turn that was not made can't be shown."""
        async with runtime(clerk(ScriptedModel(["hi"]))) as rt:
            run = await rt.send("clerk", "hi")
            await rt.ending(run)
            for number in (0, 2, -1):
                with pytest.raises(UnknownRunError, match="has 1 turns"):
                    await shown(rt.journal, run.id, number)
            with pytest.raises(UnknownRunError):
                await shown(rt.journal, "nobody", 1)

    @pytest.mark.parametrize("request_", [None, "pay bob", {"head": 1}, [{"role": "user"}]])
    async def test_a_turn_of_a_loop_of_its_own(self, request_):
        """What a foreign loop recorded is what it gave, and is not built from the journal."""
        async with Runtime(MemoryStore(), Agent("desk", [look], policy=Policy(permit(look)))) as rt:
            run = await rt.start("desk")
            async with rt.session(run.id) as session:
                await session.record(Turn("m", request=request_, response="x"))
            with pytest.raises(UnknownRunError, match="recorded by a loop of its own"):
                await shown(rt.journal, run.id, 1)


class TestHead:
    def test_without_examples(self):
        """The instructions are all there is."""
        assert Head("Be kind.", (), ()).text() == "Be kind."

    def test_with_examples_only(self):
        """Examples stand behind the label that says that they are invented."""
        text = Head("", (Example("hi", "hello", (Proposal("look", {"at": "x"}),)),), ()).text()
        assert text.startswith("Examples of how to answer. They are invented:")
        assert text.endswith('User: hi\nYou propose: look {"at":"x"}\nYou answer: hello\n</example>')

    def test_its_content(self):
        """What is told of the actions is part of what names it."""
        one, other = (Head("", (), (Definition("a", doc, {}),)) for doc in ("x", "y"))
        assert one.data() != other.data()


async def test_runs_of_foreign_loops_are_not_told():
    """A conversation in which another loop had a run goes on without its words."""
    agents = [Agent("desk", [look], policy=Policy(permit(look))), clerk(ScriptedModel(["hi"]))]
    async with Runtime(MemoryStore(), *agents) as rt:
        foreign = await rt.start("desk", "secret", conversation="c", user="ann")
        async with rt.session(foreign.id) as session:
            await session.finish()
        run = await rt.send("clerk", "hi", conversation="c", user="ann")
        await run.result()
        prompt = await shown(rt.journal, run.id, 1)
        assert prompt.exact
        assert len(prompt.request.messages) == 1
