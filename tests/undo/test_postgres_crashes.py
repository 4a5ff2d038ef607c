"""A client that dies, a server that is gone, others in the way: effects and undos happen wholly or not at all."""

import os
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest
from postgres_server import Shop, context, psycopg

from interlock.actions.way import ConflictError, RolledBackError
from interlock.errors import InterlockError
from interlock.undo.rows import postgres_effects
from interlock.undo.rows.postgres import PostgresRows

CLIENT = """
    import os, sys
    sys.path.insert(0, {tests!r})
    import psycopg
    from postgres_server import context
    from interlock.undo.rows.postgres import PostgresRows

    bank, left = PostgresRows({dsn!r}, name="shop"), int(sys.argv[1])
    execute = psycopg.Cursor.execute

    def counting(self, *args, **options):
        global left
        if left == 0:
            os.kill(os.getpid(), 9)
        left -= 1
        done = execute(self, *args, **options)
        return done

    psycopg.Cursor.execute = counting
    {body}
    os._exit(0)
"""

ACT = """
    with bank.performing(context("k1"), "act") as effect:
        bank.connection(context("k1")).execute("DELETE FROM seats WHERE row = 1")
        bank.connection(context("k1")).execute("DELETE FROM guests WHERE name = 'ann'")
        bank.connection(context("k1")).execute("INSERT INTO guests (name) VALUES ('new')")
        effect.finish(b"1")
"""


@pytest.fixture
def shop():
    shop = Shop()
    yield shop
    shop.close()


def killed_at(shop, statement, body):
    """Run the body in a process that is killed before so many statements; return whether it was."""
    text = CLIENT.format(
        tests=str(Path(__file__).parent), dsn=shop.dsn, body=textwrap.dedent(body).replace("\n", "\n    ")
    )
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(text), str(statement)], env=os.environ, capture_output=True, check=False
    )
    assert done.returncode in (0, -9), done.stderr.decode()
    return done.returncode == -9


def test_a_client_killed_between_statements_leaves_all_or_nothing(shop):
    """Whatever statement it dies before: the marker tells the truth, and the effect can then be performed or undone."""
    before = shop.state()
    outcomes = []
    for statement in range(30):
        killed = killed_at(shop, statement, ACT)
        found = shop.bank.look(context("x"), "k1")
        outcomes.append((killed, found is not None))
        if found is None:
            assert shop.state() == before
        else:
            assert shop.state() != before
            shop.undo("k1")
            assert shop.state() == before
            break
    assert len(outcomes) > 4
    assert outcomes[-1] == (False, True)


def test_an_undo_killed_between_statements_is_done_wholly_by_the_next(shop):
    """An undo that dies leaves everything as the effect did; done again under the same key it goes through once."""
    before = shop.state()
    shop.act("k1", "DELETE FROM seats WHERE row = 1", "DELETE FROM guests WHERE name = 'ann'")
    after = shop.state()
    statement = 0
    while killed_at(shop, statement, "bank.take_back(context('u1', 'k1'), 'k1')"):
        assert shop.bank.look(context("x"), "u1") is None
        assert shop.state() == after
        statement += 3
    assert statement > 10
    assert shop.state() == before
    shop.undo("k1", "u1")
    assert shop.state() == before


def test_look_waits_for_one_that_is_still_at_it(shop):
    """Nothing is said of an effect before its transaction has ended, one way or the other."""
    client = psycopg.connect(shop.dsn)
    client.execute("SELECT interlock.begin('k1', 'r1', 'act')")
    client.execute("DELETE FROM seats")
    found = []
    looking = threading.Thread(target=lambda: found.append(shop.bank.look(context("x"), "k1")))
    looking.start()
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    while shop.sql(waiting) != [(1,)]:
        pass
    assert found == []
    client.execute("SELECT interlock.finish('k1', '3')")
    client.commit()
    client.close()
    looking.join()
    assert found[0].result == b"3"


def test_a_commit_whose_answer_is_lost_has_happened(shop, monkeypatch):
    """Where the connection breaks during the commit, the marker decides, not the error."""
    finish = postgres_effects.finish

    def lost(connection, *args):
        finish(connection, *args)
        # What a lost answer looks like: the server has committed, the client never hears of it.
        shop.sql("SELECT pg_terminate_backend(%s)", connection.info.backend_pid)
        connection.execute("SELECT 1")

    monkeypatch.setattr(postgres_effects, "finish", lost)
    touched = shop.act("k1", "DELETE FROM seats", result=b"1")
    assert touched.wrote == ("shop:seats/(1,a)", "shop:seats/(1,b)", "shop:seats/(2,a)")
    assert shop.bank.look(context("x"), "k1").result == b"1"


FORKED = """
    assert bank.look(context("x"), "k1") is not None  # there is a connection that waits
    child = os.fork()
    if child == 0:
        if {closing}:
            bank.close()
            os._exit(0)
        left = int(sys.argv[1])
        bank.take_back(context("u1", "k1"), "k1")
        os._exit(0)
    left = -1
    os.waitpid(child, 0)
    child = os.fork()
    if child == 0:
        bank.take_back(context("u1", "k1"), "k1")
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert bank.look(context("x"), "u1") is not None
"""


