"""Servers that lie, flood, mangle and change; the client of each is served as well as can be."""

import asyncio

import pytest
from mcp_helpers import connected, proxied, settings, world

from interlock import Policy, permit, tool
from interlock.adapters.mcp.pins import Pins
from interlock.adapters.mcp.serving import changed, standing
from interlock.cli.reading import opened
from interlock.errors import DeclarationError
from interlock.kernel import events as ev

NAMES = ["look", "act", "lie", "twice", "garbage", "mangled", "flood", "big", "change", "change_slyly", "grow"]
FREE = Policy(permit(NAMES))


async def test_an_answer_that_comes_twice_counts_once(tmp_path):
    """The first one; the other is dropped, and what follows is not confused."""
    async with proxied(tmp_path, FREE) as client:
        assert await client.say("twice", x=1) == ("first", False)
        assert await client.say("act", x=2) == ("act 2", False)
        assert client.late == []
    assert world(tmp_path) == ["1", "2"]


async def test_lines_that_are_no_messages_are_passed_over(tmp_path):
    """Broken JSON, lists, other versions, bytes that are no UTF-8: the answer behind them comes through."""
    async with proxied(tmp_path, FREE) as client:
        assert await client.say("garbage", x=1) == ("garbage 1", False)


async def test_an_answer_that_is_none_leaves_the_outcome_open(tmp_path):
    """A result that is no object never arrives: the call runs into its time, and a person is asked."""
    async with proxied(tmp_path, FREE, [tool.irreversible("mangled", timeout="300ms")]) as client:
        words, failed = await client.say("mangled", x=1)
        assert failed
        assert "A person is asked whether it happened" in words
        assert await client.say("act", x=2) == ("act 2", False)


async def test_a_flood_of_notifications_does_not_drown_the_answer(tmp_path):
    """Some are dropped; those that come are in order, and before the answer."""
    async with proxied(tmp_path, FREE) as client:
        assert await client.say("flood", x=20_000) == ("flood 20000", False)
        seen = [one["params"]["data"] for one in client.heard]
    assert seen == sorted(seen)
    assert len(seen) >= 1000


async def test_a_huge_answer_comes_through_whole(tmp_path):
    """And is in the journal."""
    async with proxied(tmp_path, FREE) as client:
        words, _ = await client.say("big", x=5_000_000)
    assert words == "x" * 5_000_000


async def test_a_message_beyond_all_bounds_costs_the_connection(tmp_path, monkeypatch):
    """The proxy does not take in what it can't hold; the next call begins anew."""
    monkeypatch.setattr("interlock.adapters.mcp.pipes.LONGEST", 100_000)
    async with proxied(tmp_path, FREE) as client:
        words, failed = await client.say("big", x=1_000_000)
        assert failed
        assert "was lost before it answered" in words
        assert await client.say("act", x=1) == ("act 1", False)


async def test_a_tool_that_lies_is_what_the_policy_says(tmp_path):
    """It calls itself a read; where the policy knows better, it is journaled and judged as what it is."""
    async with proxied(tmp_path, FREE, [tool.irreversible("lie")]) as client:
        await client.say("lie", x=1)
    async with opened(tmp_path / "files.db") as journal:
        (intent,) = [one.event for one in await journal.feed(0, 100) if isinstance(one.event, ev.Intended)]
    assert (intent.action, intent.effect) == ("lie", "irreversible")


async def test_annotations_permit_nothing(tmp_path):
    """A tool that only reads, by its own word, still needs a rule."""
    async with proxied(tmp_path, Policy(permit("act"))) as client:
        assert (await client.say("lie", x=1))[1]
    assert world(tmp_path) == []


# tools that change


def names(page):
    return [one["name"] for one in page["tools"]]


@pytest.mark.parametrize("how", ["change", "change_slyly"])
async def test_a_tool_whose_definition_changed_is_withheld(tmp_path, how):
    """At once when the server says so, else when it is listed: not shown, not called, and the operator is told."""
    made, told = settings(tmp_path, FREE)
    async with standing(made) as front, connected(front) as client:
        assert "act" in names(await client.request("tools/list"))
        await client.say(how)
        if how == "change_slyly":
            assert (await client.say("act", x=1))[1] is False
        if how == "change":
            await client.until(lambda: client.heard)
            assert client.heard[0]["method"] == "notifications/tools/list_changed"
        else:
            assert "act" not in names(await client.request("tools/list"))
        words, failed = await client.say("act", x=2)
        assert failed
        assert "'act' is withheld: its description changed since it was pinned" in words
        assert "interlock proxy --pin" in words
        assert "act" not in names(await client.request("tools/list"))
    assert "2" not in world(tmp_path)
    (said,) = [one for one in told if "withheld" in one]
    assert '-  "description": "Write x.",' in said
    assert "everything that you know to example.com" in said


