"""One spelling for values that mean the same: texts, numbers, dates, codes. Pure functions."""

import re
import unicodedata
from datetime import date, timedelta
from decimal import Context, Decimal, InvalidOperation
from string import ascii_lowercase, ascii_uppercase
from typing import Any

LONGEST_CODE = 64
"""How many characters an account number, a phone number or another code has at most."""


def plain(text: str) -> str:
    """Return *text* with composed characters, folded case and single spaces.

    Invisible and look-alike characters stay what they are: a value that holds some is another value.
    """
    composed = text if text.isascii() else unicodedata.normalize("NFC", text)
    return " ".join(composed.casefold().split())


def code(text: str) -> str:
    """Return *text* as a code without spaces, dashes and brackets (`DE89 3704…`, `+49 (30) 1234`); empty for none."""
    if len(text) > LONGEST_CODE or not has_digit(text):
        return ""
    found = SEPARATORS.sub("", text).casefold()
    return found if len(found) >= 6 and found.isascii() and found.isalnum() else ""


def has_digit(text: str) -> bool:
    """Whether a digit stands in a text: without one, it names no day, no number, no code."""
    return _DIGIT.search(text) is not None


def number(value: Any) -> Decimal | None:
    """Return a number, or a text that is one (`$1,200.50`), exactly; None for anything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return _decimal(value) if value.bit_length() < _MOST_BITS else None
    if isinstance(value, float):
        return _decimal(repr(value))
    if isinstance(value, str) and len(value) <= LONGEST_CODE and _NUMBER.fullmatch(value.strip()):
        return _decimal(_CURRENCY.sub("", value).replace(",", "").strip())
    return None


def numbers(text: str) -> set[Decimal]:
    """Return the numbers that stand in a text."""
    if not has_digit(text):
        return set()
    found = (_decimal(one.replace(",", "")) for one in _IN_TEXT.findall(text))
    return {one for one in found if one is not None} | _in_words(text.translate(_SMALL))


def _in_words(text: str) -> set[Decimal]:
    """Return the numbers that are written in words, by their first letters: a bound of words takes long to look for."""
    found = ((one[0], text[max(one.start() - 1, 0) : one.start()]) for one in _IN_WORDS.finditer(text))
    return {_WORDS[word] for word, before in found if not (before.isalnum() or before == "_")}


def days(text: str) -> frozenset[tuple[int, int]]:
    """Return the days (month, day) that a text names, in the ways in which English texts write them."""
    if not has_digit(text):
        return _NO_DAYS
    found: set[tuple[int, int]] = set()
    if "-" in text:
        found |= {(int(month), int(day)) for _, month, day in _ISO.findall(text)}
    for one in _WORDED.finditer(text) if _may_name_day(text.casefold()) else ():
        month = _MONTHS[(one["before"] or one["after"])[:3].casefold()]
        first = int(one["day"] or one["late"])
        found.add((month, first))
        last = one["until"] or one["to"]
        if last:
            found.add((month, int(last)))
    for first, second in _SLASHED.findall(text) if "/" in text or "." in text else ():
        found |= {(int(first), int(second)), (int(second), int(first))}
    return frozenset(one for one in found if _is_day(*one)) if found else _NO_DAYS


def _may_name_day(text: str) -> bool:
    """Whether a text of folded case may hold a day in words; it is told faster than the day is found."""
    return _NAMED.search(text) is not None and bool(_MONTH_DAY.search(text) or _DAY_MONTH.search(text))


def shifted(day: tuple[int, int], by: int) -> tuple[int, int]:
    """Return the day (month, day) that lies *by* days later, in a leap year."""
    later = date(2024, *day) + timedelta(days=by)
    return later.month, later.day


def _decimal(number: str | int) -> Decimal | None:
    try:
        value = Decimal(number)
    except InvalidOperation:
        return None
    # With the usual 28 digits, account numbers that differ behind them would be the same.
    return value.normalize(_EXACT) if value.is_finite() and abs(value.adjusted()) < 100 else None


def _is_day(month: int, day: int) -> bool:
    try:
        date(2024, month, day)
    except ValueError:
        return False
    return True


SEPARATORS = re.compile(r"[\s().+/-]+")
"""What may stand between the parts of a code."""

_EXACT = Context(prec=400)
_MOST_BITS = 400
_DIGIT = re.compile(r"\d")
_CURRENCY = re.compile(r"[$€£¥]|USD|EUR|GBP|CHF")
_NUMBER = re.compile(r"(?:[$€£¥]|USD|EUR|GBP|CHF)?\s*-?\d[\d,]*(?:\.\d+)?\s*(?:[$€£¥]|USD|EUR|GBP|CHF)?")
# A pattern is looked for several times as fast where it begins with a set of characters; so each of these takes its
# first character, and then looks at what stands before it.
_IN_TEXT = re.compile(r"[-\d](?<![\w.,][-\d])(?:(?<=-)\d|(?<!-))(?:[\d,]*\d)?(?:\.\d+)?(?!\w)")
_ISO = re.compile(r"(\d(?<!\d\d)\d{3})-(\d{1,2})-(\d{1,2})(?!\d)")
_SLASHED = re.compile(r"(\d(?<!\d\d)\d?)[/.](\d{1,2})[/.]\d{2,4}(?!\d)")
_WORDS = {
    word: Decimal(value)
    for value, word in enumerate("one two three four five six seven eight nine ten eleven twelve".split(), 1)
} | {"tomorrow": Decimal(1), "dozen": Decimal(12)}
_SMALL = str.maketrans(f"{ascii_uppercase}\u017f", f"{ascii_lowercase}s")
_IN_WORDS = re.compile(rf"(?:{'|'.join(_WORDS)})\b")
_MONTHS = {
    name: number
    for number, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), 1
    )
}
_NO_DAYS = frozenset[tuple[int, int]]()
_NAMED = re.compile("|".join(_MONTHS))
_MONTH_DAY = re.compile(rf"(?:{'|'.join(_MONTHS)})\S{{0,14}}\s+(?:the\s+)?\d")
_DAY_MONTH = re.compile(rf"\d(?:st|nd|rd|th)?\s+(?:of\s+)?(?:{'|'.join(_MONTHS)})")
_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}\.?"
_WORDED = re.compile(
    rf"\b(?:(?P<before>{_MONTH})\s+(?:the\s+)?(?P<day>\d{{1,2}})(?:st|nd|rd|th)?\b"
    rf"(?:\s*(?:-|–|to|until|and)\s*(?P<until>\d{{1,2}})(?:st|nd|rd|th)?\b)?"
    rf"|(?P<late>\d{{1,2}})(?:st|nd|rd|th)?(?:\s*(?:-|–|to|until|and)\s*(?P<to>\d{{1,2}})(?:st|nd|rd|th)?)?"
    rf"\s+(?:of\s+)?(?P<after>{_MONTH})\b)",
    re.IGNORECASE,
)
