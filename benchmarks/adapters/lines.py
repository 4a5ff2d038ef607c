"""How many lines Interlock takes: those that differ between two applications, and those of the guard they share."""

import ast
import difflib
from pathlib import Path

HERE = Path(__file__).parent


def changed(framework: str) -> int:
    """Return how many lines differ between the bare and the governed application.

    A line that became another counts once, and so does one that is only there or only here; the module's docstring and
    empty lines don't count.
    """
    bare, governed = (code(HERE / "apps" / framework / f"{variant}.py") for variant in ("bare", "governed"))
    matcher = difflib.SequenceMatcher(None, bare, governed, autojunk=False)
    return sum(max(b - a, d - c) for tag, a, b, c, d in matcher.get_opcodes() if tag != "equal")


def guard() -> int:
    """Return the lines of the guard: declarations, undo functions, probes, policy; once for all applications."""
    return len([line for line in code(HERE / "guard.py") if not line.lstrip().startswith("#")])


def diff(framework: str) -> list[str]:
    """Return the changed lines as a diff shows them, without context."""
    bare, governed = (code(HERE / "apps" / framework / f"{variant}.py") for variant in ("bare", "governed"))
    return [
        line for line in difflib.unified_diff(bare, governed, n=0, lineterm="") if line[:2] not in {"--", "++", "@@"}
    ]


def code(path: Path) -> list[str]:
    """Return a module's lines without its docstring and without empty ones."""
    text = path.read_text()
    first = ast.parse(text).body[0]
    docstring = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    begin = (first.end_lineno or 0) if docstring else 0
    return [line for line in text.splitlines()[begin:] if line.strip()]
