"""`interlock labels …`: its commands with their arguments; what they do is imported when it is called."""

# ruff: noqa: PLC0415 - see above

from pathlib import Path
from typing import Annotated

import typer

from interlock.cli.errors import WELL, WRONG_USAGE
from interlock.cli.policy import AgentName, Json, PolicyCommands

labels = typer.Typer(
    cls=PolicyCommands,
    rich_markup_mode=None,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@labels.callback(invoke_without_command=True)
def about(context: typer.Context) -> int:
    """Suggest labels from recorded runs, and check those there are."""
    if context.invoked_subcommand is not None:
        return WELL
    typer.echo(context.get_help(), err=True)
    return WRONG_USAGE


@labels.command()
def suggest(
    *,
    agent: AgentName = None,
    write: Annotated[
        Path | None,
        typer.Option("--write", metavar="FILE", help="Write the declaration there; the file must not exist."),
    ] = None,
    journal: Annotated[
        Path | None, typer.Option("--journal", metavar="PATH", help="The journal; by default the project's.")
    ] = None,
    json: Json = False,
) -> int:
    """Suggest labels from recorded runs, and say what they would ask."""
    from interlock.cli.labels_suggest import suggest as suggest_labels

    return suggest_labels(journal, agent, write, json=json)


@labels.command()
def check(*, agent: AgentName = None, json: Json = False) -> int:
    """Check labels against the actions, and show what is taken for what."""
    from interlock.cli.labels_check import check as check_labels

    return check_labels(agent, json=json)
