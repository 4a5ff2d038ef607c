"""What an operator declares for a suite: policy, labels and effects, from a file of their own or by default."""

import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.agentdojo import guess
from benchmarks.agentdojo.guess import Effect
from interlock import Labels, Policy, permit
from interlock.guardian.check import named

if TYPE_CHECKING:
    from benchmarks.agentdojo.world import World

POLICIES = Path(__file__).with_name("policies")


@dataclass(frozen=True, slots=True)
class Guard:
    """What an agent is held by. Without labels nothing is traced; `effects` says what each function does."""

    policy: Policy
    labels: Labels | None
    effects: Mapping[str, Effect]

    def without_policy(self, world: "World") -> "Guard":
        """Return it with everything permitted that provenance has nothing against."""
        return replace(self, policy=all_permitted(world))

    def without_labels(self) -> "Guard":
        """Return it with nothing traced, and without the rules that read where a value came from."""
        rules = (rule for rule in self.policy.rules if not named(rule.clause, "origin"))
        return replace(self, labels=None, policy=Policy(*rules))


def default(world: "World") -> Guard:
    """Return what there is where nobody declared anything: everything is permitted, names say the rest."""
    return Guard(all_permitted(world), Labels(), _guessed(world))


def declared(world: "World", folder: Path) -> Guard:
    """Return what the file `<suite>.py` in a folder declares, and the default for what it leaves out.

    Raises:
        AttributeError: the file defines no `policy` or no `labels`.
    """
    path = folder / f"{world.name}.py"
    if not path.exists():
        return default(world)
    module = _loaded(path)
    effects: dict[str, Effect] = getattr(module, "effects", {})
    return Guard(module.policy, module.labels, _guessed(world) | effects)


def all_permitted(world: "World") -> Policy:
    """Return the policy that permits every function of a suite."""
    return Policy(permit([one.name for one in world.functions]))


def _guessed(world: "World") -> dict[str, Effect]:
    return {one.name: guess.effect(one.name, one.parameters.model_fields) for one in world.functions}


def _loaded(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(f"declared_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def ablated(guard: Guard, world: "World", parts: str) -> Guard:
    """Return one with only some parts of a guard: none, provenance, policy or both."""
    match parts:
        case "none":
            return guard.without_policy(world).without_labels()
        case "provenance":
            return guard.without_policy(world)
        case "policy":
            return guard.without_labels()
        case _:
            return guard
