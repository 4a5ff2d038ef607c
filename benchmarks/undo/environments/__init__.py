"""Two simulated worlds whose recorded calls are executed and undone: AgentDojo's environments, and an airline.

`figures.py` is where to start from elsewhere, `__main__.py` is the command. `suites.py` and what it names need
AgentDojo; `airline.py` needs recorded conversations.
"""
