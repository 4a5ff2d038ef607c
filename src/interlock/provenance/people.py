"""The names in an identity: whether a user who names a person means this one."""

import re

from interlock.provenance.normal import plain

_WORD = re.compile(r"[^\W\d_]{3,}")
_GENERAL = frozenset(
    "admin account accounts alert alerts all billing bot contact customer customers finance help hello hr "
    "info inquiries mail marketing news newsletter noreply notification notifications office orders payments "
    "postmaster reply robot sales security service services staff support system team update updates user "
    "users webmaster".split()
)


def names_in(identity: str) -> frozenset[str]:
    """Return the names that an identity holds: of an address, those before the @; names of functions are none."""
    local = plain(identity).partition("@")[0]
    return frozenset(_WORD.findall(local.replace("_", " "))) - _GENERAL
