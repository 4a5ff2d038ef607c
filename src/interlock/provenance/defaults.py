"""What fields and arguments are taken for by their names and types, where the operator says nothing."""

import re
from functools import lru_cache

from interlock.provenance.origin import Role
from interlock.provenance.trust import Trust

_FREE = (
    "about answer article bio body caption comment content description details feedback html markdown memo "
    "message note notes page post purpose question remark remarks review reviews signature snippet subject "
    "summary text title transcript"
).split()
_CORRESPONDENT = (
    "attendees author bcc by cc creator from invitees participants poster recipient recipients reply replyto reviewer "
    "sender sent to uploader"
).split()
_GROUPS = frozenset("attendees guests invitees members participants team".split())
_SINKS = (
    "account address assignee attendee attendees bcc beneficiary cc channel contact destination domain email emails "
    "endpoint host iban invitee invitees link member members participant participants passcode password payee phone "
    "receiver recipient recipients role room target to uri url urls user username users webhook website"
).split()
_QUALIFIERS = ("name", "names", "number", "numbers", "handle", "handles")
_TIMES = "at begin date day days deadline due end month on start time until when year".split()
_AMOUNTS = "amount budget cost fee limit price quantity rate sum total value".split()
_CONTENTS = (*_FREE, "filename", "name", "label", "reason", "attachment", "attachments", "location")
_REFERENCES = "event file id ids identifier key number order path ref reference reservation ticket".split()
_SELECTORS = (
    "all category filter flag format kind language limit mode order page permission permissions priority query read "
    "recurring search size sort status type types unit"
).split()

SECRET = frozenset(
    "apikey code cvv otp passcode password pin privatekey secret ssn token securitycode accesskey".split()
)
"""Words of keys whose values may not leave."""

_ROLES: tuple[tuple[Role, frozenset[str]], ...] = (
    ("sink", frozenset(_SINKS)),
    ("time", frozenset(_TIMES)),
    ("amount", frozenset(_AMOUNTS)),
    ("content", frozenset(_CONTENTS)),
    ("reference", frozenset(_REFERENCES)),
    ("selector", frozenset(_SELECTORS)),
)


@lru_cache(maxsize=4096)
def words_of(name: str) -> tuple[str, ...]:
    """Return the words of a name: `user_email`, `userEmail` and `User-Email` have the same."""
    return tuple(one.casefold() for one in _WORD.findall(name))


@lru_cache(maxsize=4096)
def trust_of_key(key: str) -> Trust:
    """Return who could have written a short text under this key."""
    words = words_of(key)
    if words and words[-1] in _FREE:
        return Trust.THIRD_PARTY
    if any(word in _CORRESPONDENT for word in words):
        return Trust.CORRESPONDENT
    if words and words[-1] in ("id", "ids", "uuid"):
        return Trust.SYSTEM
    return Trust.DIRECTORY


def is_group_key(key: str) -> bool:
    """Whether a field of this name lists who belongs to a thing: a user who names the thing means them."""
    return not _GROUPS.isdisjoint(words_of(key))


@lru_cache(maxsize=4096)
def is_secret_key(key: str) -> bool:
    """Whether what stands under this key may not leave, by its name."""
    words = words_of(key)
    return bool(words) and (words[-1] in SECRET or "".join(words) in SECRET)


@lru_cache(maxsize=4096)
def role_of(argument: str) -> Role | None:
    """Return what an argument of this name is to its action; None where the name doesn't tell."""
    words = words_of(argument)
    if len(words) > 1 and words[-1] in _QUALIFIERS and words[-2] in _SINKS:
        return "sink"  # `recipient_name`, `account_number`: authority, by whatever it is called.
    for word in reversed(words):
        if word in ("id", "ids"):
            return "reference"
        for role, names in _ROLES:
            if word in names:
                return role
    return None


_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
