"""Pydantic AI, governed: `agent = govern(agent, governor)`.

`agent.py` gives an agent its guardian, `toolset.py` stands before each tool, `turns.py` records what the model says,
`trail.py` knows where a run stands in the journal, and `results.py` what becomes of a tool's result there.
"""

from interlock.adapters.pydantic_ai.agent import GovernedAgent, govern
from interlock.adapters.pydantic_ai.toolset import GovernedToolset

__all__ = ["GovernedAgent", "GovernedToolset", "govern"]
