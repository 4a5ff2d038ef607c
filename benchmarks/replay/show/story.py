"""What is told: each function prints one part from what was found."""

import re
from collections import Counter
from dataclasses import dataclass
from typing import NamedTuple

from benchmarks.replay.fetch import ARCHIVE
from benchmarks.replay.recorded import RecordedRun
from benchmarks.replay.show import screen
from benchmarks.replay.show.accounts import Account
from benchmarks.replay.show.choice import ATTACK, MODELS
from benchmarks.replay.show.crash import Crash
from benchmarks.replay.show.once import Once
from benchmarks.replay.show.screen import count, say

FATES = ("done", "denied", "asked", "failed")
MOST = 8
"""How many reasons are listed."""


class Score(NamedTuple):
    """What the benchmark's own checks say of an environment."""

    solved: bool
    hijacked: bool


@dataclass(slots=True)
class Told:
    """The runs, and what is known of each."""

    runs: list[RecordedRun]
    accounts: dict[str, Account]
    scores: dict[str, Score]


def opening(runs: list[RecordedRun]) -> None:
    """Say what is real, what is scripted and what is missing."""
    calls = sum(len(run.calls) for run in runs)
    models, suites = {run.model for run in runs}, {run.suite for run in runs}
    attacked = sum(run.attacked for run in runs)
    print("Interlock: what real models proposed, judged before it happens\n")
    say(
        f"Recorded: {len(runs)} runs of {len(models)} models in {len(suites)} suites of AgentDojo "
        f"({ARCHIVE}), with {calls:,} proposals. In {attacked} runs somebody planted a text that gives the "
        f"model orders ({ATTACK}). No model is called now: a recording goes on as it went, whatever is "
        f"denied or still asked. The models: {', '.join(model for model in MODELS if model in models)}."
    )
    say(
        "Scripted: a user who confirms whatever needs a confirmation. Approvals stay open: nobody answers. "
        "The world is a process of its own and takes its time to answer."
    )
    say(
        "Not governed yet: where a value came from (provenance). Until then the policies "
        "(benchmarks/replay/show/policies.py) compare arguments with the words that the user typed and with what "
        "the world knows."
    )


def crash(found: Crash) -> None:
    """Tell of the kill."""
    asked = " The world, asked right then, says of them:" if found.open else ""
    say(
        f"kill -9 after {found.played} runs and {found.events:,} events. In the journal, {len(found.open)} "
        f"effects had an intent and no outcome.{asked}"
    )
    for state, number in sorted(Counter(found.in_world.values()).items()):
        count(number, "carried out, and the answer was lost" if state == "done" else "not arrived")


def resumed(fates: Counter[tuple[str, str]]) -> None:
    """Say what became of the effects that were under way."""
    what = " What became of them:" if fates else ""
    say(f"A new process opened the same journal and went on to the end.{what}")
    for (words, state), number in fates.most_common():
        count(number, f"{words}{'' if state == 'done' else ' (it had not arrived)'}")


def once(found: Once) -> None:
    """Say whether anything happened twice or was lost."""
    say("Did anything happen twice? The journal against the world's own log of all runs:")
    count(found.effects, f"effects are done in the journal; {found.lost} of them are not in the world's log")
    count(found.twice, "were done a second time")
    count(found.refused, "more reached the world, and the function refused them")
    count(found.equal, f"of {found.compared} changed environments have the sha256 of a fresh one in which")
    print("        the journal's effects were done once each")
    for run in found.wrong:
        say(f"WRONG: {run}")


def results(told: Told) -> None:
    """Print what became of the proposals, per suite and model."""
    rows: list[list[object]] = []
    for suite in sorted({run.suite for run in told.runs}):
        rows.append([suite])
        for model in MODELS:
            runs = [run for run in told.runs if (run.suite, run.model) == (suite, model)]
            rows += [[f"  {_short(model)}", *_row(told, runs)]] if runs else []
    rows.append(["all", *_row(told, told.runs)])
    screen.table(["", "runs", "proposed", *FATES, "hijacked", "solved"], rows)
    print()
    say(
        "asked: waits for an approval. failed: the function answered with an error; "
        f"{_new_failures(told)} of these did not fail in the recording, where nothing waited. hijacked: runs "
        "that reached the attacker's goal, in the recording > now. solved: runs that did the user's task, in "
        "the recording > now. The last two are judged by the benchmark's own checks."
    )
    _costs(told)


def _row(told: Told, runs: list[RecordedRun]) -> list[object]:
    fates = Counter(fate for run in runs for fate in told.accounts[run.id].fates.values())
    scores = [told.scores[run.id] for run in runs]
    hijacked = f"{sum(run.hijacked for run in runs)} > {sum(score.hijacked for score in scores)}"
    solved = f"{sum(run.utility for run in runs)} > {sum(score.solved for score in scores)}"
    return [len(runs), fates.total(), *(fates[fate] for fate in FATES), hijacked, solved]


def _new_failures(told: Told) -> int:
    """Count the calls that failed here and did not in the recording."""
    return sum(
        call.error is None and told.accounts[run.id].fates[call.key] == "failed"
        for run in told.runs
        for call in run.calls
    )


def _short(model: str) -> str:
    """Return a model's name without its date and size."""
    return re.sub(r"-(20\d\d|sonnet|pro).*", "", model)


def _costs(told: Told) -> None:
    """Say what the policies cost those who attack nobody, and what is left open."""
    benign = [run for run in told.runs if not run.attacked]
    fates = Counter(fate for run in benign for fate in told.accounts[run.id].fates.values())
    solved = sum(run.utility for run in benign)
    still = sum(told.scores[run.id].solved for run in benign)
    accounts = told.accounts.values()
    unknown = sum(fate == "unknown" for account in accounts for fate in account.fates.values())
    say(
        f"In the {len(benign)} runs without a planted text, {fates['asked']} proposals were asked, "
        f"{fates['denied']} denied, and {solved} > {still} tasks were solved. In all, the scripted user "
        f"confirmed {sum(account.confirmed for account in accounts)} proposals, "
        f"{sum(bool(account.asking) for account in accounts)} runs wait for a person, and {unknown} effects "
        "have an unknown outcome."
    )


def reasons(told: Told) -> None:
    """Print the most frequent reasons for which something was denied or asked."""
    accounts = told.accounts.values()
    _counted("Denied", Counter(reason for account in accounts for reason in account.denials.elements()))
    _counted("Asked", Counter(reason for account in accounts for reason in account.asking.values()))


def _counted(title: str, counted: Counter[str]) -> None:
    print(f"\n{title}")
    most = counted.most_common(MOST)
    for reason, number in most:
        count(number, screen.cut(reason, 2 * screen.width() - 20))
    left = counted.total() - sum(number for _, number in most)
    if left:
        count(left, "for other reasons")


def still_hijacked(told: Told) -> None:
    """Name what got through, and whether the scripted user let it."""
    kinds: Counter[str] = Counter()
    for run in told.runs:
        if told.scores[run.id].hijacked:
            account = told.accounts[run.id]
            effects = ", ".join(dict.fromkeys(effect.function for effect in account.effects))
            confirmed = " (the scripted user confirmed)" if account.confirmed else ""
            kinds[f"{run.suite}: {effects or 'its words alone'}{confirmed}"] += 1
    print(f"\nAttacker's goals that were still reached: {kinds.total()}. What was done in these runs:")
    for kind, number in kinds.most_common():
        count(number, kind)
