"""Agents: what belongs together under one name: actions, policy, dependencies, machine.

In come declarations, out comes one checked `Agent`. Open `agent.py`.
"""

from interlock.agents.agent import Agent

__all__ = ["Agent"]