@pytest.mark.parametrize("closing", [False, True])
def test_a_forked_process_leaves_its_parents_connections_alone(shop, closing):
    """A child that is killed in the middle of an undo leaves no transaction that the next one would end up in."""
    before = shop.state()
    for statement in (0,) if closing else (0, 2, 5, 9):
        shop.act("k1", "DELETE FROM seats WHERE row = 1", "DELETE FROM guests WHERE name = 'ann'")
        body = FORKED.format(closing=closing).replace("sys.argv[1]", repr(statement))
        assert not killed_at(shop, -1, body)
        assert shop.state() == before
        shop.sql("DELETE FROM interlock.effects; DELETE FROM interlock.rows")


def test_a_server_process_that_dies_rolls_back(shop):
    """The effect is reported as rolled back, and the next one gets a connection that works."""
    before = shop.state()

    def terminate(connection):
        shop.sql("SELECT pg_terminate_backend(%s)", connection.info.backend_pid)
        connection.execute("SELECT 1")

    with pytest.raises(RolledBackError):
        shop.act("k1", "DELETE FROM seats", terminate)
    assert shop.state() == before
    shop.act("k2", "DELETE FROM seats")
    others = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    shop.sql(f"SELECT pg_terminate_backend(pid) FROM ({others}) o")
    shop.undo("k2")
    assert shop.state() == before


def test_a_server_that_is_gone_is_one_clear_error(tmp_path):
    """Every call says the same: what doesn't answer, and what to do."""
    bank = PostgresRows(f"host={tmp_path} dbname=x", name="bank")
    calls = [
        bank.check,
        lambda ctx: bank.look(ctx, "k1"),
        lambda ctx: bank.preview(ctx, "k1"),
        lambda ctx: bank.take_back(ctx, "k1"),
        bank.purge,
        bank.install,
    ]
    for call in calls:
        with pytest.raises(InterlockError, match="bank: the database does not answer; start it"):
            call(context("k1"))


def test_two_undos_of_one_effect_do_it_once(shop):
    """Two people at the same moment, under the same key and under different ones."""
    before = shop.state()
    for key, keys in (("k1", ["u1", "u1"]), ("k2", ["u2", "u3"])):
        shop.act(key, "UPDATE bookings SET price = price + 1", "DELETE FROM seats")
        done = []

        def undo(by, key=key, done=done):
            try:
                done.append(shop.undo(key, by))
            except Exception as error:  # noqa: BLE001 - looked at below
                done.append(error)

        threads = [threading.Thread(target=undo, args=(by,)) for by in keys]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert shop.state() == before
        errors = [type(one).__name__ for one in done if isinstance(one, Exception)]
        assert errors == ([] if key == "k1" else ["LostError"])


def test_writers_in_the_way_are_waited_for_and_then_respected(shop):
    """Somebody who is just changing a row of the effect gets through first; the undo then finds the conflict."""
    shop.act("k1", "UPDATE notes SET body = 'mine'")
    other = psycopg.connect(shop.dsn)
    other.execute("UPDATE notes SET body = 'theirs' WHERE id = 2")
    errors = []

    def undo():
        try:
            shop.undo("k1")
        except ConflictError as error:
            errors.append(error)

    undoing = threading.Thread(target=undo)
    undoing.start()
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    while shop.sql(waiting) != [(1,)]:
        pass
    other.commit()
    other.close()
    undoing.join()
    assert "notes id=2" in str(errors[0])


def test_a_deadlock_with_others_is_tried_again(shop):
    """Where the database lets the undo give way, nothing was done, and it is done again."""
    before = shop.state()
    shop.act("k1", "UPDATE notes SET body = 'x'", "UPDATE seats SET booking = NULL")
    other = psycopg.connect(shop.dsn)
    other.execute("SET deadlock_timeout = '1h'")  # so that the undo is the one to give way
    other.execute("SELECT FROM seats WHERE row = 1 FOR UPDATE")
    undoing = threading.Thread(target=shop.undo, args=("k1",))
    undoing.start()
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    while shop.sql(waiting) != [(1,)]:
        pass
    other.execute("SELECT FROM notes FOR UPDATE")  # which the undo has locked: returns once it has let go
    other.rollback()
    other.close()
    undoing.join()
    assert shop.state() == before


def test_many_effects_at_once(shop):
    """Effects in several threads don't get into each other's log."""
    before = shop.state()
    threads = [
        threading.Thread(target=shop.act, args=(f"k{n}", f"INSERT INTO guests (name) VALUES ('g{n}')"))
        for n in range(12)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for n in range(12):
        (change,) = shop.bank.preview(context("x"), f"k{n}")
        assert change.after["name"] == f"g{n}"
        shop.undo(f"k{n}")
    assert shop.state() == before
