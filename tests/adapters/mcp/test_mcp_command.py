"""`interlock proxy` as it is called: its arguments, its errors, pinning, beginning, taking back."""

import asyncio
import json
import os
import pty
import subprocess
import sys

import pytest
from mcp_helpers import HELLO, command, process, world
from typer.testing import CliRunner

from interlock.cli.app import app
from interlock.cli.reading import opened

POLICY = """
from interlock import Policy, permit, tool

act = tool.compensable("act")


@act.undo
async def _(ctx, done, x):
    await ctx.deps.call("undo_act", {"x": x})


policy = Policy(permit(["look", act]))
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", sys.path.copy())
    monkeypatch.setenv("COLUMNS", "80")
    (tmp_path / "files.py").write_text(POLICY)
    return tmp_path


def interlock(*arguments, typed=None):
    result = CliRunner().invoke(app, [str(one) for one in arguments], input=typed, prog_name="interlock")
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def refused(*arguments):
    """Return the one line with which the command turns its arguments down."""
    result = interlock("proxy", *arguments)
    assert result.exit_code == 2
    (line,) = result.stderr.splitlines()
    return line


def test_its_help_fits_eighty_columns():
    """Every line of it."""
    shown = interlock("proxy", "--help").stdout
    assert all(len(line) <= 80 for line in shown.splitlines())
    for option in ("policy", "journal", "listen", "user", "name", "approver", "env-file", "http", "header", "pin"):
        assert f"--{option} " in shown


def test_the_command_line_needs_no_mcp():
    """`interlock --help` is quick: the package is imported by who serves."""
    script = "import sys, interlock.cli, interlock.cli.app; print('mcp' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_wrong_arguments_are_told_in_a_line(folder):
    """What is missing, or can't be, and what to write."""
    server = ("--", *command(folder))
    assert "give --policy FILE" in refused(*server)
    assert "either --http URL, or -- COMMAND" in refused("--policy", "files.py")
    assert "either --http URL, or -- COMMAND" in refused("--policy", "files.py", "--http", "http://x/", *server)
    assert "there is no file other.py" in refused("--policy", "other.py", *server)
    assert "write HOST:PORT" in refused("--policy", "files.py", "--listen", "8080", *server)
    assert "env:NONE, which is not set" in refused(
        "--policy", "files.py", "--http", "http://x/", "--header", "A: env:NONE"
    )
    (folder / "keys").write_text("# of the shop\n\nexport TOKEN='0123456789'\nBAD LINE\n")
    assert "keys:4: write NAME=VALUE" in refused("--policy", "files.py", "--env-file", "keys", *server)
    (folder / "keys").write_text("PORT=80\n")
    assert "keys:1: PORT has fewer than 6 characters" in refused("--policy", "files.py", "--env-file", "keys", *server)
    assert "nothing can't be read" in refused("--policy", "files.py", "--env-file", "nothing", *server)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "there is no `policy = Policy(…)` in it"),
        ("policy = 1", "there is no `policy = Policy(…)` in it"),
        ("import nothing_there", "ModuleNotFoundError"),
        ("1 +", "SyntaxError"),
        ("from interlock import *\npolicy = Policy(permit('acct'))", "did you mean act?"),
        ("from interlock import *\nx = tool.read('acct')\npolicy = Policy()", "tool 'acct' is declared"),
        ("from interlock import *\nx = [tool.read('acct')]\npolicy = Policy()", "tool 'acct' is declared"),
        ("from interlock import *\npolicy = Policy(permit('act', when=arg.y > 1))", "y"),
    ],
)
def test_a_policy_that_can_not_be_is_told(folder, content, said):
    """Before any client is served."""
    (folder / "files.py").write_text(content)
    result = interlock("proxy", "--policy", "files.py", "--", *command(folder))
    assert result.exit_code == 2
    assert said in result.stderr
    assert "Traceback" not in result.stderr


def test_a_first_policy_permits_what_reads(folder):
    """It can be used as it is, and is not written over another file."""
    result = interlock("proxy", "--init", "new.py", "--", *command(folder))
    assert result.exit_code == 0
    written = (folder / "new.py").read_text()
    assert '    permit("look"),\n' in written
    assert '    # permit("act"), need.approval("owner", "act"),\n' in written
    assert json.loads((folder / "new.lock.json").read_text())["server"] == "new"
    scope: dict = {}
    exec(compile(written, "new.py", "exec"), scope)
    assert "look" in scope["policy"].actions
    assert "act" not in scope["policy"].actions
    assert "new.py exists already" in refused("--init", "new.py", "--", *command(folder))


