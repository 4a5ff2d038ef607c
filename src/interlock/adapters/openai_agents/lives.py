"""What an earlier life of a run has left in a session of the SDK, and how the input reads without the repetition.

A session keeps what a run came to before it crashed. The next life begins with the user's words again and says the
same calls again. Of two items with one id the SDK then leaves calls and reasoning in their first place, and puts
results into the last. So the input reads: the user's words, calls, maybe the end of the earlier life, the user's words
again, results.
"""

from typing import Any, NamedTuple

from interlock.adapters.openai_agents.places import CallId

Items = list[dict[str, Any]]


class Entry(NamedTuple):
    """A call or a result of a run, and what was said since the one before."""

    turn: int
    head: Items
    item: dict[str, Any]

    @property
    def which(self) -> tuple[bool, str]:
        """What tells it from others of its turn; results come after calls."""
        return _is_result(self.item), self.item["call_id"]


def once(items: Items, mark: str, turns: int) -> Items:
    """Return the input with everything said once, in its order.

    Args:
        items: The input as the SDK has it.
        mark: The run that is going on.
        turns: How many turns it has made in this life; what an earlier one did beyond is not shown.
    """
    marks = {call.mark for item in items if (call := CallId.parse(item.get("call_id"))) is not None}
    for one in sorted(marks):
        items = _once(items, one, turns if one == mark else None)
    if mark not in marks:
        return items
    pairs = zip([{}, *items], items, strict=False)
    return [item for before, item in pairs if item.get("role") != "user" or item != before]


def _once(items: Items, mark: str, turns: int | None) -> Items:
    lives, tail = _lives(items, mark)
    if len(lives) < 2:
        return items
    said: dict[int, dict[tuple[bool, str], Items]] = {}
    words: Items = []
    shown = list(lives[0][0].head) if turns == 0 else []
    for life in lives:
        _join(said, words, life)
    for turn, parts in said.items():
        if turns is None or turn < turns:
            shown += [one for which in sorted(parts, key=_results_last) for one in parts[which]]
    return shown + tail


def _results_last(which: tuple[bool, str]) -> bool:
    return which[0]


def _join(said: dict[int, dict[tuple[bool, str], Items]], words: Items, life: list[Entry]) -> None:
    """Add what is new in a life to what was said by turn: the later version of an item counts, in the earlier place.

    *words* are those between calls and results, so far.
    """
    before = set(said)
    for entry in life:
        parts = said.setdefault(entry.turn, {})
        head = [one for one in entry.head if one not in words and not (entry.turn in before and is_model_s(one))]
        words += head
        parts[entry.which] = [*parts.get(entry.which, [])[:-1], *head, entry.item]


def _lives(items: Items, mark: str) -> tuple[list[list[Entry]], Items]:
    """Return the calls and results of each life of a run, and what was said after the last of them.

    A life begins with the user's words, behind which the turns begin anew.
    """
    lives: list[list[Entry]] = [[]]
    head: Items = []
    for item in items:
        call = CallId.parse(item.get("call_id"))
        if call is None or call.mark != mark:
            head.append(item)
            continue
        entry = Entry(call.path[-2], head, item)
        last = lives[-1][-1].turn if lives[-1] else -1
        if entry.turn <= last and any(one.get("role") == "user" for one in head):
            lives.append([])
        lives[-1].append(entry)
        head = []
    return lives, head


def _is_result(item: dict[str, Any]) -> bool:
    return str(item.get("type")).endswith("_output")


def is_model_s(item: dict[str, Any]) -> bool:
    """Whether the model has said an item, and not the user or a tool."""
    kind = str(item.get("type", "message"))
    if kind == "message":
        return item.get("role") == "assistant"
    return not kind.endswith(("_output", "_response"))
