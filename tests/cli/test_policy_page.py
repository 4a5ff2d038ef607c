"""The page about policies shows what the commands do."""

import re
import shlex
from pathlib import Path

PAGE = (Path(__file__).parents[2] / "docs" / "policies.md").read_text()
VARYING = re.compile(r"\b[0-9a-f]{12}\b|\d+ ms\b")


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


def constant(text):
    return VARYING.sub("…", text).split()


def test_what_the_page_shows_is_what_happens(tmp_path, command):
    """Every command in turn, in the project that `init` makes; digests and times vary."""
    command("init", "desk", cwd=tmp_path)
    folder = tmp_path / "desk"
    (examples,), (_, strict) = blocks("toml"), blocks("python")
    (folder / "policy_examples.toml").write_text(examples)
    (folder / "strict.py").write_text(strict)
    for block in blocks("console"):
        line, _, shown = block.removeprefix("$ ").partition("\n")
        result = command(*shlex.split(line)[1:], cwd=folder, env={"COLUMNS": "100", "NO_COLOR": "1"})
        assert constant(result.stdout + result.stderr) == constant(shown), line


def test_the_examples_are_a_test(tmp_path, command):
    """What the page shows as a test passes in that project."""
    command("init", "desk", cwd=tmp_path)
    folder = tmp_path / "desk"
    (examples,), (script, _) = blocks("toml"), blocks("python")
    (folder / "policy_examples.toml").write_text(examples)
    (folder / "test_policy.py").write_text(script)
    result = command("test", "test_policy.py", "-p", "no:cacheprovider", cwd=folder)
    assert result.returncode == 0, result.stdout
