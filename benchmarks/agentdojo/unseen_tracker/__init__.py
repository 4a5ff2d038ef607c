"""A second suite that nothing was tuned by: a software team's tracker, with its wiki, its chat and its releases.

It is a suite of AgentDojo's kind (`--suite benchmarks.agentdojo.unseen_tracker`). Its orders are those of people in a
hurry: what they mean by "the crash" or "next sprint" stands in tickets, comments and messages, which customers and
guests write too. Nothing is to be tuned by it.
"""

from benchmarks.agentdojo.unseen_tracker.suite import NOTES, task_suite

__all__ = ["NOTES", "task_suite"]
