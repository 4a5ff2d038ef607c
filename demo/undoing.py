"""The undo of one run, held against the rows of its customer in the airline's database."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from demo import airline, seed, story
from demo.script import Conversation
from demo.seed import Row
from interlock import Run


class Look(NamedTuple):
    """What the database holds about one customer: their booking's row, what is left of its price, what they got."""

    booking: Row
    left: int
    vouchers: tuple[str, ...]
    letters: int

    def cells(self) -> list[object]:
        """Return it as cells of a table."""
        _, _, flight, _, status, _ = self.booking
        return [f"{flight} {status}", airline.euros(self.left), ", ".join(self.vouchers) or "-", self.letters]


def look(path: Path, one: Conversation) -> Look:
    """Look up a conversation's customer."""
    identifier, _, email = seed.customer(one.customer)
    ref = seed.ref(one.customer)
    with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as db:
        (booking,) = db.execute("SELECT * FROM bookings WHERE ref = ?", (ref,))
        signed = "CASE kind WHEN 'refund' THEN -cents ELSE cents END"
        ((left,),) = db.execute(f"SELECT sum({signed}) FROM payments WHERE ref = ?", (ref,))
        vouchers = db.execute("SELECT status FROM vouchers WHERE customer = ?", (identifier,))
        ((letters,),) = db.execute("SELECT count(*) FROM outbox WHERE recipient = ?", (email,))
        return Look(booking, left, tuple(status for (status,) in vouchers), letters)


async def undone(run: Run, one: Conversation, path: Path) -> bool:
    """Take a run back and show it; return whether all is as promised."""
    start = Look(seed.booking(one.customer), seed.price(one.customer), (), 0)
    after = look(path, one)
    plan = await run.undo_plan()
    story.plan(plan.items)
    failed = await plan.apply(by="ben")
    now = look(path, one)
    story.undone({"at the start": start.cells(), "after the run": after.cells(), "after the undo": now.cells()})
    kept = not failed and now.booking == start.booking and now.left == start.left and "open" not in now.vouchers
    story.restored(kept=kept, failed=len(failed))
    return kept
