"""One spelling for values that mean the same: texts, numbers, dates, codes. Pure functions."""

import re
import unicodedata
from datetime import date, timedelta
from decimal import Context, Decimal, InvalidOperation
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
    if len(text) > LONGEST_CODE or _DIGIT.search(text) is None:
        return ""
    found = SEPARATORS.sub("", text).casefold()
    return found if len(found) >= 6 and found.isascii() and found.isalnum() else ""


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
    if _DIGIT.search(text) is None:
        return set()
    found = (_decimal(one.replace(",", "")) for one in _IN_TEXT.findall(text))
    return {one for one in found if one is not None} | {_WORDS[one.casefold()] for one in _IN_WORDS.findall(text)}


def days(text: str) -> set[tuple[int, int]]:
    """Return the days (month, day) that a text names, in the ways in which English texts write them."""
    if _DIGIT.search(text) is None:
        return set()
    found = {(int(month), int(day)) for _, month, day in _ISO.findall(text)}
    for one in _WORDED.finditer(text) if _NAMED.search(text) is not None else ():
        month = _MONTHS[(one["before"] or one["after"])[:3].casefold()]
        first = int(one["day"] or one["late"])
        found.add((month, first))
        last = one["until"] or one["to"]
        if last:
            found.add((month, int(last)))
    for first, second in _SLASHED.findall(text) if "/" in text or "." in text else ():
        found |= {(int(first), int(second)), (int(second), int(first))}
    return {one for one in found if _is_day(*one)}


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
_IN_TEXT = re.compile(r"(?<![\w.,])-?\d(?:[\d,]*\d)?(?:\.\d+)?(?![\w])")
_ISO = re.compile(r"(?<!\d)(\d{4})-(\d{1,2})-(\d{1,2})(?!\d)")
_SLASHED = re.compile(r"(?<!\d)(\d{1,2})[/.](\d{1,2})[/.]\d{2,4}(?!\d)")
_WORDS = {
    word: Decimal(value)
    for value, word in enumerate("one two three four five six seven eight nine ten eleven twelve".split(), 1)
} | {"tomorrow": Decimal(1), "dozen": Decimal(12)}
_IN_WORDS = re.compile(rf"\b(?:{'|'.join(_WORDS)})\b", re.IGNORECASE)
_MONTHS = {
    name: number
    for number, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), 1
    )
}
_NAMED = re.compile("jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec", re.IGNORECASE)
_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}\.?"
_WORDED = re.compile(
    rf"\b(?:(?P<before>{_MONTH})\s+(?:the\s+)?(?P<day>\d{{1,2}})(?:st|nd|rd|th)?\b"
    rf"(?:\s*(?:-|–|to|until|and)\s*(?P<until>\d{{1,2}})(?:st|nd|rd|th)?\b)?"
    rf"|(?P<late>\d{{1,2}})(?:st|nd|rd|th)?(?:\s*(?:-|–|to|until|and)\s*(?P<to>\d{{1,2}})(?:st|nd|rd|th)?)?"
    rf"\s+(?:of\s+)?(?P<after>{_MONTH})\b)",
    re.IGNORECASE,
)
