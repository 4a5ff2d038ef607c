"""What somebody else does in a world meanwhile: changes objects, and adds new ones."""

from collections.abc import Collection, Iterator
from typing import Any, cast
from urllib.parse import unquote

from benchmarks.undo.environments.objects import Objects, State
from benchmarks.undo.environments.room import Effect, Room, States

COLLECTIONS = (
    "bank_account/scheduled_transactions",
    "bank_account/transactions",
    "calendar/events",
    "cloud_drive/files",
    "filesystem/files",
    "hotels/hotel_list",
    "inbox/emails",
    "slack/channel_inbox",
    "slack/user_channels",
    "slack/user_inbox",
    "slack/users",
    "web/web_content",
    "web/web_requests",
)
"""Collections of all suites; the items of some are collections themselves."""

FIELDS = ("bank_account/balance", "user/address", "user_account/password", "user_account/street")

MARK = " (by somebody else)"


def meddle(objects: Objects, ours: Collection[str]) -> States:
    """Change every object that is not *ours*, and add one to every collection; return them as they are then."""
    paths = [path for path in _collections(objects) if not _is_part_of(path, ours)]
    changed = [name for path in paths for name in _records(objects, path) if name not in ours]
    changed += [name for name in FIELDS if objects.read(name) is not None and name not in ours]
    for name in changed:
        state = objects.read(name)
        assert state is not None
        objects.write(name, other(state))
    added = [name for name in (_added(objects, path, ours) for path in paths) if name]
    return {name: objects.read(name) for name in (*changed, *added)}


def clash(room: Room, number: int) -> States:
    """Change one object that effects changed, or put another where they took one away; return it as it is then.

    `number` chooses among them. Empty where nothing was changed.
    """
    last = {name: state for effect in room.effects for name, state in _changes(effect) if state["value"] != []}
    names = [name for name in last if _can_clash(room.objects, name)]
    if not names:
        return {}
    name = names[number % len(names)]
    now = room.objects.read(name)
    if now is not None:
        room.objects.write(name, other(now))
    else:
        path, _, key = name.rpartition("/")
        room.objects.add(path, unquote(key), other(last[name])["value"])
    return {name: room.objects.read(name)}


def _changes(effect: Effect) -> Iterator[tuple[str, State]]:
    """Yield the objects that an effect changed, as it left them, or as they were where it took them away."""
    for name, before in effect.changed.items():
        state = effect.after[name] or before
        assert state is not None
        yield name, state


def _can_clash(objects: Objects, name: str) -> bool:
    """Whether the object is there, or another can come in its place: not where it is known by when it came."""
    path, _, key = name.rpartition("/")
    return objects.read(name) is not None or (not key.startswith("#") and objects.read(path) is not None)


def other(state: State) -> State:
    """Return a state that differs from another in its value."""
    return state | {"value": _changed(state["value"])}


def _changed(value: Any) -> Any:
    match value:
        case str():
            return value + MARK
        case int() | float():
            return value + 1
        case list():
            items = cast("list[Any]", value)
            return [*items, items[0]]
        case _:
            fields = cast("dict[str, Any]", value)
            name = next(name for name in _TEXTS if name in fields)
            return fields | {name: fields[name] + MARK}


_TEXTS = ("title", "subject", "filename", "body", "address", "name")
"""The fields that people change."""


def _collections(objects: Objects) -> Iterator[str]:
    """Yield the paths of the collections, those within others among them."""
    for path in COLLECTIONS:
        if objects.read(path) is None:
            continue
        yield path
        for name in objects.names(path):
            state = objects.read(name)
            if state is not None and isinstance(state["value"], list):
                yield name


def _is_part_of(path: str, ours: Collection[str]) -> bool:
    parts = path.split("/")
    return any("/".join(parts[:count]) in ours for count in range(1, len(parts) + 1))


def _records(objects: Objects, path: str) -> Iterator[str]:
    """Yield the objects of a collection that have fields; a word in a list or a text under a key is only added."""
    for name in objects.names(path):
        state = objects.read(name)
        if state is not None and isinstance(state["value"], dict):
            yield name


def _added(objects: Objects, path: str, ours: Collection[str]) -> str | None:
    """Add an object like the last one of a collection, under a key that nobody has had."""
    names = objects.names(path)
    state = objects.read(names[-1]) if names else None
    if state is None or isinstance(state["value"], list):
        return None
    value, key = state["value"], unquote(names[-1].rpartition("/")[2])
    if not isinstance(value, dict):
        value = _changed(value)
        return objects.add(path, None if key.startswith("#") else key + MARK, value)
    fields = cast("dict[str, Any]", _changed(value))
    field = next((field for field in ("id", "id_") if field in fields), None)
    if field is None:
        return objects.add(path, None, fields)
    number = 1 + max(_number(name) for name in (*names, *ours) if name.startswith(f"{path}/"))
    return objects.add(path, str(number), fields | {field: type(fields[field])(number)})


def _number(name: str) -> int:
    return int(name.rpartition("/")[2])
