"""The check of a policy: rules that never do anything, actions that nothing permits, obligations nobody can meet."""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from interlock.guardian.policy import Policy
from interlock.guardian.proofs.asking import (
    Answer,
    Assumed,
    Budget,
    Outcome,
    Question,
    Ruled,
    deciding,
    permitted,
    ruled,
)
from interlock.guardian.proofs.obligations import obligations
from interlock.guardian.proofs.report import Finding, Kind, Place, Report, Undecided
from interlock.guardian.proofs.shapes import Shape, Shapes
from interlock.guardian.verdict import Case

Proved = Literal["dead", "broken", "unreachable", "redundant", "vacuous"]


class _Idle(msgspec.Struct):
    """A rule that changes no verdict on one action: in which way, because of which rules, and a call that shows it."""

    kind: Proved
    others: frozenset[str] = frozenset()
    example: Case | None = None
    may_be_bad: bool = False


def check(
    policy: Policy,
    known: Mapping[str, Shapes] | None = None,
    roots: Mapping[str, Shape] | None = None,
    seconds: float = 30.0,
) -> Report:
    """Return what is wrong with *policy*.

    Args:
        policy: The policy; also one that is within another.
        known: The actions that there are, with what is known of their arguments; without it those that rules name.
        roots: What is known of `agent`, `tenant` and `state`.
        seconds: After this time what was not looked at is reported as undecided.
    """
    started = time.perf_counter()
    rules = ruled(policy)
    checking = _Checking(rules, known or {}, roots or {}, Budget(seconds))
    for action in sorted(set(known or ()) | {name for each in rules for name in _named(each)}):
        checking.look(action)
    findings, undecided = checking.results()
    took = (time.perf_counter() - started) * 1000
    unanalysed = tuple(
        Undecided(f"{name} is not analysed", why, (checking.place(name),)) for name, why in checking.unclear.items()
    )
    return Report(tuple(findings), tuple(undecided), unanalysed, len(rules), checking.actions, took)


def _named(each: Ruled) -> tuple[str, ...]:
    return () if each.rule.clause.everywhere else each.rule.clause.actions


