"""A decision of a recorded run, with the case that it was made on and the policy that made it."""

from pathlib import Path

import msgspec
from msgspec import Struct

from interlock.agents import Agent
from interlock.cli.errors import AnswerError, UsageError
from interlock.cli.origins import lines
from interlock.cli.policy_subject import agent_of
from interlock.cli.project import agent_named, agents
from interlock.cli.reading import Rulebook, opened, row_of
from interlock.guardian import Case, Policy
from interlock.kernel import events as ev
from interlock.lab import Decision, Judged, decisions
from interlock.lab.policies import (
    CannotTellError,
    case_of,
)


class Recorded(Struct, frozen=True):
    """A recorded decision, and all that is needed to make it again."""

    run: str
    seq: int
    decision: Decision
    agent: Agent
    policy: Policy
    case: Case
    origins: tuple[str, ...] = ()
    """Where the values came from, and what that said against the call, in words."""


async def recorded(path: Path, run: str, which: str, agent: str | None) -> Recorded:
    """Return the decision *which* of a run: the key of its call, or the number of its event.

    Raises:
        UsageError: there is no such run, decision or agent.
        AnswerError: what is recorded does not suffice.
    """
    async with opened(path) as journal:
        row = await row_of(journal, run)
        judged = _one(decisions(await journal.history(row.id)), which, row.id)
        rules = Rulebook(journal)
        await rules.read({judged.policy})
    chosen = agent_of(agent) if agent is not None else agent_named(agents(), row.agent)
    stored = chosen.policy if chosen.policy.hash == judged.policy else rules.policies.get(judged.policy)
    if stored is None:
        raise AnswerError(f"the policy {judged.policy[:12]} of then is not in this journal; give --policy FILE")
    try:
        case, _ = case_of(judged, chosen)
    except CannotTellError as error:
        raise AnswerError(f"event {judged.seq} of run {row.id} can't be explained: {error}") from error
    case.args = msgspec.json.decode(bytes(judged.args))
    told = lines(ev.Judgement(origins=judged.origins, strikes=judged.strikes), judged.decision.reasons)
    return Recorded(row.id, judged.seq, judged.decision, chosen, stored, case, tuple(told))


def _one(judged: list[Judged], which: str, run: str) -> Judged:
    number = which.removeprefix("#")
    found = [one for one in judged if number.isdecimal() and one.seq == int(number)]
    found = found or [one for one in judged if one.call == which]
    if found:
        return found[-1]
    known = ", ".join(f"{one.seq} ({one.action})" for one in judged[:12]) or "none"
    raise UsageError(f"run {run} recorded no decision {which!r}; its decisions are at the events {known}")
