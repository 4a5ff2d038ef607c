"""The attackers that know the guard, by name."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from benchmarks.agentdojo import attackers
from benchmarks.agentdojo.attackers import Pair, Play
from benchmarks.agentdojo.fields import every_field, every_field_bare
from benchmarks.agentdojo.laundering import laundering
from benchmarks.agentdojo.splitting import split
from benchmarks.agentdojo.trusted import lookalikes, other_trusted, other_trusted_own

if TYPE_CHECKING:
    from benchmarks.agentdojo.world import World


class Attacker(NamedTuple):
    """How an attack is played, who answers the guard's questions, and whether the attacker's own task matters."""

    play: Callable[["World", Pair], Play]
    reviewer: str = ""
    per_task: bool = False


KNOWING: Mapping[str, Attacker] = {
    "laundering": Attacker(laundering),
    "laundering_approved": Attacker(laundering, "notes"),
    "every_field": Attacker(every_field),
    "every_field_bare": Attacker(every_field_bare),
    "split": Attacker(split),
    "other_trusted": Attacker(other_trusted),
    "other_trusted_own": Attacker(other_trusted_own, per_task=True),
    "lookalike": Attacker(lookalikes, per_task=True),
    "fatigue": Attacker(attackers.direct, "careless"),
}

ATTACKERS: Mapping[str, Attacker] = {
    "nobody": Attacker(attackers.nobody, per_task=True),
    "direct": Attacker(attackers.direct),
    **KNOWING,
}
"""All of them, with the one that knows nothing of a guard, and with nobody."""
