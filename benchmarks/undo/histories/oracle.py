"""What must come out of an undo, worked out from dumps alone: no part of it looks at what Interlock wrote down."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from benchmarks.undo.histories.bank import Dump, Key
from benchmarks.undo.histories.schema import BY_NAME, TABLES, Table

Row = tuple[str | None, ...]
Diff = Mapping[Key, tuple[Row | None, Row | None]]
Name = tuple[int, int]
"""An effect: the number of its run, and of its step."""


def changed(before: Dump, after: Dump) -> Diff:
    """Return the rows that differ: as they were before, and after; None where there was no row."""
    keys = before.keys() | after.keys()
    return {key: (before.get(key), after.get(key)) for key in keys if before.get(key) != after.get(key)}


class Predicted(NamedTuple):
    """What an undo comes to: the rows, which effects were taken back, and which conflict, with the rows in the way.

    `stages` are the rows at first, and after each effect that was taken back; nothing else is ever to be seen.
    """

    rows: Dump
    taken: tuple[Name, ...]
    conflicts: dict[Name, frozenset[Key]]
    stages: tuple[Dump, ...] = ()


def predicted(now: Dump, plans: Iterable[Sequence[tuple[Name, Diff]]], otherwise: str) -> Predicted:
    """Return what taking effects back must come to.

    `plans` are applied one after the other; each has its effects in the order of undoing. An effect is taken back
    wholly if every row stands as the effect left it, and the rows as they were break no key and no reference; otherwise
    not at all. With *otherwise* "stop" nothing more of that plan is done then.
    """
    rows, taken, conflicts = now, list[Name](), dict[Name, frozenset[Key]]()
    stages = [now]
    for plan in plans:
        for name, diff in plan:
            in_the_way = frozenset(key for key, (_, after) in diff.items() if rows.get(key) != after)
            back = rows if in_the_way else restored(rows, diff)
            if in_the_way or any(broken(back)):
                conflicts[name] = in_the_way
                if otherwise == "stop":
                    break
            else:
                rows = back
                taken.append(name)
                stages.append(rows)
    return Predicted(rows, tuple(taken), conflicts, tuple(stages))


def restored(rows: Dump, diff: Diff) -> Dump:
    """Return the rows with those of a change as they were before it."""
    back = {**rows, **{key: before for key, (before, _) in diff.items() if before is not None}}
    for key, (before, _) in diff.items():
        if before is None:
            back.pop(key, None)
    return back


def broken(rows: Dump) -> Iterator[str]:
    """Yield every unique key that two rows have, and every reference to a row that is not there."""
    by_table: dict[str, list[Row]] = {table.name: [] for table in TABLES}
    for (table, _), row in rows.items():
        by_table[table].append(row)
    for table in TABLES:
        yield from _doubled(table, by_table[table.name])
        yield from _orphans(table, by_table)


def _doubled(table: Table, rows: Sequence[Row]) -> Iterator[str]:
    for columns in table.unique:
        values = [value for value in _values(table, columns, rows) if None not in value]
        if len(set(values)) < len(values):
            yield f"{table.name}: two rows with the same {', '.join(columns)}"


def _orphans(table: Table, rows: Mapping[str, Sequence[Row]]) -> Iterator[str]:
    for reference in table.references:
        parents = set(_values(BY_NAME[reference.parent], reference.parent_columns, rows[reference.parent]))
        for value in _values(table, reference.columns, rows[table.name]):
            if None not in value and value not in parents:
                yield f"{table.name}: {', '.join(map(str, value))} is not in {reference.parent}"


def _values(table: Table, columns: Sequence[str], rows: Sequence[Row]) -> list[Row]:
    places = [table.names.index(column) for column in columns]
    return [tuple(row[place] for place in places) for row in rows]


class Verdict(NamedTuple):
    """What was found of one undone history.

    `wrong` are rows that are not as predicted. `trampled` are rows that somebody else wrote last and that are not as
    they left them. `halves` are effects of whose rows some are as before and some are not, and nobody was told.
    """

    wrong: frozenset[Key]
    trampled: frozenset[Key]
    halves: frozenset[Name]


def verdict(
    expected: Predicted,
    final: Dump,
    steps: Sequence[tuple[Name | None, Diff]],
    taken: frozenset[Name],
    reported: frozenset[Name],
) -> Verdict:
    """Compare what is there with what must be.

    `steps` are the changes of the history in order, those of others without a name; `taken` were reported as taken
    back, `reported` as not.
    """
    return Verdict(
        frozenset(changed(expected.rows, final)),
        frozenset(_trampled(steps, final, taken)),
        frozenset(_halves(steps, final, taken, reported)),
    )


def _trampled(steps: Sequence[tuple[Name | None, Diff]], final: Dump, taken: frozenset[Name]) -> Iterator[Key]:
    """Yield rows of others that are lost; one that they left as an effect had left it before goes with that."""
    last: dict[Key, tuple[Name | None, Row | None]] = {}
    of_taken: set[tuple[Key, Row | None]] = set()
    for name, diff in steps:
        images = {key: after for key, (_, after) in diff.items()}
        if name in taken:
            of_taken.update(images.items())
        else:
            last.update({key: (name, after) for key, after in images.items()})
    for key, (name, after) in last.items():
        if name is None and final.get(key) != after and (key, after) not in of_taken:
            yield key


def _halves(
    steps: Sequence[tuple[Name | None, Diff]], final: Dump, taken: frozenset[Name], reported: frozenset[Name]
) -> Iterator[Name]:
    """Yield effects that are neither wholly there nor wholly gone, judged by rows that nothing else has touched."""
    touched: dict[Key, int] = {}
    for _, diff in steps:
        for key in diff:
            touched[key] = touched.get(key, 0) + 1
    for name, diff in steps:
        alone = {key: images for key, images in diff.items() if touched[key] == 1}
        back = {final.get(key) == before for key, (before, _) in alone.items()}
        if name is not None and len(back) > 1 and name not in reported:
            yield name
