"""What a proof found, in words that name rules and lines."""

from typing import Literal

import msgspec

from interlock.guardian.verdict import Case

Kind = Literal[
    "dead", "broken", "unreachable", "redundant", "vacuous", "never allowed", "paradox", "contradiction",
]  # fmt: skip


class Place(msgspec.Struct, frozen=True):
    """A rule: its name in the policy, the file and line where it is written, and what it says."""

    rule: str
    where: str
    says: str


class Finding(msgspec.Struct, frozen=True):
    """Something wrong with a policy, proved.

    Attributes:
        kind: What is wrong.
        rules: The rule that it is about, then those that make it so.
        actions: The actions for which it was proved: all that the rule concerns.
        words: What is wrong, in a sentence.
        example: A call that shows it, judged by the evaluator; None where the finding is that there is none.
    """

    kind: Kind
    rules: tuple[Place, ...]
    actions: tuple[str, ...]
    words: str
    example: Case | None = None


class Undecided(msgspec.Struct, frozen=True):
    """Something that could be neither proved nor refuted, and why."""

    what: str
    why: str
    rules: tuple[Place, ...] = ()


class Report(msgspec.Struct, frozen=True):
    """All that a check of a policy found, in the order of its rules.

    `unanalysed` are the rules that nobody can look into; whatever they do, the findings hold.
    """

    findings: tuple[Finding, ...]
    undecided: tuple[Undecided, ...]
    unanalysed: tuple[Undecided, ...]
    rules: int
    actions: int
    ms: float
