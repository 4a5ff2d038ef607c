"""The reference server for times and time zones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.mcp import environments
from benchmarks.mcp.script import Denied, Server, Step, Varies, ask, call, clean, unfit, unknown

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def _command(world: Path) -> Sequence[str | Path]:
    started = [environments.python("python"), "-m", "mcp_server_time", "--local-timezone", "Europe/Berlin"]
    return [*clean(HOME=world), *started]


def _furnish(world: Path) -> None:
    world.mkdir()


def _steps(world: Path) -> Sequence[Step]:
    return [
        ask("tools/list"),
        call("get_current_time", timezone="Asia/Kathmandu"),
        call("get_current_time", timezone="Mars/Olympus"),
        call("get_current_time", timezone=""),
        call("get_current_time", timezone="../../etc/passwd"),
        call("convert_time", source_timezone="Europe/Berlin", time="09:30", target_timezone="Asia/Kathmandu"),
        call("convert_time", source_timezone="UTC", time="25:00", target_timezone="Asia/Tokyo"),
        call("convert_time", source_timezone="UTC", time="12:00", target_timezone="Tokio"),
        ask("resources/list"),
        ask("prompts/list"),
        ask("ping"),
    ]


def _denied(world: Path) -> Sequence[Denied]:
    return [
        Denied(call("get_current_time", timezone="Antarctica/Troll"), "nobody works there"),
        unfit("get_current_time"),
        unfit("get_current_time", timezone=3),
        unfit("convert_time", source_timezone="UTC", time="12:00"),
        unfit("convert_time", source_timezone="UTC", time="12:00", target_timezone="Asia/Tokyo", surplus=True),
        unknown("set_clock", time="12:00"),
    ]


SERVER = Server(
    name="time",
    version=lambda: environments.pip_version("python", "mcp-server-time"),
    command=_command,
    furnish=_furnish,
    steps=_steps,
    denied=_denied,
    varies=[Varies("tools/call get_current_time", r"(?<=T)\d\d:\d\d:\d\d", "it says the time")],
)
