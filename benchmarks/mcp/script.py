"""A server to talk to: how it starts, the world that it works on, what is asked of it and what may vary."""

from __future__ import annotations

import shutil
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

POLICIES = Path(__file__).parent / "policies"


@dataclass(frozen=True)
class Step:
    """One request of the client."""

    method: str
    params: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def __str__(self) -> str:
        """Return the method, and for a call the tool's name."""
        return f"{self.method} {self.params['name']}" if "name" in self.params else self.method


def call(tool: str, /, **arguments: Any) -> Step:
    """Return the call of a tool."""
    return Step("tools/call", {"name": tool, "arguments": arguments})


def ask(method: str, /, **params: Any) -> Step:
    """Return any other request."""
    return Step(method, params)


@dataclass(frozen=True)
class Varies:
    """Something that two equal runs of one server say differently: where, the pattern, and why."""

    step: str
    """The start of the steps' names that it belongs to."""
    pattern: str
    """What is left out of every text there, as a regular expression."""
    why: str


@dataclass(frozen=True)
class Denied:
    """A call that the guardian turns down: what the client must be told, in which words."""

    step: Step
    words: str


def unfit(tool: str, /, **arguments: Any) -> Denied:
    """Return a call whose arguments don't meet the schema that the server gave for its tool."""
    return Denied(call(tool, **arguments), "don't fit")


def unknown(tool: str, /, **arguments: Any) -> Denied:
    """Return the call of a tool that the server does not have."""
    return Denied(call(tool, **arguments), "there is no")


@dataclass(frozen=True)
class Server:
    """One server of the package indexes and its script."""

    name: str
    version: Callable[[], str]
    command: Callable[[Path], Sequence[str | Path]]
    """The command that starts it on a world."""
    furnish: Callable[[Path], None]
    """Make the world, equal each time."""
    steps: Callable[[Path], Sequence[Step]]
    """What the policy permits."""
    denied: Callable[[Path], Sequence[Denied]]
    """What the server must not be asked: what a rule forbids, what does not fit, what is not there."""
    varies: Sequence[Varies] = ()
    unstable: Sequence[str] = ()
    """Files of the world that say when something was done, as patterns of paths."""

    def patterns(self, step: str) -> Sequence[str]:
        """Return what may vary in a step of this name."""
        return [one.pattern for one in self.varies if step.startswith(one.step)]

    def direct(self, world: Path, seen: Path) -> list[str]:
        """Return the command of the server alone, which leaves a copy of all that it is sent in *seen*."""
        words = [str(word) for word in self.command(world)]
        return ["sh", "-c", 'log=$1; shift; tee -a "$log" | exec "$@"', "sh", str(seen), *words]

    def proxied(self, world: Path, seen: Path, folder: Path) -> list[str]:
        """Return the command of the proxy in front of the same server."""
        return proxy(self.name, folder, "--", *self.direct(world, seen))


def proxy(policy: str, folder: Path, *words: str) -> list[str]:
    """Return the command of a proxy that keeps all its files in *folder*: the tools are pinned beside the policy."""
    file = folder / f"{policy}.py"
    shutil.copy(POLICIES / file.name, file)
    options = ["--policy", str(file), "--journal", str(folder / "journal.db")]
    return [sys.executable, "-m", "interlock", "proxy", *options, *words]


def clean(**variables: str | Path) -> list[str]:
    """Return the start of a command that gives a program these environment variables and no others."""
    return ["env", "-i", *(f"{name}={value}" for name, value in variables.items())]
