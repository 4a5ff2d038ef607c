"""The reference server that has one of everything: all kinds of content, progress, questions to the client."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.mcp import environments
from benchmarks.mcp.script import Denied, Server, Step, Varies, ask, call, clean, unfit, unknown

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_PACKAGE = "@modelcontextprotocol/server-everything"
_LEVELS = "(?i)(debug|info|notice|warning|error|critical|alert|emergency)([- ]level[- ]message)?"
_WORDS = "data:text/plain,some%20words%20to%20press"


def _command(world: Path) -> Sequence[str | Path]:
    program = environments.npm_package(_PACKAGE) / "dist" / "index.js"
    return [*clean(HOME=world, GREETING="grüß dich"), environments.node(), program, "stdio"]


def _furnish(world: Path) -> None:
    world.mkdir()


def _steps(world: Path) -> Sequence[Step]:
    return [
        # The server asks for the client's roots a third of a second after it was started: that comes first, always.
        call("trigger-long-running-operation", duration=0.8, steps=4),
        ask("tools/list"),
        *_contents(),
        *_sessions(),
        *_resources(),
        *_prompts(),
        ask("ping"),
    ]


def _contents() -> Sequence[Step]:
    return [
        call("echo", message="grüße 🦜"),
        call("echo", message="x" * 1_000_000),
        call("get-annotated-message", messageType="error", includeImage=True),
        call("get-annotated-message", messageType="debug"),
        call("get-env"),
        call("get-resource-links", count=4),
        call("get-resource-reference", resourceType="Blob", resourceId=3),
        call("get-resource-reference", resourceId=0),
        call("get-structured-content", location="Chicago"),
        call("get-sum", a=0.1, b=1e21),
        call("get-sum", a=12345678901234567890, b=-1),
        call("get-tiny-image"),
        call("gzip-file-as-resource", name="words.gz", data=_WORDS, outputType="resource"),
        call("gzip-file-as-resource", name="words.gz", data=_WORDS),
        call("gzip-file-as-resource", name="words.gz", data="ftp://example.com/words"),
        call("trigger-long-running-operation", duration=0.2, steps=3),
    ]


def _sessions() -> Sequence[Step]:
    """Return calls in which the server asks the client something, or starts and stops telling it things."""
    return [
        call("get-roots-list"),
        call("trigger-sampling-request", prompt="what is “tea”?", maxTokens=50),
        call("trigger-elicitation-request"),
        call("trigger-url-elicitation", url="https://example.com/a?b=c", elicitationId="one"),
        call("trigger-url-elicitation", url="https://example.com/", elicitationId="two", errorPath=True),
        call("simulate-research-query", topic="tea"),
        ask("logging/setLevel", level="debug"),
        call("toggle-simulated-logging"),
        call("toggle-simulated-logging"),
        ask("logging/setLevel", level="error"),
        ask("resources/subscribe", uri="demo://resource/dynamic/text/1"),
        call("toggle-subscriber-updates"),
        call("toggle-subscriber-updates"),
        ask("logging/setLevel", level="debug"),
        ask("resources/unsubscribe", uri="demo://resource/dynamic/text/1"),
    ]


def _resources() -> Sequence[Step]:
    return [
        ask("resources/list"),
        ask("resources/templates/list"),
        ask("resources/read", uri="demo://resource/static/document/features.md"),
        ask("resources/read", uri="demo://resource/dynamic/text/7"),
        ask("resources/read", uri="demo://resource/dynamic/blob/7"),
        ask("resources/read", uri="demo://resource/session/words.gz"),
        ask("resources/read", uri="demo://resource/dynamic/text/none"),
        ask("resources/read", uri="demo://nothing"),
    ]


def _prompts() -> Sequence[Step]:
    department = {"name": "department", "value": "Eng"}
    member = {"name": "name", "value": "B"}
    return [
        ask("prompts/list"),
        ask("prompts/get", name="simple-prompt"),
        ask("prompts/get", name="args-prompt", arguments={"city": "São Paulo", "state": "SP"}),
        ask("prompts/get", name="args-prompt"),
        ask("prompts/get", name="resource-prompt", arguments={"resourceType": "Text", "resourceId": "2"}),
        ask("prompts/get", name="no-such-prompt"),
        ask("completion/complete", ref=_prompt("completable-prompt"), argument=department),
        ask(
            "completion/complete",
            ref=_prompt("completable-prompt"),
            argument=member,
            context_arguments={"department": "Engineering"},
        ),
        ask("completion/complete", ref=_prompt("no-such-prompt"), argument=member),
    ]


def _prompt(name: str) -> dict[str, str]:
    return {"type": "ref/prompt", "name": name}


def _denied(world: Path) -> Sequence[Denied]:
    return [
        Denied(call("get-sum", a=13, b=1), "thirteen is not added"),
        unfit("echo"),
        unfit("echo", message=["not", "a", "text"]),
        unfit("get-annotated-message", messageType="joke"),
        unfit("get-resource-links", count=11),
        unfit("get-structured-content", location="Köln"),
        unfit("get-sum", a="1", b=2),
        unknown("no-such-tool"),
    ]


SERVER = Server(
    name="everything",
    version=lambda: environments.npm_version(_PACKAGE),
    command=_command,
    furnish=_furnish,
    steps=_steps,
    denied=_denied,
    varies=[
        Varies("", r"(?<=created at )\d+:\d\d:\d\d [AP]M", "made-up resources say the time of day"),
        Varies("", r"(?<=UmVzb3VyY2Ug)[A-Za-z0-9+/=]+", "the same, in base64"),
        Varies("tools/call toggle-simulated-logging", _LEVELS, "it logs at a random level"),
        Varies("tools/call trigger-url-elicitation", r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "a random number"),
    ],
)
