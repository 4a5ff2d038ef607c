"""What a sentence claims that the agent did: "I have sent the e-mail", held against what an agent can do. Pure.

A claim is in the first person and in the past ("I've sent", "we just booked", "I was able to cancel"), it begins its
clause, and its verb is one of an effect that this agent has. Whatever else might be meant is no claim: the passive
("has been sent"), negations, conditions, questions, offers, plans, quotations, drafts, and what was done another day.
So a claim that is found is one; by far not every claim is found. English only.
"""

import re
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from functools import lru_cache
from typing import Any, NamedTuple

from interlock.actions.action import Action
from interlock.provenance.wording import listed

FAMILIES = tuple(
    listed(words)
    for words in (
        "send email message notify forward reply respond text post share invite submit contact write transfer give",
        "book reserve schedule order purchase buy create make arrange add rent",
        "pay transfer send wire remit purchase buy order charge schedule book",
        "refund reimburse compensate credit return pay transfer send cancel",
        "cancel delete remove revoke void drop terminate update",
        "create add schedule make set book insert append write post file open save upload log record issue submit",
        "update change modify edit reschedule move rename adjust correct replace append add write swap upgrade set",
        "share invite send add post grant create schedule",
    )
)
"""Verbs that may tell of the same effect: an action with a word of a family answers for all verbs of it."""

STRONG = listed(
    "send email book reserve pay transfer refund reimburse cancel delete reschedule invite forward purchase wire"
)
"""Verbs that say by themselves what was done; the others need what it was done to, as the action calls it."""

_WEAK = listed(
    "create add schedule make set update change modify edit remove share post submit issue process complete rename "
    "move upload append write order buy message notify upgrade grant save"
)

_IRREGULAR = {
    "sent": "send",
    "paid": "pay",
    "made": "make",
    "set": "set",
    "wrote": "write",
    "written": "write",
    "bought": "buy",
    "cancelled": "cancel",
    "canceled": "cancel",
    "emailed": "email",
    "e-mailed": "email",
    "transferred": "transfer",
    "modified": "modify",
    "notified": "notify",
}

_NOUNS = {
    "mail": "email",
    "e-mail": "email",
    "meeting": "event",
    "appointment": "event",
    "reminder": "event",
    "document": "file",
    "user": "",
    "account": "",
    "reservation": "reserve",
    "booking": "book",
    "payment": "pay",
    "transaction": "pay",
    "refund": "refund",
    "transfer": "transfer",
    "cancellation": "cancel",
    "purchase": "purchase",
    "invitation": "invite",
    "invite": "invite",
}
"""Other names of what things are called in an action, or the verb that the noun stands for; empty: says nothing."""

_LOOKING = listed("get list read search find fetch look check show view load count query retrieve")
_IDLE = listed("a an the of to in on at by for from with and or is are be it its this that new given one all")


def _past() -> dict[str, str]:
    """Return the forms in which a verb tells of the past, each with the verb."""
    forms = dict(_IRREGULAR)
    for verb in STRONG | _WEAK:
        if verb not in _IRREGULAR.values() or verb in ("email", "cancel"):
            forms[verb + ("d" if verb.endswith("e") else "ed")] = verb
    return forms


PAST = _past()

