"""Taking the text of a CREATE INDEX apart; SQLite tells everything about an index but its expressions."""

import re

_PIECE = re.compile(
    r"""'(?:[^']|'')*' | "(?:[^"]|"")*" | `(?:[^`]|``)*` | \[[^\]]*\] | --[^\n]*(?:\n|$) | /\*.*?(?:\*/|$)"""
    r""" | [A-Za-z_\x80-\U0010ffff][\w$]* | .""",
    re.VERBOSE | re.DOTALL,
)
_ORDER = re.compile(r"\s+(?:asc|desc)\s*$", re.IGNORECASE)


def parts(sql: str) -> tuple[tuple[str, ...], str]:
    """Return the terms that an index is made of, as SQL, and the condition of a partial one (else empty)."""
    terms: list[str] = [""]
    depth = 0
    pieces = [found[0] for found in _PIECE.finditer(sql)]
    for n, piece in enumerate(pieces):
        if piece.startswith(("--", "/*")):
            continue
        depth -= piece == ")"
        if depth == 0 and piece == ")":
            return tuple(_ORDER.sub("", term).strip() for term in terms), _condition(pieces[n + 1 :])
        if depth == 1 and piece == ",":
            terms.append("")
        elif depth:
            terms[-1] += piece
        depth += piece == "("
    raise ValueError(f"not the text of an index: {sql!r}")


def _condition(pieces: list[str]) -> str:
    code = [piece for piece in pieces if not piece.startswith(("--", "/*"))]
    return "".join(code).strip()[len("where") :].strip()
