"""`interlock undo` with its arguments; what it does is imported when it is called, so that `--help` is quick."""

# ruff: noqa: PLC0415 - see above

from enum import StrEnum
from typing import Annotated, Literal

import typer

from interlock.cli.errors import UsageError
from interlock.cli.options import By, Journal, Json


class Otherwise(StrEnum):
    """What is done about an effect that can't be taken back."""

    ask = "ask"
    leave = "leave"
    stop = "stop"


def undo(
    target: Annotated[
        list[str] | None,
        typer.Argument(metavar="[TARGET]", help="RUN, or RUN:SEQ for one effect of it. With --ahead: names of agents."),
    ] = None,
    *,
    conversation: Annotated[str, typer.Option(metavar="ID", help="Instead: all of a conversation.")] = "",
    since: Annotated[
        str, typer.Option(metavar="TIME", help="Instead: all that was done since then: 2h, 2026-11-22T17:34:00.")
    ] = "",
    agent: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Instead: all that this agent did, also with --since. As MODULE:NAME: where an agent is written; "
            "by default the project's. May be repeated.",
        ),
    ] = None,
    tenant: Annotated[str | None, typer.Option(metavar="ID", help="Only of this tenant.")] = None,
    plan: Annotated[bool, typer.Option("--plan", help="Only show what would be taken back.")] = False,
    ahead: Annotated[
        bool, typer.Option("--ahead", help="Only show what agents could do that could not be taken back.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Don't ask before it is done.")] = False,
    with_dependants: Annotated[
        bool, typer.Option("--with-dependants", help="Take back too what rests on what is taken back.")
    ] = False,
    without_dependants: Annotated[
        bool, typer.Option("--without-dependants", help="Leave what rests on what is taken back.")
    ] = False,
    otherwise: Annotated[
        Otherwise, typer.Option(help="What to do about an effect that can't be taken back.")
    ] = Otherwise.ask,
    by: By = None,
    journal: Journal = None,
    json: Json = False,
) -> int:
    """Take back what was done; the plan is shown first."""
    names = [one for one in agent or () if ":" not in one]
    places = [one for one in agent or () if ":" in one]
    if ahead:
        from interlock.cli.undo_ahead import show_ahead

        if conversation or since or tenant is not None:
            raise UsageError("--ahead looks at agents and not at what was done; give it nothing but their names")
        return show_ahead([*(target or ()), *names], places, json=json)
    from interlock.cli.undo import Manner
    from interlock.cli.undo import undo as take_back
    from interlock.cli.undo_scope import Target

    return take_back(
        journal,
        Target(_one_of("TARGET", target), conversation, _one_of("--agent", names), since, tenant),
        places,
        Manner(
            by=by,
            otherwise=otherwise.value,
            choice=_chosen(with_dependants=with_dependants, without_dependants=without_dependants),
            only_plan=plan,
            yes=yes,
            json=json,
        ),
    )


def _one_of(what: str, given: list[str] | None) -> str:
    """Return the one that was given, nothing where none was.

    Raises:
        UsageError: several were.
    """
    if given is not None and len(given) > 1:
        raise UsageError(f"{what} is one at a time, not {', '.join(given)}")
    return given[0] if given else ""


def _chosen(*, with_dependants: bool, without_dependants: bool) -> Literal["", "with", "without"]:
    """Return what is to become of effects that rest on those of a plan.

    Raises:
        UsageError: both can't be.
    """
    if with_dependants and without_dependants:
        raise UsageError("give --with-dependants or --without-dependants, not both")
    return "with" if with_dependants else "without" if without_dependants else ""
