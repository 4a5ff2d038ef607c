"""What an undo is asked for, from the words of the command line: a run, an effect, a conversation, a time, an agent."""

import time
from datetime import UTC, datetime

from msgspec import Struct

from interlock.cli.errors import UsageError
from interlock.cli.reading import row_of
from interlock.durations import microseconds
from interlock.errors import DeclarationError
from interlock.journal.journal import Journal
from interlock.runtime.choosing import Scope


class Target(Struct, frozen=True):
    """What is to be taken back, as it was typed: a RUN or RUN:SEQ, a conversation, what an agent did, since a time."""

    named: str = ""
    conversation: str = ""
    agent: str = ""
    since: str = ""
    tenant: str | None = None

    def check(self) -> None:
        """See to it that exactly one kind of target was given.

        Raises:
            UsageError: none was, or several, or a tenant for what has its own.
        """
        kinds = sum((bool(self.named), bool(self.conversation), bool(self.agent or self.since)))
        if not kinds:
            raise UsageError(
                "what is to be taken back? give a RUN, an effect of it (RUN:SEQ), --conversation, --since or --agent"
            )
        if kinds > 1:
            raise UsageError("give one of RUN, RUN:SEQ, --conversation, and --since or --agent (or these two together)")
        if self.named and self.tenant is not None:
            raise UsageError("--tenant goes with --conversation, --since and --agent; a run has its own")


async def scope_of(journal: Journal, target: Target) -> Scope:
    """Return what a target stands for in this journal.

    Raises:
        UsageError: there is no such run, or the time can't be read.
    """
    if target.named:
        run, seq = await _run_and_seq(journal, target.named)
        return Scope(run=run, seq=seq)
    since = moment(target.since, time.time_ns() // 1000) if target.since else None
    return Scope(conversation=target.conversation, agent=target.agent, since=since, tenant=target.tenant)


async def _run_and_seq(journal: Journal, named: str) -> tuple[str, int]:
    run, _, seq = named.rpartition(":")
    # The ids of runs are their starters' own, and may have a colon.
    if not run or not seq.isdecimal() or await journal.store.row(named) is not None:
        return (await row_of(journal, named)).id, 0
    if not int(seq):
        raise UsageError(f"{named}: events are counted from 1; `interlock show {run}` has the numbers")
    return (await row_of(journal, run)).id, int(seq)


def moment(written: str, now: int) -> int:
    """Return the time that is meant by `2h`, `30m ago` or `2026-11-22 17:34`; times are microseconds since the epoch.

    A time without an offset is UTC, as all that the command prints.

    Raises:
        UsageError: it is neither a time nor a duration, or it is still to come.
    """
    words = written.strip().removesuffix("ago").removesuffix("UTC").strip()
    try:
        at = now - microseconds(words.replace(" ", ""))
    except DeclarationError:
        at = _time(written, words)
    if at > now:
        raise UsageError(f"--since {written}: that is still to come")
    return max(at, 0)


def _time(written: str, words: str) -> int:
    try:
        told = datetime.fromisoformat(words)
        return round((told if told.tzinfo is not None else told.replace(tzinfo=UTC)).timestamp() * 1_000_000)
    except (ValueError, OverflowError):
        raise UsageError(
            f"--since {written}: write how long ago (2h, 30m) or a time (2026-11-22T17:34:00, in UTC)"
        ) from None
