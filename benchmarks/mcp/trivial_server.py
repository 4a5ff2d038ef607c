"""A server that does next to nothing, so that a call's time is that of the way there: line in, line out."""

from __future__ import annotations

import json
import sys
from typing import Any

_ANSWER = {"content": [{"type": "text", "text": "done"}]}
_TAKES = {"type": "object", "properties": {"number": {"type": "integer"}}, "required": ["number"]}
_TOOLS = [{"name": name, "description": name, "inputSchema": _TAKES} for name in ("look", "change")]


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """Return what is said to a request."""
    match request["method"]:
        case "initialize":
            result: dict[str, Any] = {
                "protocolVersion": request["params"]["protocolVersion"],
                "capabilities": {"tools": {}},
                "serverInfo": {"name": "trivial", "version": "1"},
            }
        case "tools/list":
            result = {"tools": _TOOLS}
        case "tools/call":
            result = _ANSWER
        case "ping":
            result = {}
        case _:
            return {"jsonrpc": "2.0", "id": request["id"], "error": {"code": -32601, "message": "no such method"}}
    return {"jsonrpc": "2.0", "id": request["id"], "result": result}


def main() -> None:
    for line in sys.stdin:
        message = json.loads(line)
        if "id" in message and "method" in message:
            sys.stdout.write(json.dumps(answer(message)) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
