"""The definitions of a server's tools as a person has seen them: kept in a file, compared with what the server says."""

import difflib
import json
import os
from collections.abc import Iterable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, cast

from interlock.canonical import canonical
from interlock.errors import CanonicalError, DeclarationError

FIELDS = ("name", "title", "description", "inputSchema", "outputSchema", "annotations")
"""What of a definition is pinned: what a model reads and what rules rest on."""

Definition = dict[str, Any]


class Pins:
    """Which tools a server had when a person looked, and how each was defined.

    A tool that is not among them, or whose definition has changed, is withheld: from then on for as long as this
    process lives, for a server that shows two faces is not believed again because it shows the first one.

    The mutable state: the tools that are withheld, and why.

    Args:
        server: The name by which the server is known.
        definitions: The tools' definitions, by name.
    """

    def __init__(self, server: str, definitions: Mapping[str, Definition]) -> None:
        self.server = server
        self.definitions = dict(definitions)
        self.withheld: dict[str, str] = {}

    @classmethod
    def of(cls, server: str, listed: Iterable[Mapping[str, Any]]) -> "Pins":
        """Return the pins of the tools that a server lists.

        Raises:
            DeclarationError: it lists two different tools of one name, or one that is none.
        """
        found: dict[str, Definition] = {}
        for one in listed:
            defined = _definition(one)
            name = defined.get("name")
            if not isinstance(name, str) or not isinstance(defined.get("inputSchema"), dict):
                raise DeclarationError(f"{server} lists a tool without a name or without a schema; nothing was pinned")
            if _bytes(found.setdefault(name, defined)) != _bytes(defined):
                raise DeclarationError(f"{server} lists two different tools called {name!r}; nothing was pinned")
        return cls(server, found)

    @classmethod
    def read(cls, server: str, file: Path) -> "Pins | None":
        """Return the pins that *file* holds, None where there is no such file.

        Raises:
            DeclarationError: it can't be read, or was changed by hand.
        """
        try:
            document = json.loads(file.read_text("utf-8"))
            tools = cast("dict[str, Any]", document["tools"])
            found = {name: cast("Definition", one["definition"]) for name, one in tools.items()}
            changed = [name for name, one in tools.items() if one["sha256"] != _hash(found[name])]
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise DeclarationError(f"{file} is no lock file of tools: {error}; pin them anew with --pin") from None
        if changed:
            raise DeclarationError(f"{file}: {', '.join(changed)} was changed by hand; pin the tools anew with --pin")
        return cls(server, found)

    def write(self, file: Path) -> None:
        """Write the pins to *file*, whole or not at all.

        Raises:
            DeclarationError: it can't be written.
        """
        tools = {name: {"sha256": _hash(one), "definition": one} for name, one in sorted(self.definitions.items())}
        document = json.dumps({"version": 1, "server": self.server, "tools": tools}, indent=2)
        beside = file.with_name(f"{file.name}.{os.getpid()}.new")
        try:
            beside.write_text(document + "\n", "utf-8")
            beside.replace(file)
        except OSError as error:
            raise DeclarationError(f"{file} can't be written: {error.strerror}") from None

    def judged(self, listed: Mapping[str, Any]) -> str:
        """Return why a tool that the server lists now is withheld; nothing where it is as it was pinned.

        Only what is shown is compared: in older versions of the protocol a definition has fewer fields.
        """
        name = str(listed.get("name"))
        pinned = self.definitions.get(name)
        if pinned is None:
            self.withheld.setdefault(name, "it was not there when the tools were pinned")
        elif name not in self.withheld:
            changed = [field for field in FIELDS if field in listed and not _same(listed[field], pinned.get(field))]
            if changed:
                self.withheld[name] = f"its {' and '.join(changed)} changed since it was pinned"
        return self.withheld.get(name, "")

    def difference(self, listed: Mapping[str, Any]) -> str:
        """Return how a definition differs from the pinned one, line by line."""
        name = str(listed.get("name"))
        return difference(name, self.definitions.get(name), _definition(listed))


def difference(name: str, before: Definition | None, after: Definition | None) -> str:
    """Return two definitions of a tool as a difference of lines; empty where they are the same.

    What is no plain letter stands as its escape, so that nothing in it can hide.
    """
    lines = difflib.unified_diff(_lines(before), _lines(after), f"{name} (pinned)", f"{name} (now)", lineterm="", n=2)
    return "\n".join(lines)


def differences(before: Pins | None, after: Pins) -> list[str]:
    """Return how the tools of a server differ from those that were pinned, one text a tool."""
    pinned = before.definitions if before is not None else {}
    names = sorted({*pinned, *after.definitions})
    found = [difference(name, pinned.get(name), after.definitions.get(name)) for name in names]
    return [one for one in found if one]


def _lines(one: Definition | None) -> list[str]:
    return [] if one is None else json.dumps(one, indent=2, sort_keys=True).splitlines()


def _definition(listed: Mapping[str, Any]) -> Definition:
    return {field: listed[field] for field in FIELDS if listed.get(field) is not None}


def _same(shown: Any, pinned: Any) -> bool:
    return shown is None or (pinned is not None and _bytes(shown) == _bytes(pinned))


def _bytes(value: Any) -> bytes:
    try:
        return canonical(value)
    except CanonicalError:
        return ascii(value).encode()  # It can't be what was pinned, for that was read from JSON.


def _hash(one: Definition) -> str:
    return sha256(_bytes(one)).hexdigest()
