"""Killed at any instant, with others writing at the same time: everything of an effect is there, or nothing."""

import os
import signal
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial

import pytest
from sqlite_shop import dump, edit, make, perform, take_back

from interlock import Ctx
from interlock.actions.way import ConflictError, LostError
from interlock.undo.rows.sqlite import SqliteRows
from interlock.undo.rows.sqlite_handle import Handle

EFFECT = ("DELETE FROM customers WHERE id = 1", "INSERT INTO customers VALUES (7, 'x', 1)")


@pytest.fixture
def path(tmp_path):
    return make(tmp_path / "shop.db")


def killed_at(n, work):
    """Run *work* in a process that is killed before its n-th statement of Interlock's; return whether it was."""
    child = os.fork()
    if child == 0:
        count = iter(range(n + 1))
        own, many = Handle.own, Handle.own_many

        def counting(original):
            def call(self, *args):
                if next(count, None) == n:
                    os.kill(os.getpid(), signal.SIGKILL)
                return original(self, *args)

            return call

        Handle.own, Handle.own_many = counting(own), counting(many)
        try:
            work()
        except BaseException:  # noqa: BLE001 - the child ends here, whatever happened
            os._exit(3)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0, status
    return os.WIFSIGNALED(status)


def test_an_effect_that_is_killed_before_any_of_its_statements_is_whole_or_nothing(path):
    """`look` tells which, and the rows say the same; an effect that is there can be taken back."""
    before, n, seen = dump(path), 0, set()
    while killed_at(n, partial(perform, SqliteRows(path), f"k{n}", *EFFECT)):
        way = SqliteRows(path)
        there = way.look(Ctx(None), f"k{n}") is not None
        assert (dump(path) != before) is there
        if there:
            take_back(way, f"k{n}")
            assert dump(path) == before
        seen.add(there)
        n += 1
    assert n > 20
    assert not seen - {False}  # nothing of Interlock's comes after the commit


def test_an_effect_that_is_killed_inside_and_after_is_nothing_and_whole(path):
    """In the function, and right after the block."""
    before = dump(path)

    def inside():
        ctx = Ctx(None, key="k1")
        way = SqliteRows(path)
        with way.performing(ctx, "a"):
            way.connection(ctx).execute(EFFECT[0])
            os._exit(0)

    def after():
        perform(SqliteRows(path), "k2", *EFFECT)
        os._exit(0)

    killed_at(10**6, inside)
    assert dump(path) == before
    assert SqliteRows(path).look(Ctx(None), "k1") is None
    killed_at(10**6, after)
    assert SqliteRows(path).look(Ctx(None), "k2") is not None
    take_back(SqliteRows(path), "k2")
    assert dump(path) == before


def test_an_undo_that_is_killed_before_any_of_its_statements_is_done_again(path):
    """Before its commit nothing of it is there, also no trigger is missing; done again, it is exact."""
    way = SqliteRows(path)
    before = dump(path)
    perform(way, "k1", *EFFECT)
    changed, n = dump(path), 0
    while killed_at(n, lambda: take_back(SqliteRows(path), "k1")):
        assert dump(path) == changed
        with closing(sqlite3.connect(path)) as database:
            assert database.execute("SELECT count(*) FROM sqlite_master WHERE type = 'trigger'").fetchone() == (3,)
        n += 1
    assert n > 40
    assert dump(path) == before


def test_a_process_that_was_forked_uses_connections_of_its_own(path):
    """What its parent has open stays the parent's."""
    way = SqliteRows(path)
    perform(way, "k1", "UPDATE customers SET points = 1")
    killed_at(10**6, lambda: perform(way, "k2", "UPDATE customers SET points = 2"))
    perform(way, "k3", "UPDATE customers SET points = 3")
    for key in ("k3", "k2", "k1"):
        take_back(way, key)


def test_effects_of_many_threads_don_t_mix(path):
    """Each captures its own rows; taken back in any order where they touch different ones."""
    way = SqliteRows(path, timeout="60s")
    edit(path, *(f"INSERT INTO people VALUES ({n}, NULL, 'b{n}')" for n in range(100, 140)))
    before = dump(path)

    def work(n):
        for m in range(5):
            key = f"{n}:{m}"
            perform(
                way,
                key,
                f"UPDATE people SET badge = badge || '+' WHERE id = {100 + n}",
                f"INSERT INTO people VALUES ({1000 + 10 * n + m}, {100 + n}, NULL)",
            )

    def back(n):
        for m in reversed(range(5)):
            take_back(way, f"{n}:{m}")

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(work, range(8)))
        assert dump(path) != before
        list(threads.map(back, reversed(range(8))))
    assert dump(path) == before


def test_one_undo_by_many_threads_happens_once(path):
    """Under one key all get the same; under keys of their own, one gets it and the others hear of it."""
    way = SqliteRows(path, timeout="60s")
    before = dump(path)
    perform(way, "k1", *EFFECT)
    with ThreadPoolExecutor(6) as threads:
        assert len(set(threads.map(lambda _: take_back(way, "k1"), range(6)))) == 1
    assert dump(path) == before
    perform(way, "k2", *EFFECT)

    def try_it(n):
        try:
            return take_back(way, "k2", by=f"u{n}")
        except LostError:
            return None

    with ThreadPoolExecutor(6) as threads:
        assert sum(one is not None for one in threads.map(try_it, range(6))) == 1
    assert dump(path) == before


def test_a_look_waits_for_an_effect_that_is_still_at_it(path):
    """It doesn't say that nothing happened while something still may."""
    way = SqliteRows(path, timeout="60s")
    inside, go_on = threading.Event(), threading.Event()

    def work():
        ctx = Ctx(None, key="k1")
        with way.performing(ctx, "a") as effect:
            way.connection(ctx).execute("UPDATE customers SET points = 1")
            inside.set()
            go_on.wait()
            effect.finish(b'"done"')

    with ThreadPoolExecutor(2) as threads:
        done = threads.submit(work)
        inside.wait()
        looked = threads.submit(SqliteRows(path, timeout="60s").look, Ctx(None), "k1")
        go_on.set()
        done.result()
        found = looked.result()
    assert found is not None
    assert found.result == b'"done"'


def test_another_process_that_writes_is_never_overwritten(path):
    """A thousand increments of others, and effects taken back in between: every increment is there in the end."""
    edit(path, "CREATE TABLE counters (id INTEGER PRIMARY KEY, n)", "INSERT INTO counters VALUES (1, 0), (2, 0)")
    child = os.fork()
    if child == 0:
        try:
            with closing(sqlite3.connect(path, timeout=60, isolation_level=None)) as database:
                for _ in range(150):
                    database.execute("UPDATE counters SET n = n + 1")
        except BaseException:  # noqa: BLE001 - the child ends here, whatever happened
            os._exit(3)
        os._exit(0)
    way = SqliteRows(path, timeout="60s")
    standing = 0
    for n in range(30):
        perform(way, f"k{n}", "UPDATE counters SET n = n + 1000 WHERE id = 1")
        try:
            take_back(way, f"k{n}")
        except ConflictError:
            standing += 1
    assert os.waitpid(child, 0)[1] == 0
    with closing(sqlite3.connect(path)) as database:
        assert dict(database.execute("SELECT id, n FROM counters")) == {1: 150 + 1000 * standing, 2: 150}
