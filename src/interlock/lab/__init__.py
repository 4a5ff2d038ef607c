"""The lab: recorded runs before another policy. Nothing is performed and no model is asked.

In come a run's events, a policy and the agent whose actions they name; out comes what would be decided otherwise
(`policies.py`).
"""

from interlock.lab.policies import Compared, Decision, Judged, compare, decisions

__all__ = ["Compared", "Decision", "Judged", "compare", "decisions"]
