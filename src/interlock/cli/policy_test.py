"""`interlock policy test`: what a policy says of a table of examples, and what none of them would notice."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct
from rich.text import Text

from interlock.agents import Agent
from interlock.cli import text
from interlock.cli.errors import NO, WELL, UsageError
from interlock.cli.policy_subject import agent_of, policy_of
from interlock.cli.policy_words import changed, decided, plain
from interlock.cli.project import found
from interlock.cli.screen import Screen
from interlock.guardian import Policy
from interlock.lab.examples import FILE, Example, Failure, expected, failures, read, told
from interlock.lab.mutation import Covered, Mutant, coverage
from interlock.lab.noticing import Noticing, noticing

SHOWN = 40
"""For so many changes that no example notices one that would is looked for; `--json` lists the others too."""


class _Result(Struct):
    """What is printed."""

    policy: Policy
    agent: Agent
    examples: list[Example]
    failures: list[Failure]
    covered: Covered
    least: float | None

    @property
    def well(self) -> bool:
        """Whether all examples hold, and enough changes are noticed."""
        return not self.failures and (self.least is None or self.covered.score >= self.least)


def test_policy(files: Sequence[Path], agent: str | None, file: str | None, least: float | None, *, json: bool) -> int:
    """Judge the examples of *files* and measure what they would notice."""
    chosen = agent_of(agent)
    policy = policy_of(chosen, file)
    examples = [one for each in files or (_file(),) for one in read(each, chosen, policy)]
    result = _Result(policy, chosen, examples, failures(examples, policy), coverage(policy, examples), least)
    screen = Screen()
    if json:
        screen.json(_document(result))
    else:
        _print(screen, result)
    return WELL if result.well else NO


def _file() -> Path:
    project = found()
    file = (project.folder if project is not None else Path()) / FILE
    if not file.is_file():
        raise UsageError(f"there is no {file}; write one ([[case]] with action, args and expect), or name another file")
    return file


def _print(screen: Screen, result: _Result) -> None:
    held = len(result.examples) - len(result.failures)
    colour = "bold red" if result.failures else "bold green"
    screen.line(
        (f"{held:,} of {text.counted(len(result.examples), 'example')} hold", colour),
        f" under policy {result.policy.hash[:12]} of agent {text.visible(result.agent.name)}",
    )
    for one in result.failures:
        _put_failure(screen, one)
    covered = result.covered
    screen.line()
    share = f"{covered.noticed:,} of {text.counted(covered.total, 'change')} of a rule would be noticed"
    screen.line((share, "bold"), f" ({_percent(covered)})", _asked(result))
    if covered.left_out:
        screen.line((f"{covered.left_out:,} more were not tried", "dim"))
    for mutant in covered.unnoticed[:SHOWN]:
        _put_mutant(screen, mutant, noticing(mutant, result.policy, result.examples, result.agent))
    if len(covered.unnoticed) > SHOWN:
        screen.line(f"  {len(covered.unnoticed) - SHOWN:,} more; --json has them")


def _percent(covered: Covered) -> str:
    """Return the score, rounded down: 100 % is said of all only."""
    return f"{int(covered.score * 1000) / 10:g} %"


def _asked(result: _Result) -> str:
    if result.least is None or result.covered.score >= result.least:
        return ""
    return f"; at least {result.least * 100:g} % are asked for"


def _put_failure(screen: Screen, one: Failure) -> None:
    example = one.example
    screen.line()
    screen.hang(Text("  "), Text.assemble((text.visible(example.name), "bold"), f"  {text.visible(_short(example))}"))
    why = f" because of {example.because!r}" if one.fault == "because" else ""
    _put(screen, "expected", f"{expected(example)}{why}")
    _put(screen, "is", decided(one.verdict))
    for rule in one.rules:
        _put(screen, "by", rule)
    for reason in () if one.rules else one.verdict.reasons:
        _put(screen, "because", reason)


def _short(example: Example) -> str:
    return example.place.removeprefix(f"{Path.cwd()}/")


def _put(screen: Screen, title: str, said: str) -> None:
    screen.hang(Text(f"    {title:<9}", style="dim"), Text(text.visible(said)))


def _put_mutant(screen: Screen, mutant: Mutant, example: Noticing | None) -> None:
    screen.hang(Text(f"  {mutant.rule:<4} "), Text(text.visible(f"nothing would notice if it {mutant.words}")))
    if example is None:
        screen.hang(Text("       "), Text("no example found that would: perhaps no call can tell", style="dim"))
        return
    screen.hang(Text("       "), Text(f"would: {_call(example)} → {decided(example.now)}", style="dim"))


def _call(one: Noticing) -> str:
    """Return the call in words: an example with what is different, or all of it."""
    differs = " and ".join(changed(place, value, one.case) for place, value in one.changed)
    if one.base is not None:
        line = one.base.place.rpartition(":")[2]
        return f"{text.visible(one.base.name)} (line {line}) with {differs or 'nothing changed'}"
    call = text.call(one.given.action, msgspec.Raw(msgspec.json.encode(plain(dict(one.given.args)))))
    world = {"facts": one.given.facts, "user": one.given.user, "state": one.given.state, "windows": one.given.windows}
    beside = ", ".join(f"{name} {text.value(plain(value))}" for name, value in world.items() if value)
    return f"{call}{f' with {beside}' if beside else ''}"


def _document(result: _Result) -> dict[str, Any]:
    covered = result.covered
    return {
        "policy": result.policy.hash,
        "agent": result.agent.name,
        "examples": len(result.examples),
        "failures": [_failure(one) for one in result.failures],
        "changes": covered.total,
        "noticed": covered.noticed,
        "score": covered.score,
        "left_out": covered.left_out,
        "unnoticed": [
            _unnoticed(one, result if number < SHOWN else None) for number, one in enumerate(covered.unnoticed)
        ],
    }


def _failure(one: Failure) -> dict[str, Any]:
    return {
        "name": one.example.name,
        "place": one.example.place,
        "fault": one.fault,
        "permitted": one.verdict.permitted,
        "needs": [str(need) for need in one.verdict.needs],
        "rules": one.rules,
        "told": told(one),
    }


def _unnoticed(mutant: Mutant, result: _Result | None) -> dict[str, Any]:
    example = None if result is None else noticing(mutant, result.policy, result.examples, result.agent)
    return {
        "rule": mutant.rule,
        "place": mutant.place,
        "change": mutant.words,
        "example": None if example is None else {"call": _call(example), "expect": decided(example.now)},
    }
