"""The words of a text, as far as they tell what it is about. Pure; English only."""

import re


def listed(words: str) -> frozenset[str]:
    """Return the words of a list that is written as a text."""
    return frozenset(words.split())


_WORD = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)?")
STOP = listed("""
    a about above although anyway after again all also am an and any are as at be because been before being below
    besides but by can could did do does doing done dont down each else even ever few for from get give go had has have
    having he her here hers him his how i if im in into is it its ive just let like make many may me might more most
    much must my new no nor not now of off on once one only or other otherwise our out over own please same shall she
    should so some still such than that thats the their them then there these they this those through to too under
    until up us use very was we well were what when where which while who whom why will with would yes you your yours
""")
"""Words that say nothing by themselves."""

_GENERAL = listed("""
    answer ask assistant chat content detail document email file find following http https include information inform
    instruction link list look mail mention message need note number page person please read recommend reply report
    respond response result review say search see send show state suggest summarize summary task tell text thank thing
    time todo today url user want web website word work world write www com org net
""")
_ENDINGS = ("ations", "ation", "ings", "ing", "edly", "ied", "ies", "ed", "es", "ly", "s", "e")


def words_in(text: str) -> list[str]:
    """Return the words of a text in small letters, without those that say nothing (articles, pronouns, …)."""
    found = (one.casefold().replace("'", "").replace("\u2019", "") for one in _WORD.findall(text))
    return [one for one in found if one not in STOP and (len(one) > 2 or one.isdigit())]


def stem(word: str) -> str:
    """Return what is left of a word without its ending; words of one family mostly have the same."""
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) > 3:
            return word[: -len(ending)]
    return word


def by_stem(text: str) -> dict[str, str]:
    """Return the words of a text that say something by their stems, those of every message left out."""
    return {stem(one): one for one in words_in(text) if one not in _GENERAL}
