"""Characters that nobody sees, and letters that look like others: by ranges that never change. Pure."""

import re
from collections.abc import Iterator

_ARABIC = "\u0600-\u0604\u0606-\u061b\u061d-\u08ff\ufb50-\ufdff\ufe70-\ufefc"
_INDIC = "\u0900-\u0dff\ua8e0-\ua8ff\U00011000-\U000114ff"
_MONGOLIAN = "\u1800-\u180a\u1810-\u18af"
_UNSPACED = "\u0e01-\u0eff\u1000-\u109f\u1780-\u17b3\u17b6-\u17ff\u1950-\u19df\u1a20-\u1aad\u3041-\u30ff\u3400-\u9fff"
_HEBREW = "\u0590-\u05ff\ufb1d-\ufb4f"
_JOINING = f"{_ARABIC}{_INDIC}{_MONGOLIAN}\u07c0-\u07ff\u1000-\u109f\u1780-\u17b3\u17b6-\u17ff"
_EMOJI = (
    "\u00a9\u00ae\u203c\u2049\u2122\u2139\u2190-\u21ff\u2300-\u23ff\u24c2\u25a0-\u27bf\u2900-\u297f\u2b00-\u2bff"
    "\u3030\u303d\u3297\u3299\U0001f000-\U0001faff"
)
_HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af"
_VARIED = f"{_HAN}{_MONGOLIAN}\u1000-\u109f\u2200-\u22ff\u2a00-\u2aff\u3000-\u30ff\uff01-\uff60"

_INVISIBLE = (
    "\u0000-\u0008\u000e-\u001f\u007f-\u0084\u0086-\u009f"  # controls that are no white space
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    "\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
"""What Unicode calls default-ignorable, bidirectional controls and other controls: no glyph of their own."""

_FLAGS = "|".join("".join(chr(0xE0000 + ord(one)) for one in place) for place in ("gbeng", "gbsct", "gbwls"))
_NEEDED = re.compile(
    # Joiners within words of scripts that are written with them, and within emoji that are put together.
    f"(?<=[{_JOINING}])[\u200c\u200d](?=[{_JOINING}])"
    f"|(?:(?<=[{_EMOJI}])|(?<=[{_EMOJI}]\ufe0f))\u200d(?=[{_EMOJI}])"
    # One selector right behind a character that has variants.
    f"|(?<=[{_EMOJI}])[\ufe0e\ufe0f]|(?<=[0-9#*])\ufe0f(?=\u20e3)"
    f"|(?<=[{_VARIED}])[\ufe00-\ufe0d]|(?<=[{_HAN}])[\U000e0100-\U000e01ef]"
    f"|(?<=[{_MONGOLIAN}])[\u180b-\u180f]"
    # Where words may break, in scripts without spaces; the three flags that are spelt out in tags.
    f"|(?<=[{_UNSPACED}])\u200b(?=[{_UNSPACED}])|(?<=\U0001f3f4)(?:{_FLAGS})\U000e007f"
)
_ANY = re.compile(f"[{_INVISIBLE}]")
_DIRECTION = re.compile(f"(?<![{_INVISIBLE}])[\u200e\u200f\u061c](?![{_INVISIBLE}])")
_RIGHT_TO_LEFT = re.compile(f"[{_HEBREW}{_ARABIC}]")

_LATIN = "A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f"
_CYRILLIC = "\u0400-\u0481\u048a-\u052f"
_GREEK = (  # without the letters of units and formulas
    "\u0391\u0392\u0395-\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7\u03b9\u03ba\u03bd\u03bf\u03c1\u03c5"
)
_OTHERS = f"{_CYRILLIC}{_GREEK}\u0531-\u0587\u13a0-\u13fd"
_OTHER = re.compile(f"[{_OTHERS}]")
_MIXED = re.compile(f"(?:[{_LATIN}][{_OTHERS}]|[{_OTHERS}][{_LATIN}])[{_LATIN}{_OTHERS}]*")


def without_invisible(text: str) -> str:
    """Return *text* without characters that nobody sees, but for those that its script or its emoji need.

    Kept are joiners within words of Arabic, Indic and like scripts and within emoji, one variation selector behind a
    character that has variants, breaks between words of scripts without spaces, the flags that are spelt in tags, and
    marks of direction in a text that has letters from right to left. All else goes: zero-width characters,
    bidirectional controls, soft hyphens, tags, fillers, control characters.
    """
    return text if _ANY.search(text) is None else "".join(_parts(text, seen=True))


def invisible(text: str) -> str:
    """Return the invisible characters that `without_invisible` leaves out."""
    return "" if _ANY.search(text) is None else "".join(_parts(text, seen=False))


def _parts(text: str, *, seen: bool) -> Iterator[str]:
    """Yield the parts of a text that are seen, or those that are not."""
    directions = _RIGHT_TO_LEFT.search(text) is not None
    begin, end = 0, 0
    while (one := _ANY.search(text, end)) is not None:
        at = one.start()
        needed = _NEEDED.match(text, at)
        if needed is not None or (directions and _DIRECTION.match(text, at)):
            end = at + 1 if needed is None else needed.end()
            continue
        yield text[begin:at] if seen else one[0]
        begin = end = at + 1
    if seen:
        yield text[begin:]


def mixed(text: str) -> int:
    """Return how many words have letters of one script beside those of another that looks like it."""
    return 0 if _OTHER.search(text) is None else sum(1 for _ in _MIXED.finditer(text))
