"""What an effect changed in a database, row by row, and the net of it."""

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct


class RowChange(Struct, frozen=True):
    """One row that changed: which one, how it stood before, and how after.

    `key` is its primary key as a text, the same for the same row always. An image is the exact text of the whole row in
    a form of the dialect's own: two of them are equal where the rows are. None: the row was not there.
    """

    table: str
    key: str
    before: str | None
    after: str | None


def moved(table: str, old: str, before: str, new: str, after: str) -> tuple[RowChange, ...]:
    """Return the update of a row as changes: where its key changed, one row went and another came."""
    if old == new:
        return (RowChange(table, old, before, after),)
    return (RowChange(table, old, before, None), RowChange(table, new, None, after))


def fold(changes: Iterable[RowChange]) -> tuple[RowChange, ...]:
    """Return the net of changes: how each row stood at first, and how at last.

    Their order doesn't tell it: a trigger that changes a row again may be noted before the change that fired it. But
    each state of a row in between was once left and once reached, so what is over are its first and its last.
    A row that is in the end as it was is left out. The rows come in the order in which they are first named.
    """
    over: dict[tuple[str, str], dict[str | None, int]] = {}
    for change in changes:
        states = over.setdefault((change.table, change.key), {})
        states[change.before] = states.get(change.before, 0) + 1
        states[change.after] = states.get(change.after, 0) - 1
    return tuple(RowChange(table, key, *_ends(states)) for (table, key), states in over.items() if any(states.values()))


def _ends(states: dict[str | None, int]) -> tuple[str | None, str | None]:
    left = [state for state, times in states.items() if times > 0]
    reached = [state for state, times in states.items() if times < 0]
    return left[0], reached[-1]


def named(way: str, rows: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """Return the names of rows (table, key) as `Touched` has them, each once."""
    return tuple(dict.fromkeys(f"{way}:{table}/{key}" for table, key in rows))


def parents_first(tables: Iterable[str], parents: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Return the tables so that each stands after those that it refers to; where they form a circle, anyhow.

    `parents` has the tables that a table refers to.
    """
    wanted = list(dict.fromkeys(tables))
    placed: dict[str, None] = {}
    for table in wanted:
        _place(table, parents, placed)
    return tuple(table for table in placed if table in set(wanted))


def _place(table: str, parents: Mapping[str, Sequence[str]], placed: dict[str, None]) -> None:
    """Put a table after all that it refers to, without recursion: a schema may be a long chain."""
    entered: set[str] = set()
    path = [(table, False)]
    while path:
        here, done = path.pop()
        if done:
            placed.setdefault(here)
        elif here not in entered and here not in placed:
            entered.add(here)
            path.append((here, True))
            path += [(parent, False) for parent in parents.get(here, ())]
