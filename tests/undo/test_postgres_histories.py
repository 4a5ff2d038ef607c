"""Random histories of effects and of other people's work: undone exactly, conflicts found, nothing trampled."""

import contextlib
import itertools

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from postgres_server import SHOP, Shop, context, psycopg

from interlock.actions.way import ConflictError, RolledBackError

KEYS = {"guests": "id", "bookings": "ref", "notes": "id", "seats": "(row, place)", "history": "n"}

guest = st.integers(1, 5)
ref = st.sampled_from(["A1", "A2", "B1", "C1", "C2"])
name = st.sampled_from(["ann", "bob", "cyd", "dan", "eve"])
note = st.integers(1, 6)
row = st.integers(1, 3)
place = st.sampled_from("ab")


def filled(template, **values):
    return st.fixed_dictionaries(values).map(lambda chosen: template.format(**chosen))


statements = st.one_of(
    filled("INSERT INTO guests (id, name) OVERRIDING SYSTEM VALUE VALUES ({g}, '{n}')", g=guest, n=name),
    filled("UPDATE guests SET name = '{n}' WHERE id = {g}", g=guest, n=name),
    filled("UPDATE guests SET name = name || 'x' WHERE id >= {g}", g=guest),
    filled("DELETE FROM guests WHERE id = {g}", g=guest),
    filled("INSERT INTO bookings VALUES ('{r}', {g}, {g})", r=ref, g=guest),
    filled("INSERT INTO bookings VALUES ('{r}') ON CONFLICT (ref) DO UPDATE SET guest = {g}", r=ref, g=guest),
    filled("UPDATE bookings SET ref = '{r}' WHERE ref = '{s}'", r=ref, s=ref),
    filled("UPDATE bookings SET price = price + 1 WHERE ref >= '{r}'", r=ref),
    filled("DELETE FROM bookings WHERE ref = '{r}'", r=ref),
    filled("INSERT INTO notes (id, booking, reply_to) VALUES ({i}, '{r}', {j})", i=note, j=note, r=ref),
    filled("INSERT INTO notes (id) VALUES ({i})", i=note),
    filled("UPDATE notes SET reply_to = {j}, body = '{r}' WHERE id <= {i}", i=note, j=note, r=ref),
    filled("UPDATE notes SET id = {j} WHERE id = {i}", i=note, j=note),
    filled("DELETE FROM notes WHERE id >= {i}", i=note),
    filled("INSERT INTO seats VALUES ({w}, '{p}', '{r}')", w=row, p=place, r=ref),
    filled("UPDATE seats SET booking = '{r}' WHERE row = {w} AND place = '{p}'", w=row, p=place, r=ref),
    filled("UPDATE seats SET booking = NULL WHERE row = {w}", w=row),
    filled("DELETE FROM seats WHERE place = '{p}'", p=place),
    st.sampled_from(["TRUNCATE notes", "TRUNCATE seats", "SET CONSTRAINTS ALL DEFERRED", "TRUNCATE bookings CASCADE"]),
)
effects = st.lists(statements, min_size=1, max_size=5)

RESET = (
    "TRUNCATE guests, bookings, notes, seats, history RESTART IDENTITY;"
    + SHOP[SHOP.index("INSERT INTO guests (name)") :]
)

numbers = itertools.count(1)
checks = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def shop():
    shop = Shop()
    yield shop
    shop.close()


def rows(shop):
    """Return every row by table and key."""
    found = {}
    for table, key in KEYS.items():
        for at, text in shop.sql(f"SELECT {key}::text, ({table}.*)::text FROM {table}"):
            found[table, at] = text
    return found


def performed(shop, effect):
    """Perform an effect; return its key, None where the database refused it, which then has changed nothing."""
    before = rows(shop)
    key = f"k{next(numbers)}"
    try:
        shop.act(key, *effect)
    except RolledBackError:
        assert rows(shop) == before
        return None
    return key


@checks
@given(history=st.lists(effects, min_size=1, max_size=4))
def test_a_history_is_undone_step_by_step(shop, history):
    """Taken back in reverse order, every state in between comes back exactly, cascades and triggers included."""
    shop.sql(RESET)
    done = []
    for effect in history:
        before = rows(shop)
        key = performed(shop, effect)
        if key is not None:
            done.append((key, before))
    for key, before in reversed(done):
        shop.undo(key)
        assert rows(shop) == before


@checks
@given(effect=effects, edits=effects)
def test_others_work_is_never_trampled(shop, effect, edits):
    """With others' changes after it, an effect is undone around them, or a conflict is raised and nothing changed."""
    shop.sql(RESET)
    before = rows(shop)
    key = performed(shop, effect)
    if key is None:
        return
    after = rows(shop)
    for edit in edits:
        with contextlib.suppress(psycopg.Error):
            shop.sql(edit)
    edited = rows(shop)
    places = before.keys() | after.keys() | edited.keys()
    mine = {place for place in places if before.get(place) != after.get(place)}
    theirs = {place for place in places if after.get(place) != edited.get(place)}
    conflict = None
    try:
        shop.undo(key)
    except ConflictError as error:
        conflict = error
    if conflict is not None:
        assert theirs
        assert conflict.changes
        assert rows(shop) == edited
    else:
        assert not mine & theirs
        wanted = {place: (before if place in mine else edited).get(place) for place in places}
        assert rows(shop) == {place: text for place, text in wanted.items() if text is not None}
    assert shop.bank.look(context("x"), key) is not None
