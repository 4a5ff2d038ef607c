"""Words that hide in an encoding: base64, hexadecimal, percent signs, escapes. Pure."""

import binascii
import html
import re
from base64 import b64decode
from collections.abc import Callable, Iterator
from urllib.parse import unquote

MOST = 100
"""How many pieces of one kind are decoded."""

WORDS = 0.9
"""The share of letters and spaces from which on bytes are taken for words."""


def decoded(text: str) -> Iterator[tuple[str, str]]:
    """Yield, of every piece of *text* that decodes to words, the name of its encoding and the words."""
    for how, pattern, decode in _WAYS:
        for _, found in zip(range(MOST), pattern.finditer(text), strict=False):
            words = decode(found[0])
            if _is_words(words):
                yield how, words


def _is_words(text: str) -> bool:
    letters = sum(one.isalpha() or one in " ,.'\n" for one in text)
    return " " in text.strip() and letters >= WORDS * len(text)


def _base64(piece: str) -> str:
    try:
        return b64decode(piece[: len(piece) // 4 * 4]).decode(errors="replace")
    except (binascii.Error, ValueError):
        return ""


def _hexadecimal(piece: str) -> str:
    return bytes.fromhex(piece[: len(piece) // 2 * 2]).decode(errors="replace")


def _escapes(piece: str) -> str:
    codes = (int(one, 16) for one in _ESCAPE.findall(piece))
    return "".join(chr(code) for code in codes)


_ESCAPE = re.compile(r"\\(?:u00|u\{?|x)([0-9a-fA-F]{2})\}?")
_WAYS: tuple[tuple[str, re.Pattern[str], Callable[[str], str]], ...] = (
    ("base64", re.compile(r"[A-Za-z0-9+/]{24,}={0,2}"), _base64),
    ("hexadecimal", re.compile(r"(?:[0-9a-fA-F]{2}){16,}"), _hexadecimal),
    ("percent signs", re.compile(r"(?:%[0-9a-fA-F]{2}[\w.+-]*){3,}"), lambda piece: unquote(piece.replace("+", " "))),
    ("escapes", re.compile(rf"(?:{_ESCAPE.pattern}){{8,}}"), _escapes),
    ("entities", re.compile(r"(?:&#x?[0-9a-fA-F]{1,6};){8,}"), html.unescape),
)
