"""`undo --plan` and `show`: what an undo would restore, what stands in its way, what rests on it."""

import json
import os
import re
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.actions.way import Change
from interlock.cli import changes, text

PRICE = ("set_price", {"ref": "a", "price": 10})
DEARER = ("set_price", {"ref": "a", "price": 12})


def edit(shop, **row):
    """Change a price as somebody else does."""
    file = shop.folder / "prices.json"
    prices = json.loads(file.read_text())
    prices["a"] |= row
    file.write_text(json.dumps(prices))


def test_objects_by_their_way(shop, interlock):
    """Each effect has by what it is taken back, its objects before and now, and what stays for all that."""
    shop.propose(PRICE, DEARER, ("write_note", {"name": "n", "text": "hello"}), ("order", {"ref": "x"}), finish=True)
    assert interlock("undo", "r1", "--plan").stdout.splitlines() == [
        "undo of run r1: 4 of 4 effects can be taken back",
        '  compensate  order(ref="x"), event 9, by undo',
        '  restore     write_note(name="n", text="hello"), event 7, by notes',
        '                note n: not there → "hello"',
        '  restore     set_price(price=12, ref="a"), event 5, by snapshot',
        "                price/a: price 10 → 12",
        "                what stays: customers have seen it",
        '  restore     set_price(price=10, ref="a"), event 3, by snapshot',
        '                price/a: not there → {"price":10,"title":"A book"}, and again',
        "                since: price 10 → 12",
        "                what stays: customers have seen it",
    ]


def test_what_waits_is_recalled_and_what_has_left_can_not_be(shop, interlock):
    """A delayed effect is recalled before it leaves; what left is named, with why."""
    shop.propose(("mail", {"to": "bob"}), ("shout", {"words": "hi"}), ("look_up", {"words": "q"}))
    assert interlock("undo", "r1", "--plan").stdout.splitlines() == [
        "undo of run r1: 1 of 3 effects can be taken back",
        '  recall      mail(to="bob"), event 2: it waits for its delay',
        '  cannot      look_up(words="q"), event 6: its arguments have left, for good',
        '  cannot      shout(words="hi"), event 4: it is irreversible',
    ]
    assert interlock("undo", "r1", "--yes", "--by", "ana").stdout.splitlines()[-1] == "taken back: 1 effect"
    shown = interlock("show", "r1").stdout
    assert "undo       by ana, 1 call\n                             recalls call-1\n" in shown
    assert "recalled   mail\n                             it waited for its delay, and ana recalled it\n" in shown


def test_a_conflict_shows_before_after_and_now(shop, interlock):
    """What somebody changed since stands in the way: three lines of each object, only what differs."""
    shop.propose(PRICE, DEARER, finish=True)
    edit(shop, price=99)
    lines = interlock("undo", "r1:5", "--plan").stdout.splitlines()
    assert " ".join(lines[:2]) == (
        "undo of event 5 of run r1: 1 of 1 effect can be taken back, 1 of them not as things are now"
    )
    assert lines[3:7] == [
        "                price/a changed since",
        '                  before  {"price":10}',
        '                  after   {"price":12}',
        '                  now     {"price":99}',
    ]
    (item,) = json.loads(interlock("undo", "r1:5", "--plan", "--json").stdout)["items"]
    assert item["trouble"] == "price/a changed since; nothing was written"
    assert item["changes"][0]["now"] == {"title": "A book", "price": 99}


def test_what_is_back_already(shop, interlock):
    """An object that stands as before the effect is no conflict."""
    shop.propose(PRICE, DEARER, finish=True)
    edit(shop, price=10)
    assert "                price/a is as it was before\n" in interlock("undo", "r1:5", "--plan").stdout


def test_an_expired_way_back(shop, interlock):
    """It is said what became of what was kept."""
    shop.propose(("write_note", {"name": "n", "text": "hello"}), finish=True)
    (shop.folder / "kept.json").unlink()
    assert "\n                what was kept has expired\n" in interlock("undo", "r1", "--plan").stdout
    result = interlock("undo", "r1", "--yes", "--otherwise", "leave")
    assert result.exit_code == 1
    assert result.stdout.splitlines()[-1] == "  left        write_note, r1:3: what was kept has expired"


