"""What is told: the table, the lists, and the figures for the file."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from benchmarks import _convention as convention
from benchmarks.tau import mutants
from benchmarks.tau.document import SENTENCES
from benchmarks.tau.findings import Finding, Findings
from benchmarks.tau.replay import Replayed

_CHOICES = {
    "flights": "which of the flights that are sold, on the customer's route",
    "cabin": "which cabin the customer wants",
    "payment_id": "which of the payment methods that are allowed",
    "payment_methods": "which of the payment methods that are allowed",
    "total_baggages": "how many bags, as long as they are paid for",
    "insurance": "whether the customer wants insurance",
    "reservation_id": "which of the customer's own reservations",
    "origin": "where the customer wants to fly from",
    "destination": "where the customer wants to fly to",
}
"""What no sentence of the document is about, by argument."""


def figures(replayed: Replayed, found: Findings) -> dict[str, Any]:
    """Return what is written to the file."""
    wrong = [one for one in found.writes if one.is_wrong]
    broken = [one for one in found.mutants if one.breaks]
    return {
        "observations": replayed.observations,
        "reproduced": replayed.observations - len(replayed.differ),
        "wrong_writes": len(wrong),
        "stopped": sum(one.decision.is_stopped for one in wrong),
        "unstopped": [_unstopped(one) for one in wrong if not one.decision.is_stopped],
        "successes": found.successes,
        "disturbed": len(disturbed(found)),
        "gold": len(found.gold),
        "gold_blocked": len(gold_blocked(found)),
        "mutants": len(broken),
        "mutants_blocked": sum(one.decision.is_stopped for one in broken),
        **_more(replayed, found),
    }


def _more(replayed: Replayed, found: Findings) -> dict[str, Any]:
    wrong = [one for one in found.writes if one.is_wrong]
    return {
        "trajectories": found.trajectories,
        "seed": mutants.SEED,
        "differ": replayed.differ,
        "worlds": replayed.worlds,
        "equal_worlds": replayed.equal_worlds,
        "writes": sum(one.changes for one in found.writes),
        "wrong_stopped": [_told(one) for one in wrong if one.decision.is_stopped],
        "wrong_stopped_by": Counter(name for one in wrong for name in one.decision.by),
        "successes_that_write": len({one.where for one in found.writes if one.is_success}),
        "disturbed_writes": [_told(one) for one in _disturbing(found)],
        "successes_that_break": [_told(one) for one in found.writes if one.is_success and one.breaks],
        "gold_that_breaks": [_told(one) for one in found.gold if one.breaks],
        "gold_blocked_calls": [_told(one) for one in gold_blocked(found)],
        "mutants_made": len(found.mutants),
        "mutants_blocked_by_rules": sum(bool(one.decision.rules) for one in found.mutants if one.breaks),
        "mutants_not_blocked": [_told(one) for one in found.mutants if one.breaks and not one.decision.is_stopped],
        "mutants_that_break_nothing": _unread(found.mutants),
        "gold_mutants": _by_rules(found.gold_mutants),
        "disagreements": [_told(one) for one in disagreements(found)],
    }


def disturbed(found: Findings) -> set[str]:
    """Return the successes in which a write was stopped that breaks no sentence but the one on confirmation."""
    return {one.where for one in _disturbing(found)}


def _disturbing(found: Findings) -> list[Finding]:
    return [one for one in found.writes if one.is_success and one.decision.is_stopped and not one.breaks]


def gold_blocked(found: Findings) -> list[Finding]:
    """Return the gold writes that were stopped and break no sentence."""
    return [one for one in found.gold if one.decision.is_stopped and not one.breaks]


def disagreements(found: Findings) -> list[Finding]:
    """Return what policy and referee read differently: the rules, or whether the customer agreed."""
    judged = [*found.writes, *found.gold, *found.mutants, *found.gold_mutants]
    yes = [one for one in found.writes if not one.decision.rules and bool(one.decision.lacks) != bool(one.unconfirmed)]
    return [*(one for one in judged if one.is_unread), *yes]


def _unstopped(one: Finding) -> dict[str, Any]:
    return {"call": f"{one.where}: {one.call}", "breaks_rule": _is_breaking(one), "why": why(one)}


def _is_breaking(one: Finding) -> bool:
    return bool(one.breaks or one.unconfirmed)


def why(one: Finding) -> str:
    """Say why a wrong write breaks no sentence, or which it breaks."""
    if _is_breaking(one):
        return "; ".join([*(f"{name}: {SENTENCES[name]}" for name in one.breaks), *filter(None, [one.unconfirmed])])
    choices = dict.fromkeys(_CHOICES[name] for name in one.unlike if name in _CHOICES)
    about = "; ".join(choices) or "whether the customer wants this at all"
    return f"{one.nearest}; no sentence is about {about}; it was read back, and the customer agreed"


def _told(one: Finding) -> dict[str, Any]:
    return {
        "where": one.where,
        "call": one.call,
        "operator": one.operator,
        "stopped_by": list(one.decision.by),
        "lacks": one.decision.lacks,
        "breaks": {name: SENTENCES[name] for name in one.breaks},
        "unconfirmed": one.unconfirmed,
    }


def _unread(made: Sequence[Finding]) -> dict[str, Any]:
    """Count the mutants that break nothing but the sentence on confirmation: whether the yes covers them."""
    rest = [one for one in made if not one.breaks]
    left = [one for one in rest if not one.decision.is_stopped]
    return {
        "mutants": len(rest),
        "unconfirmed": sum(bool(one.decision.lacks) for one in rest),
        "refused_by_the_api": sum(not one.changes for one in left),
        "left": [_told(one) for one in left if one.changes],
    }


def _by_rules(made: Sequence[Finding]) -> dict[str, int]:
    broken = [one for one in made if one.breaks]
    blocked = sum(bool(one.decision.rules) for one in broken)
    return {"made": len(made), "break_a_rule": len(broken), "blocked": blocked}


def text(replayed: Replayed, found: Findings) -> str:
    """Return what is printed."""
    told = figures(replayed, found)
    wrong = [one for one in found.writes if one.is_wrong]
    breaking = [one for one in found.writes if one.is_success and one.breaks]
    return "\n".join(
        [
            f"{found.trajectories} conversations, {found.successes} successes; mutants drawn with seed {mutants.SEED}",
            "",
            _table(told),
            *_list("Wrong writes that were stopped", _stopped_lines(wrong)),
            *_list("Stopped, by sentence", _counted(wrong)),
            *_list("Wrong writes that were not stopped, and why", map(_unstopped_line, told["unstopped"])),
            *_list("Successes that were disturbed", map(_line, _disturbing(found))),
            *_list("Writes of successes that break the document (left out above)", map(_broken_line, breaking)),
            *_list("Gold calls that break the document (left out)", map(_broken_line, filter(_breaks, found.gold))),
            *_list("Gold calls that were blocked and break nothing", map(_line, gold_blocked(found))),
            *_list("Mutants that break a rule and were not blocked", _missed(found.mutants)),
            *_list("Mutants that break nothing, and were permitted", _left(told["mutants_that_break_nothing"])),
            *_list("Policy and referee disagree", map(_line, disagreements(found))),
            *_list("Observations that differ", replayed.differ),
        ]
    )


def _table(told: dict[str, Any]) -> str:
    unread, gold = told["mutants_that_break_nothing"], told["gold_mutants"]
    broken = sum(one["breaks_rule"] for one in told["unstopped"])
    return convention.table(
        ["", "of", ""],
        [
            ["observations that come out byte for byte", told["observations"], told["reproduced"]],
            ["worlds with the recorded hash, after gold calls and successes", told["worlds"], told["equal_worlds"]],
            ["wrong writes that were stopped", told["wrong_writes"], told["stopped"]],
            ["not stopped that break a sentence", len(told["unstopped"]), broken],
            ["successes that write and were disturbed", told["successes_that_write"], told["disturbed"]],
            ["gold writes that were blocked and break nothing", told["gold"], told["gold_blocked"]],
            ["mutants of successes that break a rule, blocked", told["mutants"], told["mutants_blocked"]],
            ["  by the rules alone", told["mutants"], told["mutants_blocked_by_rules"]],
            ["  those that break none: not what was read back", unread["mutants"], unread["unconfirmed"]],
            ["mutants of gold writes that break a rule, blocked by rules", gold["break_a_rule"], gold["blocked"]],
        ],
    )


def _counted(wrong: Iterable[Finding]) -> list[str]:
    counted = Counter(name for one in wrong for name in one.decision.by)
    return [f"{number:4}  {name}: {SENTENCES.get(name, '')[:100]}" for name, number in counted.most_common()]


def _stopped_lines(wrong: Iterable[Finding]) -> list[str]:
    return [_line(one) for one in wrong if one.decision.is_stopped]


def _line(one: Finding) -> str:
    stopped = ", ".join(one.decision.by) or "permitted"
    lacks = f" ({one.decision.lacks})" if one.decision.lacks else ""
    reads = f"; breaks {', '.join(one.breaks)}" if one.breaks else "; breaks no rule"
    agreed = f"; referee: {one.unconfirmed}" if one.unconfirmed else ""
    return f"{one.where}  {one.operator or one.name}: {stopped}{lacks}{reads}{agreed}\n      {one.call[:180]}"


def _breaks(one: Finding) -> bool:
    return bool(one.breaks)


def _broken_line(one: Finding) -> str:
    return f"{one.where}  {one.call[:140]}" + "".join(f"\n      {name}: {SENTENCES[name]}" for name in one.breaks)


def _unstopped_line(one: dict[str, Any]) -> str:
    return f"{'BREAKS' if one['breaks_rule'] else 'breaks none'}  {one['call'][:140]}\n      {one['why']}"


def _missed(made: Iterable[Finding]) -> list[str]:
    return [_line(one) for one in made if one.breaks and not one.decision.is_stopped]


def _left(unread: dict[str, Any]) -> list[str]:
    listed = [f"{one['where']}  {one['operator']}\n      {one['call'][:180]}" for one in unread["left"]]
    refused = unread["refused_by_the_api"]
    return [*listed, f"and {refused} more that the API itself refuses"] if refused else listed


def _list(title: str, lines: Iterable[str]) -> list[str]:
    listed = list(lines)
    return ["", f"{title}: {len(listed) or 'none'}", *(f"  {line}" for line in listed)]
