"""Reading the policy that `replay` is given: a Python file, or the JSON that `Policy.to_json` wrote."""

import importlib.util
import re
import sys
from pathlib import Path
from typing import Any

from interlock.cli.errors import UsageError, located
from interlock.cli.project import found
from interlock.errors import PolicyError
from interlock.guardian import Opaque, Policy

_BYTE = re.compile(r"\(byte (\d+)\)")


def policy_from(written: str) -> Policy:
    """Return the policy of `FILE.py`, `FILE.py:NAME` (by default the name `policy`) or `FILE.json`.

    Raises:
        UsageError: there is no such file or policy, or it holds an error; the message says where.
    """
    name, file = "policy", Path(written)
    head, _, last = written.rpartition(":")
    if head.endswith(".py") and last.isidentifier():
        name, file = last, Path(head)
    if not file.is_file():
        raise UsageError(f"there is no file {file}; give --policy FILE.py, FILE.py:NAME or FILE.json")
    if file.suffix == ".json":
        return _from_json(file)
    if file.suffix == ".py":
        return _from_python(file, name)
    raise UsageError(f"{file}: a policy is in a .py or a .json file")


def _from_json(file: Path) -> Policy:
    data = file.read_bytes()
    try:
        policy = Policy.from_json(data)
    except PolicyError as error:
        at = _BYTE.search(str(error))
        line = data.count(b"\n", 0, int(at[1])) + 1 if at else 1
        raise UsageError(f"{file}:{line}: {error}") from error
    for number, rule in enumerate(policy.rules, 1):
        if isinstance(rule.clause.when, Opaque):
            raise UsageError(f"{file}: rule r{number} is Python code, which JSON does not hold; give the .py file")
    return policy


def _from_python(file: Path, name: str) -> Policy:
    module = _run(file)
    value = getattr(module, name, None)
    if isinstance(value, Policy):
        return value
    others = [other for other in dir(module) if isinstance(getattr(module, other), Policy)]
    hint = f"it has: {', '.join(others)}" if others else "it has no policy"
    what = "is no Policy" if value is not None else "is not there"
    raise UsageError(f"{file}: {name} {what}; {hint}")


def _run(file: Path) -> Any:
    project = found()
    folder = project.folder if project is not None else Path.cwd()
    for one in (str(file.resolve().parent), str(folder)):
        if one not in sys.path:
            sys.path.insert(0, one)
    spec = importlib.util.spec_from_file_location(f"_policy_{file.stem}", file.resolve())
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise UsageError(located(error, file.resolve().parent)) from error
    return module
