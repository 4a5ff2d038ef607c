"""What can be read from plain words without a model: names of things, dates, dollars, a yes.

Deterministic, English, and no more than lists and patterns: what is said in other words is not seen.
"""

import re
from collections.abc import Iterable
from datetime import date

_GO_AHEAD = re.compile(
    r"\b(yes|yeah|yep|yup|oui|proceed|go ahead|go for it|confirm(ed|ing)?"
    r"|please (do|book|cancel|change|update|upgrade|downgrade|add|make|use|switch|move))\b"
    r"|^\W*(cancel|book|change|update|upgrade|downgrade|add|use|do it)\b",
    re.IGNORECASE,
)
_AGREES = re.compile(
    r"\b(sure|ok|okay|absolutely|definitely|certainly|of course|agreed?|do it|sounds good|works for me|that works"
    r"|let'?s|(fine|happy|good|okay) with|looks? (good|great|fine|correct|perfect|right)"
    r"|(is|are|that'?s|it'?s) (all )?(correct|right|fine|good|perfect|okay|ok))\b"
    r"|^\W*(correct|perfect|great|right|exactly|fine|alright|all right|good)\b",
    re.IGNORECASE,
)
_WAITS = re.compile(
    r"^\W*(wait|hold on|stop|actually,? no)\b|\bnot yet\b"
    r"|\b(do not|don'?t|not|won'?t) (want (you )?to |please )?(proceed|go ahead|book|cancel|change|do (it|that|this))"
    r"\b",
    re.IGNORECASE,
)
_REFUSES = re.compile(r"^\W*(no|nope)\b", re.IGNORECASE)
_ASKS = re.compile(
    r"\b(confirm|proceed|would you like|go ahead|(shall|should|may|can) i|do you want|is (this|that|everything)"
    r"|ready to|let me know|sound good)\b",
    re.IGNORECASE,
)
_DOLLARS = re.compile(r"\$\s?(\d[\d,]*)(?:\.(\d\d))?")
_EACH = re.compile(r"^\W*((for )?(per|each|every)\b|a (passenger|person))", re.IGNORECASE)
_FLIGHT = re.compile(r"\bHAT\d{3}\b")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = "(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"
_DAY = r"(\d{1,2})(?:st|nd|rd|th)?\b"
_YEAR = r"(?:,? (\d{4})\b)?"
_DATE_ISO = re.compile(r"\b(\d{4})-(\d\d)-(\d\d)\b")
_MONTH_DAY = re.compile(rf"\b{_MONTH}\.? {_DAY}{_YEAR}", re.IGNORECASE)
_DAY_MONTH = re.compile(rf"\b{_DAY}(?: of)? {_MONTH}\b\.?{_YEAR}", re.IGNORECASE)
_THIS_YEAR = 2024
_WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_NUMBERS = {word: number for number, word in enumerate(_WORDS)}
_CABIN = re.compile(r"\b(basic[ _-]economy|economy|business)\b", re.IGNORECASE)


def is_yes(text: str) -> bool:
    """Tell whether a reply agrees: by a yes or an order ("please cancel"), or by other words and not after a no."""
    if _WAITS.search(text):
        return False
    return bool(_GO_AHEAD.search(text)) or bool(_AGREES.search(text) and not _REFUSES.search(text))


def asks(text: str) -> bool:
    """Tell whether a text asks for a go-ahead."""
    return _ASKS.search(text) is not None


def flights(text: str) -> set[str]:
    """Return the flight numbers in a text."""
    return set(_FLIGHT.findall(text))


def days(text: str) -> set[tuple[int, int]]:
    """Return the days of the desk's year in a text as month and day, whichever way they are written."""
    return {(month, number) for year, month, number in _dates(text) if year == _THIS_YEAR}


def _dates(text: str) -> set[tuple[int, int, int]]:
    """Return the dates in a text; those without a year are of the desk's."""
    found = {(int(year), int(month), int(number)) for year, month, number in _DATE_ISO.findall(text)}
    spelled = [*_MONTH_DAY.findall(text), *((month, number, year) for number, month, year in _DAY_MONTH.findall(text))]
    return found | {
        (int(year or _THIS_YEAR), _MONTHS.index(month[:3].lower()) + 1, int(number)) for month, number, year in spelled
    }


def day(iso: str) -> tuple[int, int]:
    """Return month and day of a date such as 2024-05-15."""
    return date.fromisoformat(iso).month, date.fromisoformat(iso).day


def cabins(text: str) -> set[str]:
    """Return the cabins in a text, as the API spells them."""
    return {re.sub(r"[ -]", "_", name.lower()) for name in _CABIN.findall(text)}


def dollars(text: str, people: int) -> set[int]:
    """Return the amounts in a text; one that is "per passenger" counts for one, and for all *people*."""
    found: set[int] = set()
    for match in _DOLLARS.finditer(text):
        amount = int(match[1].replace(",", ""))
        found.add(amount)
        if _EACH.match(text[match.end() :]):
            found.add(amount * people)
    return found


def numbers(lines: Iterable[str]) -> set[int]:
    """Return the whole numbers in some lines, written as figures or as words up to ten."""
    found: set[int] = set()
    for line in lines:
        bare = _DOLLARS.sub(" ", line)
        found |= {int(figure) for figure in re.findall(r"(?<![\w.])\d{1,3}(?![\w-])", bare)}
        found |= {_NUMBERS[word] for word in re.findall(r"[a-z]+", bare.lower()) if word in _NUMBERS}
    return found


def lines_with(text: str, pattern: str) -> list[str]:
    """Return the lines of a text in which a pattern is found, whatever the case."""
    return [line for line in text.splitlines() if re.search(pattern, line, re.IGNORECASE)]


def says_birthday(text: str, iso: str) -> bool:
    """Tell whether a date of birth is in a text, spelled out or in figures with the month first."""
    try:
        born = date.fromisoformat(iso)
    except ValueError:
        return False
    figures = (f"{born.month}/{born.day}/{born.year}", f"{born.month:02}/{born.day:02}/{born.year}")
    return any(one in text for one in figures) or (born.year, born.month, born.day) in _dates(text)
