"""What a model is shown, with the ids of its provider, and what of it is new to the journal."""

from typing import Any, cast

from agents import TResponseInputItem

from interlock.adapters.openai_agents.lives import Items, is_model_s
from interlock.adapters.openai_agents.places import CallId
from interlock.adapters.openai_agents.responses import arguments_of


def restored(items: Items) -> list[TResponseInputItem]:
    """Return the input with the provider's own ids and arguments."""
    return cast("list[TResponseInputItem]", [_restored(item) for item in items])


def _restored(item: dict[str, Any]) -> dict[str, Any]:
    call = CallId.parse(item.get("call_id"))
    if call is None:
        return item
    back = {**item, "call_id": call.original}
    if isinstance(text := item.get("arguments"), str) and isinstance(given := arguments_of(text), str):
        back["arguments"] = given
    return back


def news(items: Items) -> Items:
    """Return what came after the model's last words: the rest is in the journal already."""
    count = len(items)
    while count and not is_model_s(items[count - 1]):
        count -= 1
    return items[count:]
