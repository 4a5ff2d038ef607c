"""A fully compromised agent before the guardian, on the four suites of AgentDojo, and real models' published runs.

`__main__.py` is `make bench-agentdojo`. `world.py` holds the suites, `guards.py` what an operator declares, `stage.py`
plays one script in one environment, `attackers.py` and what it names say what an attacker does.
"""
