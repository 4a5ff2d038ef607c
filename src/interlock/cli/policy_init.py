"""`interlock policy init`: a first policy from what an agent's actions declare, with a reason beside each line."""

import ast
import json as json_module
import keyword
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from interlock.actions.action import Action
from interlock.agents import Agent
from interlock.cli import text
from interlock.cli.errors import WELL, AnswerError, UsageError
from interlock.cli.policy_subject import agent_of
from interlock.cli.screen import Screen

LEVEL = "support"
"""Who approves what can't be taken back, until somebody says otherwise."""

_AMOUNTS = ("amount", "price", "total", "sum", "cost", "fee", "payment", "quantity", "value", "money")
_NUMBERS = frozenset({"number", "integer"})
_WIDTH = 120


def write_policy(agent: str | None, out: Path, *, json: bool) -> int:
    """Write a first policy into a file that does not exist yet."""
    chosen = agent_of(agent)
    written = start(chosen)
    try:
        with out.open("x", encoding="utf-8") as file:
            file.write(written)
    except FileExistsError as error:
        raise UsageError(f"{out} exists; nothing was written, name another file with -o") from error
    except OSError as error:
        raise AnswerError(f"{out}: {error.strerror}") from error
    screen = Screen()
    if json:
        screen.json({"file": str(out.resolve()), "agent": chosen.name, "actions": list(chosen.reach)})
        return WELL
    screen.line(f"a first policy for agent {text.visible(chosen.name)} in {text.visible(str(out))}")
    screen.line(
        f"read it, change it, and see what it allows: interlock policy surface --policy {text.visible(str(out))}"
    )
    return WELL


def start(agent: Agent) -> str:
    """Return a first policy for the agent's actions (and those of agents that it hands tasks on to), as Python."""
    lines = [line for action in agent.reach.values() for line in _rules(action)]
    body = "".join(f"    {part}\n" for line in lines for part in line.split("\n"))
    code = f"policy = Policy(\n{body})\n" if lines else "policy = Policy()\n"
    used = {node.id for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Name)} - {"policy"}
    return f"{_head(agent)}from interlock import {', '.join(sorted(used))}\n\n{code}"


def _head(agent: Agent) -> str:
    name = _comment(agent.name)
    return (
        f'"""What {name} may do: a first policy, to be read and changed line by line."""\n\n'
        "# What no rule permits is denied. Any forbid wins. Needs add up, and never grant.\n\n"
    )


def _rules(action: Action[Any, Any, Any]) -> Iterator[str]:
    quoted = _quoted(action.name)
    yield f"# {_comment(action.name)}: {_reason(action)}"
    yield _call("permit", quoted)
    match action.effect:
        case "compensable":
            yield _call("need.confirmation", quoted, _because("it can only be made good, not unmade"))
        case "irreversible":
            yield _call("need.approval", f'"{LEVEL}"', quoted, _because("it can't be taken back"))
        case "read" if action.egress:
            yield _call("need.confirmation", quoted, _because("what it is given leaves the house"))
        case _:
            pass
    if action.effect != "read":
        for name in _amounts(action):
            yield from _limits(quoted, name)


def _reason(action: Action[Any, Any, Any]) -> str:
    match action.effect:
        case "read":
            return "a read; but its arguments leave the trust boundary." if action.egress else "a read changes nothing."
        case "reversible":
            return "its undo restores the exact state."
        case "compensable":
            return "its undo makes it good, so the user says yes first."
        case "irreversible":
            return "it can't be taken back, so a person looks first. Who is that?"


def _limits(quoted: str, name: str) -> Iterator[str]:
    path = f"arg.{name}" if name.isidentifier() and not keyword.iskeyword(name) else f"arg[{_quoted(name)}]"
    yield _call("forbid", quoted, f"when={path} <= 0", _because(f"{name} has to be above 0"))
    yield f"# How large may {_comment(name)} be? From where on does a person look?"
    yield f"# forbid({quoted}, when={path} > 1000),"
    yield f'# need.approval("{LEVEL}", {quoted}, when={path} > 100),'


def _call(function: str, *arguments: str) -> str:
    """Return a call laid out as a formatter would."""
    inner = ", ".join(arguments)
    line = f"{function}({inner}),"
    if len(line) <= _WIDTH - 4:
        return line
    if len(inner) <= _WIDTH - 8:
        return f"{function}(\n    {inner}\n),"
    return "\n".join((f"{function}(", *(f"    {one}," for one in arguments), "),"))


def _because(words: str) -> str:
    return f"because={_quoted(words)}"


def _amounts(action: Action[Any, Any, Any]) -> Iterable[str]:
    """Yield the arguments that are amounts, by type and name, and always there (a rule on an absent one denies)."""
    schema = action.schema()["parameters"]
    for name, one in schema.get("properties", {}).items():
        kinds = {one.get("type"), *(each.get("type") for each in one.get("anyOf", ()))}
        words = name.lower().replace("-", "_").split("_")
        if kinds & _NUMBERS and "null" not in kinds and any(word in _AMOUNTS for word in words):
            yield name


def _quoted(written: str) -> str:
    return json_module.dumps(written)  # no name can end the text that it stands in


def _comment(written: str) -> str:
    """Return a name so that it can neither end a comment nor a docstring."""
    return text.visible(written).replace("\\", "/").replace('"', "'")
