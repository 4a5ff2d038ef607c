"""Every command with its arguments; what it does is imported when it is called, so that `--help` is quick."""

# ruff: noqa: PLC0415 - see above

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from interlock.cli.errors import WELL, WRONG_USAGE, UsageError
from interlock.cli.group import Commands
from interlock.cli.labels import labels
from interlock.cli.options import Agents, By, Journal, Json, JsonLines, Note, QuestionId, RunId
from interlock.cli.policy import policy
from interlock.cli.undo_command import undo as undo_command

app = typer.Typer(
    cls=Commands,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 well, 1 the answer is no (failed, waiting, differs, not intact), 2 wrong usage, 130 ^C.",
)
app.add_typer(policy, name="policy")
app.add_typer(labels, name="labels")
app.command("undo")(undo_command)


class Status(StrEnum):
    """The statuses of a run."""

    running = "running"
    waiting = "waiting"
    sleeping = "sleeping"
    parked = "parked"
    idle = "idle"
    undoing = "undoing"
    done = "done"
    failed = "failed"
    cancelled = "cancelled"


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"interlock {version('interlock')}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def interlock(
    context: typer.Context,
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> int:
    """Run AI agents whose every action is judged, journaled and can be taken back."""
    if context.invoked_subcommand is not None:
        return WELL
    typer.echo(context.get_help(), err=True)
    return WRONG_USAGE


@app.command()
def run(
    agent: Annotated[str, typer.Argument(metavar="AGENT", help="The agent's name.")] = "",
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What to say to it.")] = "",
    *,
    user: Annotated[str | None, typer.Option(metavar="ID", help="Whom the run acts for.")] = None,
    conversation: Annotated[str | None, typer.Option(metavar="ID", help="Which conversation it belongs to.")] = None,
    go_on: Annotated[bool, typer.Option("--resume", help="Instead let every unfinished run go on.")] = False,
    agents: Agents = None,
    journal: Journal = None,
    json: JsonLines = False,
) -> int:
    """Say something to an agent and see what becomes of it."""
    from interlock.cli.run import To, resume, run_agent

    if go_on and not agent:
        return resume(journal, agents or (), json=json)
    if go_on or not text:
        raise UsageError("give an agent and what to say to it, or --resume alone")
    return run_agent(journal, agents or (), To(agent, user, conversation), text, json=json)


@app.command()
def chat(
    agent: Annotated[str, typer.Argument(metavar="AGENT", help="The agent's name.", show_default=False)],
    *,
    user: Annotated[str | None, typer.Option(metavar="ID", help="Whom you are; by default your login name.")] = None,
    conversation: Annotated[str | None, typer.Option(metavar="ID", help="Go on with this conversation.")] = None,
    agents: Agents = None,
    journal: Journal = None,
    json: JsonLines = False,
) -> int:
    """Talk with an agent; /help says what else can be typed."""
    from interlock.cli.chat import chat_with

    return chat_with(journal, agents or (), agent, user=user, conversation=conversation, json=json)


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(metavar="[FOLDER]", help="Where; by default here.")] = Path(),
    json: Json = False,
) -> int:
    """Make a small project: an agent, its policy, its test."""
    from interlock.cli.init import make_project

    return make_project(folder, json=json)


@app.command("test", context_settings={"ignore_unknown_options": True})
def run_tests(
    arguments: Annotated[
        list[str] | None, typer.Argument(metavar="[ARGUMENT]...", help="What pytest is given.")
    ] = None,
    json: Json = False,
) -> int:
    """Run the project's tests with pytest."""
    from interlock.cli.suite import run_suite

    return run_suite(arguments or (), json=json)


@app.command()
def runs(
    status: Annotated[
        list[Status] | None,
        typer.Option(metavar="STATUS", help=f"Only {', '.join(Status)}. May be repeated."),
    ] = None,
    agent: Annotated[str | None, typer.Option(metavar="NAME", help="Only runs of this agent.")] = None,
    limit: Annotated[int, typer.Option(metavar="N", min=1, help="At most so many, the newest first.")] = 20,
    journal: Journal = None,
    json: Json = False,
) -> int:
    """List the runs, the newest first."""
    from interlock.cli.runs import list_runs

    return list_runs(journal, tuple(one.value for one in status or ()), agent, limit, json=json)


@app.command()
def show(
    run: RunId,
    prompt: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Show instead what the model saw at its N-th turn.")
    ] = None,
    journal: Journal = None,
    json: JsonLines = False,
) -> int:
    """Show what happened in a run and why, and what it cost."""
    if prompt is None:
        from interlock.cli.show import show_run

        return show_run(journal, run, json=json)
    from interlock.cli.prompt import show_prompt

    return show_prompt(journal, run, prompt, json=json)


@app.command()
def tail(
    number: Annotated[
        int, typer.Option("-n", "--number", metavar="N", min=0, help="How many of the newest events.")
    ] = 20,
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Go on with what comes, until ^C.")] = False,
    journal: Journal = None,
    json: JsonLines = False,
) -> int:
    """Show the newest events of all runs."""
    from interlock.cli.tail import show_tail

    return show_tail(journal, number, follow=follow, json=json)


