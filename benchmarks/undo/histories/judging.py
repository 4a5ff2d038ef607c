"""Is everything as it has to be? What the oracle expects, beside what is there and what people were told."""

from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

from benchmarks.undo.histories.bank import Dump, Key
from benchmarks.undo.histories.oracle import Diff, Name, Predicted, Verdict, verdict
from benchmarks.undo.histories.play import Played
from benchmarks.undo.histories.schema import BY_NAME
from benchmarks.undo.histories.undoing import Told


class Judged(NamedTuple):
    """What was found, and in words what is not as it must be."""

    verdict: Verdict
    found: int
    wrong: tuple[str, ...]


def judged(played: Played, expected: Predicted, final: Dump, said: Told) -> Judged:
    """Compare an undone history with what must have come of it."""
    not_taken = frozenset((*said.conflicts, *said.others))
    found = verdict(expected, final, played.steps, said.taken, not_taken)
    return Judged(found, len(expected.conflicts.keys() & said.conflicts.keys()), tuple(_wrong(found, expected, said)))


def _wrong(found: Verdict, expected: Predicted, said: Told) -> Iterator[str]:
    if found.wrong:
        yield f"not as it must be: {', '.join(map(named, sorted(found.wrong, key=str)))}"
    if found.trampled:
        yield f"overwritten: {', '.join(map(named, sorted(found.trampled, key=str)))}"
    if found.halves:
        yield f"half taken back: {_steps(found.halves)}"
    if lost := expected.conflicts.keys() - said.conflicts.keys():
        yield f"a conflict that nobody was told of: {_steps(lost)}"
    if invented := said.conflicts.keys() - expected.conflicts.keys():
        yield f"a conflict where there is none: {_steps(invented)}: {[said.why[one] for one in invented]}"
    if said.taken != frozenset(expected.taken):
        yield f"taken back: {_steps(said.taken)}, and it must be {_steps(expected.taken)}"
    if said.others:
        yield f"neither taken back nor in conflict: {said.others}"
    for name, rows in expected.conflicts.items():
        told = {change["object"] for change in said.conflicts.get(name, ())}
        if rows and name in said.conflicts and told != set(map(named, rows)):
            yield f"the conflict of {_steps([name])} names {sorted(told)}, not {sorted(map(named, rows))}"


def _steps(names: Any) -> str:
    return ", ".join(f"step {step} of run {run}" for run, step in sorted(names)) or "nothing"


def named(row: Key) -> str:
    """Return a row's name as people are told it."""
    table, key = row
    columns = BY_NAME[table].columns
    pairs = (_pair(name, columns[name], text) for name, text in zip(BY_NAME[table].key, key, strict=True))
    return " ".join([table, *pairs])


def _pair(column: str, kind: str, text: str | None) -> str:
    plain = (text or "").strip("'")
    return f"{column}={plain!r}" if kind.startswith("TEXT") else f"{column}={plain}"


def same_but_made_keys(one: Dump, other: Dump) -> bool:
    """Whether two dumps hold the same, but for the keys of the audit log, which nobody can choose."""
    return _counted(one) == _counted(other)


def same_change(one: Diff, other: Diff) -> bool:
    """Whether two steps changed the same, but for those keys."""
    before, after = ({key: images[side] for key, images in one.items()} for side in (0, 1))
    before_too, after_too = ({key: images[side] for key, images in other.items()} for side in (0, 1))
    return (_counted(before), _counted(after)) == (_counted(before_too), _counted(after_too))


def _counted(rows: Any) -> Counter[Any]:
    return Counter(
        (key[0], row[1:]) if key[0] == "audit" else (key, row) for key, row in rows.items() if row is not None
    )


def comes_to_the_same(played: Played, again: Played, taken: frozenset[Name]) -> bool:
    """Whether what remained of a history came to the same without what was taken back."""
    pairs = zip(played.steps, again.steps, strict=True)
    return all(
        (name, True) == (name_too, same_change(diff, diff_too))
        for (name, diff), (name_too, diff_too) in pairs
        if name not in taken
    )
