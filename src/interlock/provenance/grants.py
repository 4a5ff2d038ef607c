"""What a request asks for: the effects that a user's own words name. No other text is looked at."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Literal

from interlock.provenance.defaults import words_of
from interlock.provenance.wishes import HEAVY, LIGHT, commands, kinds_of_action, wanted

Concern = Literal["named", "bound", "nothing", "other"]
"""What a proposal's recipients and references are to the user's words: named in them, bound to something that is, other
than that; or it has none."""

_VERBS: tuple[tuple[str, frozenset[str]], ...] = tuple(
    (line.partition(" ")[0], frozenset(line.split()))
    for line in (
        "send email mail message forward reply respond tell write notify inform text dm ping share let post publish",
        "pay send transfer wire refund give remit reimburse settle spend buy purchase order charge return",
        "create add make schedule set put write new save book plan open draft compose start register organize",
        "delete remove erase clear trash drop discard cancel",
        (
            "update change set modify edit adjust adjustment adjustments changes correct fix replace rename increase "
            "decrease raise lower increment move put"
        ),
        "share give grant send",
        "reserve book reservation rent hire",
        "post publish put upload write send share create add announce",
        "invite add include bring",
        "add append include put insert invite write",
        "remove delete kick exclude drop uninvite",
        "cancel delete drop call stop remove terminate end",
        "reschedule move postpone shift change delay push",
        "schedule set plan book arrange create add make pay",
        "close resolve complete finish end mark",
        "approve accept confirm sign authorize",
        "assign give delegate hand reassign allocate",
        "archive move store file",
        "upload attach put add",
        "order buy purchase get",
    )
)
"""Verbs that users take for each other: what asks for an action whose name begins with the first of a line."""

_OBJECTS: tuple[frozenset[str], ...] = tuple(
    frozenset(line.split())
    for line in (
        "email emails mail mails e-mail message messages letter note word",
        "message messages dm dms text chat direct note word inbox",
        (
            "event events appointment appointments meeting meetings calendar reminder lunch dinner session entry "
            "invitation"
        ),
        "file files document documents doc docs list sheet spreadsheet report docx txt xlsx pdf",
        "money payment payments bill rent invoice amount fee transfer refund transaction usd eur dollars euros",
        "transaction transactions payment payments standing order subscription transfer rent refund",
        "info information profile address street city name data details account phone number",
        "participant participants attendee attendees guest guests invite people",
        "webpage page website site web url link article content blog",
        "user users member members person people account colleague friend",
        "channel channels room group",
        "password passcode credentials login pin",
        "hotel hotels room stay accommodation",
        "restaurant restaurants table dinner lunch",
        "car cars rental vehicle",
        "flight flights ticket tickets trip",
        "ticket tickets issue issues bug task tasks case request",
        "comment comments note reply answer",
        "reservation reservations booking bookings",
        "order orders purchase",
        "contact contacts address",
    )
)

_NOT = re.compile(
    r"\b(?:not|never|without|cannot|(?:do|does|wo|ca|must|should|need)n'?t|no need to|under no circumstances|avoid|"
    r"instead of)\b(?:[^\w.!?;\n]+[\w']+){0,5}[^\w.!?;\n]+$",
    re.IGNORECASE,
)
_NOUNS = frozenset(
    "book call change charge dm email file mail message note order plan post purchase report set share text transfer "
    "update".split()
)
"""Verbs that are the names of things as well: who speaks of "the e-mail" has not asked for one to be sent."""

_OF_A_THING = re.compile(
    r"(?:\b(?:a|all|an|any|each|every|first|from|her|his|in|its|last|latest|most recent|my|new|newest|next|of|our|per|"
    r"recent|some|that|the|their|these|this|those|unread|what|which|whose|your)|'s)[^\w.!?;\n]+$"
)
_FOR_THE_USER = re.compile(r"\s+(?:me|us)\b")
_TOKEN = re.compile(r"[\w'-]+|[$€£]\s?\d|\d[\d.,]*\s?[$€£]")
_MONEY = re.compile(r"[$€£]\s?\d|\d[\d.,]{0,20}\s?(?:[$€£]|usd|eur|gbp|dollars|euros|pounds)\b")


class Grants:
    """Tells which of an agent's effects a user's words ask for.

    Args:
        effects: The names of the actions that have effects.
        phrases: By action, how users ask for it; `*` stands for some words.
    """

    def __init__(self, effects: Iterable[str], phrases: Mapping[str, Iterable[str]]) -> None:
        names = tuple(effects)
        firsts = Counter(words_of(name)[:1] for name in names)
        self._wanted = {name: (*_wanted(name), firsts[words_of(name)[:1]] == 1) for name in names}
        self._phrases = {name: tuple(_pattern(one) for one in said) for name, said in phrases.items()}
        self._kinds = {name: kinds_of_action(words_of(name)) for name in names}
        self._granted: set[str] = set()
        self._wants: frozenset[str] = frozenset()

    @property
    def granted(self) -> frozenset[str]:
        """The actions that were asked for by now."""
        return frozenset(self._granted)

    def may_mean(self, action: str, concern: Concern) -> bool:
        """Whether a command of the user may mean this action, by the kind of its effect alone.

        It has to concern what the user spoke of; what pays, removes or gives rights, what he named himself.
        """
        kinds = self._kinds.get(action) or LIGHT
        meant = self._wants & kinds
        if kinds.isdisjoint(LIGHT) or not HEAVY.isdisjoint(words_of(action)):
            return bool(meant) and concern == "named"
        if concern == "nothing":
            return "create" in meant
        return bool(self._wants) and concern in ("named", "bound")

    def grant(self, names: Iterable[str]) -> None:
        """Take in which effects somebody found that the user's words call for; other names are passed over."""
        self._granted |= self._wanted.keys() & set(names)

    def hear(self, words: str) -> None:
        """Take in what the user said."""
        text = words.casefold().replace("’", "'")
        self._wants |= wanted(commands(text))
        said, things = _said(text)
        done = said - things
        for name, (verbs, objects, only) in self._wanted.items():
            if name in self._granted:
                continue
            # What no other effect is called by needs no object: "reschedule my check-up".
            asked = bool(verbs & done) and (not objects or bool(objects & said))
            asked = asked or (only and bool(done & set(words_of(name)[:1])))
            if asked or any(pattern.search(text) for pattern in self._phrases.get(name, ())):
                self._granted.add(name)


