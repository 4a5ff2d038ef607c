"""Agents of the OpenAI Agents SDK, governed: `govern(agent, governor)`.

`governing.py` is where to begin: it puts `tools.py` before each function tool and `model.py` before each model.
`places.py` says where in a run a call stands, `turns.py` and `responses.py` what the journal keeps of a model turn, and
`approvals.py` takes people's answers from the SDK's states to the journal and back.
"""

from interlock.adapters.openai_agents.governing import govern

__all__ = ["govern"]
