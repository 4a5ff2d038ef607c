"""What a short text looks like (an address, a link, an account, free text): by its grammar, never by its meaning."""

import re
from string import ascii_letters, digits

from interlock.provenance.normal import days, has_digit

LONGEST_FIELD = 100
"""How many characters a field has at most that is no free text."""

EMAIL = re.compile(r"[\w.+'-]+@[\w-]+(?:\.[\w-]+)+", re.ASCII)
LINK = re.compile(
    # Hosts may hold letters of any script, and other dots that browsers take for one.
    r"(?:(?:https?|ftp|file|data|javascript|wss?)://?[^\s<>\"'`)\]}]+|javascript:[^\s<>\"'`\]}]+"
    r"|(?<![\w@.-])(?:[\w-]+[.\u3002\uff0e\uff61])+[^\W\d_]{2,}(?:/[^\s<>\"'`)\]}]*)?(?![\w@]))",
    re.IGNORECASE,
)
_LOCAL = ascii_letters + digits + "_.+'-"
_DOMAIN = re.compile(r"[\w-]+(?:\.[\w-]+)+", re.ASCII)
_MAY_BE_LINK = re.compile(r"[:.\u3002\uff0e\uff61]")
_FILE_ENDINGS = frozenset(
    "txt md pdf doc docx xls xlsx csv ppt pptx png jpg jpeg gif svg json xml yaml yml zip gz tar html htm py "
    "js ts log".split()
)
_IBAN = re.compile(r"[A-Z]{2}\d{2}[A-Z0-9]{10,30}", re.IGNORECASE)
_SHORTEST_IBAN = 14
_LONG_DIGITS = re.compile(r"\d[\d -]{7,}\d")
_ACCOUNT = re.compile(
    # It takes its first character before it looks at what stands before that: so it is looked for faster.
    r"[A-Z\d](?<![\w-].)(?:(?<=[A-Z])[A-Z]\d{2}(?: ?[A-Z0-9]{4}){2,8}(?: ?\d{1,3})?|(?<=\d)(?:[ -]?\d){7,})(?![\w-])",
    re.ASCII,
)
_NO_FIELD = re.compile(r"<\s*/?\s*[a-zA-Z!][^>]*>|\]\(|```|\{\{|\.\s+\w|!\s+\w|\?\s+\w")
"""Markup, or a sentence behind another. Alternatives that begin with one character each are found the fastest."""
_TRAILING = ".,;:!?'\"”’)]}>"


def is_address(text: str) -> bool:
    """Whether a text is what a message, a payment or a request can be sent to: an address, a link, an account."""
    if ("@" in text and addresses(text)) or links(text):
        return True
    if not has_digit(text):
        return False
    squeezed = text.replace(" ", "")
    if len(squeezed) >= _SHORTEST_IBAN and _IBAN.search(squeezed):
        return True
    return len(text) < 40 and _LONG_DIGITS.search(text) is not None and not days(text)


def links(text: str) -> list[str]:
    """Return the links in a text, without the punctuation behind them; names of files are none."""
    found: list[str] = []
    if _MAY_BE_LINK.search(text) is None:
        return found
    # No link holds a space, and most words hold nothing of a link.
    likely = [
        one
        for one in text.split()
        if "." in one or ":" in one or not (one.isascii() or _MAY_BE_LINK.search(one) is None)
    ]
    for one in (link for word in likely for link in LINK.findall(word)):
        link = one.rstrip(_TRAILING)
        ending = link.rpartition(".")[2].casefold()
        if "/" not in link and (ending in _FILE_ENDINGS or link.replace(".", "").isdigit()):
            continue
        found.append(link)
    return found


def addresses(text: str) -> list[str]:
    """Return the e-mail addresses in a text; it takes time in proportion to its length."""
    found: list[str] = []
    end, at = 0, text.find("@")
    while at >= 0:
        before = text[end:at]
        local = before[len(before.rstrip(_LOCAL)) :]
        domain = _DOMAIN.match(text, at + 1) if local else None
        end = at + 1 if domain is None else domain.end()
        if domain is not None:
            found.append(f"{local}@{domain[0]}".rstrip(_TRAILING))
        at = text.find("@", end)
    return found


def accounts(text: str) -> list[str]:
    """Return the account numbers and other long codes in a text, as they are written there."""
    return [one for one in _ACCOUNT.findall(text) if len(one) <= LONGEST_FIELD] if has_digit(text) else []


def is_field(text: str) -> bool:
    """Whether a text can be a field: short, of one line, without markup, no sentences."""
    return len(text) <= LONGEST_FIELD and text.isprintable() and _NO_FIELD.search(text) is None


def sendable(text: str) -> list[str]:
    """Return what can be sent to, of all that stands in a text: addresses, links, accounts."""
    return [*addresses(text), *links(text), *(one for one in re.findall(r"\w+", text) if _IBAN.fullmatch(one))]


def kind_of(text: str) -> str:
    """Return which kind of address a text is: email, link or account; empty for none."""
    if EMAIL.fullmatch(text.strip()):
        return "email"
    if _IBAN.fullmatch(text.replace(" ", "")):
        return "account"
    return "link" if links(text) == [text.strip()] else ""
