"""What the database keeps of effects: markers, and the rows that they changed."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from interlock.actions.way import Found, LostError, Touched
from interlock.undo.rows.log import RowChange, fold, moved, named
from interlock.undo.rows.postgres_connections import Connection, asked, exact
from interlock.undo.rows.postgres_forms import Form, Reference, decode_all, identifier, short
from interlock.undo.rows.postgres_text import row as text_of

_PURGE = """
    WITH old AS (
        UPDATE interlock.effects SET kept_until = at + %(keep)s, tables = NULL
        WHERE kept_until IS NULL AND at + %(keep)s < clock_timestamp() RETURNING key),
    gone AS (DELETE FROM interlock.rows r USING old WHERE r.effect = old.key)
    SELECT count(*) FROM old
"""


_KEPT = """
    SELECT undone_by, to_char(kept_until AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI "UTC"'),
        CASE WHEN tables IS NOT NULL THEN interlock.forms_in(tables)::text END,
        interlock.forms_in(interlock.forms_now(ARRAY(SELECT jsonb_object_keys(tables))))::text
    FROM interlock.effects WHERE key = %s
"""

WAIT = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 7));"
"""SQL that waits until no transaction is at an effect any more, and keeps others from it to the end of this one.

A killed client's transaction may still be committing; the lock is let go of after that, or after its rollback.
Parameter: the effect's key.
"""

BEGIN = "SELECT interlock.begin(%s, %s, %s, %s);"
"""SQL that begins an effect in the transaction under way; parameters: its key, run, action, and what it undoes."""


def finish(connection: Connection, key: str, result: bytes) -> tuple[dict[str, Form], tuple[RowChange, ...]]:
    """Finish the effect of the transaction under way, and commit; return what `kept` would."""
    finished = asked(connection, "SELECT * FROM interlock.finish_and_tell(%s, %s); COMMIT", (key, result.decode()))
    told = finished.fetchall()
    forms = decode_all(told[0][1])
    return forms, folded(told[1:], forms)


def note_undone(connection: Connection, key: str, by: str) -> None:
    """Note that an effect is taken back; where it is an undo itself, what that took back is there again."""
    undone = "UPDATE interlock.effects SET undone_by = %s WHERE key = %s"
    redone = "UPDATE interlock.effects e SET undone_by = NULL FROM interlock.effects u"
    asked(connection, f"{undone}; {redone} WHERE u.key = %s AND e.key = u.undoes", (by, key, key))


def found(connection: Connection, way: str, key: str) -> Found | None:
    """Return what is known of an effect."""
    known = connection.execute("SELECT result FROM interlock.effects WHERE key = %s", (key,)).fetchone()
    if known is None:
        return None
    forms = forms_then(connection, key)
    return Found((known[0] or "null").encode(), touched_by(connection, way, forms, net(connection, key, forms)))


def kept(connection: Connection, key: str) -> tuple[dict[str, Form], tuple[RowChange, ...]]:
    """Return the rows that an effect changed, and the forms of their tables.

    Raises:
        LostError: they are gone, have been taken back, or belong to tables of another form.
    """
    marker = connection.execute(_KEPT, (key,)).fetchone()
    if marker is None:
        raise LostError(f"nothing is kept of an effect {key!r}; it was carried out elsewhere, or not at all")
    undone_by, until, then, now = marker
    if undone_by:
        raise LostError(f"effect {key!r} was taken back already, under the key {undone_by!r}")
    if until:
        raise LostError(f"its before-images were kept until {until}; it can't be taken back exactly any more")
    if then is None:
        forms = forms_then(connection, key)
    else:
        forms, present = decode_all(then), decode_all(now)
        for table, form in forms.items():
            _refuse_altered(table, form, present.get(table))
    return forms, net(connection, key, forms)


def _refuse_altered(table: str, then: Form, now: Form | None) -> None:
    if now is None:
        raise LostError(f"table {short(table)} is gone; what was changed in it can't be taken back exactly")
    if not now.reads(then):
        raise LostError(
            f"table {short(table)} was altered since: it was {then.described}, and is now {now.described};"
            " what was changed in it can't be taken back exactly"
        )


def forms_then(connection: Connection, key: str) -> dict[str, Form]:
    """Return the forms of the tables that an effect changed, as they were then."""
    ask = "SELECT interlock.forms_in(tables)::text FROM interlock.effects WHERE key = %s AND tables IS NOT NULL"
    known = connection.execute(ask, (key,)).fetchone()
    if known is not None:
        return decode_all(known[0])
    # Its transaction was ended before it was finished: all that can be said is how they are now.
    written = connection.execute("SELECT DISTINCT tab FROM interlock.rows WHERE effect = %s", (key,)).fetchall()
    return forms_now(connection, [table for (table,) in written])


def forms_now(connection: Connection, tables: Sequence[str]) -> dict[str, Form]:
    """Return the forms of those tables that are there and covered."""
    ask = "SELECT interlock.forms_in(interlock.forms_now(%s))::text"
    known = connection.execute(ask, (list(tables),)).fetchone()
    assert known is not None
    return decode_all(known[0])


Logged = Sequence[tuple[str, str | None, str | None]]
"""Changes of rows as the database has them: table, text before, text after."""


def net(connection: Connection, key: str, forms: Mapping[str, Form]) -> tuple[RowChange, ...]:
    """Return the net of all that an effect has changed."""
    return folded(logged(connection, key), forms)


def logged(connection: Connection, key: str) -> Logged:
    """Return all that an effect has changed, in order."""
    ask = "SELECT tab, before, after FROM interlock.rows WHERE effect = %s ORDER BY n"
    return connection.execute(ask, (key,)).fetchall()


def folded(changes: Logged, forms: Mapping[str, Form]) -> tuple[RowChange, ...]:
    """Return the net of changes."""
    return fold(_changes(changes, forms))


def _changes(changes: Logged, forms: Mapping[str, Form]) -> Iterator[RowChange]:
    for table, text_before, text_after in changes:
        form = forms[table]
        before, after = form.image(text_before), form.image(text_after)
        if before is None or after is None:
            image = before or after
            assert image is not None
            yield RowChange(table, form.key_of(image), before, after)
        else:
            yield from moved(table, form.key_of(before), before, form.key_of(after), after)


def touched_by(connection: Connection, way: str, forms: Mapping[str, Form], rows: Sequence[RowChange]) -> Touched:
    """Return the names of the rows that were written, and of those that they refer to."""
    wrote = {(short(row.table), row.key): None for row in rows}
    pointers: dict[tuple[Reference, tuple[str, ...]], None] = {}
    for row in rows:
        form = forms[row.table]
        for image in (row.before, row.after) if form.references else ():
            pointers.update(dict.fromkeys(_pointers(form, image) if image else ()))
    read = ((short(pointer[0].table), key) for pointer in pointers for key in _parent(connection, *pointer))
    return Touched(named(way, wrote), named(way, (one for one in read if one not in wrote)))


def _pointers(form: Form, image: str) -> Iterator[tuple[Reference, tuple[str, ...]]]:
    values = form.values(image)
    for reference in form.references:
        texts = [values.get(column) for column in reference.columns]
        whole = tuple(text for text in texts if text is not None)
        if len(whole) == len(texts) and reference.key:
            yield reference, whole


def _parent(connection: Connection, reference: Reference, texts: tuple[str, ...]) -> tuple[str, ...]:
    """Return the key of the row that is referred to, if it is there."""
    if set(reference.there) == set(reference.key):
        by_name = dict(zip(reference.there, texts, strict=True))
        return (_key([by_name[name] for name in reference.key]),)
    columns = ", ".join(f"format('%%s', {identifier(name)})" for name in reference.key)
    same = " AND ".join(f"{identifier(name)} = %s" for name in reference.there)
    table = reference.table.replace("%", "%%")
    ask = f"SELECT {columns} FROM {table} WHERE {same}"  # noqa: S608 - names of the catalogue, quoted
    with connection.transaction():  # that of the effect may be over
        exact(connection)
        return tuple(_key(list(key)) for key in asked(connection, ask, texts))


def _key(texts: list[Any]) -> str:
    return texts[0] if len(texts) == 1 else text_of(texts)


def purge(connection: Connection, keep: int) -> int:
    """Throw away the row images of effects older than so many microseconds; return of how many effects."""
    known = connection.execute(_PURGE, {"keep": timedelta(microseconds=keep)}).fetchone()
    assert known is not None
    return int(known[0])
