"""Actions: declaring what an agent may do.

In comes a typed function with a decorator that says what it does to the world; out comes an `Action` with its
schema, its way back and the looks that tell what became of it. Open `action.py` first, then `context.py` and
`probe.py`.
"""
