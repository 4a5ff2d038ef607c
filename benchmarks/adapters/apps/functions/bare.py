"""A loop without a framework: it asks the model, calls functions, and begins anew after a crash."""

from benchmarks.adapters.script import next_turn
from benchmarks.adapters.world import TOOLS

FUNCTIONS = {tool.__name__: tool for tool in TOOLS}


def work(task: str, run: str) -> str:
    """Perform a task to its end."""
    return loop(task)


def loop(task: str) -> str:
    """Ask the model and call what it asks for, until it has said all."""
    results: list[str] = []
    while not isinstance(turn := next_turn(task, results), str):
        results += [str(FUNCTIONS[call.action](**call.args)) for call in turn]
    return turn