class _Checking:
    def __init__(
        self, rules: Sequence[Ruled], known: Mapping[str, Shapes], roots: Mapping[str, Shape], budget: Budget
    ) -> None:
        self._rules, self._known, self._roots, self._budget = rules, known, roots, budget
        self._by_id = {each.id: each for each in rules}
        self._numbers = {each.id: number for number, each in enumerate(rules)}
        self._alive = set[str]()
        self._useful = set[str]()
        self._reached = set[str]()
        self._possible = set[str]()
        self._flagged = set[str]()
        self._idle: dict[str, dict[str, _Idle]] = {}
        self._doubts: dict[str, str] = {}
        self._findings: list[tuple[int, Finding]] = []
        self._undecided: list[Undecided] = []
        self.unclear: dict[str, str] = {}
        self.actions = 0

    def place(self, name: str) -> Place:
        """Return how a rule is named to people."""
        rule = self._by_id[name].rule
        return Place(name, rule.place, str(rule))

    def look(self, action: str) -> None:
        """Look at all rules about one action."""
        self.actions += 1
        concerned = [each for each in self._rules if each.rule.concerns(action)]
        if not self._budget.left_ms:
            self._undecided.append(Undecided(f"{action} was not looked at", "the time was up"))
            return
        question = Question(action, self._rules, self._known.get(action, Shapes()), self._budget, roots=self._roots)
        self.unclear |= question.unclear
        self._look_at_action(question, concerned)
        effective = deciding(concerned)
        for each in sorted(effective, key=lambda one: one.rule.clause.kind == "permit"):
            if each.id in self._useful or each.id in self.unclear:
                continue
            if self._budget.left_ms:
                self._look_at_rule(question, effective, each)
            else:
                self._doubts[each.id] = "it was not looked at, for the time was up"
        for each in concerned:
            if each not in effective and each.id not in self._alive and each.id not in self.unclear:
                self._look_at_idler(question, each)
        if any(each.rule.clause.kind == "must" and not each.rule.clause.shadow for each in concerned):
            findings, undecided = obligations(question, concerned, self.place)
            self._findings += [(self._number(finding.rules[0].rule), finding) for finding in findings]
            self._undecided += undecided

    def _number(self, name: str) -> int:
        return self._numbers[name]

    def _look_at_action(self, question: Question, concerned: Sequence[Ruled]) -> None:
        answer = question.ask(permitted(question, concerned))
        self._learn(question, concerned, answer)
        if question.action in self._possible:
            return
        if not answer.is_proof:
            self._undecided.append(Undecided(f"whether {question.action} is ever allowed", answer.why or _ELSE))
            return
        permits = [each for each in concerned if each.rule.clause.kind == "permit" and not each.rule.clause.shadow]
        others = sorted(answer.core, key=self._number)
        words = (
            f"{question.action} is never allowed: {', '.join(others)} exclude{'s' if len(others) == 1 else ''} "
            "every case that is permitted"
            if permits and others
            else f"{question.action} is never allowed: no rule ever permits it"
        )
        involved = tuple(dict.fromkeys([*(each.id for each in permits), *others]))
        places = tuple(self.place(name) for name in involved)
        self._findings.append((len(self._rules), Finding("never allowed", places, (question.action,), words)))

    def _look_at_idler(self, question: Question, each: Ruled) -> None:
        """Look whether an obligation or a rule in shadow ever applies."""
        answer = question.ask([Assumed(question.applies[each.id])])
        self._learn(question, question.rules, answer)
        if each.id in self._alive:
            return
        if answer.is_proof:
            self._note(question, each, _Idle("dead"))
        else:
            self._doubts[each.id] = answer.why or _ELSE

    def _look_at_rule(self, question: Question, effective: Sequence[Ruled], each: Ruled) -> None:
        """Look for a case whose verdict the rule changes."""
        kind = each.rule.clause.kind
        flagged = {one for one in self._flagged if self._by_id[one].rule.clause.kind == kind}
        others = [one for one in effective if one is not each and one.id not in flagged]
        answer = question.ask(_applied(question, others, each))
        self._learn(question, effective, answer, without=flagged)
        if each.id in self._useful:
            return
        if not answer.is_proof:
            self._doubts[each.id] = answer.why or _ELSE
            return
        unjudged = question.ask([Assumed(question.bad[each.id]), *permitted(question, others)])
        self._classify(question, effective, each, answer, may_be_bad=not unjudged.is_proof)

    def _classify(
        self, question: Question, effective: Sequence[Ruled], each: Ruled, proof: Answer, *, may_be_bad: bool
    ) -> None:
        shown = question.ask([Assumed(question.applies[each.id])])
        self._learn(question, effective, shown)
        if shown.is_proof:
            judged = question.ask([question.fine[each.id]])
            self._note(question, each, _Idle("broken" if judged.is_proof else "dead", may_be_bad=may_be_bad))
            return
        if shown.case is None or shown.outcomes[each.id] != "applies":
            self._doubts[each.id] = shown.why or _ELSE
            return
        kind, others = self._why_idle(question, effective, each, proof)
        self._note(question, each, _Idle(kind, others - {each.id}, shown.case, may_be_bad))

    def _why_idle(
        self, question: Question, effective: Sequence[Ruled], each: Ruled, proof: Answer
    ) -> tuple[Proved, frozenset[str]]:
        if each.rule.clause.kind == "permit":
            reached = question.ask([Assumed(question.applies[each.id]), *permitted(question, effective)])
            if reached.is_proof:
                return "unreachable", reached.core
        alike = {
            name
            for name in proof.core
            if name != each.id and self._by_id[name].rule.clause.kind == each.rule.clause.kind
        }
        return ("redundant" if alike else "vacuous"), proof.core

    def _note(self, question: Question, each: Ruled, idle: _Idle) -> None:
        self._idle.setdefault(each.id, {})[question.action] = idle
        everywhere = each.rule.clause.everywhere
        if idle.kind == "redundant" and not everywhere and set(self._idle[each.id]) == set(each.rule.clause.actions):
            self._flagged.add(each.id)

    def _learn(
        self,
        question: Question,
        rules: Sequence[Ruled],
        answer: Answer,
        without: set[str] | frozenset[str] = frozenset(),
    ) -> None:
        """Note what an example shows of every rule."""
        if answer.case is None:
            return
        outcomes: Mapping[str, Outcome] = answer.outcomes
        self._alive |= {name for name, found in outcomes.items() if found == "applies"}
        seen = [each for each in deciding(rules) if each.id not in without]
        blockers = {each.id for each in seen if _blocks(each, outcomes)}
        permits = {
            layer: [each.id for each in seen if each.layer == layer and _permits(each, outcomes)]
            for layer in question.layers
        }
        if not all(permits.values()):
            return
        if len(blockers) == 1:
            (name,) = blockers
            if outcomes[name] == "applies":
                self._useful.add(name)
        if blockers:
            return
        self._possible.add(question.action)
        applied = [each for each in seen if outcomes[each.id] == "applies"]
        self._reached |= {each.id for each in applied}
        self._useful |= {names[0] for names in permits.values() if len(names) == 1}
        needs = Counter(each.need for each in applied if each.need is not None)
        self._useful |= {each.id for each in applied if each.need is not None and needs[each.need] == 1}

    def results(self) -> tuple[list[Finding], list[Undecided]]:
        """Return what was found, in the order of the rules."""
        found = list(self._findings)
        for name, by_action in self._idle.items():
            if name not in self._useful and name not in self._doubts and not self._is_alive_elsewhere(name, by_action):
                found.append((self._number(name), self._finding(name, by_action)))
        undecided = [
            Undecided(f"whether {name} ever changes a verdict", why, (self.place(name),))
            for name, why in sorted(self._doubts.items(), key=lambda one: self._number(one[0]))
            if name not in self._useful and name not in self._alive_idlers()
        ]
        ordered = sorted(found, key=lambda one: (one[0], one[1].kind))
        return [finding for _, finding in ordered], [*self._undecided, *undecided]

    def _alive_idlers(self) -> set[str]:
        """Return obligations and rules in shadow that are known to apply somewhere."""
        return {each.id for each in self._rules if each.id in self._alive and not deciding([each])}

    def _is_alive_elsewhere(self, name: str, by_action: Mapping[str, _Idle]) -> bool:
        each = self._by_id[name]
        missed = set(_named(each)) - set(by_action)
        return bool(missed) or (name in self._alive_idlers())

    def _finding(self, name: str, by_action: Mapping[str, _Idle]) -> Finding:
        ranked = sorted(by_action.values(), key=lambda one: _RANK.index(one.kind))
        kind: Kind = ranked[-1].kind
        others = sorted(frozenset[str]().union(*(one.others for one in by_action.values())), key=self._number)
        example = next((one.example for one in by_action.values() if one.example is not None), None)
        words = f"{name} {_words(kind, self._by_id[name].rule.clause.kind, others)}"
        if any(one.may_be_bad for one in by_action.values()):
            words += "; it still denies what it can't judge"
        places = tuple(self.place(each) for each in (name, *others))
        return Finding(kind, places, tuple(by_action), words, example)


