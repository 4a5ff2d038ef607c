"""`interlock policy check`: what is wrong with a policy, proved, each with a call that shows it."""

from typing import Any

import msgspec
import typer
from rich.text import Text

from interlock.agents import Agent
from interlock.cli import text
from interlock.cli.errors import NO
from interlock.cli.policies import policy_from
from interlock.cli.policy_words import short
from interlock.cli.project import agent_named, agents, found
from interlock.cli.screen import Screen
from interlock.guardian import Case, Policy

_STYLES = {"paradox": "bold red", "contradiction": "bold red", "broken": "bold red", "never allowed": "bold red"}


def check(written: str | None, agent: str | None) -> None:
    """Check the policy in the file *written*, else those of the project's agents, and print what is wrong.

    Args:
        written: `FILE.py`, `FILE.py:NAME` or `FILE.json`.
        agent: The agent whose actions the rules are about; without it all of the project's, or for a file the only one.

    Raises:
        UsageError: there is no such policy or agent.
        DeclarationError: z3 is not installed.
        typer.Exit: with code 1 where something is wrong.
    """
    from interlock.guardian import proofs  # noqa: PLC0415 - z3 is an extra, and slow to import

    screen, is_wrong = Screen(), False
    for title, policy, shapes in policies(written, agent):
        report = proofs.check(policy, shapes)
        _print(screen, title, report)
        is_wrong = is_wrong or bool(report.findings)
    if is_wrong:
        raise typer.Exit(NO)


def policies(written: str | None, agent: str | None) -> list[tuple[str, Policy, Any]]:
    """Return what is to be looked at: a title, the policy, and what is known of the actions.

    Raises:
        UsageError: there is no such policy or agent, or the policy names what the agent does not have.
    """
    from interlock.cli.policy_shapes import shapes_of  # noqa: PLC0415 - it needs z3

    if written is not None and agent is None:
        policy = policy_from(written)
        whose = _only_one_for(policy)
        return [(written, policy, None if whose is None else shapes_of(whose))]
    known = agents()
    chosen = [agent_named(known, agent)] if agent is not None else list(known.values())
    if written is None:
        return [(one.name, one.policy, shapes_of(one)) for one in chosen]
    policy = policy_from(written)
    return [(f"{written} for {one.name}", policy, shapes_of(one)) for one in chosen]


def _only_one_for(policy: Policy) -> Agent | None:
    """Return the project's agent, where it has one and the policy is for its actions."""
    known = list(agents().values()) if found() is not None else []
    return known[0] if len(known) == 1 and policy.actions <= known[0].reach.keys() else None


def _print(screen: Screen, title: str, report: Any) -> None:
    for finding in report.findings:
        head = Text(f"{finding.kind:<13}  ", style=_STYLES.get(finding.kind, "yellow"))
        screen.hang(head, Text(text.visible(finding.words)))
        print_rules(screen, finding.rules)
        if finding.example is not None:
            print_example(screen, finding.example)
    for one in report.undecided:
        screen.hang(Text(f"{'undecided':<13}  ", style="bold magenta"), Text(text.visible(f"{one.what}: {one.why}")))
        print_rules(screen, one.rules)
    for one in report.unanalysed:
        screen.hang(Text(f"{'not analysed':<13}  ", style="bold magenta"), Text(text.visible(one.why)))
        print_rules(screen, one.rules)
    screen.line((text.visible(title), "bold"), ": ", *_closing(report))


def _closing(report: Any) -> list[str | tuple[str, str]]:
    looked = f"{text.counted(report.rules, 'rule')}, {text.counted(report.actions, 'action')}, {report.ms:,.0f} ms: "
    if report.findings:
        found = (text.counted(len(report.findings), "finding"), "bold red")
    else:
        found = ("nothing is wrong", "bold green") if not report.undecided else ("nothing wrong was found", "yellow")
    rest = [
        (f", {len(listed):,} {word}", "bold magenta")
        for listed, word in ((report.undecided, "undecided"), (report.unanalysed, "not analysed"))
        if listed
    ]
    return [looked, found, *rest]


def print_rules(screen: Screen, rules: Any) -> None:
    """Print each rule with its file and line."""
    for place in rules:
        where = f"{short(place.where)}: " if place.where else ""
        screen.hang(Text(f"    {place.rule}  ", style="dim"), Text(text.visible(f"{where}{place.says}")))


def print_example(screen: Screen, case: Case) -> None:
    """Print a concrete call as JSON."""
    from interlock.guardian.proofs import shown  # noqa: PLC0415 - it needs z3

    written = text.visible(msgspec.json.encode(shown(case), enc_hook=str, order="deterministic").decode())
    screen.hang(Text("    call  ", style="dim"), Text(written))
