"""What is played, in which settings, for which figures."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import _convention as convention
from benchmarks.agentdojo import figures
from benchmarks.agentdojo.attackers import Pair, wants_words
from benchmarks.agentdojo.knowing import ATTACKERS, KNOWING
from benchmarks.agentdojo.played import Played, Setting
from benchmarks.agentdojo.shares import played
from benchmarks.agentdojo.world import World, world

STRIDE, TASK_STRIDE = 17, 3
"""With QUICK every so-many-th pair is played, and every so-many-th user's task alone.

The first shares no factor with the number of any suite's attackers.
"""


@dataclass(frozen=True, slots=True)
class Course:
    """One kind of figure: under which setting, and whether it plays users' tasks alone or all pairs."""

    parts: str
    attacker: str
    reviewer: str = ""
    utility: bool = True


SUITE = {
    "none": Course("none", "nobody"),
    "alone": Course("both", "nobody"),
    "reviewed": Course("both", "nobody", "perfect"),
    "attacked_none": Course("none", "direct"),
    "attacked": Course("both", "direct"),
    "attacked_reviewed": Course("both", "direct", "perfect"),
}
"""What the figures of a suite come from."""

ABLATIONS = {
    "none": (SUITE["none"], SUITE["attacked_none"]),
    "provenance": (Course("provenance", "nobody"), Course("provenance", "direct", utility=False)),
    "policy": (Course("policy", "nobody"), Course("policy", "direct", utility=False)),
    "both": (SUITE["alone"], SUITE["attacked"]),
    "reviewed": (SUITE["reviewed"], SUITE["attacked_reviewed"]),
}
"""Parts of the guard: the users' tasks alone, and all pairs."""


def tasks(of: World) -> list[Pair]:
    """Return every user's task, with nobody attacking."""
    return [Pair(user_task) for user_task in of.user_tasks][:: TASK_STRIDE if convention.quick() else 1]


def _pairs(of: World, attacker: str) -> list[Pair]:
    """Return the pairs that an attacker is played on; one that knows the guard wants actions, never words."""
    if ATTACKERS[attacker].per_task:
        return tasks(of)
    found = pairs(of)
    return [one for one in found if not wants_words(of.name, one.injection_task)] if attacker in KNOWING else found


def pairs(of: World) -> list[Pair]:
    """Return every user's task with every attacker's."""
    found = [(user_task, task) for user_task in of.user_tasks for task in of.injection_tasks]
    numbered = [Pair(*one, number=number) for number, one in enumerate(found)]
    return numbered[::STRIDE] if convention.quick() else numbered


_known: dict[Setting, list[Played]] = {}
"""What was played in a setting: several figures come from the same runs."""


def _played(suites: Sequence[str], policies: Path | None, courses: Sequence[Course]) -> list[list[list[Played]]]:
    """Play courses over suites, each once; return the runs by course, then by suite."""
    settings = [[_setting(suite, policies, course) for suite in suites] for course in courses]
    fresh = [one for of_course in settings for one in of_course if one not in _known]
    jobs = [(one, _pairs(world(one.suite), one.attacker)) for one in dict.fromkeys(fresh)]
    for (setting, _), runs in zip(jobs, played(jobs), strict=True):
        _known[setting] = runs
    return [[_known[one] for one in of_course] for of_course in settings]


def _setting(suite: str, policies: Path | None, course: Course) -> Setting:
    """Return where a course is played on a suite; without a guard it is nothing what was declared."""
    declared = None if course.parts == "none" else policies
    return Setting(suite, declared, course.parts, course.attacker, course.reviewer, course.utility)


@dataclass(frozen=True, slots=True)
class Column:
    """The figures of one way to declare: by suite and in all; which tasks ask, and which attacks succeed."""

    suites: dict[str, figures.Figures]
    total: figures.Figures
    asking: list[str]
    succeeding: list[str]

    @property
    def data(self) -> dict[str, Any]:
        """The figures as they are written to the file."""
        return {
            "suites": self.suites,
            "total": self.total,
            "asking": self.asking,
            "succeeding": self.succeeding,
        }


def column(suites: Sequence[str], policies: Path | None) -> Column:
    """Play all that the figures of suites come from."""
    by_course = dict(zip(SUITE, _played(suites, policies, list(SUITE.values())), strict=True))
    by_suite = {
        world(suite).name: {course: runs[index] for course, runs in by_course.items()}
        for index, suite in enumerate(suites)
    }
    return Column(
        {name: figures.whole(runs) for name, runs in by_suite.items()},
        figures.whole(figures.joined(by_suite.values())),
        [line for name, runs in by_suite.items() for line in figures.troubled(name, runs["alone"])],
        [line for name, runs in by_suite.items() for line in figures.succeeded(name, runs["attacked"])],
    )


def ablations(suites: Sequence[str], policies: Path | None) -> dict[str, figures.Figures]:
    """Play with parts of the guard only."""
    benign = [one for one, _ in ABLATIONS.values()]
    attacked = [one for _, one in ABLATIONS.values()]
    runs = [[one for suite in course for one in suite] for course in _played(suites, policies, [*benign, *attacked])]
    return {
        name: {
            "asr": figures.asr(attack),
            "text_asr": figures.text_asr(attack),
            "utility": figures.share(alone, lambda one: one.solved),
            "asks_per_task": round(sum(one.asks for one in alone) / len(alone), 4),
        }
        for name, alone, attack in zip(ABLATIONS, runs[: len(benign)], runs[len(benign) :], strict=True)
    }


def attackers(suites: Sequence[str], policies: Path | None) -> dict[str, figures.Figures]:
    """Play the attackers that know the guard: the share of what they came to try that succeeds."""
    courses = [Course("both", name, one.reviewer, utility=False) for name, one in KNOWING.items()]
    told: dict[str, figures.Figures] = {}
    for name, runs in zip(KNOWING, _played(suites, policies, courses), strict=True):
        tried = [one for suite in runs for one in suite if one.tried]
        named = zip((world(suite).name for suite in suites), runs, strict=True)
        lines = [line for suite, found in named for line in figures.succeeded(suite, found)]
        told[name] = {
            "asr": figures.share(tried, lambda one: one.hijacked),
            "attacks": len(tried),
            "disturbed": figures.share(tried, lambda one: one.denied > 0),
            "succeeding": lines,
        }
    return told
