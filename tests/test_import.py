"""`import interlock` is cheap, and everything public is there by name."""

import importlib
import json
import pkgutil
import subprocess
import sys

import pytest

import interlock

# Not typing_extensions: msgspec takes it wherever it is installed, and pydantic installs it.
COSTLY = [
    "pydantic",
    "pydantic_core",
    "sqlite3",
    "cryptography",
    "docstring_parser",
    "asyncio",
]


def loaded(code):
    """Return which costly modules a fresh interpreter has after *code*."""
    script = f"{code}\nimport json, sys\nprint(json.dumps([name for name in {COSTLY} if name in sys.modules]))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout))


def test_the_package_alone_pulls_in_nothing():
    """Importing the package loads no room of it, and no dependency."""
    assert loaded("import interlock") == set()


def test_what_most_programs_import():
    """The usual names need no schemas, no SQLite and no signatures yet."""
    assert loaded("from interlock import action, Agent, Ctx, Runtime, Policy, permit, arg") <= {"asyncio"}


def test_declaring_and_judging_need_no_event_loop():
    """Actions, machines and policies are data: no asyncio, and no pydantic before a schema is needed."""
    assert loaded("from interlock import action, Ctx, Policy, Machine, State, Final, permit, probe") == set()


@pytest.mark.parametrize("name", interlock.__all__)
def test_every_public_name_resolves(name):
    """Each name in __all__ is there, and importing it from the package gives the same thing again."""
    assert getattr(interlock, name) is getattr(interlock, name)


@pytest.mark.parametrize("package", ["interlock", "interlock.journal"])
def test_no_name_is_hidden_by_a_module(package):
    """No submodule bears the name of what it defines: a name means the same whatever was imported before."""
    names = importlib.import_module(package).__all__
    modules = {module.name for module in pkgutil.iter_modules(importlib.import_module(package).__path__)}
    assert not modules & set(names)


def test_names_are_listed():
    """`dir` shows every public name before it is first used, and __all__ is in order."""
    script = "import interlock; print(set(interlock.__all__) <= set(dir(interlock)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True"
    assert interlock.__all__ == sorted(set(interlock.__all__))


def test_an_unknown_name_is_an_attribute_error():
    """A misspelt name fails as in any module."""
    with pytest.raises(AttributeError, match="module 'interlock' has no attribute 'Runtimes'"):
        _ = interlock.Runtimes
    with pytest.raises(ImportError):
        exec("from interlock import Runtimes")
