"""What a person is asked about, read back exactly: the action and every argument, and nothing that hides."""

import unicodedata
from typing import Any, Final

import msgspec

LONGEST: Final = 2_000
"""How many characters of an action's arguments a question shows; the question's `args` has all of them."""

_INVISIBLE: Final = frozenset({"Cc", "Cf", "Co", "Cn", "Cs", "Zl", "Zp"})
"""General categories of Unicode that show nothing, or change how what is beside them is shown."""


def read_back(action: str, args: bytes) -> str:
    """Return a call in words, for example `refund(ref="AB12", amount="40")`.

    Args:
        action: The action's name.
        args: Its arguments as canonical JSON.
    """
    named: dict[str, Any] = msgspec.json.decode(args)
    shown = ", ".join(f"{name}={_shown(value)}" for name, value in named.items())
    return f"{action}({shown if len(shown) <= LONGEST else f'{shown[:LONGEST]}…'})"


def _shown(value: Any) -> str:
    written = msgspec.json.encode(value).decode()
    return "".join(f"\\u{ord(sign):04x}" if unicodedata.category(sign) in _INVISIBLE else sign for sign in written)
