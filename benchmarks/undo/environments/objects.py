"""A world of pydantic models as objects with names, each read and written by itself."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any, NamedTuple, cast, get_args, get_origin
from urllib.parse import unquote

from pydantic import BaseModel, TypeAdapter
from pydantic_core import to_jsonable_python

State = dict[str, Any]
"""An object in plain data: its `value`, and its `place` among all that were ever seen in its collection."""


def named(*parts: str) -> str:
    """Return the name of an object from the parts of the way to it."""
    return "/".join(part.replace("%", "%25").replace("/", "%2F") for part in parts)


@dataclass(slots=True)
class _Slot:
    """One object of a collection: the very one that stands there, so that it comes back as itself.

    `inside` are the collections in it, by their paths.
    """

    place: int
    key: str
    item: Any
    inside: "dict[str, _Collection]" = field(default_factory=dict[str, "_Collection"])


class _Collection:
    """What was ever seen in one mapping or list, in the order in which it came.

    `ends` says for each path how many were ever seen there: another list in the place of one counts on.
    """

    def __init__(self, path: str, ends: dict[str, int]) -> None:
        self.slots: list[_Slot] = []
        self.gone: dict[int, _Slot] = {}
        self._path = path
        self._ends = ends

    @property
    def end(self) -> int:
        """The place of what comes next."""
        return self._ends.get(self._path, 0)

    def look(self, items: Any) -> list[_Slot]:
        """Bring the slots up to what stands there now: what is gone is kept aside, what is new comes last."""
        if self._is_known(items):
            return self.slots
        left = self.slots
        self.slots = []
        for key, item in _items(items):
            at = next((at for at, slot in enumerate(left) if _is_same(slot, key, item)), None)
            if at is None:
                self.slots.append(_Slot(self.end, key or f"#{self.end}", item))
                self._ends[self._path] = self.end + 1
            else:
                slot = left.pop(at)
                slot.item = item
                self.slots.append(slot)
        self.gone.update({slot.place: slot for slot in left})
        return self.slots

    def _is_known(self, items: Any) -> bool:
        """Whether nothing came, went or was replaced since the last look: most looks find that."""
        if len(items) != len(self.slots):
            return False
        if isinstance(items, dict):
            pairs = cast("dict[str, Any]", items).items()
            return all(
                slot.item is item and slot.key == key for slot, (key, item) in zip(self.slots, pairs, strict=True)
            )
        return all(slot.item is item for slot, item in zip(self.slots, items, strict=True))

    def slot(self, items: Any, key: str) -> _Slot | None:
        return next((slot for slot in self.look(items) if slot.key == key), None)

    def insert(self, items: Any, slot: _Slot) -> None:
        """Put an object where its place is, between those that came before it and those that came later."""
        at = next((at for at, one in enumerate(self.slots) if one.place > slot.place), len(self.slots))
        self.slots.insert(at, slot)
        self._ends[self._path] = max(self.end, slot.place + 1)
        if isinstance(items, list):
            cast("list[Any]", items).insert(at, slot.item)
        else:
            later = {one.key: one.item for one in self.slots[at:]}
            for key in later:
                items.pop(key, None)
            items.update(later)

    def remove(self, items: Any, slot: _Slot) -> None:
        at = self.slots.index(slot)
        del items[at if isinstance(items, list) else slot.key]
        self.gone[slot.place] = self.slots.pop(at)


class _Found(NamedTuple):
    """What stands at a path: the model, mapping or list, its type, and what is known of it where it is a collection."""

    owner: Any
    kind: Any
    known: _Collection


class Objects:
    """The objects of one world, by names such as `calendar/events/12`.

    A part of a name is a field of a model, a key of a mapping, or an item of a list: by its id, and where it has none
    by `#n`, the n-th that was ever seen there. What was taken away and comes back stands where it stood, and is the
    same Python object: such worlds refer to one object from several places.
    """

    def __init__(self, world: BaseModel) -> None:
        self.world = world
        self._inside: dict[str, _Collection] = {}
        self._ends: dict[str, int] = {}

    def names(self, path: str) -> list[str]:
        """Return the names of the objects in a collection, in their order; none where the collection is not there."""
        try:
            found = self._at(path)
        except LookupError:
            return []
        return [f"{path}/{named(slot.key)}" for slot in found.known.look(found.owner)]

    def read(self, name: str) -> State | None:
        """Return an object's state; None where it is not there."""
        path, key = _split(name)
        try:
            found = self._at(path)
            _kind(found.kind, key)
        except LookupError:
            return None
        if isinstance(found.owner, BaseModel):
            return {"value": to_jsonable_python(getattr(found.owner, key))}
        slot = found.known.slot(found.owner, key)
        return None if slot is None else {"place": slot.place, "value": to_jsonable_python(slot.item)}

    def write(self, name: str, state: State | None) -> None:
        """Put an object into a state, and nothing else; with None it is taken away.

        Raises:
            LookupError: what it stands in is not there.
        """
        path, key = _split(name)
        if state is None and self.read(name) is None:
            return
        owner, kind, known = self._at(path)
        if isinstance(owner, BaseModel):
            assert state is not None
            vars(owner)[key] = _changed(getattr(owner, key), state["value"], _kind(kind, key))
            return
        slot = known.slot(owner, key)
        if state is None:
            assert slot is not None
            known.remove(owner, slot)
        elif slot is None:
            slot = known.gone.pop(state["place"], None) or _Slot(state["place"], key, None)
            slot.item = _changed(slot.item, state["value"], _kind(kind, key))
            known.insert(owner, slot)
        else:
            slot.item = _changed(slot.item, state["value"], _kind(kind, key))
            owner[known.slots.index(slot) if isinstance(owner, list) else key] = slot.item

    def add(self, path: str, key: str | None, value: Any) -> str:
        """Put a new object at the end of a collection; return its name.

        It is none of those that had this name before, nor is what stands in it.
        """
        found = self._at(path)
        found.known.look(found.owner)
        end = found.known.end
        name = f"{path}/{named(key or f'#{end}')}"
        self.write(name, {"place": end, "value": value})
        return name

    def _at(self, path: str) -> _Found:
        """Return what stands at a path.

        Raises:
            LookupError: nothing does.
        """
        owner: Any = self.world
        kind: Any = type(self.world)
        inside, walked = self._inside, ""
        for part in path.split("/") if path else ():
            key = unquote(part)
            kind = _kind(kind, key)
            if isinstance(owner, BaseModel):
                owner = getattr(owner, key)
            else:
                slot = self._known(inside, walked).slot(owner, key)
                if slot is None:
                    raise LookupError(f"there is no {walked}/{part} in this world")
                owner, inside = slot.item, slot.inside
            walked = f"{walked}/{part}" if walked else part
        return _Found(owner, kind, self._known(inside, walked))

    def _known(self, inside: "dict[str, _Collection]", path: str) -> _Collection:
        return inside.setdefault(path, _Collection(path, self._ends))


