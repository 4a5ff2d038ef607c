"""Who may take an action back: rules about the undo of an action, judged apart from those about the action."""

from collections.abc import Iterator

from interlock.errors import PolicyError
from interlock.guardian.naming import Actions, names
from interlock.guardian.policy import Policy
from interlock.guardian.rules import Rule, permit
from interlock.guardian.verdict import Case, Verdict

_UNDOING = "undoing "


def undoing(action: Actions) -> list[str]:
    """Return what rules name to speak of the undo of *action*, as in `forbid(undoing(refund), when=…)`.

    Arguments and facts are those of the action that is taken back; `user` is who takes it back. What no rule speaks
    of, anybody who reaches the journal may take back. As soon as a rule permits the undo of an action, it is denied
    where none does.

    Raises:
        PolicyError: neither an action nor a name was given.
    """
    return [about(name) for name in names("undoing", action)]


def about(action: str) -> str:
    """Return the name under which the undo of the action of this name is judged."""
    return _UNDOING + action


class Authority:
    """The rules of a policy, and of those that it stands inside, about the undo of one action.

    Raises:
        PolicyError: a rule asks for what an undo can't wait for.
    """

    def __init__(self, policy: Policy, action: str) -> None:
        self._name = about(action)
        numbered = [(number, rule) for number, rule in _rules(policy) if self._name in rule.clause.actions]
        self._numbers = [number for number, _ in numbered]
        rules = [rule for _, rule in numbered]
        for rule in rules:
            _check(rule)
        if not any(rule.clause.kind == "permit" for rule in rules):
            rules.append(permit(self._name))
        self._policy = Policy(*rules)
        self.facts = tuple(sorted(self._policy.facts_needed(self._name)))
        """The facts that a judgement has to be given."""
        self.is_silent = not self._numbers
        """Whether no rule speaks of it."""

    def judge(self, case: Case) -> Verdict:
        """Return the verdict on taking back the effect of *case*: an action's name, its arguments, and who undoes."""
        verdict = self._policy.judge(Case(self._name, case.args, case.facts, case.user, case.agent, case.tenant))
        known = tuple(self._numbers[place] for place in map(_place, verdict.rules) if place < len(self._numbers))
        return Verdict(
            verdict.permitted, verdict.needs, known or ("undo",), verdict.reasons, verdict.instead, verdict.read
        )


def _place(rule: str) -> int:
    return int(rule[1:]) - 1


def _rules(policy: Policy | None) -> Iterator[tuple[str, Rule]]:
    while policy is not None:
        yield from ((f"r{number}", rule) for number, rule in enumerate(policy.rules, 1))
        policy = policy.outer


def _check(rule: Rule) -> None:
    if rule.clause.kind in ("confirmation", "delay", "must"):
        raise PolicyError(
            f"{rule.place or 'policy'}: rule ({rule}): an undo can be permitted, forbidden, or need an approval"
        )
