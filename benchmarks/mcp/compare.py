"""One script played twice, to the server alone and through the proxy, and what is not the same."""

from __future__ import annotations

import fnmatch
import hashlib
import json
import shutil
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from benchmarks.mcp.differ import difference, leaving_out, same, shown
from benchmarks.mcp.play import Answer, Played, play

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from benchmarks.mcp.script import Denied, Server, Step
    from benchmarks.mcp.wire import Message


@dataclass
class Compared:
    """What two plays of one script had in common."""

    mode: str
    protocols: tuple[str, str]
    calls: int = 0
    same: int = 0
    denied: int = 0
    """Calls that the policy turns down, said so in its words, and never seen by the server."""
    asked: int = 0
    """Calls of tools that the server got with the same name and the same arguments as it gets them directly."""
    differences: list[str] = field(default_factory=list[str])


async def compared(server: Server, mode: str, folder: Path) -> Compared:
    """Play a server's script directly and through the proxy, each on an equal world in the same place."""
    world = folder / "world"
    direct_seen, proxied_seen = folder / "direct.jsonl", folder / "proxied.jsonl"
    steps = server.steps(world)
    denied = server.denied(world)
    directly, world_directly = await _played(server, server.direct(world, direct_seen), mode, steps, folder)
    command = server.proxied(world, proxied_seen, folder)
    proxied, world_proxied = await _played(server, command, mode, [*steps, *(one.step for one in denied)], folder)
    result = Compared(mode, (directly.protocol, proxied.protocol))
    kept = len(proxied.answers) - len(denied)
    _answers(server, result, directly.answers, proxied.answers[:kept])
    _unasked(server, result, directly, proxied)
    _seen(result, directly, _asked(direct_seen), _asked(proxied_seen))
    _denials(result, denied, proxied.answers[kept:])
    _same(result, "the world afterwards", world_directly, world_proxied)
    return result


async def _played(
    server: Server, command: Sequence[str], mode: str, steps: Sequence[Step], folder: Path
) -> tuple[Played, dict[str, str]]:
    """Make the world, play, and return what was answered and what became of the world."""
    world = folder / "world"
    shutil.rmtree(world, ignore_errors=True)
    server.furnish(world)
    with (folder / "errors.txt").open("a") as errors:
        played = await play(command, world, mode, steps, errors)
    files = {str(path.relative_to(world)): path for path in world.rglob("*")}
    stable = {name: path for name, path in files.items() if not _any(server.unstable, name)}
    return played, {name: _content(path) for name, path in sorted(stable.items())}


def _any(patterns: Sequence[str], name: str) -> bool:
    return any(fnmatch.fnmatch(name, pattern) for pattern in patterns)


def _content(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "a folder"


def _answers(server: Server, result: Compared, directly: Sequence[Answer], proxied: Sequence[Answer]) -> None:
    """Compare step by step what the server answers, and what reached the client's progress callback."""
    for one, other in zip_longest(directly, proxied):
        if one is None or other is None:
            _same(result, "the number of answers", len(directly), len(proxied))
            return
        name = str(one.step or "connecting")
        leave_out = leaving_out(server.patterns(name))
        _same(result, name, leave_out(_reply(one)), leave_out(_reply(other)))


def _reply(answer: Answer) -> dict[str, Any]:
    replies = [message for message in answer.heard if "method" not in message]
    if answer.step is None:
        replies = replies[-1:]  # whoever waits ten seconds for the first answer, on a busy machine, asks again
    return {"replies": replies, "progress": answer.progress, "raised": answer.raised}


def _unasked(server: Server, result: Compared, directly: Played, proxied: Played) -> None:
    """Compare what the server says and asks of itself: in order for each method, whatever came in between."""
    one, other = _by_method(server, directly), _by_method(server, proxied)
    for method in sorted(one.keys() | other.keys()):
        _same(result, f"all {method}", one.get(method, []), other.get(method, []))


def _by_method(server: Server, played: Played) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for answer in played.answers:
        leave_out = leaving_out(server.patterns(str(answer.step or "connecting")))
        for message in answer.heard:
            if "method" in message:
                found.setdefault(message["method"], []).append(leave_out(message))
    return found


def _seen(result: Compared, directly: Played, seen: Sequence[Message], proxied: Sequence[Message]) -> None:
    """Compare the calls that reached the server; what was denied must not be among them.

    The guardian judges arguments with the defaults of the server's own schema filled in, and sends what was judged.
    """
    defaults = _defaults(directly)
    plain = [_without(call, given["arguments"], defaults) for call, given in zip(proxied, seen, strict=False)]
    plain += proxied[len(plain) :]
    result.asked = sum(same(one, other) for one, other in zip(seen, plain, strict=False))
    _same(result, "the calls that reach the server", list(seen), plain)


def _defaults(played: Played) -> dict[str, dict[str, Any]]:
    """Return the defaults that the server's schemas give, by tool and argument."""
    replies = [message.get("result", {}) for answer in played.answers for message in answer.heard]
    tools = next(result["tools"] for result in reversed(replies) if "tools" in result)
    return {
        tool["name"]: {
            name: one["default"]
            for name, one in tool["inputSchema"].get("properties", {}).items()
            if isinstance(one, dict) and "default" in one
        }
        for tool in tools
    }


def _without(call: Message, given: dict[str, Any], defaults: dict[str, dict[str, Any]]) -> Message:
    """Return a call without the defaults that its client did not give."""
    filled = defaults.get(call["name"], {})
    kept = {
        name: value
        for name, value in call["arguments"].items()
        if name in given or name not in filled or not same(filled[name], value)
    }
    return {**call, "arguments": kept}


def _asked(seen: Path) -> Sequence[Message]:
    sent = [json.loads(line) for line in seen.read_text().splitlines()]
    calls = [one["params"] for one in sent if one.get("method") == "tools/call"]
    return [{"name": one["name"], "arguments": one.get("arguments", {})} for one in calls]


def _denials(result: Compared, denied: Sequence[Denied], answers: Sequence[Answer]) -> None:
    for expected, answer in zip(denied, answers, strict=True):
        told = [message["result"] for message in answer.heard if "result" in message]
        if any(one.get("isError") and expected.words in json.dumps(one) for one in told):
            result.denied += 1
        else:
            result.differences.append(f"{expected.step} is not denied in the policy's words: {shown(_reply(answer))}")


def _same(result: Compared, what: str, one: Any, other: Any) -> None:
    result.calls += 1
    if same(one, other):
        result.same += 1
    else:
        result.differences.append(f"{what}: {difference(one, other)}")
