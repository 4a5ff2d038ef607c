"""`undo`: what can be named to be taken back, and what is said of what can't."""

import asyncio
import json
import re
from datetime import UTC, datetime, timedelta

import pytest

from interlock import Proposal
from interlock.cli.errors import UsageError
from interlock.cli.undo_scope import moment

NOW = 1_790_000_000_000_000
HOUR = 3_600_000_000


def price(ref, amount):
    return ("set_price", {"ref": ref, "price": amount})


def planned(interlock, *arguments):
    """Return the effects that a plan names, as targets."""
    document = json.loads(interlock("undo", *arguments, "--plan", "--json").stdout)
    return [f"{one['run']}:{one['seq']}" for one in document["items"]]


@pytest.fixture
def sold(shop):
    """Two runs of one conversation: the first set two prices, the second one."""
    shop.propose(price("a", 1), price("b", 2), run="r1", finish=True)
    shop.propose(price("c", 3), run="r2", finish=True)
    return shop


@pytest.mark.parametrize(
    ("arguments", "effects"),
    [
        (["r1"], ["r1:5", "r1:3"]),
        (["last"], ["r2:3"]),
        (["r1:3"], ["r1:3"]),
        (["last:3"], ["r2:3"]),
        (["--conversation", "c1"], ["r2:3", "r1:5", "r1:3"]),
        (["--since", "1h"], ["r2:3", "r1:5", "r1:3"]),
        (["--agent", "keeper"], ["r2:3", "r1:5", "r1:3"]),
        (["--agent", "keeper", "--since", "30m ago"], ["r2:3", "r1:5", "r1:3"]),
        (["--agent", "keeper", "--agent", "keeping:keeper"], ["r2:3", "r1:5", "r1:3"]),
        (["--since", "1h", "--tenant", "elsewhere"], []),
    ],
)
def test_what_can_be_named(sold, interlock, arguments, effects):
    """A run, one effect of it, a conversation, a time, an agent: the last effect first."""
    assert planned(interlock, *arguments) == effects


def test_since_a_time(sold, interlock):
    """What was done before it is left out."""
    began = json.loads(interlock("show", "r2", "--json").stdout.splitlines()[0])["at"]
    told = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=began)).isoformat()
    assert planned(interlock, "--since", told) == ["r2:3"]


def test_one_effect_is_taken_back(sold, interlock):
    """The others stay, and then there is nothing of it left to take back."""
    assert interlock("undo", "r1:3", "--yes").exit_code == 0
    assert sorted(json.loads((sold.folder / "prices.json").read_text())) == ["b", "c"]
    result = interlock("undo", "r1:3", "--yes")
    assert result.exit_code == 2
    assert result.stderr.startswith("interlock: event 3 of run r1 is no outcome of an effect, or it was taken back;")


def test_a_conversation_is_taken_back(sold, interlock):
    """Run after run, the last effect first, and said as one."""
    result = interlock("undo", "--conversation", "c1", "--yes", "--by", "ana")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0] == "undo of conversation c1: 3 of 3 effects can be taken back"
    assert [line for line in lines if line.startswith("run ")] == ["run r2", "run r1"]
    assert lines[-1] == "taken back: 3 effects"
    assert json.loads((sold.folder / "prices.json").read_text()) == {}
    assert interlock("undo", "--conversation", "c1").stdout == "conversation c1 has nothing to take back\n"


