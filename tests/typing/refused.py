"""What a type checker must refuse: a mark that is not needed is an error itself, so each line is refused."""

from decimal import Decimal
from typing import Any

from interlock import Action, Ctx, action, probe


class Desk:
    """The dependencies of the agent."""


class Other:
    """The dependencies of another agent."""


@action.compensable
async def refund(ctx: Ctx[Desk], ref: str, amount: Decimal) -> str:
    return ctx.key


@action.reversible(timeout="5s")
def rename(ctx: Ctx[Desk], ref: str) -> int:
    return len(ref)


@refund.undo  # pyright: ignore[reportArgumentType]
async def undo_of_another_result(ctx: Ctx[Desk], done: int, ref: str, amount: Decimal) -> None: ...


@refund.undo  # pyright: ignore[reportArgumentType]
async def undo_without_an_argument(ctx: Ctx[Desk], done: str, ref: str) -> None: ...


@refund.undo  # pyright: ignore[reportArgumentType]
async def undo_with_another_name(ctx: Ctx[Desk], done: str, reference: str, amount: Decimal) -> None: ...


@refund.undo  # pyright: ignore[reportArgumentType]
async def undo_with_another_type(ctx: Ctx[Desk], done: str, ref: str, amount: float) -> None: ...


@refund.undo  # pyright: ignore[reportArgumentType]
async def undo_without_the_result(ctx: Ctx[Desk], ref: str, amount: Decimal) -> None: ...


@refund.undo  # pyright: ignore[reportArgumentType]
async def undo_with_other_dependencies(ctx: Ctx[Other], done: str, ref: str, amount: Decimal) -> None: ...


@rename.undo  # pyright: ignore[reportArgumentType]
def sync_undo_of_another_result(ctx: Ctx[Desk], before: str, ref: str) -> None: ...


@rename.undo  # pyright: ignore[reportArgumentType]
def undo_that_answers(ctx: Ctx[Desk], before: int, ref: str) -> int:
    return before


@refund.probe  # pyright: ignore[reportArgumentType]
async def probe_that_answers_a_bool(ctx: Ctx[Desk], ref: str, amount: Decimal) -> bool:
    return True


@refund.probe  # pyright: ignore[reportArgumentType]
async def probe_of_another_result(ctx: Ctx[Desk], ref: str, amount: Decimal) -> probe.Answer[int]:
    return probe.done(1)


@rename.probe  # pyright: ignore[reportArgumentType]
def probe_with_an_argument_too_many(ctx: Ctx[Desk], ref: str, amount: Decimal) -> probe.Answer[int]:
    return probe.never


@refund.fact  # pyright: ignore[reportArgumentType]
async def fact_of_other_arguments(ctx: Ctx[Desk], name: str) -> int:
    return 1


@refund.verify  # pyright: ignore[reportArgumentType]
async def verify_that_answers_text(ctx: Ctx[Desk], done: str, ref: str, amount: Decimal) -> str:
    return "yes"


@action.read  # pyright: ignore[reportCallIssue, reportArgumentType, reportUntypedFunctionDecorator]
async def no_context(ref: str) -> str:
    return ref


@action.read(timeout=30)  # pyright: ignore[reportArgumentType]
async def timeout_in_seconds(ctx: Ctx[Desk], ref: str) -> str:
    return ref


@action.compensable(retries=3)  # pyright: ignore[reportCallIssue, reportUntypedFunctionDecorator]
async def unknown_keyword(ctx: Ctx[Desk], ref: str) -> str:
    return ref


def takes_actions_of_another(one: Action[Other, ..., Any]) -> None: ...


takes_actions_of_another(refund)  # pyright: ignore[reportArgumentType]
refund(Ctx(Desk()), "AB12", Decimal(1))  # pyright: ignore[reportCallIssue]
