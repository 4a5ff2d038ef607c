"""What Interlock is told of the tools: what each does to the world, how it is undone, looked up and allowed."""

from typing import Any

from benchmarks.adapters import world
from benchmarks.adapters.world import BANK, GROUND, STORE
from benchmarks.crash.client import ask, find
from interlock import Ctx, Governor, Policy, Refused, arg, current, need, permit, probe, tool

search_orders = tool.read("search_orders")
read_document = tool.read("read_document")
pay = tool.compensable("pay", timeout="10s", settle="1s")
rows = [tool.reversible(name, refuses=(LookupError,)) for name in ("write_row", "delete_row")]
files = [tool.reversible(name, refuses=(LookupError,)) for name in ("write_file", "move_file", "delete_file")]
events = [tool.reversible(name, refuses=(LookupError,)) for name in ("add_event", "move_event", "cancel_event")]
send_email = tool.irreversible("send_email")


@pay.probe
def _(ctx: Ctx[Any], order: str, amount: int) -> probe.Answer[str]:
    receipt = find(BANK, order)
    return probe.done(f"paid {amount} EUR, receipt {receipt}") if receipt else probe.never


@pay.undo
def _(ctx: Ctx[Any], done: str, order: str, amount: int) -> None:
    ask(BANK, {"op": "reverse", "reference": order})


def restore(ctx: Ctx[Any], done: str, **arguments: Any) -> None:
    """Put back what the call replaced, unless somebody has changed it since."""
    changes = GROUND.changes(ctx.undoes)
    for change in changes:
        if GROUND.read(change.place) not in {change.before, change.after}:
            raise Refused(f"{change.place} was changed by somebody else since")
    GROUND.change(ctx.key, "", {change.place: change.before for change in reversed(changes)})


def look(ctx: Ctx[Any], **arguments: Any) -> probe.Answer[str]:
    """Tell whether the call was carried out, by the record of its request."""
    changes = GROUND.changes(ctx.key)
    now = [GROUND.read(change.place) for change in changes]
    if changes and now == [change.after for change in changes]:
        return probe.done(changes[0].result)
    return probe.never if now == [change.before for change in changes] else probe.not_yet_known


for one in (*rows, *files, *events):
    one.undo(restore)
    one.probe(look)


def request_id() -> str:
    """Return the idempotency key of the call under way: changes are recorded under it."""
    ctx = current()
    assert ctx is not None, "a tool was called past the governor"
    return ctx.key


world.request_id = request_id

policy = Policy(
    permit([search_orders, read_document]),
    permit(pay, when=(arg.amount > 0) & (arg.amount <= 1000)),
    need.approval("finance", pay, when=arg.amount > 100, because="over 100 EUR"),
    permit(rows, when=arg.table.in_(["customers", "orders", "prices"])),
    permit([*files, *events]),
    permit(send_email, when=arg.to.matches(r"[^@\s]+@[^@\s]+")),
)

governor = Governor(
    STORE / "journal.db",
    [search_orders, read_document, pay, *rows, *files, *events, send_email],
    policy=policy,
)
