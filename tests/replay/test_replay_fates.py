"""What became of recorded calls, read from the journal of a run that the runtime played."""

from benchmarks.replay import fates
from benchmarks.replay.fates import Fate
from benchmarks.replay.functions import FunctionError
from benchmarks.replay.recorded import Answer, RecordedCall, RecordedRun, Turn

from interlock import Agent, Ctx, Policy, Runtime, action, permit
from interlock.kernel.events import Recorded
from interlock.models import Proposal, RecordedModel, Response


@action.read
async def look(ctx: Ctx[None], name: str) -> str:
    """Look something up."""
    if name == "nothing":
        raise FunctionError("ValueError: nothing there")
    return f"a {name}"


@action.irreversible(refuses=(FunctionError,))
async def send(ctx: Ctx[None], name: str) -> str:
    """Send something."""
    if name == "nothing":
        raise FunctionError("ValueError: nothing to send")
    return f"sent {name}"


def _call(function: str, error: str | None = None, **args: object) -> RecordedCall:
    return RecordedCall("", function, args, "", error, answered=True)


def _run(*turns: Turn) -> RecordedRun:
    return RecordedRun("r", "a-model", "banking", "user_task_0", None, {}, "", "do it", turns, True, False)


async def _played(run: RecordedRun, turns: int | None = None) -> list[Recorded]:
    """Play the first *turns* of a recording."""
    said = [
        Response(turn.content, tuple(Proposal(call.function, call.args) for call in turn.calls))
        for turn in run.turns[:turns]
    ]
    model, policy = RecordedModel(said), Policy(permit([look, send]))
    async with Runtime(":memory:", Agent("clerk", [look, send], model=model, policy=policy)) as rt:
        started = await rt.start("clerk", run.prompt)
        await started.result()
        return await started.history()


async def _words(run: RecordedRun, answers: list[Answer], turns: int | None = None) -> list[str]:
    history = await _played(run, turns)
    told = fates.outcomes(run, history)
    return [Fate(*one).word for one in zip(run.executed, told, answers, strict=True)]


_MIXED = _run(
    Turn("", (_call("look", name="cat"), _call("send", name="dog"), _call("look", name="nothing"))),
    Turn("Again.", (_call("send", name="nothing"), _call("vanish"))),
    Turn("", (_call("look", "TypeError: what is colour?", name="cat", colour="black"),)),
    Turn("Done.", ()),
)


async def test_each_call_finds_its_own_outcome():
    answers = [
        Answer("a cat", None),
        Answer("sent dog", None),
        Answer("", "ValueError: nothing there"),
        Answer("", "ValueError: nothing to send"),
        Answer("", "Invalid tool vanish provided."),
        Answer("", "ValidationError: colour"),
    ]
    assert await _words(_MIXED, answers) == [*[fates.SAME] * 4, *[fates.ALIKE] * 2]


async def test_another_text_another_error_and_a_call_that_only_the_package_takes_are_seen():
    answers = [
        Answer("a dog", None),
        Answer("", "ValueError: no such dog"),
        Answer("", "ValueError: nothing here"),
        Answer("sent nothing", None),
        Answer("gone", None),
        Answer("a cat", None),
    ]
    assert await _words(_MIXED, answers) == [*[fates.OTHER] * 4, *[fates.ALONE] * 2]


async def test_calls_behind_the_end_of_a_run_are_missing():
    answers = [Answer("a cat", None), Answer("sent dog", None), *[Answer("", "ValueError: nothing there")] * 4]
    words = await _words(_MIXED, answers, turns=1)
    assert words == [*[fates.SAME] * 3, *[fates.MISSING] * 3]


async def test_an_unknown_argument_explains_a_difference_and_the_recording_is_quoted():
    history = await _played(_MIXED)
    answers = [Answer("a cat", None), Answer("sent dog", None), *[Answer("", "refused")] * 3, Answer("a cat", None)]
    told = [Fate(*one) for one in zip(_MIXED.executed, fates.outcomes(_MIXED, history), answers, strict=True)]
    assert fates.why(told, "came to its answer") == fates.UNKNOWN_ARGUMENT.format("refused")
    assert fates.denials(told) == {"resolve; recorded: executed": 1, "validate; recorded: TypeError": 1}


async def test_what_no_call_explains_is_called_unexplained():
    run = _run(Turn("", (_call("look", name="cat"),)), Turn("Done.", ()))
    history = await _played(run)
    told = [Fate(*one) for one in zip(run.executed, fates.outcomes(run, history), [Answer("a cat", None)], strict=True)]
    assert fates.why(told, "came to its answer") == fates.UNEXPLAINED


async def test_a_call_that_was_not_performed_explains_with_how_the_run_ended():
    told = [Fate(_MIXED.executed[0], None, Answer("a cat", None))]
    assert fates.why(told, "was parked") == "not every call was performed; the run was parked"
