"""`interlock policy explain`: how a call is judged, by which rules and why, and what would change that."""

import asyncio
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
from rich.text import Text

from interlock.agents import Agent
from interlock.cli import text
from interlock.cli.errors import NO, WELL, UsageError
from interlock.cli.policy_given import Asked, case_of
from interlock.cli.policy_recorded import Recorded, recorded
from interlock.cli.policy_subject import agent_of, policy_of
from interlock.cli.policy_words import changed, colour, decided, plain, short
from interlock.cli.project import journal_path
from interlock.cli.screen import NARROW, Screen
from interlock.guardian import Case, Policy
from interlock.lab.changes import Change, Changes, changes
from interlock.lab.explain import Explained, Ruled, explain
from interlock.lab.given import action_of, typed

__all__ = ["Asked", "explain_call", "explain_recorded"]

_COLOURS = {"applies": "bold", "does not apply": "dim", "can't be judged": "red"}


class _Answer(msgspec.Struct):
    """All that is printed of one case."""

    agent: Agent
    policy: Policy
    case: Case
    explained: Explained
    changes: Changes
    was: Recorded | None = None


def explain_call(asked: Asked, agent: str | None, file: str | None, *, json: bool) -> int:
    """Explain the verdict on a call that was typed."""
    chosen = agent_of(agent, asked.action)
    policy = policy_of(chosen, file)
    case = case_of(asked, chosen, policy)
    return _tell(_answer(chosen, policy, case), json=json)


def explain_recorded(
    journal: Path | None, run: str, which: str, agent: str | None, file: str | None, *, json: bool
) -> int:
    """Explain a decision that a run recorded, by the policy that made it or by another."""
    found = asyncio.run(recorded(journal_path(journal), run, which, agent))
    policy = found.policy if file is None else policy_of(found.agent, file)
    answer = _answer(found.agent, policy, found.case)
    answer.was = found
    return _tell(answer, json=json)


def _answer(agent: Agent, policy: Policy, case: Case) -> _Answer:
    action = action_of(agent, case.action)
    as_judged = partial(typed, action=action)
    try:
        judged = as_judged(case)
    except ValueError as error:
        raise UsageError(f"{case.action} does not take these arguments: {error}") from error
    return _Answer(agent, policy, case, explain(policy, judged), changes(policy, case, as_judged))


def _tell(answer: _Answer, *, json: bool) -> int:
    screen = Screen()
    if json:
        screen.json(_document(answer))
    else:
        _print(screen, answer)
    return WELL if answer.explained.verdict.permitted else NO


def _print(screen: Screen, answer: _Answer) -> None:
    verdict = answer.explained.verdict
    call = text.call(answer.case.action, msgspec.Raw(msgspec.json.encode(plain(dict(answer.case.args)))))
    screen.line((decided(verdict), colour(verdict)), f"  {call}")
    screen.line((f"agent {text.visible(answer.agent.name)}, policy {answer.policy.hash[:12]}", "dim"))
    if answer.was is not None:
        _put_was(screen, answer.was)
    for reason in verdict.reasons:
        _put(screen, "because", reason)
    for instead in verdict.instead:
        _put(screen, "instead", instead)
    for shadowed in verdict.shadowed:
        _put(screen, "shadow", shadowed)
    if verdict.paradox:
        _put(screen, "paradox", f"{', '.join(verdict.paradox)} says that it has to be possible")
    consequence = "what is not given can't be judged, and that denies"
    if answer.was is not None:
        consequence = "it was not recorded, so that what this policy would have said can't be told"
    for missing in answer.explained.missing:
        _put(screen, "missing", f"{missing}; {consequence}")
    screen.line()
    screen.line(("rules", "bold"))
    for rule in answer.explained.rules:
        _put_rule(screen, rule)
    if not answer.explained.rules:
        screen.line(f"  none concerns {text.visible(answer.case.action)}; what no rule permits is denied")
    _put_changes(screen, answer.changes)


def _put_was(screen: Screen, was: Recorded) -> None:
    _put(screen, "was", f"{was.decision}, event {was.seq} of run {was.run}")
    for line in was.origins:
        _put(screen, "origin", line)


def _put(screen: Screen, title: str, said: str) -> None:
    screen.hang(Text(f"  {title:<9}", style="dim"), Text(text.visible(said)))


def _put_rule(screen: Screen, one: Ruled) -> None:
    standing = f"{one.standing}, without effect (shadow)" if one.shadow else one.standing
    screen.hang(
        Text(f"  {one.id:<4} "), Text.assemble((standing, _COLOURS[one.standing]), ": ", text.visible(one.rule))
    )
    indent = " " * (4 if screen.width < NARROW else 7)
    screen.hang(Text(indent), Text(text.visible(one.why)))
    if one.place:
        screen.hang(Text(indent), Text(text.visible(short(one.place)), style="dim"))


def _put_changes(screen: Screen, found: Changes) -> None:
    screen.line()
    if not found.found:
        screen.line(("what would change it", "bold"), f": nothing that was tried ({text.counted(found.tried, 'case')})")
        return
    screen.line(("what would change it", "bold"))
    for one in found.found:
        said = " and ".join(changed(place, value, one.case) for place, value in one.changed)
        screen.hang(Text("  "), Text.assemble(said, " → ", (decided(one.verdict), colour(one.verdict))))


def _document(answer: _Answer) -> dict[str, Any]:
    explained, verdict = answer.explained, answer.explained.verdict
    was = answer.was
    return {
        "agent": answer.agent.name,
        "policy": answer.policy.hash,
        "action": answer.case.action,
        "args": plain(dict(answer.case.args)),
        "permitted": verdict.permitted,
        "needs": [str(need) for need in verdict.needs],
        "determining": verdict.rules,
        "reasons": verdict.reasons,
        "instead": verdict.instead,
        "shadowed": verdict.shadowed,
        "paradox": verdict.paradox,
        "rules": explained.rules,
        "facts": plain(explained.facts),
        "origins": plain(dict(answer.case.origins)),
        "missing": explained.missing,
        "changes": [_change(one) for one in answer.changes.found],
        "tried": answer.changes.tried,
        "recorded": None if was is None else {"run": was.run, "seq": was.seq, "was": str(was.decision)},
    }


def _change(one: Change) -> dict[str, Any]:
    return {
        "change": [changed(place, value, one.case) for place, value in one.changed],
        "permitted": one.verdict.permitted,
        "needs": [str(need) for need in one.verdict.needs],
    }
