"""A shop whose prices and notes lie in files that everybody can edit; tests copy it into a project."""

import json
from contextlib import contextmanager
from pathlib import Path

from interlock import Agent, Ctx, Policy, Refused, action, arg, need, permit
from interlock.actions.way import Change, ConflictError, Found, LostError, Performance, Touched, Way

FOLDER = Path(__file__).parent


class Table:
    """Rows by their name, in a file that everybody can edit."""

    def __init__(self, name):
        self.file = FOLDER / f"{name}.json"

    def rows(self):
        return json.loads(self.file.read_text()) if self.file.exists() else {}

    def put(self, name, row):
        rows = {**self.rows(), name: row}
        self.file.write_text(json.dumps({name: row for name, row in rows.items() if row is not None}))


class Kept(Performance):
    def finish(self, result):
        self.result = result


class Notes(Way):
    """Takes back notes, which it keeps with what they were."""

    name = "notes"
    notes, kept = Table("notes"), Table("kept")

    @contextmanager
    def performing(self, ctx, action):
        performance, before = Kept(), self.notes.rows()
        yield performance
        after = self.notes.rows()
        name = next(one for one in after if after[one] != before.get(one))
        self.kept.put(ctx.key, [name, before.get(name), after[name], performance.result.decode()])
        performance.touched = Touched((f"notes:{name}",))

    def look(self, ctx, key):
        kept = self.kept.rows().get(key)
        return kept and Found(kept[3].encode(), Touched((f"notes:{kept[0]}",)))

    def preview(self, ctx, key):
        if key not in self.kept.rows():
            raise LostError("what was kept has expired")
        name, before, after, _ = self.kept.rows()[key]
        return (Change(f"note {name}", before, after, self.notes.rows().get(name)),)

    def take_back(self, ctx, key):
        (change,) = self.preview(ctx, key)
        name = self.kept.rows()[key][0]
        if change.now not in (change.after, change.before):
            raise ConflictError(f"note {name} changed since", (change,))
        self.notes.put(name, change.before)
        return Touched((f"notes:{name}",))


class Shop:
    """The shop's prices."""

    def __init__(self):
        if (FOLDER / "closed").exists():
            raise OSError("the shop is closed")
        self.prices = Table("prices")


notes = Notes()


@action.reversible(stays="customers have seen it")
async def set_price(ctx: Ctx[Shop], ref: str, price: int) -> None:
    """Set the price of a book."""
    ctx.deps.prices.put(ref, {**ctx.deps.prices.rows().get(ref, {"title": "A book"}), "price": price})


@set_price.snapshot
async def _(ctx, done, ref, price):
    return {f"price/{ref}": ctx.deps.prices.rows().get(ref)}


@set_price.undo
async def _(ctx, done, ref, price):
    ctx.deps.prices.put(ref, ctx.before[f"price/{ref}"])


@action.reversible(way=notes)
def write_note(ctx: Ctx[Shop], name: str, text: str) -> str:
    """Write a note."""
    notes.notes.put(name, text)
    return "written"


@action.compensable(idempotent=True)
async def order(ctx: Ctx[Shop], ref: str) -> str:
    """Order a book."""
    return f"order-{ref}"


@order.undo
async def _(ctx, done, ref):
    if (FOLDER / "sent").exists():
        raise Refused("it is on its way")


@action.compensable(idempotent=True)
async def gift(ctx: Ctx[Shop], of: str) -> None:
    """Have an order wrapped."""


@gift.undo
async def _(ctx, done, of):
    pass


@action.irreversible
async def mail(ctx: Ctx[Shop], to: str) -> None:
    """Send a letter."""


@action.irreversible
async def shout(ctx: Ctx[Shop], words: str) -> None:
    """Say something aloud."""


@action.irreversible
async def burn(ctx: Ctx[Shop]) -> None:
    """Burn it all down."""


@action.read(egress=True)
async def look_up(ctx: Ctx[Shop], words: str) -> str:
    """Look on the web."""
    return "found"


policy = Policy(
    permit([set_price, write_note, order, gift, mail, shout, look_up]),
    need.delay("10m", mail),
    need.delay("1h", order, when=arg.ref == "rare"),
)
keeper = Agent("keeper", [set_price, write_note, order, gift, mail, shout, burn, look_up], policy=policy, deps=Shop)
