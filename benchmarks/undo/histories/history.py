"""A random history: what agents and others do, in which order, and what is undone in the end."""

from random import Random
from typing import Literal, NamedTuple

from benchmarks.undo.histories.acts import Act, act
from benchmarks.undo.histories.others import Foreign, after, anywhere

Kind = Literal["all", "each", "run", "effect"]
Step = Act | Foreign


class Undo(NamedTuple):
    """What is undone: all runs at once, each run in an order, one run, or the effect of one step."""

    kind: Kind
    order: tuple[int, ...]
    otherwise: Literal["leave", "stop"]


class History(NamedTuple):
    """What happens. Runs are numbers; with `made_keys` the database makes the keys."""

    runs: int
    made_keys: bool
    steps: tuple[Step, ...]
    undo: Undo

    @property
    def actions(self) -> frozenset[str]:
        """The names of the actions in it."""
        return frozenset(step.action for step in self.steps if isinstance(step, Act))


def drawn(random: Random) -> History:
    """Draw a history; the same source draws the same."""
    runs = random.randint(2, 4)
    kind: Kind = random.choice(("all", "all", "each", "run", "effect"))
    made_keys = kind in ("all", "each")
    acts = [act(random, n, random.randrange(runs), made_keys=made_keys) for n in range(random.randint(runs, 8))]
    steps: list[Step] = list(acts)
    for number in range(random.choice((0, 0, 1, 2, 3, 4))):
        _add_foreign(random, number, acts, steps)
    undo = Undo(kind, _order(random, kind, runs, steps), random.choice(("leave", "leave", "stop")))
    return History(runs, made_keys, tuple(steps), undo)


def _add_foreign(random: Random, number: int, acts: list[Act], steps: list[Step]) -> None:
    """Have somebody else do something: anywhere at any time, or later to what an agent has changed."""
    if random.random() < 0.4:
        steps.insert(random.randint(0, len(steps)), anywhere(random, number))
    else:
        changed = random.choice(acts)
        steps.insert(random.randint(steps.index(changed) + 1, len(steps)), after(random, number, changed))


def _order(random: Random, kind: Kind, runs: int, steps: list[Step]) -> tuple[int, ...]:
    if kind == "each":
        order = list(range(runs))
        random.shuffle(order)
        return tuple(order)
    if kind == "run":
        return (random.randrange(runs),)
    if kind == "effect":
        return (random.choice([n for n, step in enumerate(steps) if isinstance(step, Act)]),)
    return ()
