"""Markup that would load something from elsewhere, or run, made inert: it stays to be read. Pure.

What a rendered answer, page or mail would fetch tells whoever wrote it what was read, so that it must not survive a
model that copies it. Nothing is parsed: HTML that is broken on purpose is read differently by every parser, while a
pattern that stops at the next bracket takes every tag for what any of them could take it for, in one pass.
"""

import re
from collections import Counter

Inert = Counter[str]
"""What was made inert: how many images, scripts, style sheets and other elements."""

_IMAGES = frozenset({"img", "image", "picture", "svg", "feimage"})
_SCRIPTS = frozenset({"script"})
_STYLES = frozenset({"style", "link"})
_OTHERS = frozenset(
    [
        "iframe",
        "frame",
        "frameset",
        "object",
        "embed",
        "applet",
        "audio",
        "video",
        "source",
        "track",
        "portal",
        "base",
        "meta",
        "use",
        "?xml-stylesheet",
        "!entity",
    ]
)
_NAMES = "|".join(map(re.escape, sorted(_IMAGES | _SCRIPTS | _STYLES | _OTHERS)))
_TAG = re.compile(rf"<(/?)((?:\w{{1,20}}:)?({_NAMES})(?![\w:-])[^<>]*)(>?)", re.IGNORECASE | re.ASCII)
_ANY_TAG = re.compile(r"<[a-z][^<>]*", re.IGNORECASE | re.ASCII)
_ATTRIBUTE = re.compile(
    r"([\s\"'/](?:background|srcset|poster|on(?:load|error|begin|focus|toggle|click|[a-z]{3,20}(?:enter|over|start)))"
    r"\s{0,20})=",
    re.IGNORECASE | re.ASCII,
)
_PICTURE = re.compile(r"(?<!!)!+(?=\[)")
_LINKED = re.compile(r"\](?:\(|\[|:)")
_IMPORT = re.compile(r"(?<!@)@+(?=import\s{0,20}(?:url\(|[\"'\\]))", re.IGNORECASE | re.ASCII)
_FETCH = re.compile(
    r"\b(url|image-set|image)\((?=\s{0,20}(?:[\"'\\]|&quot;|&#39;){0,4}\s{0,20}(?:https?:|ftp:|//|\\\\))",
    re.IGNORECASE | re.ASCII,
)


def inert(text: str, found: Inert) -> str:
    """Return *text* with markup that loads or runs made inert, and count in *found* what that was.

    A tag's brackets become square ones, an attribute's equals sign a colon, a picture in Markdown a link; the text
    never gets longer.
    """
    # In this order nothing that one step leaves is something that an earlier one would have changed.
    if "@" in text:
        text = _counted(_IMPORT, "", text, "style sheet", found)
    if "<" in text:
        text = _TAG.sub(lambda one: _tag(one, found), text)
        if "=" in text and _ATTRIBUTE.search(text):
            text = _ANY_TAG.sub(lambda one: _attributes(one[0], found), text)
    if "(" in text:
        text = _counted(_FETCH, r"\1[", text, "style sheet", found)
    if "![" in text and _LINKED.search(text):
        text = _counted(_PICTURE, "", text, "image", found)
    return text


def _tag(one: re.Match[str], found: Inert) -> str:
    closing, inside, name, bracket = one.groups()
    if not closing:
        found[_kind(name.lower())] += 1
    return f"[{closing}{inside}{']' if bracket else ''}"


def _kind(name: str) -> str:
    kinds = ((_IMAGES, "image"), (_SCRIPTS, "script"), (_STYLES, "style sheet"))
    return next((kind for names, kind in kinds if name in names), "other element")


def _attributes(tag: str, found: Inert) -> str:
    return _counted(_ATTRIBUTE, r"\1:", tag, "attribute", found)


def _counted(pattern: re.Pattern[str], by: str, text: str, what: str, found: Inert) -> str:
    changed, number = pattern.subn(by, text)
    if number:
        found[what] += number
    return changed
