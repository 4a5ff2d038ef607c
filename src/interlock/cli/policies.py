"""Reading the policy that a command is given: a Python file, or the JSON that `Policy.to_json` wrote."""

import sys
from pathlib import Path

from interlock.cli.errors import UsageError
from interlock.cli.project import found
from interlock.errors import PolicyError
from interlock.guardian import Policy, files


def policy_from(written: str) -> Policy:
    """Return the policy of `FILE.py`, `FILE.py:NAME` (by default the name `policy`) or `FILE.json`.

    Raises:
        UsageError: there is no such file or policy, or it holds an error; the message says where.
    """
    project = found()
    folder = project.folder if project is not None else Path.cwd()
    for one in (str(files.file_of(written).resolve().parent), str(folder)):
        if one not in sys.path:
            sys.path.insert(0, one)
    try:
        return files.read(written)
    except PolicyError as error:
        raise UsageError(str(error)) from error
