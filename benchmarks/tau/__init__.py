"""Recorded conversations on an airline desk, judged by the airline's rules; `__main__.py` is `make bench-tau`.

`world.py`, `selling.py`, `searching.py` and `actions.py` are the desk; `facts.py` and `policy.py` its rules;
`confirmation.py` finds the customer's yes; `referee.py` reads the same document without them.
"""
