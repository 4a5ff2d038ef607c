"""Opening a journal to read it or to post to it, beside whatever process drives it."""

from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager, suppress
from difflib import get_close_matches
from pathlib import Path

from interlock.cli.errors import UsageError
from interlock.errors import PolicyError
from interlock.guardian import Policy
from interlock.journal.journal import Journal
from interlock.journal.redact import Redactor
from interlock.journal.sqlite import SqliteStore
from interlock.journal.store import RunRow, Store

PAGE = 1000
LAST = "last"
"""What stands for the newest run."""

CANDIDATES = 5
"""How many of the runs are named that the beginning of an id could mean."""

LOOKED_AT = 20_000
"""Among how many runs the nearest id is looked for."""


@asynccontextmanager
async def opened(path: Path) -> AsyncGenerator[Journal]:
    """Open the journal at *path* without becoming its driver.

    Raises:
        JournalError: it can't be opened, is damaged, or of a newer version.
    """
    store = SqliteStore(path)
    try:
        yield Journal(store, Redactor())
    finally:
        await store.close()


async def all_rows(store: Store, statuses: tuple[str, ...] = ()) -> list[RunRow]:
    """Return the rows of all runs, or of those in one of *statuses*."""
    found: list[RunRow] = []
    while page := await store.rows(statuses=statuses, after=found[-1].id if found else "", limit=PAGE):
        found += page
    return found


async def row_of(journal: Journal, run: str) -> RunRow:
    """Return the row of a run, given by its id, by the beginning of that where no other begins so, or as `last`.

    Raises:
        UsageError: there is no such run, and the message names the nearest; or several begin so.
    """
    row = await journal.store.row(run)
    if row is not None:
        return row
    if run == LAST and (rows := await all_rows(journal.store)):
        return max(rows, key=lambda one: (one.created_at, one.id))
    # Ids come in order, so that those which begin like this one are the first behind it.
    behind = await journal.store.rows(after=run, limit=CANDIDATES + 1) if run else []
    begun = [one for one in behind if one.id.startswith(run)]
    if len(begun) == 1:
        return begun[0]
    if begun:
        named = ", ".join(one.id for one in begun[:CANDIDATES])
        more = " and more" if len(begun) > CANDIDATES else ""
        raise UsageError(f"several runs begin with {run!r}: {named}{more}; give more of the id")
    ids = [one.id for one in await journal.store.rows(limit=LOOKED_AT)]
    near = get_close_matches(run, ids, 1)
    hint = f"did you mean {near[0]}?" if near else "`interlock runs` lists them"
    raise UsageError(f"no run {run!r} in this journal; {hint}")


class Rulebook:
    """The policies behind recorded decisions, by their hash, as far as the journal holds them."""

    def __init__(self, journal: Journal) -> None:
        self.policies: dict[str, Policy] = {}
        self._journal = journal

    async def read(self, policies: Iterable[str]) -> None:
        """Fetch the policies with these hashes."""
        for name in set(policies) - self.policies.keys() - {""}:
            stored = await self._journal.store.blob(name)
            with suppress(PolicyError):  # of a newer version: the rules' ids must do
                self.policies[name] = Policy.from_json(stored or b"")

    def rule(self, policy: str, number: str) -> str:
        """Return the rule `r3` of a policy, or `outer r3` of the one around it, in English; nothing if not known."""
        known = self.policies.get(policy)
        said = number if known is None else known.said(number)
        return said.removeprefix(f"{number}: ") if said != number else ""