_MANNER = r"(?:(?:also|just|already|now|successfully|then|finally|immediately|hereby|promptly|both|[Tt]hus)\s+)*"
_ABLE = r"(?:was\s+able\s+to|been\s+able\s+to|were\s+able\s+to|managed\s+to)\s+"
_AHEAD = r"(?:gone\s+ahead\s+and|went\s+ahead\s+and|taken\s+care\s+of\s+this\s+and)\s+"
_BEGINS = (
    r"(?:^|[.,;:!…—\u2013*•>)\]\n-]|"
    r"\b(?:[Aa]nd|[Bb]ut|[Ss]o|[Tt]hen|[Yy]es|[Oo]kay|OK|[Dd]one|[Ss]ure|[Bb]ecause|[Nn]ow|that)\b)"
)
_CLAIM = re.compile(
    rf"{_BEGINS}[\s*_]{{0,8}}(?:I|[Ww]e)(?:['\u2019`]ve|\s+have)?\s+{_MANNER}(?:{_AHEAD})?{_MANNER}"
    rf"(?:{_ABLE}{_MANNER}(?P<base>[A-Za-z-]+)|(?P<past>[A-Za-z-]+))\b(?P<rest>.{{0,120}})",
    re.DOTALL,
)
_ALSO = re.compile(
    rf"\b(?:and|then)\s+{_MANNER}(?P<past>[A-Za-z-]+)\s+(?=(?:the|a|an|your|you|it|them|him|her|this|that|\$|€|£|\d))"
    r"(?P<rest>.{0,120})",
    re.DOTALL,
)
_OTHERWISE = re.compile(
    r"\b(?:if|once|unless|until|whether|assuming|suppose|in case|as soon as|would|could|should|wish|pretend|imagine|"
    r"example|template|sample|(?:after|before|when|whenever)(?!\s+\w+ing\b))\b",
    re.IGNORECASE,
)
_ANOTHER_DAY = re.compile(
    r"\b(?:yesterday|ago|previously|earlier|last\s+(?:week|month|year|night|time))\b", re.IGNORECASE
)
_QUOTED = re.compile(r"\"[^\"\n]*\"?|“[^”\n]*”?|«[^»\n]*»?|`[^`\n]*`?|(?<!\w)['‘][^\n]*?['’](?!\w)")  # noqa: RUF001 - quotes
_NOTHING = re.compile(
    r"\s+(?:no|nothing|none|neither|not|nobody|(?:\w+\s+)?(?:attention|heed|respects?|judge?ment))\b", re.IGNORECASE
)
_DRAFT = re.compile(
    r"\bdraft|^\W{0,8}(?:subject|body|content|message|text|description|re|from|to)\W{0,3}:", re.IGNORECASE
)
_FOLLOWS = re.compile(
    r"\b(?:drafts?|e-?mails?|messages?|text|reply|letter|note|post|body|content|wording|follow(?:s|ing))\b[^.!?\n]*:\W{0,8}$",
    re.IGNORECASE,
)
_FURTHER = re.compile(r"\b(?:of|with|for|to|about|in|on|from|at|that|which|and)\b")
_FURTHER_THAN_THERE = re.compile(r"\b(?:of|with|for|about|that|which)\b")
_PUTS = listed("add remove append move share")
"""Verbs that say what they did by where they put it: "added Ann to the channel"."""

_PAST_TOO = listed("found read went took got saw did chose looked")

_WORD = re.compile(r"[a-z][a-z-]*")


class Claim(NamedTuple):
    """That something was done: in which words, and which actions could have done it."""

    words: str
    actions: frozenset[str]