def test_pinning_shows_what_changed(folder):
    """The difference first; on a terminal it asks before it writes."""
    arguments = ("proxy", "--policy", "files.py", "--pin", "--", *command(folder))
    first = interlock(*arguments)
    assert "+++ act (now)" in first.stdout
    assert "pinned 25 definitions in files.lock.json" in first.stdout
    assert "are those that are pinned" in interlock(*arguments).stdout
    document = json.loads((folder / "files.lock.json").read_text())
    del document["tools"]["act"]
    (folder / "files.lock.json").write_text(json.dumps(document))
    assert "pinned 1 definition in" in interlock(*arguments).stdout


async def test_a_server_behind_the_command(folder):
    """A client starts it instead of the server and sees no difference; the operator is told what was pinned."""
    (folder / "keys").write_text('SECRET="s3cret-token"\n')
    arguments = ("--policy", "files.py", "--user", "ana", "--env-file", "keys", "--", *command(folder))
    async with process(*arguments, cwd=folder) as (started, client):
        hello = await client.hello()
        assert hello["serverInfo"]["title"] == "A script"
        assert await client.say("act", x=1) == ("act 1", False)
        assert await client.say("act", x=2) == ("act 2", False)
    assert started.returncode == 0
    assert b"first use of files: its tools are pinned in files.lock.json" in client.errors
    async with opened(folder / "files.db") as journal:
        (row,) = await journal.store.rows()
    assert (row.agent, row.user, row.status) == ("files", "ana", "done")


def test_a_proxy_between_files(folder):
    """Requests in a file, answers in another: good for a look at what a server says."""
    hello = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": HELLO}
    (folder / "in").write_text(json.dumps(hello) + "\n")
    line = [sys.executable, "-m", "interlock", "proxy", "--policy", "files.py", "--", *command(folder)]
    with (folder / "in").open() as asked, (folder / "out").open("w") as answered:
        assert subprocess.run(line, stdin=asked, stdout=answered, check=False).returncode == 0
    assert json.loads((folder / "out").read_text())["result"]["serverInfo"]["name"] == "script"


async def test_taking_back_from_the_command_line(folder, monkeypatch):
    """The plan is shown, a person says yes, and the server's own tools take it back."""
    arguments = ("--policy", "files.py", "--", *command(folder))
    async with process(*arguments, cwd=folder) as (_, client):
        await client.hello()
        await client.say("act", x=1)
        await client.say("act", x=2)
    done = await _taken_back(folder, arguments, b"n\n")
    assert world(folder) == ["1", "2"], done
    done = await _taken_back(folder, arguments, b"y\n")
    assert "taken back: 2 effects" in done
    assert world(folder) == []


async def _taken_back(folder, arguments, typed):
    """Call the command on a terminal, and type."""
    ours, theirs = pty.openpty()
    started = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "interlock",
        "proxy",
        "--undo",
        "last",
        *arguments,
        cwd=folder,
        stdin=theirs,
        stdout=-1,
        stderr=-2,
    )
    os.close(theirs)
    os.write(ours, typed)
    told, _ = await started.communicate()
    os.close(ours)
    return told.decode()


def test_taking_back_needs_somebody_who_says_yes(folder):
    """And a run, and a proxy that there was."""
    server = ("--", *command(folder))
    assert "has not been behind a proxy yet" in refused("--policy", "files.py", "--undo", "last", *server)
    interlock("proxy", "--policy", "files.py", "--pin", *server)
    assert "there is no journal" in refused("--policy", "files.py", "--undo", "last", *server)


async def test_a_second_proxy_on_one_journal_is_turned_away(folder):
    """One process drives a journal; the other one says so, and what to do."""
    arguments = ("--policy", "files.py", "--", *command(folder))
    async with process(*arguments, cwd=folder) as (_, client):
        await client.hello()
        async with process(*arguments, cwd=folder) as (second, other):
            await second.wait()
        assert second.returncode == 1
        assert b"drives the runs of" in other.errors
        assert await client.say("act", x=1) == ("act 1", False)
