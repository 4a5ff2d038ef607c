"""The project: a folder with `interlock.toml`, which says where the journal is and which agents there are."""

import importlib
import re
import sys
import tomllib
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, cast

from msgspec import Struct

from interlock.adapters import Governor
from interlock.agents import Agent
from interlock.cli.errors import UsageError
from interlock.located import located

FILE = "interlock.toml"
_KEYS = ("journal", "agents")
_URL = re.compile(r"\w{2,}:/")  # a Path has lost the second slash


class Project(Struct, frozen=True):
    """A folder, its journal and where its agents are written (`module:name`)."""

    folder: Path
    journal: Path
    agents: tuple[str, ...]


def found(start: Path | None = None) -> Project | None:
    """Return the project of the folder *start* (the current one) or of the nearest above it, or None.

    Raises:
        UsageError: its file can't be read; the message says where it is wrong.
    """
    here = (start if start is not None else Path.cwd()).resolve()
    for folder in (here, *here.parents):
        if (folder / FILE).is_file():
            return _read(folder)
    return None


def _read(folder: Path) -> Project:
    file = folder / FILE
    try:
        written = tomllib.loads(file.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise UsageError(f"{file}: {error}") from error
    for key in written:
        if key not in _KEYS:
            near = get_close_matches(key, _KEYS, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(_KEYS)}"
            raise UsageError(f"{file}: there is no setting {key!r}; {hint}")
    journal, agents = written.get("journal", "interlock.db"), written.get("agents", [])
    if not isinstance(journal, str):
        raise UsageError(f'{file}: journal is the path of a file; write journal = "desk.db"')
    if not isinstance(agents, list) or not all(isinstance(one, str) for one in cast("list[Any]", agents)):
        raise UsageError(f'{file}: agents lists where agents are; write agents = ["agent:desk"]')
    return Project(folder, folder / journal, tuple(cast("list[str]", agents)))


def journal_path(given: Path | None, *, must_exist: bool = True) -> Path:
    """Return the journal that a command works on: the one given, else the project's.

    Raises:
        UsageError: there is neither, or no such file.
    """
    project = None if given is not None else found()
    if given is None and project is None:
        raise UsageError(
            f"no {FILE} in this folder or above; give --journal PATH, or make a project with `interlock init`"
        )
    path = given if given is not None else cast("Project", project).journal
    if _URL.match(str(path)):
        raise UsageError(f"{path} is no file; journals live in a SQLite file, give its path")
    if must_exist and not path.exists():
        raise UsageError(f"{path}: there is no journal; the first `interlock run` makes it, or give --journal PATH")
    return path


def agents(given: Sequence[str] = ()) -> dict[str, Agent]:
    """Return the agents that a command works with, by name: those given (`module:name`), else the project's.

    Raises:
        UsageError: there are none, or one can't be imported; the message says where.
    """
    project = found()
    folder = project.folder if project is not None else Path.cwd()
    wanted = tuple(given) or (project.agents if project is not None else ())
    if not wanted:
        source = f'{folder / FILE} names no agents; write agents = ["agent:desk"]' if project else f"no {FILE} here"
        raise UsageError(f"{source}, or give --agent MODULE:NAME")
    loaded = [_agent(one, folder) for one in wanted]
    return {agent.name: agent for agent in loaded}


def agent_named(known: dict[str, Agent], name: str) -> Agent:
    """Return one of the agents.

    Raises:
        UsageError: there is none of that name.
    """
    everyone = {one.name: one for agent in known.values() for one in agent.everyone()}
    if name in everyone:
        return everyone[name]
    near = get_close_matches(name, known, 1)
    hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(known)}"
    raise UsageError(f"no agent {name!r} in this project; {hint}")


def _agent(written: str, folder: Path) -> Agent:
    module, _, name = written.partition(":")
    if not module or not name:
        raise UsageError(f"agent {written!r}: write MODULE:NAME, for example agent:desk")
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
    value = getattr(_imported(module, folder), name, None)
    if isinstance(value, Governor):
        return value.agent
    if not isinstance(value, Agent):
        what = f"is {value!r}" if value is not None else "is not there"
        raise UsageError(f"agent {written!r}: {name} in module {module} {what}; name an Agent or a Governor")
    return value


def _imported(module: str, folder: Path) -> Any:
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name == module:
            raise UsageError(f"there is no module {module!r} in {folder}; see agents in {FILE}") from error
        raise UsageError(located(error, folder)) from error
    except Exception as error:
        raise UsageError(located(error, folder)) from error
