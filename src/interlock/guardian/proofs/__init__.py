"""Proofs about policies: what can never happen, with z3; what can, with an example that the evaluator has judged.

Importing this needs the extra `prove`; nothing else of the guardian imports it.
"""

from interlock.guardian.proofs.checking import check
from interlock.guardian.proofs.difference import Change, Difference, Reach, diff, one_of, reachable
from interlock.guardian.proofs.examples import shown
from interlock.guardian.proofs.hints import of_hint
from interlock.guardian.proofs.report import Finding, Place, Report, Undecided
from interlock.guardian.proofs.shapes import Shape, Shapes, of_arguments

__all__ = [
    "Change",
    "Difference",
    "Finding",
    "Place",
    "Reach",
    "Report",
    "Shape",
    "Shapes",
    "Undecided",
    "check",
    "diff",
    "of_arguments",
    "of_hint",
    "one_of",
    "reachable",
    "shown",
]
