"""The kernel: what a run is, as data and pure functions.

In come events (`events`), out comes the run's state (`evolve`) and what is to be done next (`decide`). There
is no I/O, no clock and no randomness in this room: those come in as events. Read `events.py` first, then
`state.py`, `evolve.py` and `decide.py`; `codec.py` turns events into bytes and old bytes into today's events.
"""
