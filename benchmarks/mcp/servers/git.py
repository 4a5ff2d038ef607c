"""The reference server for git: a small repository, made with fixed dates so that its hashes are always the same."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.mcp import environments
from benchmarks.mcp.script import Denied, Server, Step, ask, call, clean, unfit, unknown

if TYPE_CHECKING:
    from collections.abc import Sequence

_DATE = "1714979289 +0000"


def _variables(world: Path) -> dict[str, str]:
    found = shutil.which("git")
    if found is None:
        raise environments.MissingError("git is not installed")
    people = {"GIT_AUTHOR_NAME": "Ana", "GIT_AUTHOR_EMAIL": "ana@example.com", "GIT_AUTHOR_DATE": _DATE}
    people |= {name.replace("AUTHOR", "COMMITTER"): value for name, value in people.items()}
    return {"PATH": str(Path(found).parent), "HOME": str(world.parent), "GIT_CONFIG_NOSYSTEM": "1", **people}


def _command(world: Path) -> Sequence[str | Path]:
    return [*clean(**_variables(world)), environments.python("python"), "-m", "mcp_server_git", "--repository", world]


def _furnish(world: Path) -> None:
    world.mkdir()
    _git(world, "init", "--quiet", "--initial-branch=main")
    (world / "readme.md").write_text("# A repository\n\nGrüße 🦜\n")
    _commit(world, "The first")
    (world / "code.py").write_text("".join(f"line = {number}\n" for number in range(500)))
    _commit(world, "Some code\n\nWith a longer message: ünïcode.")
    _git(world, "branch", "side")
    (world / "readme.md").write_text("# A repository\n\nchanged, not staged\n")
    (world / "untracked.txt").write_text("new\n")


def _commit(world: Path, message: str) -> None:
    _git(world, "add", "--all")
    _git(world, "commit", "--quiet", "--message", message)


def _git(world: Path, *words: str) -> None:
    subprocess.run(["git", *words], cwd=world, env=_variables(world), check=True)


def _steps(world: Path) -> Sequence[Step]:
    repo = str(world)
    return [
        ask("tools/list"),
        *_looking(repo),
        *_changing(repo),
        *_refused(repo),
        call("git_status", repo_path=repo),
    ]


def _looking(repo: str) -> Sequence[Step]:
    return [
        call("git_status", repo_path=repo),
        call("git_diff_unstaged", repo_path=repo),
        call("git_diff_unstaged", repo_path=repo, context_lines=0),
        call("git_diff_staged", repo_path=repo),
        call("git_diff", repo_path=repo, target="HEAD~1"),
        call("git_log", repo_path=repo),
        call("git_log", repo_path=repo, max_count=1),
        call("git_log", repo_path=repo, start_timestamp="2024-01-01"),
        call("git_show", repo_path=repo, revision="HEAD"),
        call("git_show", repo_path=repo, revision="HEAD:code.py"),
        call("git_branch", repo_path=repo, branch_type="local"),
        call("git_branch", repo_path=repo, branch_type="all", contains="HEAD~1"),
    ]


def _changing(repo: str) -> Sequence[Step]:
    return [
        call("git_add", repo_path=repo, files=["readme.md", "untracked.txt"]),
        call("git_diff_staged", repo_path=repo),
        call("git_reset", repo_path=repo),
        call("git_add", repo_path=repo, files=["."]),
        call("git_commit", repo_path=repo, message="Drittens — 日本語\n\nwith “quotes”"),
        call("git_create_branch", repo_path=repo, branch_name="topic", base_branch="side"),
        call("git_checkout", repo_path=repo, branch_name="topic"),
        call("git_log", repo_path=repo),
    ]


def _refused(repo: str) -> Sequence[Step]:
    return [
        call("git_commit", repo_path=repo, message="nothing is staged"),
        call("git_create_branch", repo_path=repo, branch_name="topic"),
        call("git_checkout", repo_path=repo, branch_name="-f"),
        call("git_checkout", repo_path=repo, branch_name="no-such-branch"),
        call("git_show", repo_path=repo, revision="--output=stolen"),
        call("git_diff", repo_path=repo, target="no-such-thing"),
        call("git_status", repo_path="/"),
    ]


def _denied(world: Path) -> Sequence[Denied]:
    secret = call("git_commit", repo_path=str(world), message="add the password")
    return [
        Denied(secret, "no secrets in messages"),
        Denied(call("git_checkout", repo_path=str(world), branch_name="main"), "work stays off main"),
        unfit("git_status"),
        unfit("git_add", repo_path=str(world), files=[]),
        unfit("git_log", repo_path=str(world), max_count="many"),
        unknown("git_push", repo_path=str(world)),
    ]


SERVER = Server(
    name="git",
    version=lambda: environments.pip_version("python", "mcp-server-git"),
    command=_command,
    furnish=_furnish,
    steps=_steps,
    denied=_denied,
    unstable=[".git/index", ".git/logs/*"],
)