@app.command()
def inbox(journal: Journal = None, json: Json = False) -> int:
    """List what waits for a person, with the command that decides it."""
    from interlock.cli.inbox import show_inbox

    return show_inbox(journal, json=json)


@app.command()
def approve(question: QuestionId, by: By = None, note: Note = "", journal: Journal = None, json: Json = False) -> int:
    """Say yes to a question: to exactly this action, once."""
    from interlock.cli.answers import decide

    return decide(journal, question, "approve", by=by, note=note, json=json)


@app.command()
def deny(question: QuestionId, by: By = None, note: Note = "", journal: Journal = None, json: Json = False) -> int:
    """Say no to a question."""
    from interlock.cli.answers import decide

    return decide(journal, question, "deny", by=by, note=note, json=json)


@app.command()
def answer(
    question: QuestionId,
    text: Annotated[
        str,
        typer.Argument(
            metavar="ANSWER",
            help="`happened`, `never`; `again`, `leave`, `stop`; or what the agent asks for.",
        ),
    ],
    *,
    result: Annotated[
        str, typer.Option(metavar="JSON", help="With `happened`: the action's result, which its undo is given.")
    ] = "null",
    by: By = None,
    note: Note = "",
    journal: Journal = None,
    json: Json = False,
) -> int:
    """Tell what happened, how an undo goes on, or what an agent asks."""
    from interlock.cli.answers import tell

    return tell(journal, question, text, result=result, by=by, note=note, json=json)


@app.command()
def unpark(run: RunId, by: By = None, journal: Journal = None, json: Json = False) -> int:
    """Let a parked run go on."""
    from interlock.cli.unpark import unpark_run

    return unpark_run(journal, run, by=by, json=json)


@app.command()
def verify(
    head: Annotated[
        list[Path] | None, typer.Option(metavar="FILE", help="A head exported earlier. Repeatable.")
    ] = None,
    key: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The public key (PEM) by which every head must be signed.")
    ] = None,
    export: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the journal's head there, to keep elsewhere.")
    ] = None,
    journal: Journal = None,
    json: Json = False,
) -> int:
    """Check that the journal is the one that was written."""
    from interlock.cli.verify import verify_journal

    return verify_journal(journal, head or (), key, export, json=json)


@app.command()
def replay(
    *,
    policy: Annotated[
        str, typer.Option(metavar="FILE", help="FILE.py, FILE.py:NAME (by default `policy`) or FILE.json.")
    ],
    runs: Annotated[list[str] | None, typer.Argument(metavar="[RUN]...", help="The runs' ids, as for `show`.")] = None,
    every: Annotated[bool, typer.Option("--all", help="All runs of the journal.")] = False,
    agent: Agents = None,
    journal: Journal = None,
    json: Json = False,
) -> int:
    """Judge recorded runs by another policy, at no tokens."""
    from interlock.cli.replay import replay as replay_runs

    return replay_runs(journal, runs or (), policy, agent or (), every=every, json=json)


@app.command()
def proxy(
    command: Annotated[
        list[str] | None, typer.Argument(metavar="[-- COMMAND]...", help="The server to start, with its arguments.")
    ] = None,
    *,
    policy: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A Python file with `policy` and the tools that it declares.")
    ] = None,
    journal: Annotated[
        Path | None, typer.Option(metavar="PATH", help="The journal; by default the project's, or beside the policy.")
    ] = None,
    listen: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="Serve over HTTP instead of standard input and output.")
    ] = None,
    user: Annotated[str | None, typer.Option(metavar="ID", help="Whom the clients act for.")] = None,
    name: Annotated[
        str | None, typer.Option(metavar="NAME", help="How the server is called; by default as the policy's file.")
    ] = None,
    approver: Annotated[
        list[str] | None,
        typer.Option(metavar="LEVEL", help="The person at a client may give this approval. Repeatable."),
    ] = None,
    env_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="NAME=VALUE lines: credentials that only the server gets.")
    ] = None,
    http: Annotated[
        str | None, typer.Option(metavar="URL", help="The server to connect to, over streamable HTTP.")
    ] = None,
    header: Annotated[
        list[str] | None,
        typer.Option(metavar="'NAME: VALUE'", help="Sent to it; env:NAME is a credential. Repeatable."),
    ] = None,
    pin: Annotated[
        bool, typer.Option("--pin", help="Only show how its tools changed, and pin them as they are.")
    ] = False,
    undo: Annotated[
        str | None, typer.Option(metavar="RUN", help="Only take back what a run has done; the plan is shown first.")
    ] = None,
    init: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Only write a first policy for the server's tools.")
    ] = None,
) -> int:
    """Put the guardian in front of an MCP server."""
    from interlock.cli.proxy import Given
    from interlock.cli.proxy import proxy as run_proxy

    return run_proxy(
        Given(
            policy=policy,
            journal=journal,
            listen=listen,
            user=user,
            name=name,
            approver=approver or (),
            env_file=env_file,
            http=http,
            header=header or (),
            pin=pin,
            undo=undo,
            init=init,
            command=command or (),
        )
    )
