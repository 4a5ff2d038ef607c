"""`interlock policy …`: its commands with their arguments; what they do is imported when it is called."""

# ruff: noqa: PLC0415 - see above

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from interlock.cli.errors import WELL, WRONG_USAGE
from interlock.cli.group import Commands


class PolicyCommands(Commands):
    """The commands about policies: as many as fit in one list."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the commands in the order in which they are written."""
        return TyperGroup.list_commands(self, ctx)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the commands in one section."""
        commands = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        width = formatter.width - 12
        with formatter.section("Commands"):
            formatter.write_dl([(name.ljust(7), one.get_short_help_str(width)) for name, one in commands if one])


policy = typer.Typer(
    cls=PolicyCommands,
    rich_markup_mode=None,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

AgentName = Annotated[
    str | None,
    typer.Option(
        "--agent", metavar="NAME", help="Which agent, by its name or as MODULE:NAME; by default the only one."
    ),
]
PolicyFile = Annotated[
    str | None,
    typer.Option("--policy", metavar="FILE", help="FILE.py, FILE.py:NAME or FILE.json; by default the agent's own."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@policy.callback(invoke_without_command=True)
def about(context: typer.Context) -> int:
    """Explain, test, begin, check and compare policies."""
    if context.invoked_subcommand is not None:
        return WELL
    typer.echo(context.get_help(), err=True)
    return WRONG_USAGE


@policy.command()
def explain(
    action: Annotated[
        str, typer.Argument(metavar="ACTION", help="The action; with --run a decision: its call or its event's number.")
    ],
    arguments: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME=VALUE]...", help="Its arguments.", show_default=False)
    ] = None,
    *,
    args: Annotated[str | None, typer.Option("--args", metavar="JSON", help="Its arguments as a JSON object.")] = None,
    fact: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="A fact, such as booking.owner=u42. Repeatable.")
    ] = None,
    window: Annotated[
        list[str] | None, typer.Option(metavar="LABEL=N", help="What was counted in a window. Repeatable.")
    ] = None,
    user: Annotated[str | None, typer.Option(metavar="ID", help="For whom: an id, or a JSON object.")] = None,
    tenant: Annotated[str, typer.Option(metavar="NAME", help="For which tenant.")] = "",
    state: Annotated[str, typer.Option(metavar="NAME", help="In which state of the run.")] = "",
    at: Annotated[str | None, typer.Option(metavar="TIME", help="When, in ISO 8601; by default now.")] = None,
    run: Annotated[str | None, typer.Option(metavar="RUN", help="Explain a decision that this run recorded.")] = None,
    agent: AgentName = None,
    file: PolicyFile = None,
    journal: Annotated[
        Path | None,
        typer.Option("--journal", metavar="PATH", help="With --run: the journal; by default the project's."),
    ] = None,
    json: Json = False,
) -> int:
    """Say how a call is judged, why, and what would change that."""
    from interlock.cli.policy_explain import Asked, explain_call, explain_recorded

    if run is not None:
        return explain_recorded(journal, run, action, agent, file, json=json)
    asked = Asked(action, arguments or (), args, fact or (), window or (), user, tenant, state, at)
    return explain_call(asked, agent, file, json=json)


@policy.command("test")
def run_examples(
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[FILE]...", help="By default policy_examples.toml.", show_default=False),
    ] = None,
    *,
    least: Annotated[
        float | None,
        typer.Option("--min-score", metavar="SHARE", min=0, max=1, help="Fail below this share of noticed changes."),
    ] = None,
    agent: AgentName = None,
    file: PolicyFile = None,
    json: Json = False,
) -> int:
    """Judge a table of examples, and tell what none of them would notice."""
    from interlock.cli.policy_test import test_policy

    return test_policy(files or (), agent, file, least, json=json)


@policy.command()
def init(
    *,
    agent: AgentName = None,
    out: Annotated[
        Path, typer.Option("-o", "--out", metavar="FILE", help="Where; it must not exist.", show_default=True)
    ] = Path("policy.py"),
    json: Json = False,
) -> int:
    """Write a first policy for an agent's actions."""
    from interlock.cli.policy_init import write_policy

    return write_policy(agent, out, json=json)


@policy.command()
def surface(
    agent: Annotated[
        str | None, typer.Argument(metavar="[AGENT]", help="The agent; by default the only one.", show_default=False)
    ] = None,
    *,
    file: PolicyFile = None,
    json: Json = False,
) -> int:
    """Show what an agent could do at most, in each of its states."""
    from interlock.cli.policy_surface import show_surface

    return show_surface(agent, file, json=json)


@policy.command()
def check(
    written: Annotated[
        str | None,
        typer.Argument(metavar="[FILE]", help="FILE.py, FILE.py:NAME or FILE.json; by default the agent's own."),
    ] = None,
    *,
    agent: AgentName = None,
) -> int | None:
    """Find dead rules, contradictions, and what can never be permitted."""
    from interlock.cli.policy_check import check as prove

    return prove(written, agent)


@policy.command()
def diff(
    old: Annotated[str, typer.Argument(metavar="OLD", help="FILE.py, FILE.py:NAME or FILE.json.")],
    new: Annotated[str, typer.Argument(metavar="NEW", help="The same.")],
    *,
    agent: AgentName = None,
) -> int | None:
    """Show what is newly permitted and newly denied, with example calls."""
    from interlock.cli.policy_diff import diff as compare

    return compare(old, new, agent)
