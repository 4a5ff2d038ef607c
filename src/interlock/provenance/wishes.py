"""What a user's words want done: verbs where commands stand, and the kinds of effect that each may mean (English)."""

import re
from collections.abc import Collection, Iterable
from functools import lru_cache

_KINDS: dict[str, frozenset[str]] = {
    kind: frozenset(words.split())
    for kind, words in {
        "communicate": """
            announce answer apologise apologize ask brief comment confirm congratulate contact dm email forward inform
            invite let mail message notify ping post publish remind reply report respond say send share tell text
            thank thanks update warn write
        """,
        "pay": """
            bill buy charge compensate credit deposit give order pay purchase refund reimburse remit repay return
            send settle tip transfer wire
        """,
        "create": """
            add append arrange book charge compose create document draft enter file generate hand hold include
            insert jot keep log make new note open organise organize plan put record register remind rent reserve
            save schedule set sign start upload write
        """,
        "change": """
            accept adjust allocate apply approve assign bump change clean close complete confirm convert correct
            decrease delegate disable downgrade edit enable extend finish fix give hand increase label link lock
            lower make mark merge modify move postpone push put raise reassign rename reopen replace reschedule reset
            resolve restore set shift shorten swap switch tag take tidy transfer turn unlock update upgrade
        """,
        "remove": """
            archive cancel clear close decline delete discard dismiss drop empty end erase exclude kick purge reject
            remove revoke stop take terminate undo uninvite unsubscribe withdraw
        """,
        "share": "add allow give grant invite permit share",
    }.items()
}
_COMMAND = re.compile(
    r"(?:^|[.!?;:\n]\s+|,\s+|\b(?:and|then|please|to|also|or|just|you|i'd like|want|afterwards|first|finally)\s+)"
    r"(?:please\s+|then\s+|also\s+|just\s+|kindly\s+|go ahead and\s+)*"
    r"([a-z]+)(?=(?:\s+([a-z]+))?)"
)
_MONEY = frozenset("charge fee invoice money payment payout refund transaction transfer".split())
LIGHT = frozenset({"communicate", "create", "change"})
"""Kinds of effect that a command which may mean them asks for as soon as they concern what the user spoke of."""
HEAVY = frozenset(
    "access account admin code config deploy invite key member owner password permission permissions "
    "production publish release role roles secret settings token user users".split()
)
"""Words of actions that give rights or reach everybody: a command has to name what they concern."""
_TO_THE_USER = frozenset("me us".split())


@lru_cache(maxsize=4096)
def kinds_of(verb: str) -> frozenset[str]:
    """Return the kinds of effect that a verb may mean."""
    return frozenset(kind for kind, verbs in _KINDS.items() if verb in verbs)


def commands(text: str) -> frozenset[str]:
    """Return the words that stand where commands do in a text (of folded case).

    What is asked for the user himself ("tell me", "send us") commands no effect.
    """
    return frozenset(one[1] for one in _COMMAND.finditer(text) if one[2] not in _TO_THE_USER)


def wanted(verbs: Iterable[str]) -> frozenset[str]:
    """Return the kinds of effect that commands may mean."""
    return frozenset[str]().union(*(kinds_of(verb) for verb in verbs))


def kinds_of_action(words: Collection[str]) -> frozenset[str]:
    """Return the kinds of effect that an action of this name has, by the first of its words that tells."""
    if not _MONEY.isdisjoint(words):
        return frozenset({"pay"})
    for word in words:
        if kinds := kinds_of(word):
            return kinds
    return frozenset()