async def test_a_tool_that_changed_stays_withheld(tmp_path):
    """Also for the next client, whose server shows the first face again."""
    made, _ = settings(tmp_path, FREE)
    async with standing(made) as front:
        async with connected(front) as client:
            await client.say("change")
            await client.say("act", x=1)
        async with connected(front) as client:
            assert "act" not in names(await client.request("tools/list"))


async def test_a_new_tool_is_unknown_until_it_is_pinned(tmp_path):
    """It is not shown, and a call of it says what is to be done."""
    async with proxied(tmp_path, FREE) as client:
        await client.say("grow")
        await client.until(lambda: client.heard)
        words, failed = await client.say("new")
        assert failed
        assert "it was not there when the tools were pinned" in words
        last = await client.request("tools/list", {"cursor": "20"})
    assert "new" not in names(last)


async def test_the_first_definitions_are_pinned_and_the_operator_is_told(tmp_path):
    """Later ones are compared with them, also by another process."""
    made, told = settings(tmp_path, FREE)
    async with standing(made):
        pass
    assert "its tools are pinned" in told[0]
    pins = Pins.read("files", made.lock)
    assert pins.definitions["act"]["description"] == "Write x."
    pins.definitions["act"]["description"] = "Write something."
    pins.write(made.lock)
    async with standing(made) as front, connected(front) as client:
        words, _ = await client.say("act", x=1)
    assert "its description changed" in words
    assert len(told) == 2
    now, differences = await changed("files", made.reach, made.lock)
    assert '+  "description": "Write x.",' in differences[0]
    now.write(made.lock)
    async with standing(made) as front, connected(front) as client:
        assert await client.say("act", x=1) == ("act 1", False)


async def test_older_versions_of_the_protocol_show_less(tmp_path):
    """A field that is not shown has not changed; one that is shown must be the pinned one."""
    pins = Pins.of("s", [{"name": "a", "title": "A", "description": "d", "inputSchema": {"x": 1.0, "b": True}}])
    assert pins.judged({"name": "a", "inputSchema": {"b": True, "x": 1.0}, "title": None}) == ""
    assert "annotations" in pins.judged({"name": "a", "inputSchema": {"b": True, "x": 1.0}, "annotations": {}})
    assert pins.judged({"name": "a", "inputSchema": {"b": True, "x": 1.0}}) != ""


@pytest.mark.parametrize("content", ["", "[]", '{"tools": {"a": {}}}', "\x00", '{"tools": []}'])
async def test_a_lock_file_that_is_none_is_not_taken_for_one(tmp_path, content):
    """Nothing is pinned over it by itself."""
    made, _ = settings(tmp_path)
    made.lock.write_text(content)
    with pytest.raises(DeclarationError, match=r"is no lock file|--pin"):
        async with standing(made):
            pass
    assert made.lock.read_text() == content


async def test_a_lock_file_that_was_edited_is_refused(tmp_path):
    """Its digests say so."""
    made, _ = settings(tmp_path)
    async with standing(made):
        pass
    made.lock.write_text(made.lock.read_text().replace("Write x.", "Write y."))
    with pytest.raises(DeclarationError, match="act was changed by hand"):
        async with standing(made):
            pass


async def test_two_tools_of_one_name_are_not_pinned(tmp_path):
    """Nobody could say which of them was meant."""
    one = {"name": "a", "inputSchema": {}}
    with pytest.raises(DeclarationError, match="two different tools called 'a'"):
        Pins.of("s", [one, {**one, "description": "other"}])
    with pytest.raises(DeclarationError, match="without a name or without a schema"):
        Pins.of("s", [{"name": 5}])


async def test_letters_that_hide_are_shown(tmp_path):
    """A difference shows what can't be seen."""
    pins = Pins.of("s", [{"name": "a", "inputSchema": {}, "description": "read"}])
    shown = pins.difference({"name": "a", "inputSchema": {}, "description": "read\u202e\u200bdaer\x1b[2J"})
    assert "\\u202e\\u200bdaer\\u001b[2J" in shown


async def test_fifty_calls_at_once_while_the_tools_change(tmp_path):
    """Each is either the pinned tool, or withheld."""
    async with proxied(tmp_path, FREE) as client:
        calls = [client.say("act", x=number) for number in range(25)]
        calls += [client.say("change")]
        calls += [client.say("act", x=number) for number in range(25, 50)]
        answers = await asyncio.gather(*calls)
    done = [words for words, failed in answers if not failed]
    withheld = [words for words, failed in answers if failed]
    assert len(done) + len(withheld) == 51
    assert all("withheld" in words for words in withheld)
    assert len(world(tmp_path)) == len(done) - 1
