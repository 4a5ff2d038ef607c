"""`interlock proxy`: the guardian in front of a server of the Model Context Protocol."""

import asyncio
import os
import re
import runpy
import sys
from collections.abc import Iterable, Sequence
from contextlib import redirect_stdout
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import typer
from msgspec import Struct

from interlock.actions.tool import Tool
from interlock.cli import text
from interlock.cli.errors import WELL, AnswerError, UsageError
from interlock.cli.notes import logged
from interlock.cli.project import found, journal_path
from interlock.cli.screen import Screen
from interlock.guardian import Policy
from interlock.located import located

if TYPE_CHECKING:
    from interlock.adapters.mcp.reach import Reach
    from interlock.adapters.mcp.serving import Settings


_NAME = re.compile(r"\w[\w.-]{0,63}")  # Files are named after it.


class Given(Struct, frozen=True):
    """The arguments of the command."""

    policy: Path | None
    journal: Path | None
    listen: str | None
    user: str | None
    name: str | None
    approver: Sequence[str]
    env_file: Path | None
    http: str | None
    header: Sequence[str]
    pin: bool
    undo: str | None
    init: Path | None
    command: Sequence[str]


def proxy(given: Given) -> int:
    """Serve, pin or begin, as the arguments say."""
    if find_spec("mcp") is None:
        raise UsageError("the proxy needs the package mcp: pip install 'interlock[mcp]'")
    reach = _reach(given)
    if given.init is not None:
        return _begin(given.init, given, reach)
    if given.policy is None:
        raise UsageError("give --policy FILE; a first one is written by --init FILE")
    if given.pin:
        return _pin(given.policy, given, reach)
    settings = _settings(given.policy, given, reach)
    with logged(noted=False):
        if given.undo is None:
            asyncio.run(_serve(settings, given.listen))
            return WELL
        from interlock.cli.proxy_undo import take_back  # noqa: PLC0415 - only who takes back needs it

        return take_back(settings, given.undo)


async def _serve(settings: "Settings", listen: str | None) -> None:
    from interlock.adapters.mcp.serving import over_http, over_stdio  # noqa: PLC0415 - only who serves needs it

    if listen is None:
        await over_stdio(settings)
        return
    host, _, port = listen.rpartition(":")
    if not host or not port.isdigit():
        raise UsageError(f"--listen {listen}: write HOST:PORT, for example 127.0.0.1:8080")
    await over_http(settings, host.strip("[]"), int(port))


def _settings(policy: Path, given: Given, reach: "Reach") -> "Settings":
    from interlock.adapters.mcp.serving import Settings  # noqa: PLC0415 - the same

    rules, tools = _read(policy)
    name = _name(policy, given)
    return Settings(
        name=name,
        reach=reach,
        policy=rules,
        tools=tools,
        journal=_journal(policy, given, name),
        lock=_lock(policy, name),
        user=given.user,
        levels=given.approver,
        say=_say,
    )


def _name(policy: Path, given: Given) -> str:
    name = given.name or policy.stem
    if not _NAME.fullmatch(name):
        raise UsageError(f"{name!r} can't name a server; give --name NAME, of letters, digits, dots, - and _")
    return name


def _lock(policy: Path, name: str) -> Path:
    return policy.with_name(f"{name}.lock.json")


def _journal(policy: Path, given: Given, name: str) -> Path:
    """Return the journal: the one given, else the project's, else one beside the policy."""
    if given.journal is not None or found() is not None:
        return journal_path(given.journal, must_exist=False).resolve()
    return policy.with_name(f"{name}.db").resolve()


def _reach(given: Given) -> "Reach":
    from interlock.adapters.mcp import hidden  # noqa: PLC0415 - only this command needs it
    from interlock.adapters.mcp.reach import Command, Http  # noqa: PLC0415 - the same

    if (given.http is None) == (not given.command):
        raise UsageError("give the server to stand in front of: either --http URL, or -- COMMAND ARGS…")
    secrets = hidden.from_file(given.env_file) if given.env_file is not None else {}
    if given.http is None:
        return Command(given.command, secrets)
    headers: dict[str, str] = {}
    used: dict[str, str] = {}
    for one in given.header:
        name, value, within = hidden.header(one, {**os.environ, **secrets})
        headers[name] = value
        used |= within
    return Http(given.http, headers, used)


def _read(file: Path) -> tuple[Policy, list[Tool]]:
    """Return the policy of a Python file, and every tool that it gives a name."""
    if not file.is_file():
        raise UsageError(f"there is no file {file}; a first one is written by --init {file}")
    folder = file.resolve().parent
    sys.path.insert(0, str(folder))
    try:
        with redirect_stdout(sys.stderr):  # Standard output belongs to the protocol.
            names: dict[str, Any] = runpy.run_path(str(file))
    except Exception as error:
        raise UsageError(located(error, folder)) from error
    policy = names.get("policy")
    if not isinstance(policy, Policy):
        raise UsageError(f"{file}: there is no `policy = Policy(…)` in it")
    tools = {id(one): one for value in names.values() for one in _each(value) if isinstance(one, Tool)}
    return policy, list(tools.values())


def _each(value: Any) -> Iterable[Any]:
    """Return what a name in a policy's file stands for: tools may be declared one by one, or listed."""
    return cast("Iterable[Any]", value) if isinstance(value, (list, tuple, set, frozenset)) else (value,)


# pinning, and a first policy


def _pin(policy: Path, given: Given, reach: "Reach") -> int:
    from interlock.adapters.mcp.serving import changed  # noqa: PLC0415 - only who pins needs it

    name = _name(policy, given)
    lock = _lock(policy, name)
    pins, differences = asyncio.run(changed(name, reach, lock))
    screen = Screen()
    for one in differences:
        screen.raw(one)
    if not differences:
        screen.line(f"the tools of {text.visible(name)} are those that are pinned in {text.visible(str(lock))}")
        return WELL
    tools = text.counted(len(differences), "definition")
    if sys.stdin.isatty() and not typer.confirm(f"pin {tools} as they stand here?", err=True):
        raise AnswerError("nothing was pinned")
    pins.write(lock)
    screen.line(f"pinned {tools} in {text.visible(str(lock))}")
    return WELL


def _begin(policy: Path, given: Given, reach: "Reach") -> int:
    from interlock.adapters.mcp.serving import pinned  # noqa: PLC0415 - only who begins needs it
    from interlock.adapters.mcp.starter import starter  # noqa: PLC0415 - the same

    if policy.exists():
        raise UsageError(f"{policy} exists already; nothing was written, name another file")
    name = _name(policy, given)
    pins = asyncio.run(pinned(name, reach, _lock(policy, name), _say))
    try:
        policy.write_text(starter(pins), "utf-8")
    except OSError as error:
        raise AnswerError(f"{policy}: {error.strerror}") from error
    Screen().line(f"a policy for {text.counted(len(pins.definitions), 'tool')} in {text.visible(str(policy))}")
    return WELL


def _say(words: str) -> None:
    """Tell the operator something; standard output belongs to the protocol."""
    Screen(stderr=True).line((f"interlock: {text.visible(words, lines=True)}", "dim"))
