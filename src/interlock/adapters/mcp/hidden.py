"""What a server was given and nobody else may see: read from a file, and taken out of what it says."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from interlock.errors import DeclarationError
from interlock.journal.redact import SHORTEST_SECRET

_LINE = re.compile(r"(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*)")
_NAMED = re.compile(r"\benv:([A-Za-z_][A-Za-z0-9_]*)")


def from_file(file: Path) -> dict[str, str]:
    """Return the names and values of a file with one NAME=VALUE a line; `#` begins a comment line.

    Raises:
        DeclarationError: it can't be read, a line is none such, or a value is too short to be kept out of anything.
    """
    found: dict[str, str] = {}
    try:
        lines = file.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DeclarationError(f"{file} can't be read: {error}") from None
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = _LINE.fullmatch(line.strip())
        if match is None:
            raise DeclarationError(f"{file}:{number}: write NAME=VALUE")
        found[match[1]] = _checked(f"{file}:{number}", match[1], _unquoted(match[2]))
    return found


def header(written: str, known: Mapping[str, str]) -> tuple[str, str, dict[str, str]]:
    """Return the name and value of a header written `NAME: VALUE`, and the secrets in it.

    `env:NAME` in the value stands for what *known* holds under that name.

    Raises:
        DeclarationError: it is written otherwise, or nothing is known under the name.
    """
    name, colon, value = written.partition(":")
    if not colon or not name.strip():
        raise DeclarationError(f"header {written!r}: write NAME: VALUE, for example 'Authorization: Bearer env:TOKEN'")
    used: dict[str, str] = {}

    def filled(match: re.Match[str]) -> str:
        if match[1] not in known:
            raise DeclarationError(f"header {name.strip()!r} names env:{match[1]}, which is not set")
        used[match[1]] = _checked("the environment", match[1], known[match[1]])
        return used[match[1]]

    return name.strip(), _NAMED.sub(filled, value.strip()), used


def clean(value: Any, secrets: Mapping[str, str]) -> Any:
    """Return plain data with every secret replaced by its name; the very same where there are none."""
    if isinstance(value, str):
        for name, secret in secrets.items():
            value = value.replace(secret, f"[redacted:{name}]")
        return value
    if not secrets:
        return value
    if isinstance(value, Mapping):
        items = cast("Mapping[Any, Any]", value).items()
        return {clean(key, secrets): clean(one, secrets) for key, one in items}
    if isinstance(value, list):
        return [clean(one, secrets) for one in cast("list[Any]", value)]
    return value


def _checked(where: str, name: str, value: str) -> str:
    if len(value) < SHORTEST_SECRET:
        raise DeclarationError(
            f"{where}: {name} has fewer than {SHORTEST_SECRET} characters and can't be kept out of the journal; "
            "what is no secret goes into the environment"
        )
    return value


def _unquoted(value: str) -> str:
    quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
    return value[1:-1] if quoted else value
