"""`interlock policy diff`: what becomes allowed, denied or needed, each with a call."""

import pytest

pytest.importorskip("z3")

HEAD = "from interlock import Policy, arg, need, permit\n"


@pytest.fixture
def written(project):
    def write(name, rules):
        (project.folder / name).write_text(f"{HEAD}policy = Policy({rules})\n")

    write("old.py", "permit('a', when=arg.x <= 10)")
    return write


def test_differences_have_calls(written, interlock):
    """Newly allowed and newly needing, with exit code 1."""
    written("new.py", "permit('a', when=arg.x <= 20), need.confirmation('a', when=arg.x < 3)")
    result = interlock("policy", "diff", "old.py", "new.py")
    assert result.exit_code == 1
    assert "newly allowed" in result.output
    assert "newly needs      a: confirmation" in result.output
    assert result.output.count("call  {") == 2
    assert "2 differences" in result.output


def test_no_difference_is_proved(written, interlock):
    """The same rules in other words."""
    written("new.py", "permit('a', when=~(arg.x > 10))")
    result = interlock("policy", "diff", "old.py", "new.py")
    assert result.exit_code == 0, result.output
    assert "no difference, proved" in result.output


def test_a_missing_file(written, interlock):
    """It is a wrong call that names the file."""
    result = interlock("policy", "diff", "old.py", "none.py")
    assert result.exit_code == 2
