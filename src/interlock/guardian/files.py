"""Policies in files: Python that makes one, or the JSON that `Policy.to_json` wrote."""

import importlib.util
import re
from pathlib import Path
from typing import Any

from interlock.errors import PolicyError
from interlock.guardian.policy import Policy
from interlock.guardian.rules import Opaque
from interlock.located import located

_BYTE = re.compile(r"\(byte (\d+)\)")


def read(written: str) -> Policy:
    """Return the policy of `FILE.py`, `FILE.py:NAME` (by default the name `policy`) or `FILE.json`.

    A Python file is run, each time anew.

    Raises:
        PolicyError: there is no such file or policy, or it holds an error; the message says where.
    """
    file = file_of(written)
    name = written.rpartition(":")[2] if str(file) != str(Path(written)) else "policy"
    if not file.is_file():
        raise PolicyError(f"there is no file {file}; give FILE.py, FILE.py:NAME or FILE.json")
    if file.suffix == ".json":
        return _from_json(file)
    if file.suffix == ".py":
        return _from_python(file, name)
    raise PolicyError(f"{file}: a policy is in a .py or a .json file")


def file_of(written: str) -> Path:
    """Return the file that `read` would read."""
    head, _, last = written.rpartition(":")
    return Path(head if head.endswith(".py") and last.isidentifier() else written)


def _from_json(file: Path) -> Policy:
    data = file.read_bytes()
    try:
        policy = Policy.from_json(data)
    except PolicyError as error:
        at = _BYTE.search(str(error))
        line = data.count(b"\n", 0, int(at[1])) + 1 if at else 1
        raise PolicyError(f"{file}:{line}: {error}") from error
    for number, rule in enumerate(policy.rules, 1):
        if isinstance(rule.clause.when, Opaque):
            raise PolicyError(f"{file}: rule r{number} is Python code, which JSON does not hold; give the .py file")
    return policy


def _from_python(file: Path, name: str) -> Policy:
    module = _run(file)
    value = getattr(module, name, None)
    if isinstance(value, Policy):
        return value
    others = [other for other in dir(module) if isinstance(getattr(module, other), Policy)]
    hint = f"it has: {', '.join(others)}" if others else "it has no policy"
    what = "is no Policy" if value is not None else "is not there"
    raise PolicyError(f"{file}: {name} {what}; {hint}")


def _run(file: Path) -> Any:
    spec = importlib.util.spec_from_file_location(f"_policy_{file.stem}", file.resolve())
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    try:
        # Not by the loader: it would take a compiled file that is as old as an edit within the same second.
        exec(compile(file.read_bytes(), str(file.resolve()), "exec"), vars(module))  # noqa: S102 - the operator's own
    except Exception as error:
        raise PolicyError(located(error, file.resolve().parent)) from error
    return module
