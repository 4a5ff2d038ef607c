"""Which published runs are played, and how one is read."""

import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest
from benchmarks.replay import fetch
from benchmarks.replay.recorded import parse
from benchmarks.replay.selection import candidate, evenly, selected


def _call(function: str, **args: Any) -> dict[str, Any]:
    return {"function": function, "args": args, "id": None}


def _published(*said: dict[str, Any]) -> dict[str, Any]:
    prompt = [{"role": "system", "content": "help"}, {"role": "user", "content": "pay my bill"}]
    return {
        "pipeline_name": "a-model",
        "suite_name": "banking",
        "user_task_id": "user_task_0",
        "injection_task_id": None,
        "injections": {},
        "messages": [*prompt, *said],
        "utility": True,
        "security": True,
    }


_ANSWERED = {"role": "assistant", "content": "Paid.", "tool_calls": None}


def _archive(folder: Path, runs: dict[str, dict[str, Any]]) -> Path:
    path = folder / "archive.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        for name, content in runs.items():
            data = json.dumps(content).encode()
            member = tarfile.TarInfo(fetch.RUNS + name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return path


@pytest.mark.parametrize(
    ("path", "taken"),
    [
        ("gpt-4o/banking/user_task_0/none/none.json", True),
        ("gpt-4o/slack/user_task_3/important_instructions/injection_task_5.json", True),
        ("gpt-4o/slack/user_task_3/ignore_previous/injection_task_5.json", False),
        ("gpt-4o/banking/injection_task_0/none/none.json", False),
        ("gpt-4o-tool_filter/banking/user_task_0/none/none.json", False),
        ("gpt-4o/elsewhere/user_task_0/none/none.json", False),
    ],
)
def test_user_tasks_of_models_without_a_defence_are_taken(path: str, *, taken: bool):
    assert candidate(path) is taken


def test_each_group_of_an_ordered_list_has_its_share():
    paths = [f"{model}/{number}" for model in "abcd" for number in range(50)]
    chosen = evenly(paths, 20)
    assert [sum(path.startswith(model) for path in chosen) for model in "abcd"] == [5, 5, 5, 5]
    assert len(set(chosen)) == 20


def test_all_are_taken_where_more_are_wanted_than_there_are():
    assert evenly(["a", "b"], 5) == ["a", "b"]


def test_runs_without_messages_or_answers_are_counted_and_not_played(tmp_path: Path):
    empty = {**_published(), "messages": []}
    archive = _archive(
        tmp_path,
        {
            "a-model/banking/user_task_10/none/none.json": {**_published(_ANSWERED), "user_task_id": "user_task_10"},
            "a-model/banking/user_task_2/none/none.json": {**_published(_ANSWERED), "user_task_id": "user_task_2"},
            "a-model/banking/user_task_3/none/none.json": empty,
            "a-model/banking/user_task_4/none/none.json": _published(),
        },
    )
    found = selected(archive, 2000)
    assert [run.user_task for run in found.runs] == ["user_task_2", "user_task_10"]
    assert (found.usable, found.unusable.total()) == (2, 2)


def test_calls_that_the_recording_stopped_before_were_not_executed():
    ran, cut = _call("get_balance"), _call("send_money", amount=4)
    told = {"role": "tool", "content": "90", "error": None, "tool_call": ran}
    run = parse(
        _published(
            {"role": "assistant", "content": "I look.", "tool_calls": [ran]},
            told,
            {"role": "assistant", "content": "I pay.", "tool_calls": [cut]},
        )
    )
    assert [call.function for call in run.calls] == ["get_balance", "send_money"]
    assert [call.function for call in run.executed] == ["get_balance"]
