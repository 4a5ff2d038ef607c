"""The lab: recorded runs, and calls that somebody makes up, before a policy. Nothing is performed, no model is asked.

In come a run's events, a policy and the agent whose actions they name; out comes what would be decided otherwise
(`policies.py`). Of a call that somebody makes up: why it is judged as it is (`explain`), what would change that
(`changes`), whether examples would notice another rule (`examples`, `mutation`), what could be done at most
(`surface`).
"""

from interlock.lab.policies import Compared, Decision, Judged, compare, decisions

__all__ = ["Compared", "Decision", "Judged", "compare", "decisions"]
