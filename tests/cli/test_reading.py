"""`runs`, `show` and `tail`: what a journal holds, at any width, and as JSON."""

import json
import re

import pytest

from interlock import Proposal, Turn

HOSTILE = "\x1b[2J[bold red]boo[/]\u202e"


@pytest.fixture
def played(project):
    """A journal with a run that waits and one that is done."""
    project.propose(
        ("find_booking", {"ref": "AB12"}),
        ("refund", {"ref": "AB12", "amount": "40"}),
        ("refund", {"ref": "AB12", "amount": "4000"}),
        ("refun", {"ref": "AB12"}),
        ("refund", {"ref": "AB12", "amount": "400"}),
        ("send_email", {"to": "bob@example.com", "body": f"Dear Bob,\n{HOSTILE}"}),
        ("lose", {}),
    )

    async def second(rt):
        await rt.start("desk", run="r2", user=HOSTILE, conversation="c2")
        async with rt.session("r2") as session:
            response = {"text": f"Hello {HOSTILE}", "proposals": [{"action": "find_booking", "args": {"ref": "Z"}}]}
            for number in (1, 2):
                await session.record(
                    Turn("scripted", ["hi", number], response, input_tokens=812, output_tokens=31, latency=1.5)
                )
            await session.perform(Proposal("find_booking", {"ref": "Z"}))
            await session.finish({"a": HOSTILE})

    project.play(second)
    return project


def test_runs_newest_first(played, interlock):
    """Each run with its agent, what it is doing, for whom."""
    first, second, *rest = interlock("runs").stdout.splitlines()[1:]
    assert first.split()[:3] == ["r2", "desk", "done"]
    assert second.split()[:3] == ["r1", "desk", "waiting"]
    assert "u42" in second
    assert not [line for line in rest if not line.startswith(" ")]


def test_runs_that_are_asked_for(played, interlock):
    """By status, by agent, so many; none is said in words."""
    assert [one["run"] for one in json.loads(interlock("runs", "--json").stdout)] == ["r2", "r1"]
    assert [one["run"] for one in json.loads(interlock("runs", "--status", "waiting", "--json").stdout)] == ["r1"]
    assert json.loads(interlock("runs", "--agent", "other", "--json").stdout) == []
    assert interlock("runs", "--agent", "other").stdout == "no runs\n"
    assert interlock("runs", "--limit", "1").stdout.splitlines()[-1] == "1 of 2 runs; --limit shows more"


def test_a_run_as_json(played, interlock):
    """A run's row has the same names everywhere; times are microseconds."""
    (run,) = json.loads(interlock("runs", "--status", "done", "--json").stdout)
    assert run.keys() == {
        *("run", "agent", "status", "user", "tenant", "conversation", "started_at", "updated_at", "wake_at"),
    }
    assert run["user"] == HOSTILE
    assert run["started_at"] > 1_700_000_000_000_000


def test_show_tells_verdicts_with_reasons_and_rules(played, interlock):
    """What was denied and why, what was asked and for how long, what was sent and what came of it."""
    shown = interlock("show", "r1").stdout
    for line in (
        r"done +find_booking\(ref=\"AB12\"\) →",
        r"intent +refund\(amount=\"40\", ref=\"AB12\"\)\n +by r2\n +fact limit was \"1000.50\"",
        r"done +refund → \"refunded 40 for AB12\"",
        r"denied +refund\(amount=\"4000\", ref=\"AB12\"\)\n +because no rule permits refund in this case",
        r"denied +refun\(ref=\"AB12\"\)\n +because there is no action 'refun' \(at stage\s+resolve\)",
        r"instead: did you mean 'refund'\?",
        r"asked +finance to approve refund\(.*\)\n +because over 100 EUR\n +by r2, r3",
        r"question r1:7, expires after 24 h",
        r"asked +the user to confirm send_email",
        r"question r1:8, expires after 15 min",
        r"unknown +what became of it: ConnectionError: line lost",
        r"\n   r3  need approval by finance for refund when the amount is over 100",
    ):
        assert re.search(line, shown), line


