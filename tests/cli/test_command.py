"""The command as a whole: help, what it imports, terminals and pipes."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

import pytest

COMMANDS = (
    *("init", "test", "run", "chat", "proxy", "runs", "show", "tail"),
    *("inbox", "approve", "deny", "answer", "unpark", "undo", "policy", "labels", "verify", "replay"),
)


def test_help_lists_every_command(command):
    """In sections, each with a line that fits 80 columns, and the exit codes."""
    result = command("--help")
    assert result.returncode == 0
    assert tuple(re.findall(r"^  (\w+) {2,}\S", result.stdout, re.MULTILINE)) == COMMANDS
    assert max(map(len, result.stdout.splitlines())) <= 80
    assert "..." not in result.stdout.partition("Begin:")[2]
    assert "Exit codes: 0 well" in result.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_help_of_each_command(interlock, name):
    """Every argument and option is explained; all know --json but the one that speaks a protocol and the group."""
    shown = interlock(name, "--help").stdout
    assert shown.startswith(f"Usage: interlock {name} ")
    assert ("--json" in shown) == (name not in ("proxy", "policy", "labels"))
    assert re.search(r"^  -h, --help", shown, re.MULTILINE)


def test_its_version(interlock):
    """That of the package."""
    assert interlock("--version").stdout == f"interlock {version('interlock')}\n"


def test_without_a_command_it_shows_its_help(interlock):
    """That is wrong usage all the same."""
    result = interlock()
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("Usage: interlock [OPTIONS] COMMAND")


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["show", "--help"]])
def test_help_imports_no_room_and_no_rich(arguments):
    """Help is quick because nothing is imported for it that it doesn't show."""
    script = (
        "import sys\nfrom interlock.cli import main\nsys.argv = ['interlock', *sys.argv[1:]]\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "rooms = ('runtime', 'journal', 'agents', 'guardian', 'models')\n"
        "costly = ('rich', 'sqlite3', 'pydantic', *(f'interlock.{one}' for one in rooms))\n"
        "print([name for name in costly if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_the_entry_point_is_installed():
    """`interlock` and `python -m interlock` are the same."""
    script = Path(sys.executable).with_name("interlock")
    done = subprocess.run([script, "verify", "--help"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("Usage: interlock verify")


def test_a_reader_that_goes_away(project, interlock):
    """`interlock tail | head -1` ends quietly."""
    project.propose(*[("find_booking", {"ref": "x" * 9000, "n": n}) for n in range(40)])
    for extra in ([], ["--json"]):
        with subprocess.Popen(
            [sys.executable, "-m", "interlock", "tail", "-n", "100", *extra],
            cwd=project.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as started:
            started.stdout.readline()
            started.stdout.close()
            assert started.stderr.read() == b""
        assert started.returncode == 1


def test_an_encoding_that_can_not_say_it(project, command):
    """What the output's encoding lacks is written out."""
    project.propose(("find_booking", {"ref": "é"}))
    result = command("show", "r1", cwd=project.folder, env={"PYTHONIOENCODING": "ascii"})
    assert result.returncode == 0
    assert 'find_booking(ref="\\xe9") \\u2192' in result.stdout


def test_tail_follows(project):
    """What another process appends is shown as it comes; ^C ends it."""
    project.propose(("find_booking", {"ref": "A"}))
    with subprocess.Popen(
        [sys.executable, "-m", "interlock", "tail", "-f", "-n", "1", "--json"],
        cwd=project.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as started:
        assert json.loads(started.stdout.readline())["run"] == "r1"
        project.propose(("find_booking", {"ref": "B"}), run="r2")
        assert json.loads(started.stdout.readline())["run"] == "r2"
        time.sleep(0.2)
        started.send_signal(signal.SIGINT)
        _, err = started.communicate(timeout=30)
    assert (started.returncode, err) == (130, b"")


@pytest.mark.skipif(os.name == "nt", reason="needs a pseudo-terminal")
@pytest.mark.parametrize("columns", [40, 80, 120])
def test_in_a_terminal_of_this_width(project, columns):
    """Colours on a terminal, every line within it, and nothing of a run obeyed."""
    import fcntl
    import pty
    import struct
    import termios

    project.propose(
        ("send_email", {"to": "\x1b[2Jbob", "body": "word " * 50}), ("refund", {"ref": "A", "amount": "-1"})
    )
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    env = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "NO_COLOR")}
    command = [sys.executable, "-m", "interlock", "show", "r1"]
    env["TERM"] = "xterm-256color"
    with subprocess.Popen(command, cwd=project.folder, env=env, stdin=theirs, stdout=theirs) as started:
        os.close(theirs)
        shown = _all_of(ours)
    assert started.returncode == 0
    assert "\x1b[31mdenied" in shown
    assert "\x1b[2J" not in shown
    plain = re.sub(r"\x1b\[[\d;]*m", "", shown)
    assert max(map(len, plain.splitlines())) <= columns


def _all_of(terminal):
    shown = b""
    while True:
        try:
            more = os.read(terminal, 65536)
        except OSError:  # what Linux says when the other side is closed
            break
        if not more:
            break
        shown += more
    os.close(terminal)
    return shown.decode()