def test_nothing_is_looked_up_without_dependencies(shop, interlock):
    """The plan is there all the same, and says that nobody looked."""
    shop.propose(PRICE, finish=True)
    (shop.folder / "closed").touch()
    result = interlock("undo", "r1", "--plan")
    assert result.exit_code == 0
    lines = " ".join(result.stdout.split())
    assert 'restore set_price(price=10, ref="a"), event 3, by snapshot changed price/a what stays' in lines
    said = "not seen what is there now: OSError: the shop is closed, when the dependencies were made"
    assert lines.endswith(said)
    assert "the shop is closed" in json.loads(interlock("undo", "r1", "--plan", "--json").stdout)["unseen"]


# what rests on it


@pytest.fixture
def wrapped(shop):
    """An order, and in a later run a gift that uses it."""
    shop.propose(("order", {"ref": "x"}), run="r1", finish=True)
    shop.propose(("gift", {"of": "order-x"}), run="r2", finish=True)
    return shop


def test_what_rests_on_it_is_named(wrapped, interlock):
    """Each later effect with why, in the plan and as data."""
    shown = " ".join(interlock("undo", "r1", "--plan").stdout.split())
    said = "later gift, r2:3, rests on event 3 of run r1: it uses 'order-x', which that returned"
    assert shown.endswith(said)
    (one,) = json.loads(interlock("undo", "r1", "--plan", "--json").stdout)["dependants"]
    assert (one["run"], one["seq"], one["on"], one["bound"]) == ("r2", 3, 3, False)


def test_without_a_choice_nothing_is_done(wrapped, interlock):
    """Somebody has to say what becomes of them."""
    result = interlock("undo", "r1", "--yes")
    assert result.exit_code == 1
    assert result.stderr == (
        "interlock: later effects rest on what would be taken back (gift, r2:3, rests on event 3 of run r1: it uses "
        "'order-x', which that returned); give --with-dependants to take these back too, or --without-dependants to "
        "leave them\n"
    )
    assert "undo_started" not in interlock("show", "r1", "--json").stdout


def test_with_them(wrapped, interlock):
    """They are part of the plan and go first."""
    result = interlock("undo", "r1", "--with-dependants", "--yes")
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "undo of run r1: 2 of 2 effects can be taken back",
        "run r2",
        '  compensate  gift(of="order-x"), event 3, by undo',
        "run r1",
        '  compensate  order(ref="x"), event 3, by undo',
        "taken back: 2 effects",
    ]


def test_without_them(wrapped, interlock):
    """They stay."""
    assert interlock("undo", "r1", "--without-dependants", "--yes").stdout.splitlines()[-1] == "taken back: 1 effect"
    assert "1 of 1 effect can be taken back" in interlock("undo", "r2", "--plan").stdout


def test_what_was_changed_again_does_not_go_back_alone(shop, interlock):
    """A later effect on the same object is bound: only both go back."""
    shop.propose(PRICE, DEARER, finish=True)
    assert "later       set_price, r1:5, rests on event 3: it changed price/a again" in (
        interlock("undo", "r1:3", "--plan").stdout
    )
    for choice in ((), ("--without-dependants",)):
        result = interlock("undo", "r1:3", "--yes", *choice)
        assert result.exit_code == 1
        assert result.stderr.endswith(
            "; r1:5 changed the same again, so that it can't go back without: give --with-dependants\n"
        )
    assert interlock("undo", "r1:3", "--yes", "--with-dependants").exit_code == 0
    assert json.loads((shop.folder / "prices.json").read_text()) == {}


# in words and widths


def test_the_timeline_of_an_undo(shop, interlock):
    """What was changed and kept, the undo, what stood in its way, how it ended."""
    shop.propose(PRICE, DEARER, ("order", {"ref": "x"}), run="r1", finish=True)
    shop.propose(("write_note", {"name": "n", "text": "hello"}), run="r2", finish=True)
    edit(shop, price=99)
    assert interlock("undo", "--conversation", "c1", "--yes", "--by", "ana", "--otherwise", "stop").exit_code == 1
    first = interlock("show", "r2").stdout
    assert "  captured by notes\n" in first
    assert 'write_note → "written"' in first
    assert "                             changed notes:n\n" in first
    assert "undo       by ana, events 3\n" in first
    assert "                             it stops at what can't be taken back\n" in first
    assert "                             then in run r1: events 7, 5, 3\n" in first
    assert "undone     all that was to be taken back\n" in first
    second = interlock("show", "r1").stdout
    assert "                             its objects were read before it\n" in second
    at = second.index("conflict   not taken back: set_price of event 5\n")
    assert [line.strip() for line in second[at:].splitlines()[1:6]] == [
        "because price/a changed since; nothing was written",
        "price/a changed since",
        'before  {"price":10}',
        'after   {"price":12}',
        'now     {"price":99}',
    ]
    assert "undone     it stopped: left as they are events 5, 3\n" in second
    assert "by undo" not in second