def test_show_counts_turns_tokens_and_money(played, interlock):
    """The heading sums up; a turn has its own figures, and a cost nobody knows is called so."""
    shown = interlock("show", "r2").stdout
    assert "0 effects, 1 read, 0 denied, 2 model turns, 1,624 + 62 tokens, cost not known" in shown
    assert re.search(r"turn 2 +scripted  812 \+ 31 tokens, 1.50 s\n", shown)
    assert 'proposes find_booking(ref="Z")' in shown


@pytest.mark.parametrize("columns", [40, 80, 120])
@pytest.mark.parametrize(
    "command", [["runs"], ["show", "r1"], ["show", "r2"], ["tail"], ["inbox"], ["undo", "r1", "--plan"]]
)
def test_any_width(played, interlock, monkeypatch, columns, command):
    """Nothing is wider than the terminal, nothing of a run is obeyed or taken for markup, nothing is lost."""
    monkeypatch.setenv("COLUMNS", str(columns))
    shown = interlock(*command).stdout
    assert max(map(len, shown.splitlines())) <= columns
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert all(line == line.rstrip() for line in shown.splitlines())
    if command in (["show", "r2"], ["inbox"]):
        assert "[boldred]boo[/]" in re.sub(r"[\s|]", "", shown)


def test_without_a_terminal_a_line_stays_a_line(played, command, monkeypatch):
    """Where nobody says how wide it is, nothing is folded: `grep` sees whole lines."""
    shown = command("show", "r1", env={"COLUMNS": ""}).stdout
    (line,) = [one for one in shown.splitlines() if "confirm send_email" in one]
    assert "to=" in line


def test_show_as_json_lines(played, interlock):
    """One event a line, with its place, type and fields as they are in the journal."""
    events = [json.loads(line) for line in interlock("show", "r1", "--json").stdout.splitlines()]
    assert [one["seq"] for one in events] == list(range(1, len(events) + 1))
    assert events[0].keys() == {"position", "run", "seq", "at", "type", "event"}
    assert events[4]["type"] == "denied"
    assert events[4]["event"]["args"] == {"amount": "4000", "ref": "AB12"}


def test_show_loads_what_was_too_large_for_a_row(project, interlock):
    """A large argument lies in a blob; the timeline cuts it, JSON has it whole."""
    project.propose(("send_email", {"to": "bob", "body": "x" * 50_000}))
    *_, asked = [json.loads(line) for line in interlock("show", "r1", "--json").stdout.splitlines()]
    assert len(asked["event"]["args"]["body"]) == 50_000
    assert re.search(r"\(\+49,80\d\s+characters\)", interlock("show", "r1").stdout)


def test_an_event_of_a_later_version_is_shown_as_such(played, interlock):
    """An unknown type doesn't stop the timeline; its fields are in the JSON."""
    played.edit("UPDATE events SET type = 'teleported', payload = '{\"to\":\"mars\"}' WHERE position = 2")
    assert "teleported  erased, or of a newer version" in interlock("show", "r1").stdout
    second = json.loads(interlock("show", "r1", "--json").stdout.splitlines()[1])
    assert (second["type"], second["event"]) == ("teleported", {"to": "mars"})


def test_tail_shows_the_newest_events_of_all_runs(played, interlock):
    """The last few by position, under the run that they belong to."""
    shown = interlock("tail", "-n", "5").stdout
    assert [line for line in shown.splitlines() if line.startswith("run")] == ["run r2"]
    assert "ended" in shown
    positions = [json.loads(line)["position"] for line in interlock("tail", "-n", "7", "--json").stdout.splitlines()]
    assert positions == list(range(positions[-1] - 6, positions[-1] + 1))
    assert interlock("tail", "-n", "0").stdout == ""


def test_prompt_of_a_loop_of_its_own(played, interlock):
    """What a foreign loop recorded is shown as that, and not called exact."""
    shown = interlock("show", "r2", "--prompt", "2").stdout
    assert "as the loop that owns the run recorded it" in shown
    assert shown.splitlines()[-2:] == ["- hi", "- 2"]
    document = json.loads(interlock("show", "r2", "--prompt", "2", "--json").stdout)
    assert (document["exact"], document["source"], document["body"]) == (False, "loop", '["hi",2]')


def test_a_turn_that_was_not_taken(played, interlock):
    """It is said how many there were."""
    result = interlock("show", "r2", "--prompt", "3")
    assert (result.exit_code, result.stderr) == (2, "interlock: run r2 has 2 turns, so there is no turn 3\n")