_ELSE = "an example was found, but the evaluator sees it differently"
_RANK: tuple[Kind, ...] = ("broken", "dead", "vacuous", "unreachable", "redundant")


def _words(kind: Kind, clause: str, others: Sequence[str]) -> str:
    listed = ", ".join(others)
    what = {"permit": "permits", "forbid": "forbids"}.get(clause, "asks for")
    match kind:
        case "broken":
            return "can't be judged, whatever the case is: it denies everything that it concerns"
        case "dead":
            return "never applies: no case meets its condition"
        case "unreachable":
            return f"never permits anything: wherever it applies, {listed or 'another policy'} denies"
        case "redundant":
            return f"changes nothing: what it {what}, {listed} already cover{'s' if len(others) == 1 else ''}"
        case _:
            return f"changes nothing: {f'with {listed}, ' if others else ''}nothing is permitted where it applies"


def _applied(question: Question, others: Sequence[Ruled], each: Ruled) -> list[Assumed]:
    """Return what has to hold so that the verdict changes when the rule, which applies, is left out."""
    own = Assumed(question.applies[each.id])
    if each.rule.clause.kind == "forbid":
        return [own, *permitted(question, others)]
    if each.rule.clause.kind == "permit":
        alike = [one for one in others if one.rule.clause.kind == "permit" and one.layer == each.layer]
        rest = [one for one in others if one not in alike]
        return [own, *(question.silent[one.id] for one in alike), *(question.fine[one.id] for one in alike),
                *permitted(question, rest, but=each.layer)]  # fmt: skip
    alike = [one for one in others if one.need == each.need]
    missing = [question.silent[one.id] for one in alike]
    return [own, *missing, *permitted(question, others)]


def _blocks(each: Ruled, outcomes: Mapping[str, Outcome]) -> bool:
    found = outcomes[each.id]
    return found == "bad" or (found == "applies" and each.rule.clause.kind == "forbid")


def _permits(each: Ruled, outcomes: Mapping[str, Outcome]) -> bool:
    return each.rule.clause.kind == "permit" and outcomes[each.id] == "applies"
