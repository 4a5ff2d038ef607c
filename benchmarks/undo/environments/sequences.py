"""What is executed: every user's task, every attacker's, and each attack in the middle of each user's task."""

from collections.abc import Iterator
from typing import NamedTuple

from benchmarks.agentdojo import attackers
from benchmarks.agentdojo.attackers import Pair
from benchmarks.agentdojo.courses import STRIDE
from benchmarks.agentdojo.scripts import Script, compromised
from benchmarks.agentdojo.world import SUITES, world
from benchmarks.replay import dojo


class Sequence(NamedTuple):
    """The ground truth of a user's task, of an attacker's, or of both: the attack follows the user's first call.

    `number` is its place among all of them; an attacker's alone starts in the environment of the suite's first task.
    """

    suite: str
    user_task: str | None
    injection_task: str | None
    number: int

    def environment(self) -> dojo.Environment:
        """Build the environment before it."""
        of = world(self.suite)
        task = self.user_task or of.user_tasks[0]
        texts = dict.fromkeys(of.vectors(task), of.goal(self.injection_task)) if self.injection_task else {}
        return of.environment(task, texts)

    def script(self, env: dojo.Environment) -> Script:
        """Return its calls, in an environment that is as before it."""
        of = world(self.suite)
        pair = Pair(self.user_task or of.user_tasks[0], self.injection_task)
        attack = attackers.wanted(of, pair, env) if self.injection_task else None
        if self.user_task is None:
            assert attack is not None
            return attack
        return compromised(of.user_calls(self.user_task, env), lambda _: True, attack)

    def __str__(self) -> str:
        return " ".join(filter(None, (self.suite, self.user_task, self.injection_task)))


def sequences(*, quick: bool) -> list[Sequence]:
    """Return all sequences, or every so-many-th of them."""
    found = [Sequence(*one, number) for number, one in enumerate(_all())]
    return found[::STRIDE] if quick else found


def _all() -> Iterator[tuple[str, str | None, str | None]]:
    for suite in SUITES:
        of = world(suite)
        for user_task in of.user_tasks:
            yield suite, user_task, None
        for injection_task in of.injection_tasks:
            yield suite, None, injection_task
        for user_task in of.user_tasks:
            for injection_task in of.injection_tasks:
                yield suite, user_task, injection_task
