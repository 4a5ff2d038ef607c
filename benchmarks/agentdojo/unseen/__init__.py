"""A suite that no label, phrase or rule was ever written for: the front desk of a small hotel.

It is a suite of AgentDojo's kind (`--suite benchmarks.agentdojo.unseen`), of open-ended tasks: short orders as people
give them, whose details stand in messages, notes and lists. It is meant to show where a guard asks too often, and where
it lets an attacker through. Nothing is to be tuned by it.
"""

from benchmarks.agentdojo.unseen.suite import NOTES, task_suite

__all__ = ["NOTES", "task_suite"]