@lru_cache(maxsize=4096)
def _wanted(name: str) -> tuple[frozenset[str], frozenset[str]]:
    """Return the verbs and the objects by which an action of this name is asked for."""
    words = words_of(name)
    verb, rest = (words[0], words[1:]) if words else ("", ())
    kind = "pay" if verb == "send" and kinds_of_action(words) == frozenset({"pay"}) else verb
    own = [line for first, line in _VERBS if first == kind]
    verbs = frozenset({verb}).union(*own)
    objects = frozenset[str]().union(*({word, f"{word}s"} for word in rest if len(word) > 2))
    for line in _OBJECTS:
        if line & objects:
            objects |= line
    return verbs, objects


def _said(text: str) -> tuple[frozenset[str], frozenset[str]]:
    """Return the words of a text that are not denied, and those of them that name things throughout."""
    found: set[str] = set()
    verbs: set[str] = set()
    for one in _TOKEN.finditer(text):
        word, before = one[0], text[max(0, one.start() - 60) : one.start()]
        if _NOT.search(before) or _FOR_THE_USER.match(text, one.end()):
            continue
        found.add(word.removesuffix("'s"))
        found.add(word)
        if word in _NOUNS and _OF_A_THING.search(before) is None:
            verbs.add(word)
        for ending in ("ing", "ed", "es", "s", "ation", "lation", "ment"):
            if word.endswith(ending) and len(word) - len(ending) >= 3:
                found.add(word.removesuffix(ending))
                found.add(word.removesuffix(ending) + "e")
    if _MONEY.search(text):
        found.add("money")
    return frozenset(found), _NOUNS - verbs


def _pattern(phrase: str) -> re.Pattern[str]:
    parts = [re.escape(part.strip()) for part in phrase.casefold().split("*")]
    return re.compile(r"\b" + r"\b.{0,80}?\b".join(part for part in parts if part) + r"\b", re.DOTALL)
