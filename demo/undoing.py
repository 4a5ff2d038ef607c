"""Two undos: of a run, held against the rows of its customer, and of a conversation, held against all rows."""

import sqlite3
from collections.abc import Collection
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from demo import airline, books, seed, story
from demo.journaled import Effect
from demo.script import Conversation
from demo.seed import Row
from interlock import Run, Runtime


class Look(NamedTuple):
    """What the database holds about one customer: their booking's row, what is left of its price, what they got."""

    booking: Row
    left: int
    vouchers: int
    letters: int

    def cells(self) -> list[object]:
        """Return it as cells of a table."""
        _, _, flight, _, status = self.booking
        return [f"{flight} {status}", airline.euros(self.left), self.vouchers, self.letters]


def look(path: Path, one: Conversation) -> Look:
    """Look up a conversation's customer."""
    identifier, _, email = seed.customer(one.customer)
    ref = seed.ref(one.customer)
    with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as db:
        (booking,) = db.execute("SELECT * FROM bookings WHERE ref = ?", (ref,))
        signed = "CASE kind WHEN 'refund' THEN -cents ELSE cents END"
        ((left,),) = db.execute(f"SELECT sum({signed}) FROM payments WHERE ref = ?", (ref,))
        ((vouchers,),) = db.execute("SELECT count(*) FROM vouchers WHERE customer = ?", (identifier,))
        ((letters,),) = db.execute("SELECT count(*) FROM outbox WHERE recipient = ?", (email,))
        return Look(booking, left, vouchers, letters)


async def undone(run: Run, one: Conversation, path: Path) -> bool:
    """Take a run back and show it; return whether all is as promised."""
    start = Look(seed.booking(one.customer), seed.price(one.customer), 0, 0)
    after = look(path, one)
    plan = await run.undo_plan()
    story.plan(plan.items)
    failed = await plan.apply(by="ben")
    now = look(path, one)
    story.undone({"at the start": start.cells(), "after the run": after.cells(), "after the undo": now.cells()})
    kept = not failed and now[:3] == start[:3]
    story.restored(kept=kept, failed=len(failed))
    return kept


async def as_if_never(rt: Runtime, one: Conversation, others: Collection[Effect], path: Path) -> bool:
    """Take a conversation back and show that nothing of it is left; return whether that is so.

    The database is held against what the effects of the *others* alone give: this conversation's do not count, neither
    what it did nor that it was taken back.
    """
    before = books.compare(others, path)
    plan = await rt.undo_plan(conversation=one.id)
    story.plan(plan.items)
    failed = await plan.apply(by="ben")
    now = books.compare(others, path)
    story.as_if_never(before, now)
    return not failed and not now.differences