def test_what_is_tried_again(shop, interlock):
    """A refusal is yellow while it is tried again by itself, and says when."""
    shop.propose(("order", {"ref": "x"}), finish=True)
    (shop.folder / "sent").touch()
    assert interlock("undo", "r1", "--yes", "--otherwise", "leave").exit_code == 1
    shown = interlock("show", "r1").stdout
    assert "refused    not taken back: order of event 3\n" in shown
    assert re.search(r"because it is on its way\n +tried again after \d+ ms\n", shown)
    assert "undone     but for events 3\n" in shown


@pytest.mark.parametrize("columns", [40, 80, 120])
def test_no_line_is_wider_than_the_screen(shop, interlock, monkeypatch, columns):
    """Plan, timeline, tail and table of ways back fit, whatever the objects hold; nothing of them is obeyed."""
    monkeypatch.setenv("COLUMNS", str(columns))
    shop.propose(PRICE, DEARER, ("write_note", {"name": "\x1b[2Jn" * 9, "text": "word " * 90}), finish=True)
    edit(shop, price=99, title="\x1b[2J\u202e" + "long " * 60)
    shown = [
        interlock("undo", "r1", "--plan").stdout,
        interlock("undo", "r1", "--yes", "--otherwise", "leave").stdout,
        interlock("show", "r1").stdout,
        interlock("tail").stdout,
        interlock("undo", "--ahead").stdout,
    ]
    for one in shown:
        assert "\x1b" not in one
        assert "\u202e" not in one
        assert max(map(len, one.splitlines())) <= columns


def test_many_objects_and_fields_are_cut():
    """A few lines each, and how many more there are."""
    wide = {f"field{number}": number for number in range(9)}
    many = [Change(f"row {number}", wide, {**wide, "field1": 0}, dict.fromkeys(wide, -1)) for number in range(7)]
    lines = [line.text for line in changes.lines(many)]
    assert len(lines) == 4 * changes.MOST + 1
    assert lines[-1] == "and 2 objects more; --json has all"
    (step, *_) = (line.text for line in changes.steps([Change("row", wide, dict.fromkeys(wide, -1), None)]))
    assert "and 5 fields more, and again since: " in step
    assert step.endswith("→ not there")


WORDS = st.text(max_size=20) | st.sampled_from(["x" * 999, "\x1b[2J", "\u202e", "a\nb"])
VALUES = st.none() | st.booleans() | st.integers() | WORDS
IMAGES = VALUES | st.lists(VALUES, max_size=3) | st.dictionaries(WORDS, VALUES, max_size=6)


@given(st.lists(st.builds(Change, object=WORDS, before=IMAGES, after=IMAGES, now=IMAGES), max_size=7))
def test_any_object_is_told_in_short_lines(found):
    """Whatever objects are: a few lines, none of them endless or obeyed by a terminal."""
    for told in (list(changes.lines(found)), list(changes.steps(found))):
        assert len(told) <= 4 * changes.MOST + 1
        for line in told:
            assert len(line.text) < 9_000
            assert text.visible(line.text) == line.text


@pytest.mark.skipif(os.name == "nt", reason="needs a pseudo-terminal")
def test_a_conflict_is_red(shop):
    """And what stays is yellow."""
    import pty

    shop.propose(PRICE, DEARER, finish=True)
    edit(shop, price=99)
    ours, theirs = pty.openpty()
    called = [sys.executable, "-m", "interlock", "undo", "r1:5", "--plan"]
    env = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "80"}
    with subprocess.Popen(called, cwd=shop.folder, env=env, stdin=theirs, stdout=theirs) as started:
        os.close(theirs)
        shown = b""
        while more := _read(ours):
            shown += more
    os.close(ours)
    assert started.returncode == 0
    assert b"\x1b[31mprice/a changed since" in shown
    assert b"\x1b[33mwhat stays: customers have seen it" in shown


def _read(terminal):
    try:
        return os.read(terminal, 65536)
    except OSError:  # what Linux says when the other side is closed
        return b""
