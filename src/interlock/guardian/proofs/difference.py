"""What a new policy allows that the old one denied, and the other way round; and what could be allowed at all."""

from collections.abc import Mapping
from typing import Any, Literal, cast

import msgspec

from interlock.guardian.policy import Policy
from interlock.guardian.proofs.asking import Assumed, Budget, Question, Ruled, deciding, permission, permitted, ruled
from interlock.guardian.proofs.logic import Term, both, negated, some
from interlock.guardian.proofs.report import Undecided
from interlock.guardian.proofs.shapes import Shape, Shapes
from interlock.guardian.verdict import Case, Need, Verdict

_FAR = 1_000


class Change(msgspec.Struct, frozen=True):
    """A difference between two policies on one action, with a call that both have judged.

    `need` is what calls newly need, or need no more.
    """

    kind: Literal["newly allowed", "newly denied", "newly needs", "no longer needs"]
    action: str
    example: Case
    old: Verdict
    new: Verdict
    need: Need | None = None


class Difference(msgspec.Struct, frozen=True):
    """All differences between two policies; what is not listed and not undecided is proved to be equal."""

    changes: tuple[Change, ...]
    undecided: tuple[Undecided, ...]
    actions: int


class Reach(msgspec.Struct, frozen=True):
    """Whether a policy could ever permit an action: True with an example, False by proof, None with the reason."""

    is_possible: bool | None
    example: Case | None = None
    why: str = ""


def diff(
    old: Policy,
    new: Policy,
    known: Mapping[str, Shapes] | None = None,
    roots: Mapping[str, Shape] | None = None,
    seconds: float = 30.0,
) -> Difference:
    """Return what *new* allows, denies and needs otherwise than *old*; see `check` for the arguments."""
    before = ruled(old)
    after = [Ruled(f"new {each.id}", each.rule, each.layer + _FAR) for each in ruled(new)]
    budget = Budget(seconds)
    named = {name for each in (*before, *after) if not each.rule.clause.everywhere for name in each.rule.clause.actions}
    changes: list[Change] = []
    undecided: list[Undecided] = []
    actions = sorted(set(known or ()) | named)
    for action in actions:
        if not budget.left_ms:
            undecided.append(Undecided(f"{action} was not looked at", "the time was up"))
            continue
        shapes = (known or {}).get(action, Shapes())
        question = Question(action, [*before, *after], shapes, budget, roots=roots)
        found = _Compared(old, new, question)
        changes += found.changes
        undecided += found.undecided
    return Difference(tuple(changes), tuple(undecided), len(actions))


class _Compared:
    """The differences of two policies on one action."""

    def __init__(self, old: Policy, new: Policy, question: Question) -> None:
        self._old, self._new, self._question = old, new, question
        self.changes: list[Change] = []
        self.undecided: list[Undecided] = []
        sides = [[each for each in question.rules if (each.layer >= _FAR) == is_new] for is_new in (False, True)]
        # A policy that says nothing of the action still has its layers, in which nothing permits it.
        layers = [[layer for layer in question.layers if (layer >= _FAR) == is_new] or [-1] for is_new in (False, True)]
        before, after = (
            question.named(name, permission(question, side, around))
            for name, side, around in zip(("old permits", "new permits"), sides, layers, strict=True)
        )
        self._look("newly allowed", [after, negated(before)])
        self._look("newly denied", [before, negated(after)])
        needs = sorted({each.need for side in sides for each in deciding(side) if each.need is not None})
        for need in needs:
            one, other = (
                some(question.pairs[each.id][0] for each in deciding(side) if each.need == need) for side in sides
            )
            wanted = Need(cast("Any", need[0]), *need[1:])
            self._look("newly needs", [before, after, both(other, negated(one))], wanted)
            self._look("no longer needs", [before, after, both(one, negated(other))], wanted)

    def _look(self, kind: str, terms: list[Term], need: Need | None = None) -> None:
        question = self._question
        named = [question.named(f"{kind} {need} {number}", term) for number, term in enumerate(terms)]
        answer = question.ask([Assumed(term) for term in named])
        if answer.is_proof:
            return
        what = f"whether {question.action} is {kind}" if need is None else f"whether {question.action} {kind} {need}"
        if answer.case is None:
            self.undecided.append(Undecided(what, answer.why))
            return
        old, new = self._old.judge(answer.case), self._new.judge(answer.case)
        if _changed(kind, old, new, need):
            self.changes.append(Change(kind, question.action, answer.case, old, new, need))  # pyright: ignore[reportArgumentType]
        else:
            self.undecided.append(Undecided(what, "an example was found, but the evaluator sees it differently"))


def _changed(kind: str, old: Verdict, new: Verdict, need: Need | None) -> bool:
    match kind:
        case "newly allowed":
            return new.permitted and not old.permitted
        case "newly denied":
            return old.permitted and not new.permitted
        case "newly needs":
            return need in new.needs and need not in old.needs
        case _:
            return need in old.needs and need not in new.needs


def reachable(
    policy: Policy,
    action: str,
    shapes: Shapes | None = None,
    roots: Mapping[str, Shape] | None = None,
    seconds: float = 5.0,
) -> Reach:
    """Return whether *policy* could ever permit *action*.

    Args:
        policy: The policy.
        action: The action's name.
        shapes: What is known of its arguments.
        roots: What is known of `agent`, `tenant` and `state`: `{"state": one_of("paying")}` asks for one state.
        seconds: How long it may take.
    """
    rules = ruled(policy)
    question = Question(action, rules, shapes or Shapes(), Budget(seconds), roots=roots)
    answer = question.ask(permitted(question, question.rules))
    if answer.is_proof:
        return Reach(is_possible=False)
    if answer.case is None or not policy.judge(answer.case).permitted:
        return Reach(is_possible=None, why=answer.why or "an example was found, but the evaluator sees it differently")
    return Reach(is_possible=True, example=answer.case)


def one_of(*texts: str) -> Shape:
    """Return the shape of a text that is one of *texts*."""
    return Shape(frozenset({"text"}), choices=texts)
