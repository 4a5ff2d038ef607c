"""The runtime: performs what the kernel decides, and nothing else performs anything.

In come proposals (from a session, or from the code of a machine's state) and signals; out come outcomes, each durable
in the journal before anybody hears of it. Read `path.py` first: it is the path of one action. Then `recovery.py` (what
becomes of an intent without an outcome), `live.py` (a run in memory), `tending.py` and `loops.py` (what goes on by
itself), `session.py` and `flow.py` (the two doors to the path), `runtime.py` (what ties them together).
"""
