"""`interlock replay`: which decisions of recorded runs another policy would change, at no tokens."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct
from rich.text import Text

from interlock.agents import Agent
from interlock.cli import text
from interlock.cli.errors import NO, WELL, UsageError
from interlock.cli.policies import policy_from
from interlock.cli.project import agent_named, agents, journal_path
from interlock.cli.reading import Rulebook, all_rows, opened, row_of
from interlock.cli.screen import Screen
from interlock.errors import PolicyError
from interlock.guardian import Known, Policy
from interlock.journal.journal import Journal
from interlock.journal.store import RunRow
from interlock.lab import Compared, Decision, compare, decisions

TITLES = {
    "denied": ("would be denied", "red"),
    "permitted": ("would be permitted", "green"),
    "needs": ("would be permitted on other terms", "yellow"),
    "unknown": ("can't be told", "magenta"),
}


class _Found(Struct):
    """What a replay has found so far."""

    runs: int = 0
    left_out: int = 0
    judged: int = 0
    changes: list[Compared] = []


def replay(
    journal: Path | None, runs: Sequence[str], written: str, given: Sequence[str], *, every: bool, json: bool
) -> int:
    """Judge the recorded decisions of *runs*, or of *every* run, by another policy, and print what changes."""
    if bool(runs) == every:
        raise UsageError("name the runs to replay, or give --all")
    path = journal_path(journal)
    policy, known = policy_from(written), agents(given)
    meant = _meant(policy, known)
    found = asyncio.run(_replay(path, runs, policy, known, meant))
    screen = Screen()
    if json:
        screen.json(_as_json(policy, found))
    else:
        _print(screen, policy, found)
    return NO if found.changes else WELL


def _meant(policy: Policy, known: dict[str, Agent]) -> set[str]:
    """Return the agents whose actions the policy names.

    Raises:
        UsageError: it names an action, argument or fact that none of them has.
    """
    meant, wrong = set[str](), ""
    for agent in known.values():
        try:
            policy.check({one.name: _names(one, agent) for one in agent.actions.values()})
            meant.add(agent.name)
        except PolicyError as error:
            wrong = wrong or f"{error} (agent {agent.name})"
    if not meant:
        raise UsageError(wrong)
    return meant


def _names(action: Any, agent: Agent) -> Known:
    return Known(action.argument_names, frozenset(action.facts), traced=agent.labels is not None)


async def _replay(path: Path, runs: Sequence[str], policy: Policy, known: dict[str, Agent], meant: set[str]) -> _Found:
    found = _Found()
    async with opened(path) as journal:
        rules = Rulebook(journal)
        for row in [await row_of(journal, run) for run in runs] or await all_rows(journal.store):
            if runs:
                agent_named(known, row.agent)
            if row.agent in meant:
                await _judge(journal, rules, row, known[row.agent], policy, found)
            else:
                found.left_out += 1
    return found


async def _judge(  # noqa: PLR0917 - one step of the loop above
    journal: Journal, rules: Rulebook, row: RunRow, agent: Agent, policy: Policy, found: _Found
) -> None:
    judged = decisions(await journal.history(row.id))
    await rules.read({one.policy for one in judged})
    found.runs += 1
    found.judged += len(judged)
    found.changes += [one for one in compare(judged, agent, policy, rules.policies) if one.kind != "same"]


def _print(screen: Screen, policy: Policy, found: _Found) -> None:
    differ = sum(one.kind != "unknown" for one in found.changes)
    head = f"{differ:,} of {text.counted(found.judged, 'decision')} in {text.counted(found.runs, 'run')} would change"
    screen.line((head, "bold"), f" under policy {policy.hash[:12]}")
    if found.left_out:
        screen.line((f"left out: {text.counted(found.left_out, 'run')} of agents that this policy is not for", "dim"))
    for kind, (title, colour) in TITLES.items():
        of_kind = [one for one in found.changes if one.kind == kind]
        if of_kind:
            screen.line()
            screen.line((f"{len(of_kind):,} {title}", f"bold {colour}"))
        for one in of_kind:
            _put(screen, one)


def _put(screen: Screen, one: Compared) -> None:
    then = one.then
    screen.hang(Text("  "), Text(text.call(then.action, then.args)))
    screen.hang(Text("    run   ", style="dim"), Text(f"{text.visible(then.run)} event {then.seq}", style="dim"))
    screen.hang(Text("    was   ", style="dim"), Text(text.visible(str(then.decision))))
    if one.now is None:
        screen.hang(Text("    why   ", style="dim"), Text(text.visible(one.why)))
    else:
        screen.hang(Text("    now   ", style="dim"), Text(text.visible(str(one.now))))


def _as_json(policy: Policy, found: _Found) -> dict[str, Any]:
    return {
        "policy": policy.hash,
        "runs": found.runs,
        "left_out": found.left_out,
        "decisions": found.judged,
        "changes": [_change(one) for one in found.changes],
    }


def _change(one: Compared) -> dict[str, Any]:
    then = one.then
    return {
        "kind": one.kind,
        "run": then.run,
        "seq": then.seq,
        "call": then.call,
        "action": then.action,
        "args": then.args,
        "was": _decision(then.decision),
        "now": _decision(one.now),
        "added": one.added,
        "dropped": one.dropped,
        "why": one.why,
    }


def _decision(one: Decision | None) -> dict[str, Any] | None:
    return None if one is None else {"permitted": one.permitted, "needs": one.needs, "reasons": one.reasons}
