"""Strings anywhere in JSON values: found, and put in place of others."""

from collections.abc import Iterator, Mapping
from typing import Any, cast


def strings(value: Any) -> Iterator[str]:
    """Yield every string in a value, keys of mappings among them."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, one in cast("dict[Any, Any]", value).items():
            yield from strings(key)
            yield from strings(one)
    elif isinstance(value, (list, tuple)):
        for one in cast("list[Any]", value):
            yield from strings(one)


def replaced(value: Any, texts: Mapping[str, str]) -> Any:
    """Return the value with each of some texts replaced wherever a string contains it."""
    if isinstance(value, str):
        for old, new in texts.items():
            value = value.replace(old, new)
        return value
    if isinstance(value, dict):
        pairs = cast("dict[Any, Any]", value).items()
        return {replaced(key, texts): replaced(one, texts) for key, one in pairs}
    if isinstance(value, (list, tuple)):
        return [replaced(one, texts) for one in cast("list[Any]", value)]
    return value


def paths(value: Any, at: str = "") -> Iterator[tuple[str, str]]:
    """Yield each string of a value with its path, in which the places in a list are not told apart (`[].title`)."""
    if isinstance(value, str):
        yield at, value
    elif isinstance(value, dict):
        for key, one in cast("dict[Any, Any]", value).items():
            yield from paths(one, f"{at}.{key}")
    elif isinstance(value, (list, tuple)):
        for one in cast("list[Any]", value):
            yield from paths(one, f"{at}[]")


def written_at(value: Any, path: str, text: str, at: str = "") -> Any:
    """Return the value with another text in every place of this path."""
    if isinstance(value, str):
        return text if at == path else value
    if isinstance(value, dict):
        pairs = cast("dict[Any, Any]", value).items()
        return {key: written_at(one, path, text, f"{at}.{key}") for key, one in pairs}
    if isinstance(value, (list, tuple)):
        return [written_at(one, path, text, f"{at}[]") for one in cast("list[Any]", value)]
    return value


def filled(marked: Any, usual: Any, texts: Mapping[str, str]) -> Any:
    """Return a value with texts in the place of its marks; where no such mark is, what usually stands there.

    Both values have the same form. A string that holds marks of which only some have a text keeps the others.
    """
    if isinstance(marked, str):
        return replaced(marked, texts) if any(mark in marked for mark in texts) else usual
    if isinstance(marked, dict):
        pairs = zip(cast("dict[Any, Any]", marked).items(), usual.items(), strict=True)
        return {filled(key, known, texts): filled(one, other, texts) for (key, one), (known, other) in pairs}
    if isinstance(marked, (list, tuple)):
        pairs = zip(cast("list[Any]", marked), usual, strict=True)
        return [filled(one, other, texts) for one, other in pairs]
    return usual
