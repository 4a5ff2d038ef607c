"""Links and images in an answer: who named them, and whether showing them would send something out. Pure.

A link of a host that the user, the operator or a trusted field named may stand anywhere. One that stands in third-party
text may be shown as it is, where the user asked for that text; it never loads by itself. One that the model put
together is not shown at all: its path is as good as a message to whoever owns the host.
"""

import html
import re
from collections.abc import Callable, Iterable
from typing import NamedTuple

from interlock.provenance.trust import Trust
from interlock.provenance.wording import words_in

NAMED = Trust.DIRECTORY
"""From how much trust on a host counts as named."""

AROUND = 240
"""How many characters before and behind a link in a result tell what it is about."""

LONGEST_TAIL = 500
"""How many characters of markup that has begun are looked at again with the next sentence."""

DEEPEST = 20
"""How many brackets may be open at the end of a sentence."""

_LINK = re.compile(
    r"(?:(?<![a-z0-9+.-])[a-z][a-z0-9+.-]{1,20}:/{1,3}|(?<![\w./@-])www\.)[^\s<>\"'`|\[\]]{1,2000}", re.IGNORECASE
)
_TRAILING = ".,;:!?*_~'\"”\u2019)]}>"
_COMPLETES = re.compile(r"[\]>=:/(]|www\.", re.IGNORECASE)
"""Without one of these no link or markup comes to its end."""

_BRACKET = re.compile(r"\\.|!?\[|\](?:\(\s{0,20}<?([^)\s>]{1,2000}))?|\n[ \t]*\n", re.DOTALL)
_DEFINED = re.compile(r"^ {0,3}\[[^\]\n]{1,200}\]:\s{0,20}<?(\S{1,2000})", re.MULTILINE)
_FETCHES = re.compile(
    r"\b(?:src|srcset|href|data|poster|background|action|formaction|ping|content)\s{0,20}=\s{0,20}"
    r"(?:\"([^\"]{0,2000})|'([^']{0,2000})|([^\s\"'>]{1,2000}))",
    re.IGNORECASE,
)
_IN_STYLE = re.compile(r"(?:url\s{0,20}\(|@import)\s{0,20}[\"']?([^\"')>\s]{1,2000})", re.IGNORECASE)
_TAG = re.compile(r"<[a-z!]", re.IGNORECASE)
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):", re.IGNORECASE)
_HARMLESS = ("data", "cid", "attachment", "mailto", "tel")
_PLAIN_HOST = re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+)*(?::\d{1,5})?", re.IGNORECASE)

_ASKING = (
    "link",
    "links",
    "url",
    "urls",
    "website",
    "websites",
    "site",
    "sites",
    "page",
    "pages",
    "webpage",
    "article",
)
"""Words of a user who asks for links, whatever they are about."""


class _Link(NamedTuple):
    """A link in a result: how far that text is trusted, and what it and its source are about."""

    trust: Trust
    about: str


class Showing:
    """Tells of a part of an answer what is wrong with its links.

    Args:
        texts: The texts of all results, each with its trust and source.
        trust: How far a value can be trusted.
        own: Domains and addresses of the user or the organisation.
        wanted: What third-party texts want said: a link in it is not shown, whatever the user asked.

    The mutable state: the markup or link that has begun and may go on in the next sentence; whether an image was shown
    by a name, and which addresses names were given to.
    """

    def __init__(
        self,
        texts: Iterable[tuple[Trust, str, str]],
        trust: Callable[[str], Trust],
        *,
        own: tuple[str, ...] = (),
        wanted: str = "",
    ) -> None:
        self._begun = ""
        self._by_name = False
        self._named: list[str] = []
        self._trust = trust
        self._wanted = {_bare(link) for _, link in links(wanted)}
        self._own = tuple(one.casefold().rpartition("@")[2] for one in own)
        self._links: dict[str, _Link] = {}
        self._hosts: dict[str, Trust] = {}
        for level, source, text in texts:
            for place, link in links(text):
                near = text[max(place - AROUND, 0) : place + len(link) + AROUND]
                self._learn(level, link, f"{source.replace('_', ' ')} {near}")

    def _learn(self, trust: Trust, link: str, text: str) -> None:
        known = self._links.get(_bare(link))
        if known is None or known.trust < trust:
            self._links[_bare(link)] = _Link(trust, text)
        host = host_of(link)
        self._hosts[host] = max(trust, self._hosts.get(host, Trust.NOWHERE))
        self._links.setdefault(host, _Link(trust, text))

    def problem(self, sentence: str) -> str:
        """Return what is wrong with the links of the next sentence of an answer; empty where nothing is."""
        text, new = self._begun + sentence, len(self._begun)
        self._begun = _open_end(text)
        return self._of_markup(text, new) if _COMPLETES.search(sentence) else ""

    def _of_markup(self, text: str, new: int) -> str:
        markup = Markup(text, new)
        self._by_name = self._by_name or markup.by_name
        self._named += markup.named
        named: list[str] = []
        if self._by_name:
            named, self._named = self._named, named
        for address in (*markup.loads, *named):
            host = host_of(address)
            if not self._is_named(host):
                return f"it would load {address[:120]!r} by itself, and neither the user nor a trusted source named it"
        for shown, address in markup.masked:
            if host_of(shown) != host_of(address):
                return f"it shows {shown[:80]!r} and leads to {address[:120]!r}"
        new_links = [link for place, link in links(text) if place + len(link) > new]
        return next((says for link in (*markup.leads, *new_links) if (says := self._of_link(link))), "")

    def _of_link(self, link: str) -> str:
        host = host_of(link)
        scheme = _SCHEME.match(link)
        if (scheme and scheme[1].casefold() in _HARMLESS) or self._is_named(host) or self._trust(link) >= NAMED:
            return ""
        known = self._links.get(_bare(link))
        if known is None:
            return f"the link {link[:120]!r} stands in nothing that the run has seen: it was put together"
        if _bare(link) in self._wanted:
            return f"the link {link[:120]!r} stands in third-party text that wants it said"
        if self._asked(known.about) or self._asked(link):
            return ""
        return f"the link {link[:120]!r} stands only in third-party text that the user did not ask about"

    def _is_named(self, host: str) -> bool:
        # What programs disagree about (`evil.example\\@a.ours`) is nobody's.
        if _PLAIN_HOST.fullmatch(host) and any(host == one or host.endswith(f".{one}") for one in self._own):
            return True
        plain = host.removeprefix("www.")
        names = (host, plain, f"www.{plain}")
        return any(self._hosts.get(one, Trust.NOWHERE) >= NAMED or self._trust(one) >= NAMED for one in names)

    def _asked(self, text: str) -> bool:
        """Whether words of the user are about what the text is about, or where it comes from."""
        return any(self._trust(one) == Trust.USER for one in (*words_in(text), *_ASKING) if len(one) > 3)


