"""The kernel stays pure: no I/O, no clock, no randomness, nothing of the outer rooms."""

import ast
from pathlib import Path

import pytest

import interlock.kernel

FILES = sorted(Path(interlock.kernel.__path__[0]).rglob("*.py"))
ALLOWED = {"collections.abc", "msgspec", "msgspec.structs", "typing"}
FORBIDDEN = {"open", "print", "exec", "eval", "compile", "globals", "__import__", "id", "hash"}


def imports(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or "")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
class TestPurity:
    """Each file of the room."""

    def test_it_imports_only_data(self, path):
        """Only types, msgspec and the room itself are imported: no time, random, os, asyncio or socket."""
        own = {name for name in imports(ast.parse(path.read_text())) if name.startswith("interlock.kernel")}
        assert set(imports(ast.parse(path.read_text()))) - own <= ALLOWED

    def test_it_calls_nothing_impure(self, path):
        """No built-in that reads or writes the world, or that differs from process to process, is used."""
        names = {node.id for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Name)}
        assert not names & FORBIDDEN