class Claims:
    """Finds claims in the sentences of one answer, in their order.

    Args:
        actions: What the agent and those that it hands on to can do.
        phrases: By action, how users ask for it.

    The mutable state: whether a draft or a quotation of several lines has begun, in which nothing is a claim.
    """

    def __init__(
        self, actions: Mapping[str, Action[Any, Any, Any]], phrases: Mapping[str, Iterable[str]] | None = None
    ) -> None:
        told = phrases or {}
        self._words = {
            one.name: words
            for one in actions.values()
            if one.effect != "read" and (words := _words_of(one, tuple(told.get(one.name, ()))))
        }
        self._drafting = False

    def in_sentence(self, sentence: str) -> list[Claim]:
        """Return what the next sentence claims."""
        if not self._words or self._drafting:
            return []
        if _DRAFT.search(sentence) or sentence.lstrip().startswith(">") or sentence.rstrip(" \n\"”')*").endswith("?"):
            found = []
        else:
            found = self._claims(_QUOTED.sub(_blank, sentence))
        self._drafting = _FOLLOWS.search(sentence) is not None
        return found

    def _claims(self, sentence: str) -> list[Claim]:
        found: list[Claim] = []
        if _ANOTHER_DAY.search(sentence):
            return found
        for match in _CLAIM.finditer(sentence):
            if _OTHERWISE.search(sentence, 0, match.start("past" if match["past"] else "base")):
                break
            verb = PAST.get(match["past"].lower()) if match["past"] else match["base"].lower()
            found += self._claim(verb, match)
            if _tells_of_the_past(match):
                found += [one for also in _ALSO.finditer(match["rest"]) for one in self._claim(_verb(also), also)]
        return found

    def _claim(self, verb: str | None, match: re.Match[str]) -> list[Claim]:
        if verb is None or verb not in STRONG | _WEAK or _NOTHING.match(match["rest"]):
            return []
        things = {_plain(word) for word in _WORD.findall(match["rest"].lower()[:80])}
        meant = {verb} | (things & STRONG)
        answering = self._answering(meant)
        if verb in STRONG:
            certain = self._answering({verb})
        else:
            further = _FURTHER_THAN_THERE if verb in _PUTS else _FURTHER
            done_to = {_plain(word) for word in _WORD.findall(further.split(match["rest"].lower(), maxsplit=1)[0])}
            certain = {one for one in self._answering(meant & done_to | {verb}) if self._is_named(one, done_to)}
        if not certain:
            return []
        # Any of them may have done it, and so may one that is named after what it was done to.
        wide = answering | {one for one, words in self._words.items() if things & words}
        return [Claim(" ".join(match[0].strip(" \n,;:.!*-").split())[:120], frozenset(wide))]

    def _is_named(self, action: str, things: set[str]) -> bool:
        """Whether an action is named after one of the things, or after a verb that one of them stands for."""
        words = self._words[action]
        return bool(things & (words - _VERBS)) or any(self._answers(words, {one}) for one in things & STRONG)

    def _answering(self, verbs: set[str]) -> set[str]:
        return {name for name, words in self._words.items() if self._answers(words, verbs)}

    @staticmethod
    def _answers(words: AbstractSet[str], verbs: AbstractSet[str]) -> bool:
        return bool(words & verbs) or any(one & verbs and one & words for one in FAMILIES)


_VERBS = frozenset[str]().union(*FAMILIES) - {"email", "message", "post"}


def _tells_of_the_past(match: re.Match[str]) -> bool:
    """Whether the first verb of a clause tells of the past, so that those behind an "and" do, too."""
    first = (match["past"] or match["base"]).lower()
    return match["base"] is not None or first.endswith("ed") or first in PAST or first in _PAST_TOO


def _verb(match: re.Match[str]) -> str | None:
    verb = match["past"].lower()
    return None if verb == "set" else PAST.get(verb)  # Of "set" it can't be told when that is.


def _blank(match: re.Match[str]) -> str:
    return " " * len(match[0])


@lru_cache(maxsize=4096)
def _words_of(action: Action[Any, Any, Any], phrases: tuple[str, ...]) -> frozenset[str]:
    """Return the words that an action goes by: of its name, its first line of documentation, and its phrases."""
    name = re.sub(r"(?<=[a-z])(?=[A-Z])|[_\W]+", " ", action.name).lower().split()
    if name and name[0] in _LOOKING:
        return frozenset()
    line = action.doc.strip().partition("\n")[0]
    told = _WORD.findall(" ".join((*name, line.lower(), *phrases)).lower())
    return frozenset(plain for word in told if word not in _IDLE and (plain := _plain(word)))


def _plain(word: str) -> str:
    """Return a word as it is compared: singular, and by its commonest name."""
    single = word[:-1] if word.endswith("s") and not word.endswith(("ss", "us")) else word
    return _NOUNS.get(single, PAST.get(single, single))