def test_a_run_whose_id_has_a_colon(shop, interlock):
    """It is a run and no effect of another."""
    shop.propose(price("a", 1), run="order:3", finish=True)
    assert planned(interlock, "order:3") == ["order:3:3"]
    assert planned(interlock, "order:3:3") == ["order:3:3"]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ([], 2, r"what is to be taken back\? give a RUN, an effect of it \(RUN:SEQ\), --conversation,"),
        (["r1", "--since", "2h"], 2, "give one of RUN, RUN:SEQ, --conversation, and --since or --agent"),
        (["--conversation", "c1", "--agent", "keeper"], 2, "give one of RUN,"),
        (["r1", "r2"], 2, "TARGET is one at a time, not r1, r2"),
        (["--agent", "keeper", "--agent", "other"], 2, "--agent is one at a time, not keeper, other"),
        (["--agent", "keepr"], 2, "no agent 'keepr' in this project; did you mean 'keeper'"),
        (["r1", "--tenant", "t"], 2, "--tenant goes with --conversation, --since and --agent; a run has its own"),
        (["r7"], 2, "no run 'r7' in this journal; `interlock runs` lists them"),
        (["r7:3"], 2, "no run 'r7' in this journal; `interlock runs` lists them"),
        (["r1:0"], 2, "r1:0: events are counted from 1"),
        (["r1:2"], 2, "event 2 of run r1 is no outcome of an effect, or it was taken back;"),
        (["r1:999999999999999999999"], 2, "event 999999999999999999999 of run r1 is no outcome"),
        (["--conversation", "c7"], 2, "no run of conversation 'c7' in this journal"),
        (["--conversation", "c1", "--tenant", "t"], 2, "no run of conversation 'c1' in this journal"),
        (["--since", "yesterday"], 2, r"--since yesterday: write how long ago \(2h, 30m\) or a time"),
        (["--since", "2999-01-01"], 2, "--since 2999-01-01: that is still to come"),
        (["r1", "--with-dependants", "--without-dependants"], 2, "give --with-dependants or --without-dependants, not"),
        (["r1", "--otherwise", "guess"], 2, "Invalid value for '--otherwise'"),
    ],
)
def test_what_can_not_be_named(sold, interlock, arguments, code, said):
    """One line that says what is wrong; nothing is undone."""
    result = interlock("undo", *arguments, "--yes")
    assert result.exit_code == code
    assert re.match(f"interlock( undo)?: {said}", result.stderr), result.stderr
    assert result.stderr.count("\n") == 1
    assert len(json.loads((sold.folder / "prices.json").read_text())) == 3


def test_a_run_that_is_still_going(shop, interlock):
    """Its plan can be looked at; it is taken back when the run has ended."""

    async def work(rt):
        await rt.start("keeper", run="r1")
        async with rt.session("r1") as session:
            await session.perform(Proposal(*price("a", 1)))
            looked = await asyncio.to_thread(interlock, "undo", "r1", "--plan")
            refused = await asyncio.to_thread(interlock, "undo", "r1", "--yes")
            return looked, refused

    looked, refused = shop.play(work)
    assert looked.stdout.startswith("undo of run r1: 1 of 1 effect can be taken back\n")
    assert refused.exit_code == 1
    said = "interlock: run 'r1' is running; let it end, or cancel it, before its effects are taken back\n"
    assert refused.stderr == said


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2h", NOW - 2 * HOUR),
        ("30m ago", NOW - HOUR // 2),
        (" 1.5 h ago ", NOW - HOUR * 3 // 2),
        ("2026-09-21T13:33:20", NOW - 2_400_000_000),
        ("2026-09-21 13:33:20 UTC", NOW - 2_400_000_000),
        ("2026-09-21T15:33:20+02:00", NOW - 2_400_000_000),
        ("2026-09-21", 1_789_948_800_000_000),
        ("0001-01-01", 0),
        ("999999999w", 0),
    ],
)
def test_times_as_people_write_them(written, meant):
    """How long ago, or when; without an offset it is UTC, and nothing was before the epoch."""
    assert moment(written, NOW) == meant


@pytest.mark.parametrize("written", ["", "ago", "-2h", "2 fortnights", "2026-13-01", "0000-00-00", "NaN", "1e3h"])
def test_what_is_no_time(written):
    """It is refused with what to write."""
    with pytest.raises(UsageError, match="write how long ago"):
        moment(written, NOW)
