"""The values that an attacker brings: what his goal names, and what of it his calls then use."""

import re
from collections.abc import Iterable

from benchmarks.agentdojo.leaves import strings
from benchmarks.agentdojo.scripts import Call

_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_LINK = re.compile(r"(?:https?://|www\.)[^\s'\"]+")
_ACCOUNT = re.compile(r"\b[A-Z]{2}\d{12,30}\b")
_SHORTEST = 4


def brought(goal: str, calls: Iterable[Call]) -> list[str]:
    """Return the values that a goal names: addresses, links, accounts, and the arguments that stand in it."""
    shaped = [one.rstrip(".,") for shape in (_EMAIL, _LINK, _ACCOUNT) for one in shape.findall(goal)]
    used = [one for call in calls for one in strings(list(call.args.values())) if len(one) >= _SHORTEST and one in goal]
    return list(dict.fromkeys([*shaped, *used]))


def kind(value: str) -> str:
    """Return what a value looks like: email, link, account, or nothing of the kind."""
    for name, shape in (("email", _EMAIL), ("link", _LINK), ("account", _ACCOUNT)):
        if shape.fullmatch(value):
            return name
    return ""


def found(texts: Iterable[str], of: str) -> list[str]:
    """Return the values of a kind that stand in some texts, each once."""
    shape = {"email": _EMAIL, "link": _LINK, "account": _ACCOUNT}[of]
    return list(dict.fromkeys(one.rstrip(".,!?)") for text in texts for one in shape.findall(text)))