def _split(name: str) -> tuple[str, str]:
    path, _, key = name.rpartition("/")
    return path, unquote(key)


def _items(items: Any) -> Iterator[tuple[str, Any]]:
    """Yield the items with their keys; the key is empty where an item of a list has no id."""
    if isinstance(items, dict):
        yield from cast("dict[str, Any]", items).items()
    else:
        for item in cast("list[Any]", items):
            found = getattr(item, "id", getattr(item, "id_", None))
            yield ("" if found is None else str(found)), item


def _is_same(slot: _Slot, key: str, item: Any) -> bool:
    if key:
        return slot.key == key
    return slot.item is item if isinstance(item, BaseModel) else slot.item == item


def _kind(kind: Any, part: str) -> Any:
    """Return the type of a part of something of a type."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return kind.model_fields[part].annotation
    given = get_args(kind)
    return given[1 if get_origin(kind) is dict else 0] if given else Any


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def _changed(live: Any, value: Any, kind: Any) -> Any:
    """Return an object with this value: the live one, changed where it differs, if there is one that can change."""
    if live is not None and to_jsonable_python(live) == value:
        return live
    fresh = _adapter(kind).validate_python(value)
    if isinstance(live, BaseModel) and type(live) is type(fresh):
        for field in type(live).model_fields:
            if getattr(live, field) != getattr(fresh, field):
                vars(live)[field] = vars(fresh)[field]
        return live
    if isinstance(live, list) and isinstance(fresh, list):
        live[:] = fresh
        return cast("Any", live)
    return fresh
