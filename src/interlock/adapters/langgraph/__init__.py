"""LangGraph and LangChain: their tool calls take the one path of an action.

`GovernorMiddleware` is for `create_agent`, `governed` for a `ToolNode` in a graph of one's own. `calls.py` stands in
for the tool that is called, and is the file to open first; `proposing.py` takes the call to the governor; `places.py`
says which run and which key it has. `arguments.py`, `results.py` and `turns.py` stand between LangChain's types and
the journal; `asking.py` pauses a graph for people, and `tasks.py` keeps calls that are performed at once apart.
"""

from typing import TYPE_CHECKING, Any

from interlock.adapters.langgraph.calls import Wrappers, governed

if TYPE_CHECKING:
    from interlock.adapters.langgraph.middleware import GovernorMiddleware

__all__ = ["GovernorMiddleware", "Wrappers", "governed"]


def __getattr__(name: str) -> Any:
    if name != "GovernorMiddleware":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    # Middleware is LangChain's; a graph of one's own needs LangGraph only.
    from interlock.adapters.langgraph.middleware import GovernorMiddleware  # noqa: PLC0415 - see above

    return GovernorMiddleware