def links(text: str) -> list[tuple[int, str]]:
    """Return the links in a text, with their places and without the punctuation behind them."""
    if ":/" not in text and "www." not in text.casefold():
        return []
    return [(one.start(), one[0].rstrip(_TRAILING)) for one in _LINK.finditer(text)]


class Markup:
    """The markup of a text (Markdown, HTML) that ends behind a place of it.

    Attributes:
        loads: The addresses that a program which shows it would load by itself, as that program reads them.
        leads: The addresses that its links lead to.
        by_name: Whether an image is shown by the name of an address, which may be given anywhere.
        named: The addresses that are given a name.
        masked: Links that are shown as another link: what is shown, and where it leads.
    """

    def __init__(self, text: str, new: int = 0) -> None:
        self.leads: list[str] = []
        self.masked: list[tuple[str, str]] = []
        found: list[str] = []
        self.by_name = False
        opened: list[tuple[int, bool]] = []
        for one in _BRACKET.finditer(text) if "](" in text or "![" in text else ():
            if one[0].endswith("["):
                opened.append((one.end(), len(one[0]) > 1))
            elif not one[0].startswith("]"):
                if not one[0].startswith("\\"):
                    opened.clear()  # A paragraph ends, and all markup in it.
            elif opened:
                start, is_image = opened.pop()
                self.by_name = self.by_name or (is_image and not one[1])
                if one[1] and one.end() > new:
                    self._take(text[start : one.start()], one[1], is_image, found)
        self.named = [read for one in _DEFINED.finditer(text) if one.end() > new and (read := _read(one[1]))]
        if (tag := _TAG.search(text)) is not None:
            found += _fetched(text, tag.start(), new)
        self.loads = [address for one in found if (address := _read(one))]

    def _take(self, label: str, address: str, is_image: bool, found: list[str]) -> None:
        if is_image:
            found.append(address)
            return
        shown = links(label)
        if shown and shown[0][1] == label.strip(_TRAILING + " <"):
            self.masked.append((shown[0][1], address))
        if read := _read(address):
            self.leads.append(read)


def _fetched(text: str, start: int, new: int) -> list[str]:
    """Return the addresses in attributes and styles of HTML."""
    found: list[str] = []
    for one in _FETCHES.finditer(text, start):
        if one.end() > new:
            found += (one[1] or one[2] or one[3] or "").replace(",", " ").split()
    return found + [one[1] for one in _IN_STYLE.finditer(html.unescape(text[start:]))]


def _open_end(text: str) -> str:
    """Return the end of a text that the next words may go on with: markup that has begun, or a link."""
    end = text[-LONGEST_TAIL:]
    if end.count("[") > DEEPEST:
        end = "[".join(["", *end.rsplit("[", DEEPEST)[1:]])
    paragraph = end.rfind("\n\n") + 1
    begun = [
        end.find(opens, paragraph)
        for opens, closes in (("[", "]"), ("<", ">"))
        if end.count(opens, paragraph) > end.count(closes, paragraph)
    ]
    if begun:
        return end[max(min(begun) - 1, 0) :]
    return "" if end[-1:].isspace() else end


def _read(address: str) -> str:
    """Return an address as a browser reads it; empty where it leads nowhere else."""
    plain = _ESCAPED.sub(r"\1", html.unescape(address))
    plain = "".join(one for one in plain if one > " ").replace("\\", "/")
    scheme = _SCHEME.match(plain)
    if scheme and scheme[1].casefold() in _HARMLESS:
        return ""
    return plain if scheme or plain.startswith("//") else ""


def host_of(link: str) -> str:
    """Return the host that a link leads to; what is written so that programs disagree about it is its own host."""
    rest = _SCHEME.sub("", link, count=1) if not link.casefold().startswith("www.") else link
    authority = re.split(r"[/?#]", rest.lstrip("/\\"), maxsplit=1)[0]
    return authority.casefold() if _PLAIN_HOST.fullmatch(authority) else authority


def _bare(link: str) -> str:
    """Return a link without its scheme and what else changes nothing."""
    return re.sub(r"^[a-z][a-z0-9+.-]*:/{1,3}", "", link, flags=re.IGNORECASE).rstrip("/").casefold()
